// route_entry: one route, as tables keep it and the pipeline reads it.
// Also here: hop_entry, the part of a route that a plain packet needs; route_query, the input of a
// lookup; route_error, the reason why a route is refused.
//
// Expects: interface indexes of the stack's interface table.
// Cost:    36 bytes.
// Source:  Linux rtnetlink.h, fib_semantics.c.
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
    throw_away,  // "throw": continue with the next table; here: no route
};

struct route_entry {
    ipv4::prefix prefix{};
    route_type type = route_type::unicast;
    u8 scope = scopes::universe;
    u8 tos = 0;            // 0: any
    bool on_link = false;  // accept the gateway although no route covers it
    bool mtu_locked = false;
    u8 hop_limit = 0;  // TTL of datagrams that this host sends by it; 0: ip_default_ttl
    u16 interface = 0;
    u16 mtu = 0;                       // bytes; 0: the interface's
    ipv4::address gateway{};           // unspecified: the destination is on the link
    ipv4::address preferred_source{};  // unspecified: chosen from the interface's addresses
    u32 metric = 0;                    // the smallest wins among routes to one prefix

    [[nodiscard]] constexpr bool has_gateway() const noexcept { return !gateway.is_unspecified(); }
    // The scope of the next hop: link with a gateway, host when the destination is on the link.
    [[nodiscard]] constexpr u8 next_hop_scope() const noexcept {
        return has_gateway() ? scopes::link
                             : (scope == scopes::host ? scopes::nowhere : scopes::host);
    }

    friend constexpr bool operator==(const route_entry&, const route_entry&) noexcept = default;
};

// The part of a route that a plain packet needs (hop.hpp). Many routes share one.
struct alignas(16) hop_entry {
    ipv4::address gateway{};  // unspecified: the destination is on the link
    u16 interface = 0;
    u16 mtu = 0;  // bytes; 0: the interface's
    route_type type = route_type::unicast;
    u8 hop_limit = 0;  // for datagrams of this host; 0: ip_default_ttl

    [[nodiscard]] constexpr bool has_gateway() const noexcept { return !gateway.is_unspecified(); }

    friend constexpr bool operator==(const hop_entry&, const hop_entry&) noexcept = default;
};

struct route_query {
    ipv4::address destination{};
    u16 interface = 0;  // only routes by this interface; 0: any
    u8 tos = 0;
    u8 scope = scopes::universe;  // only routes of this scope or a narrower one
};

// Why a table or a stack refuses a route, with the error that Linux returns.
enum class route_error : u8 {
    none,
    full,                 // ENOMEM: the table has no room
    exists,               // EEXIST: a route of this prefix, table, tos and metric exists
    not_found,            // ESRCH: no such route
    invalid,              // EINVAL: host bits, unknown type, ECN bits in tos, bad scope
    no_interface,         // ENODEV
    interface_down,       // ENETDOWN
    gateway_unreachable,  // ENETUNREACH: the interface has no route to the gateway
    invalid_gateway,      // EINVAL: the gateway is not the address of another host
    invalid_source,       // EINVAL: the preferred source is not a local address
    invalid_mtu,          // nonzero and below 68 bytes; Linux accepts it
};

// The error as a sentence: the fault, then the remedy.
[[nodiscard]] constexpr const char* message(route_error error) noexcept {
    using enum route_error;
    switch (error) {
    case none:
        return "no error";
    case full:
        return "the table of routes is full; name a larger one: routes<lpm_trie<N>> (linux_host: "
               "256, linux_router: 1024, those of addresses included), or routes<lpm_table>, whose "
               "memory the program gives";
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
