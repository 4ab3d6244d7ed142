// route_entry: one route, as a table keeps it and as the pipeline reads it; route_query: what is
// looked up. Expects: interface indexes of the stack's interface table. Does: carries type, scope,
// gateway, metrics. Never: resolves. Cost: 36 bytes, one cache line with its
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
    u16 mtu = 0;                       // bytes; 0: the interface's
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
    u16 mtu = 0;  // bytes; 0: the interface's
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
    invalid_mtu,          // not zero and below 68 bytes; Linux takes it
};

// What is wrong with the route, and what to do.
[[nodiscard]] constexpr const char* message(route_error error) noexcept {
    using enum route_error;
    switch (error) {
    case none:
        return "no error";
    case full:
        return "the table is full; give fewer routes, or more memory";
    case exists:
        return "a route with its prefix, tos and metric exists; give another metric";
    case not_found:
        return "there is no such route";
    case invalid:
        return "its parts contradict each other: a prefix with host bits, onlink without via, a "
               "refusal with via or dev, or an impossible TOS or scope";
    case no_interface:
        return "it names no interface; add dev NAME or via GATEWAY";
    case interface_down:
        return "its interface is down; bring it up first";
    case gateway_unreachable:
        return "no link leads to its gateway; name a gateway on a link, or add dev NAME onlink";
    case invalid_gateway:
        return "its gateway is not the address of another host; give a neighbour's";
    case invalid_source:
        return "its preferred source is not a local address; give one that is";
    case invalid_mtu:
        return "its MTU is too small; give 68 bytes or more";
    }
    return "unknown route error";
}

}  // namespace sluice
