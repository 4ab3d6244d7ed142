// policies: the slots of a stack. A program names only those that it changes:
//
//     struct edge : sluice::policies<sluice::routes<T>, sluice::output<U>> {};
//
// `based_on<linux_router>` starts from another set of policies. Each slot checks its policy. A slot
// given twice, or a type that is no slot, is an error with a message; for a misspelt slot the
// compiler suggests the right name.
//
// Never: instantiates a model.
// Cost:  nothing at run time.
#pragma once

#include <sluice/delivery/concept.hpp>
#include <sluice/delivery/registry.hpp>
#include <sluice/hooks/concept.hpp>
#include <sluice/hooks/no_hooks.hpp>
#include <sluice/icmp/concept.hpp>
#include <sluice/icmp/linux_icmp_limiter.hpp>
#include <sluice/identification/concept.hpp>
#include <sluice/identification/keyed_identification.hpp>
#include <sluice/interface/interface_table.hpp>
#include <sluice/multicast/group_list.hpp>
#include <sluice/multicast/no_multicast_routes.hpp>
#include <sluice/options/linux_options.hpp>
#include <sluice/output/concept.hpp>
#include <sluice/output/queue_output.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/reassembly/bounded_cache.hpp>
#include <sluice/route/bounded_exceptions.hpp>
#include <sluice/route/concept.hpp>
#include <sluice/route/lpm_trie.hpp>
#include <sluice/security/permit_all.hpp>
#include <sluice/stats/observers.hpp>
#include <sluice/stats/snmp_counters.hpp>

#include <type_traits>

namespace sluice {

namespace detail {

// The base of every slot: the place of one policy.
template <class P>
struct slot {
    using policy = P;
};

// Whether both are the same slot, with any policies.
template <class A, class B>
inline constexpr bool is_same_slot = false;
template <template <class> class Slot, class A, class B>
inline constexpr bool is_same_slot<Slot<A>, Slot<B>> = true;

// A policy that does not fit is reported once, by its slot. The default replaces it, so that no
// other error follows.
template <bool fits, class P, class Default>
using slot_or = std::conditional_t<fits, slot<P>, Default>;

template <class T>
concept is_complete = requires { sizeof(T); };

template <class T, class Packet>
concept has_model = requires { typename T::template model<Packet>; };

template <class T>
concept names_slot = requires { typename T::policy; } &&
                     std::is_base_of_v<slot<typename T::policy>, T> && is_same_slot<T, T>;

}  // namespace detail

// The slots, in the order in which a packet meets them, each with its default policy.

// The source of packets.
template <class S = fixed_pool<2048, 1024>>
struct buffers : detail::slot_or<buffer_source<S>, S, buffers<>> {
    static consteval bool check() {
        static_assert(
            buffer_source<S>,
            "sluice: buffers<S>: S must model sluice::buffer_source (packet/packet_buffer.hpp)");
        return true;
    }
};
// The interfaces and their addresses.
template <class I = interface_table<32>>
struct interfaces : detail::slot_or<interface_policy<I>, I, interfaces<>> {
    static consteval bool check() {
        static_assert(
            interface_policy<I>,
            "sluice: interfaces<I>: I must model sluice::interface_policy (interface/concept.hpp)");
        return true;
    }
};
// The routes.
template <class R = lpm_trie<256>>
struct routes : detail::slot_or<route_policy<R>, R, routes<>> {
    static consteval bool check() {
        static_assert(route_policy<R>,
                      "sluice: routes<R>: R must model sluice::route_policy (route/concept.hpp)");
        return true;
    }
};
// Learned properties of single destinations: path MTUs and redirects.
template <class E = bounded_exceptions<32>>
struct exceptions : detail::slot_or<exceptions_policy<E>, E, exceptions<>> {
    static consteval bool check() {
        static_assert(
            exceptions_policy<E>,
            "sluice: exceptions<E>: E must model sluice::exceptions_policy (route/exceptions.hpp)");
        return true;
    }
};
// The multicast groups that were joined.
template <class M = group_list<32>>
struct multicast : detail::slot_or<multicast_policy<M>, M, multicast<>> {
    static consteval bool check() {
        static_assert(
            multicast_policy<M>,
            "sluice: multicast<M>: M must model sluice::multicast_policy (multicast/concept.hpp)");
        return true;
    }
};
// A tag whose model<Packet> holds the tables of multicast routing.
template <class T = no_multicast_routes>
struct multicast_routes : detail::slot<T> {
    template <class Packet>
    static consteval bool fits() {
        static_assert(detail::has_model<T, Packet>,
                      "sluice: multicast_routes<T>: T must be a tag, with its class inside: "
                      "struct T { template <class Packet> class model { ... }; };");
        if constexpr (detail::has_model<T, Packet>) {
            static_assert(multicast_route_policy<T, Packet>,
                          "sluice: multicast_routes<T>: T must model "
                          "sluice::multicast_route_policy (multicast/route_concept.hpp)");
        }
        return multicast_route_policy<T, Packet>;
    }
};
// The handling of IPv4 options.
template <class O = linux_options>
struct options : detail::slot_or<options_policy<O>, O, options<>> {
    static consteval bool check() {
        static_assert(
            options_policy<O>,
            "sluice: options<O>: O must model sluice::options_policy (options/concept.hpp)");
        return true;
    }
};
// A tag whose model<Packet> reassembles fragments. The stack checks tags, because it knows the
// packet type.
template <class T = bounded_cache<512>>
struct reassembly : detail::slot<T> {
    template <class Packet>
    static consteval bool fits() {
        static_assert(detail::has_model<T, Packet>,
                      "sluice: reassembly<T>: T must be a tag, with its class inside: "
                      "struct T { template <class Packet> class model { ... }; };");
        if constexpr (detail::has_model<T, Packet>) {
            constexpr bool takes_parts =
                !has_reassembly_parts<typename T::template model<Packet>> ||
                takes_its_parts<typename T::template model<Packet>>;
            static_assert(takes_parts,
                          "sluice: reassembly<T>: T's model names its parts, so it must have the "
                          "constructor model(hash_key, const parts&) noexcept, and parts a default "
                          "constructor (reassembly/concept.hpp)");
            if constexpr (takes_parts) {
                static_assert(reassembly_policy<T, Packet>,
                              "sluice: reassembly<T>: T must model sluice::reassembly_policy "
                              "(reassembly/concept.hpp)");
            }
        }
        return reassembly_policy<T, Packet>;
    }
};
// A tag whose model<Packet> is the registry of handlers and endpoints.
template <class T = registered_endpoints<>>
struct delivery : detail::slot<T> {
    template <class Packet>
    static consteval bool fits() {
        static_assert(detail::has_model<T, Packet>,
                      "sluice: delivery<T>: T must be a tag, with its class inside: "
                      "struct T { template <class Packet> class model { ... }; };");
        if constexpr (detail::has_model<T, Packet>) {
            constexpr bool optional_fit =
                may_have_optional_functions<typename T::template model<Packet>, Packet>;
            static_assert(optional_fit,
                          "sluice: delivery<T>: the stack would never call has_listener, flow_of, "
                          "has_flows or ping of T's model: it must be noexcept and have the "
                          "arguments and result of delivery/concept.hpp");
            if constexpr (optional_fit) {
                static_assert(delivery_policy<T, Packet>,
                              "sluice: delivery<T>: T must model sluice::delivery_policy "
                              "(delivery/concept.hpp)");
            }
        }
        return delivery_policy<T, Packet>;
    }
};
// Whether ICMP requests are answered, and how often ICMP errors are sent.
template <class T = linux_icmp_limiter>
struct icmp_limits : detail::slot_or<icmp_policy<T>, T, icmp_limits<>> {
    static consteval bool check() {
        static_assert(
            icmp_policy<T>,
            "sluice: icmp_limits<T>: T must model sluice::icmp_policy (icmp/concept.hpp)");
        return true;
    }
};
// The identification field.
template <class T = flow_identification>
struct identification : detail::slot_or<identification_policy<T>, T, identification<>> {
    static consteval bool check() {
        static_assert(identification_policy<T>,
                      "sluice: identification<T>: T must model sluice::identification_policy "
                      "(identification/concept.hpp)");
        return true;
    }
};
// A tag whose model<Packet> runs the program's hooks.
template <class T = no_hooks>
struct hooks : detail::slot<T> {
    template <class Packet>
    static consteval bool fits() {
        static_assert(detail::has_model<T, Packet> || !detail::is_complete<T>,
                      "sluice: hooks<T>: T must be a tag, with its class inside: "
                      "struct T { template <class Packet> class model { ... }; };");
        if constexpr (detail::has_model<T, Packet>) {
            static_assert(hook_policy<T, Packet>,
                          "sluice: hooks<T>: T must model sluice::hook_policy "
                          "(hooks/concept.hpp)");
        }
        return hook_policy<T, Packet>;
    }
};
// A tag whose model<Packet> may drop packets.
template <class T = permit_all>
struct security : detail::slot<T> {
    template <class Packet>
    static consteval bool fits() {
        static_assert(detail::has_model<T, Packet>,
                      "sluice: security<T>: T must be a tag, with its class inside: "
                      "struct T { template <class Packet> class model { ... }; };");
        if constexpr (detail::has_model<T, Packet>) {
            static_assert(security_policy<T, Packet>,
                          "sluice: security<T>: T must model sluice::security_policy "
                          "(security/concept.hpp)");
        }
        return security_policy<T, Packet>;
    }
};
// A tag whose model<Packet> sends packets.
template <class T = queue_output<64>>
struct output : detail::slot<T> {
    template <class Packet>
    static consteval bool fits() {
        static_assert(detail::has_model<T, Packet>,
                      "sluice: output<T>: T must be a tag, with its class inside: "
                      "struct T { template <class Packet> class model { ... }; };");
        if constexpr (!detail::has_model<T, Packet>) {
            return false;
        } else if constexpr (!has_transmit<typename T::template model<Packet>, Packet>) {
            static_assert(has_transmit<typename T::template model<Packet>, Packet>,
                          "sluice: output<T>: T's model must have bool transmit(Packet&, const "
                          "egress&, instant) noexcept (output/concept.hpp)");
        } else {
            static_assert(output_policy<T, Packet>,
                          "sluice: output<T>: T must model sluice::output_policy "
                          "(output/concept.hpp)");
        }
        return output_policy<T, Packet>;
    }
};
// The counters.
template <class S = snmp_counters>
struct stats : detail::slot_or<stats_policy<S>, S, stats<>> {
    static consteval bool check() {
        static_assert(stats_policy<S>,
                      "sluice: stats<S>: S must model sluice::stats_policy (stats/concept.hpp)");
        return true;
    }
};
// The observer of decisions.
template <class O = null_observer>
struct observers : detail::slot_or<observer<O>, O, observers<>> {
    static consteval bool check() {
        static_assert(observer<O>,
                      "sluice: observers<O>: O must model sluice::observer (stats/concept.hpp)");
        return true;
    }
};
// A set of policies to start from.
template <class P>
struct based_on : detail::slot<P> {};

namespace detail {

template <class T>
struct slot_of {
    using policy = T;  // no slot: the type itself
};
template <template <class> class Slot, class T>
struct slot_of<Slot<T>> {
    using policy = T;
    template <class Other>
    using with = Slot<Other>;
};

template <class P>
concept is_policy_set = requires { typename P::template of<buffers<>>; };

template <class T>
inline constexpr bool is_hook_chain = false;
template <std::size_t N, std::size_t Queued>
inline constexpr bool is_hook_chain<hook_chain<N, Queued>> = true;

// Makes the policy by itself first: a mistake in its parameters is reported here. False: its header
// is not included.
template <class T>
consteval bool check_policy() {
    constexpr bool is_made = requires { sizeof(T); };  // no concept: fewer notes
    constexpr bool is_chain = is_hook_chain<T> && !is_made;
    constexpr bool is_lpm_table = std::is_same_v<T, lpm_table> && !is_made;
    constexpr bool is_direct_table = std::is_same_v<T, direct_table> && !is_made;
    static_assert(
        !is_chain,
        "sluice: hook_chain is only declared: add #include <sluice/hooks/hook_chain.hpp>");
    static_assert(!is_lpm_table,
                  "sluice: lpm_table is only declared: add #include <sluice/route/lpm_table.hpp>");
    static_assert(
        !is_direct_table,
        "sluice: direct_table is only declared: add #include <sluice/route/direct_table.hpp>");
    static_assert(is_made || is_chain || is_lpm_table || is_direct_table,
                  "sluice: policies<...>: the policy of a slot must be a complete class");
    return is_made;
}

// Reports each mistake by itself and returns true, so that no other error follows.
template <class T>
consteval bool check_slot() {
    if constexpr (check_policy<typename slot_of<T>::policy>()) {
        static_assert(
            !is_policy_set<T>,
            "sluice: policies<...>: a set of policies to start from goes into based_on<...>");
        static_assert(is_policy_set<T> || names_slot<T>,
                      "sluice: policies<...>: this type is no slot: wrap a policy in routes<>, "
                      "output<>, reassembly<>, ... (stack/policies.hpp lists them)");
        if constexpr (requires { T::check(); }) {
            return T::check();
        }
    }
    return true;
}

template <class Slot, class... Slots>
inline constexpr int times_given = (0 + ... + (is_same_slot<Slot, Slots> ? 1 : 0));

// Each slot is compared with those behind it, so that a slot given twice is one error.
template <class First, class... Rest>
consteval bool are_given_once() {
    static_assert(times_given<First, Rest...> == 0,
                  "sluice: policies<...>: a slot is given twice; name each slot once");
    if constexpr (sizeof...(Rest) > 0) {
        return are_given_once<Rest...>();
    } else {
        return true;
    }
}

template <class T>
inline constexpr bool is_base = is_same_slot<T, based_on<void>>;

// The policy of a slot: one of Slots, that of the base, or the default.
template <class Wanted>
constexpr Wanted find_slot() {
    return {};
}
template <class Wanted, class First, class... Rest>
constexpr auto find_slot() {
    if constexpr (is_same_slot<First, Wanted>) {
        return First{};
    } else if constexpr (is_base<First> && times_given<Wanted, Rest...> == 0) {
        return slot<typename First::policy::template of<Wanted>>{};
    } else {
        return find_slot<Wanted, Rest...>();
    }
}

template <class Slot>
constexpr void take_settings([[maybe_unused]] settings& s) noexcept {
    if constexpr (is_base<Slot>) {
        s = Slot::policy::initial_settings();
    }
}
// The settings of the base among Slots, or Linux's defaults.
template <class... Slots>
constexpr settings base_settings() noexcept {
    settings s{};
    (take_settings<Slots>(s), ...);
    return s;
}

}  // namespace detail

template <class... Slots>
struct policies {
    static_assert((detail::check_slot<Slots>() && ...));
    static_assert(detail::are_given_once<void, Slots...>());

    // The policy of a slot: of<routes<>>.
    template <class Slot>
    using of = typename decltype(detail::find_slot<Slot, Slots...>())::policy;

    // The initial switches: the base's, or Linux's defaults. A set of policies may define its own.
    [[nodiscard]] static constexpr settings initial_settings() noexcept {
        return detail::base_settings<Slots...>();
    }
};

namespace detail {

template <class P, class Slot>
using given = typename slot_of<Slot>::template with<typename P::template of<Slot>>;

// Reports the tags that do not fit, before a part of the stack needs them.
template <class P>
consteval bool check_tags() {
    using packet = typename P::template of<buffers<>>::packet_type;
    return (given<P, reassembly<>>::template fits<packet>(),
            given<P, delivery<>>::template fits<packet>(),
            given<P, hooks<>>::template fits<packet>(),
            given<P, multicast_routes<>>::template fits<packet>(),
            given<P, security<>>::template fits<packet>(),
            given<P, output<>>::template fits<packet>(), true);
}

// The tag of a slot; the default if its model does not fit, as in slot_or.
template <class P, class Slot, class Packet>
using tag_of = typename std::conditional_t<given<P, Slot>::template fits<Packet>(), given<P, Slot>,
                                           Slot>::policy;

// All policies of P by name, defaults included.
template <class P>
struct resolved {
    using buffers = typename P::template of<sluice::buffers<>>;
    using interfaces = typename P::template of<sluice::interfaces<>>;
    using routes = typename P::template of<sluice::routes<>>;
    using exceptions = typename P::template of<sluice::exceptions<>>;
    using multicast = typename P::template of<sluice::multicast<>>;
    using options = typename P::template of<sluice::options<>>;
    using icmp = typename P::template of<sluice::icmp_limits<>>;
    using identification = typename P::template of<sluice::identification<>>;
    using stats = typename P::template of<sluice::stats<>>;
    using observer = typename P::template of<sluice::observers<>>;

    using packet = typename buffers::packet_type;

    using reassembly = tag_of<P, sluice::reassembly<>, packet>;
    using delivery = tag_of<P, sluice::delivery<>, packet>;
    using hooks = tag_of<P, sluice::hooks<>, packet>;
    using multicast_routes = tag_of<P, sluice::multicast_routes<>, packet>;
    using security = tag_of<P, sluice::security<>, packet>;
    using output = tag_of<P, sluice::output<>, packet>;

    // The stack builds ICMP errors of up to 576 bytes; the link and a longer header need room in
    // front.
    static_assert(buffers::block_capacity >= default_headroom + 576 + 60,
                  "sluice: buffers<S>: too little room in a block: it must hold the headroom "
                  "(packet/pool_storage.hpp: "
                  "default_headroom), a header of 60 bytes and an ICMP error of 576");
};

// P; or all defaults if P is no set of policies, which class stack reports.
template <class P>
using policies_or_default = std::conditional_t<is_policy_set<P>, P, policies<>>;

}  // namespace detail

}  // namespace sluice
