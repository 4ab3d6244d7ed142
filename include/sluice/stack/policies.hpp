// policies: the slots of a stack, and how a user names only what he changes.
// Expects: `struct edge : sluice::policies<sluice::routes<T>, sluice::output<U>> {};`. Does: checks
// each slot at its own line, finds the policy of a slot or the default. Never: instantiates a
// model. Cost: nothing at run time. A misspelt slot is no template (the compiler suggests the right
// one); a slot given twice and a type that is no slot are errors that say so.
// `based_on<linux_router>` starts from another set of policies.
#pragma once

#include <sluice/delivery/concept.hpp>
#include <sluice/delivery/endpoints.hpp>
#include <sluice/hooks/concept.hpp>
#include <sluice/hooks/no_hooks.hpp>
#include <sluice/icmp/concept.hpp>
#include <sluice/icmp/linux_icmp_limiter.hpp>
#include <sluice/identification/concept.hpp>
#include <sluice/identification/linux_identification.hpp>
#include <sluice/interface/interface_table.hpp>
#include <sluice/multicast/group_list.hpp>
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

// One enumerator a slot, in the order in which a packet meets them.
enum class slot {
    none,
    base,
    buffers,
    interfaces,
    routes,
    exceptions,
    multicast,
    options,
    reassembly,
    delivery,
    icmp,
    identification,
    hooks,
    security,
    output,
    stats,
    observer
};

template <class T>
concept names_slot = requires {
    { T::slot_of } -> std::convertible_to<detail::slot>;
};

}  // namespace detail

// Where packets come from. Default: fixed_pool<2048, 1024>.
template <class S>
struct buffers {
    static_assert(
        buffer_source<S>,
        "sluice: buffers<S>: S must model sluice::buffer_source (packet/packet_buffer.hpp)");
    static constexpr detail::slot slot_of = detail::slot::buffers;
    using policy = S;
};
// The interfaces and our addresses. Default: interface_table<32>.
template <class I>
struct interfaces {
    static_assert(
        interface_policy<I>,
        "sluice: interfaces<I>: I must model sluice::interface_policy (interface/concept.hpp)");
    static constexpr detail::slot slot_of = detail::slot::interfaces;
    using policy = I;
};
// Where destinations lead. Default: lpm_trie<256>.
template <class R>
struct routes {
    static_assert(route_policy<R>,
                  "sluice: routes<R>: R must model sluice::route_policy (route/concept.hpp)");
    static constexpr detail::slot slot_of = detail::slot::routes;
    using policy = R;
};
// What is learned about single destinations: path MTUs and redirects. Default:
// bounded_exceptions<32>.
template <class E>
struct exceptions {
    static_assert(
        exceptions_policy<E>,
        "sluice: exceptions<E>: E must model sluice::exceptions_policy (route/exceptions.hpp)");
    static constexpr detail::slot slot_of = detail::slot::exceptions;
    using policy = E;
};
// Which groups we listen to. Default: group_list<32>.
template <class M>
struct multicast {
    static_assert(
        multicast_policy<M>,
        "sluice: multicast<M>: M must model sluice::multicast_policy (multicast/concept.hpp)");
    static constexpr detail::slot slot_of = detail::slot::multicast;
    using policy = M;
};
// What becomes of IPv4 options. Default: linux_options.
template <class O>
struct options {
    static_assert(options_policy<O>,
                  "sluice: options<O>: O must model sluice::options_policy (options/concept.hpp)");
    static constexpr detail::slot slot_of = detail::slot::options;
    using policy = O;
};
// A tag whose model<Packet> makes fragments whole. Default: bounded_cache<512>. Checked by the
// stack, which knows the packet.
template <class T>
struct reassembly {
    static constexpr detail::slot slot_of = detail::slot::reassembly;
    using policy = T;
};
// A tag whose model<Packet> knows the handlers and endpoints. Default: registered_endpoints<>.
template <class T>
struct delivery {
    static constexpr detail::slot slot_of = detail::slot::delivery;
    using policy = T;
};
// Whether ICMP is answered and how often errors are sent. Default: linux_icmp_limiter.
template <class T>
struct icmp_rules {
    static_assert(icmp_policy<T>,
                  "sluice: icmp_rules<T>: T must model sluice::icmp_policy (icmp/concept.hpp)");
    static constexpr detail::slot slot_of = detail::slot::icmp;
    using policy = T;
};
// The identification field. Default: linux_identification.
template <class T>
struct identification {
    static_assert(identification_policy<T>,
                  "sluice: identification<T>: T must model sluice::identification_policy "
                  "(identification/concept.hpp)");
    static constexpr detail::slot slot_of = detail::slot::identification;
    using policy = T;
};
// A tag whose model<Packet> runs the user's hooks. Default: no_hooks.
template <class T>
struct hooks {
    static constexpr detail::slot slot_of = detail::slot::hooks;
    using policy = T;
};
// A tag whose model<Packet> may refuse packets. Default: permit_all.
template <class T>
struct security {
    static constexpr detail::slot slot_of = detail::slot::security;
    using policy = T;
};
// A tag whose model<Packet> takes what leaves. Default: queue_output<64>.
template <class T>
struct output {
    static constexpr detail::slot slot_of = detail::slot::output;
    using policy = T;
};
// The counters. Default: snmp_counters.
template <class S>
struct stats {
    static_assert(stats_policy<S>,
                  "sluice: stats<S>: S must model sluice::stats_policy (stats/concept.hpp)");
    static constexpr detail::slot slot_of = detail::slot::stats;
    using policy = S;
};
// Who sees the decisions. Default: null_observer.
template <class O>
struct observed_by {
    static_assert(observer<O>,
                  "sluice: observed_by<O>: O must model sluice::observer (stats/concept.hpp)");
    static constexpr detail::slot slot_of = detail::slot::observer;
    using policy = O;
};
// Another set of policies to start from.
template <class P>
struct based_on {
    static constexpr detail::slot slot_of = detail::slot::base;
    using policy = P;
};

namespace detail {

template <class T>
consteval bool is_slot() {
    static_assert(
        names_slot<T>,
        "sluice: policies<...>: this type is no slot: wrap a policy in routes<>, output<>, "
        "reassembly<>, ... (stack/policies.hpp lists them)");
    return names_slot<T>;
}

template <slot S, class... Slots>
inline constexpr int times_given = (0 + ... + (Slots::slot_of == S ? 1 : 0));

template <class Slot, class... Slots>
consteval bool is_given_once() {
    static_assert(times_given<Slot::slot_of, Slots...> == 1,
                  "sluice: policies<...>: a slot is given twice; name each slot once");
    return true;
}

template <class T>
struct found {
    using type = T;
};

// The policy of slot S among Slots: its own, that of the base, or Default.
template <slot S, class Default>
constexpr auto find_policy() {
    return found<Default>{};
}
template <slot S, class Default, class First, class... Rest>
constexpr auto find_policy() {
    if constexpr (First::slot_of == S) {
        return found<typename First::policy>{};
    } else if constexpr (First::slot_of == slot::base && times_given<S, Rest...> == 0) {
        return found<typename First::policy::template of<S, Default>>{};
    } else {
        return find_policy<S, Default, Rest...>();
    }
}

template <class Slot>
constexpr void take_settings([[maybe_unused]] settings& s) noexcept {
    if constexpr (Slot::slot_of == slot::base) {
        s = Slot::policy::initial_settings();
    }
}
// Those of the base among Slots, or Linux's defaults.
template <class... Slots>
constexpr settings base_settings() noexcept {
    settings s{};
    (take_settings<Slots>(s), ...);
    return s;
}

}  // namespace detail

template <class... Slots>
struct policies {
    static_assert((detail::is_slot<Slots>() && ...));
    static_assert((detail::is_given_once<Slots, Slots...>() && ...));

    template <detail::slot S, class Default>
    using of = typename decltype(detail::find_policy<S, Default, Slots...>())::type;

    // What the switches start with: as in the base, or Linux's defaults; a set of policies of its
    // own may hide it.
    [[nodiscard]] static constexpr settings initial_settings() noexcept {
        return detail::base_settings<Slots...>();
    }
};

namespace detail {

// Every policy of P by name, defaults filled in.
template <class P>
struct resolved {
    using buffers = typename P::template of<slot::buffers, fixed_pool<2048, 1024>>;
    using interfaces = typename P::template of<slot::interfaces, interface_table<32>>;
    using routes = typename P::template of<slot::routes, lpm_trie<256>>;
    using exceptions = typename P::template of<slot::exceptions, bounded_exceptions<32>>;
    using multicast = typename P::template of<slot::multicast, group_list<32>>;
    using options = typename P::template of<slot::options, linux_options>;
    using reassembly = typename P::template of<slot::reassembly, bounded_cache<512>>;
    using delivery = typename P::template of<slot::delivery, registered_endpoints<>>;
    using icmp = typename P::template of<slot::icmp, linux_icmp_limiter>;
    using identification = typename P::template of<slot::identification, linux_identification>;
    using hooks = typename P::template of<slot::hooks, no_hooks>;
    using security = typename P::template of<slot::security, permit_all>;
    using output = typename P::template of<slot::output, queue_output<64>>;
    using stats = typename P::template of<slot::stats, snmp_counters>;
    using observer = typename P::template of<slot::observer, null_observer>;

    using packet = typename buffers::packet_type;

    static_assert(
        reassembly_policy<reassembly, packet>,
        "sluice: reassembly<T>: T must model sluice::reassembly_policy (reassembly/concept.hpp)");
    static_assert(
        delivery_policy<delivery, packet>,
        "sluice: delivery<T>: T must model sluice::delivery_policy (delivery/concept.hpp)");
    static_assert(hook_policy<hooks, packet>,
                  "sluice: hooks<T>: T must model sluice::hook_policy (hooks/concept.hpp)");
    static_assert(
        security_policy<security, packet>,
        "sluice: security<T>: T must model sluice::security_policy (security/concept.hpp)");
    static_assert(output_policy<output, packet>,
                  "sluice: output<T>: T must model sluice::output_policy (output/concept.hpp)");
    // The stack builds errors of up to 576 octets, in front of which the link and a longer header
    // need room.
    static_assert(buffers::block_capacity >= default_headroom + 576 + 60,
                  "sluice: buffers<S>: too little room in a block: it must hold the headroom "
                  "(packet/pool_storage.hpp: "
                  "default_headroom), a header of 60 octets and an ICMP error of 576");
};

}  // namespace detail

}  // namespace sluice
