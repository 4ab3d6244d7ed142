// interface: one network interface as the stack sees it: MTU, state, addresses, settings.
// Expects: index 1 .. 65535, unique in its stack. Does: carries values and answers about its own
// addresses. Never: sends or receives. Cost: about 300 bytes; the packet path reads interface_path
// alone. Linux: net_device, in_device.
#pragma once

#include <sluice/base/bounded_vector.hpp>
#include <sluice/base/integer.hpp>
#include <sluice/packet/scopes.hpp>
#include <sluice/packet/settings.hpp>
#include <sluice/wire/address.hpp>

#include <cstddef>

namespace sluice {

// An address given to an interface. Linux in_ifaddr.
struct assigned_address {
    ipv4::interface_address net{};
    ipv4::address broadcast{};  // unspecified: none
    u8 scope = scopes::universe;
    bool secondary = false;  // a later one of the same subnet

    friend constexpr bool operator==(const assigned_address&,
                                     const assigned_address&) noexcept = default;
};

enum class interface_error : u8 { none, full, exists, not_found, invalid };

// A sentence for a person.
[[nodiscard]] constexpr const char* message(interface_error error) noexcept {
    using enum interface_error;
    switch (error) {
    case none:
        return "no error";
    case full:
        return "the table has no room";
    case exists:
        return "the index or the address exists";
    case not_found:
        return "there is no such interface or address";
    case invalid:
        return "the index, MTU or address is impossible";
    }
    return "unknown interface error";
}

inline constexpr std::size_t max_interface_addresses = 8;

// A name of up to 15 bytes; what is longer is cut. Empty: none. Linux IFNAMSIZ.
struct interface_name {
    char characters[16]{};  // zeros behind the name

    constexpr interface_name() noexcept = default;
    constexpr interface_name(const char* name) noexcept {
        for (std::size_t i = 0; i + 1 < sizeof characters && name[i] != 0; ++i) {
            characters[i] = name[i];
        }
    }
    [[nodiscard]] constexpr bool empty() const noexcept { return characters[0] == 0; }

    friend constexpr bool operator==(const interface_name&,
                                     const interface_name&) noexcept = default;
};

// What the packet path reads of an interface, compiled by refresh() from all the rest.
struct interface_path {
    u32 output_mtu = 0;  // bytes; 0: nothing leaves here
    // All ones, 0 where nothing leaves: so much of a hop's own MTU counts, by one instruction.
    u16 hop_mtus = 0;
    // Forwarding is on and no rule asks more of a source than the accept branch checks.
    bool accept_fast = false;
};

struct interface {
    u16 index = 0;
    bool up = true;
    u32 mtu = 1500;  // bytes
    bool loopback = false;
    u16 master = 0;             // the routing domain's interface (VRF); 0: none
    interface_name name{};      // told in answers to probes and in extensions of ICMP errors
    interface_settings own{};   // conf.IF
    inherited_mask chosen = 0;  // members of own that follow conf.default no more
    interface_settings in_force{};
    bounded_vector<assigned_address, max_interface_addresses> addresses{};

    // The address to use as a source towards destination (unspecified: any), of at most that scope,
    // primary ones only: one on the destination's subnet, else the first. With route_localnet those
    // of this host count as those of the link. Linux inet_select_addr.
    [[nodiscard]] constexpr ipv4::address source_for(ipv4::address destination,
                                                     u8 scope) const noexcept {
        const u8 widest = in_force.route_localnet ? scopes::link : scopes::nowhere;
        ipv4::address first{};
        for (const auto& a : addresses) {
            if (a.secondary || (a.scope < widest ? a.scope : widest) > scope) {
                continue;
            }
            if (destination.is_unspecified() || a.net.on_link(destination)) {
                return a.net.address;
            }
            if (first.is_unspecified()) {
                first = a.net.address;
            }
        }
        return first;
    }
    // Whether both are on one of our subnets; second unspecified: whether the first is. Linux
    // inet_addr_onlink.
    [[nodiscard]] constexpr bool on_link(ipv4::address first, ipv4::address second) const noexcept {
        for (const auto& a : addresses) {
            if (!a.secondary && a.net.on_link(first) &&
                (second.is_unspecified() || a.net.on_link(second))) {
                return true;
            }
        }
        return false;
    }
};

}  // namespace sluice
