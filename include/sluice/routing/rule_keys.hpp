// rule_keys: what the rules of policy routing see of a packet, and lookups that ask them.
//
// A route policy without rules (route/concept.hpp) is asked as before: the key is not even made.
//
// Expects: tables; the interface that a packet came by, or 0 or the one that a sender named.
// Cost:    with rules, the key and what the policy takes; without, nothing.
// Source:  Linux ip_route_input_slow, ip_route_output_key_hash, __fib_validate_source,
//          l3mdev_update_flow.
#pragma once

#include <sluice/interface/interface.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/route/concept.hpp>
#include <sluice/routing/tables.hpp>

#include <type_traits>

namespace sluice::routing {

inline constexpr u16 loopback_index = 1;

template <class Tables>
inline constexpr bool tables_ask_rules =
    asks_rules<std::remove_cvref_t<decltype(std::declval<const Tables&>().routes)>>;

// An argument for rules where there are none: empty, so that it takes no register.
struct not_asked {};

// The mark of a packet, for classify().
template <class Tables, class Packet>
[[nodiscard]] constexpr auto mark_for_rules(const Tables&, const Packet& packet) noexcept {
    if constexpr (tables_ask_rules<Tables>) {
        return packet.metadata().mark;
    } else {
        return not_asked{};
    }
}

// A key that stages hand on to each other.
template <class Tables>
using key_for_rules = std::conditional_t<tables_ask_rules<Tables>, rule_key, not_asked>;

// The key of a received packet.
[[nodiscard]] constexpr rule_key received_key(ipv4::const_view ip, ipv4::address destination,
                                              const interface& in, u32 mark = 0) noexcept {
    return {.source = ip[ipv4::source],
            .destination = destination,
            .incoming = in.index,
            .incoming_master = in.master,
            .tos = ip[ipv4::tos],
            .mark = mark};
}

// The key of the way back to the source of a received packet: addresses exchanged, no mark. It
// comes by the egress `out` of a packet to forward, by lo (out 0) for one to deliver.
// `to` is unspecified for broadcasts and groups. Linux __fib_validate_source.
template <class Tables>
[[nodiscard]] constexpr key_for_rules<Tables> key_back(const Tables&, ipv4::address source,
                                                       ipv4::address to, u8 tos,
                                                       const interface& in, u16 out) noexcept {
    if constexpr (tables_ask_rules<Tables>) {
        return {.source = to,
                .destination = source,
                .incoming = out != 0 ? out : loopback_index,
                .incoming_master = in.master,
                .tos = tos};
    } else {
        return {};
    }
}

// The same with a named interface.
template <class Key>
[[nodiscard]] constexpr Key key_by(Key k, u16 out) noexcept {
    if constexpr (std::is_same_v<Key, rule_key>) {
        k.outgoing = out;
    }
    return k;
}

// The key of a packet of this host; `out` is the interface that its sender named, or 0.
template <class Tables>
[[nodiscard]] constexpr rule_key own_key(const Tables& t, ipv4::address source,
                                         ipv4::address destination, u16 out, u8 tos,
                                         u32 mark = 0) noexcept {
    const interface* const to = out != 0 ? t.interfaces.find(out) : nullptr;
    return {.source = source,
            .destination = destination,
            .incoming = loopback_index,
            .outgoing = out,
            .outgoing_master = to != nullptr ? to->master : u16{0},
            .tos = tos,
            .mark = mark};
}

// The best route; key() makes the rule_key.
template <class Tables, class Key>
[[nodiscard, gnu::always_inline]] constexpr next_hop
find_route(const Tables& t, const route_query& q, Key&& key) noexcept {
    if constexpr (tables_ask_rules<Tables>) {
        return t.routes.lookup(q, key());
    } else {
        return t.routes.lookup(q);
    }
}

// The best route, or nullptr if there is none or it refuses packets.
template <class Tables, class Key>
[[nodiscard, gnu::always_inline]] constexpr const route_entry*
usable_route(const Tables& t, const route_query& q, Key&& key) noexcept {
    const next_hop id = find_route(t, q, key);
    if (id == next_hop::none) {
        return nullptr;
    }
    const route_entry& r = t.routes.at(id);
    return is_usable(r.type) ? &r : nullptr;
}

}  // namespace sluice::routing
