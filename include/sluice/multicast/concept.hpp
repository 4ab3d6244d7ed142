// # multicast_policy
//
// Stores the groups that this host has joined.
//
// `is_member(interface, group, source)` returns whether this host receives datagrams from source to
// the group by this interface. 224.0.0.1 is always joined (RFC 1112 section 7.2), and cannot be
// left. `join` and `leave` count: a group joined twice must be left twice. Optional:
// `forget(interface)` removes the groups of a removed interface.
//
// Exemplar:
//
//     struct groups {
//         bool is_member(u16 interface, ipv4::address group, ipv4::address source) const noexcept;
//         bool join(u16 interface, ipv4::address group) noexcept;    // false: full, or no group
//         bool leave(u16 interface, ipv4::address group) noexcept;   // false: not joined
//     };
//
// A model that is made from a hash_key gets a secret of the stack's. One that speaks IGMP says so
// by `static constexpr bool speaks_igmp = true` and has the other functions of `igmp_host`.
//
// Models: `group_list<N>`, `all_systems_only`, `igmp_host<Groups, Sources, Interfaces>`.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/wire/address.hpp>

#include <concepts>

namespace sluice {

template <class M>
concept multicast_policy = requires(M& m, const M& c, u16 i, ipv4::address a) {
    { c.is_member(i, a, a) } noexcept -> std::same_as<bool>;
    { m.join(i, a) } noexcept -> std::same_as<bool>;
    { m.leave(i, a) } noexcept -> std::same_as<bool>;
};

// A model that speaks IGMP.
template <class M>
inline constexpr bool speaks_igmp = false;
template <class M>
    requires requires { M::speaks_igmp; }
inline constexpr bool speaks_igmp<M> = M::speaks_igmp;

}  // namespace sluice
