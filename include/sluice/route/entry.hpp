// route_entry: one route, as a table keeps it and as the pipeline reads it; route_query: what is
// looked up. Expects: interface indexes of the stack's interface table. Does: carries type, scope,
// gateway, metrics. Never: resolves. Cost: 36 octets, one cache line with its
// neighbours. Source: Linux rtnetlink.h, fib_semantics.c.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/packet/next_hop.hpp>
#include <sluice/packet/scopes.hpp>
#include <sluice/wire/address.hpp>

namespace sluice {

// Linux RTN_*.
enum class route_type : u8 {
    unicast,
    local,
    broadcast,
    multicast,
    blackhole,
    unreachable,
    prohibit,
    throw_away,  // "throw": go on with the next table, in the end no route
};

struct route_entry {
    ipv4::prefix prefix{};
    route_type type = route_type::unicast;
    u8 scope = scopes::universe;
    u8 tos = 0;            // 0: any
    bool on_link = false;  // the gateway counts as reachable although no route says so
    bool mtu_locked = false;
    u16 interface = 0;
    u16 mtu = 0;                       // octets; 0: the interface's
    ipv4::address gateway{};           // unspecified: the destination is on the link
    ipv4::address preferred_source{};  // unspecified: chosen by the interface's addresses
    u32 metric = 0;                    // of several routes to one prefix the smallest is used

    [[nodiscard]] constexpr bool has_gateway() const noexcept { return !gateway.is_unspecified(); }
    // The scope of the next hop: link when a gateway is used, host when the destination itself is
    // on the link.
    [[nodiscard]] constexpr u8 next_hop_scope() const noexcept {
        return has_gateway() ? scopes::link
                             : (scope == scopes::host ? scopes::nowhere : scopes::host);
    }

    friend constexpr bool operator==(const route_entry&, const route_entry&) noexcept = default;
};

// What a plain packet needs to know of its route (hop.hpp).
struct alignas(16) hop_entry {
    ipv4::address gateway{};  // unspecified: the destination is on the link
    u16 interface = 0;
    u16 mtu = 0;  // octets; 0: the interface's
    route_type type = route_type::unicast;

    [[nodiscard]] constexpr bool has_gateway() const noexcept { return !gateway.is_unspecified(); }

    friend constexpr bool operator==(const hop_entry&, const hop_entry&) noexcept = default;
};

struct route_query {
    ipv4::address destination{};
    u16 interface = 0;  // only routes by this one; 0: any
    u8 tos = 0;
    u8 scope = scopes::universe;  // only routes of at least this scope
};

// Why a table or a stack refuses a route, and what Linux answers.
enum class route_error : u8 {
    none,
    full,                 // ENOMEM: the table has no room
    exists,               // EEXIST: prefix, table, tos and metric are taken
    not_found,            // ESRCH: no route is meant
    invalid,              // EINVAL: prefix with host bits, unknown type, ECN bits, scope
    no_interface,         // ENODEV
    interface_down,       // ENETDOWN
    gateway_unreachable,  // ENETUNREACH: no link of that interface leads to the gateway
    invalid_gateway,      // EINVAL: not the address of another host
    invalid_source,       // EINVAL: the preferred source is not a local address
    invalid_mtu,          // not zero and below 68 octets; Linux takes it
};

// A sentence for a person.
[[nodiscard]] constexpr const char* message(route_error error) noexcept {
    using enum route_error;
    switch (error) {
    case none:
        return "no error";
    case full:
        return "the table has no room";
    case exists:
        return "a route of this prefix, TOS and metric exists";
    case not_found:
        return "there is no such route";
    case invalid:
        return "the prefix has host bits, or the type, TOS or scope is impossible";
    case no_interface:
        return "there is no such interface";
    case interface_down:
        return "the interface is down";
    case gateway_unreachable:
        return "the interface has no route to the gateway";
    case invalid_gateway:
        return "the gateway is not the address of another host";
    case invalid_source:
        return "the preferred source is not a local address";
    case invalid_mtu:
        return "the MTU is below 68 bytes";
    }
    return "unknown route error";
}

}  // namespace sluice
