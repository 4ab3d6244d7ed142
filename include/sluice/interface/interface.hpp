// interface: one network interface of a stack: MTU, state, addresses, settings.
//
// Expects: index 1 .. 65535, unique in its stack.
// Cost:    about 300 bytes; the packet path reads interface_path alone.
// Source:  Linux net_device, in_device.
#pragma once

#include <sluice/base/bounded_vector.hpp>
#include <sluice/base/integer.hpp>
#include <sluice/packet/scopes.hpp>
#include <sluice/packet/settings.hpp>
#include <sluice/wire/address.hpp>

#include <cstddef>

namespace sluice {

// An address of an interface. Linux in_ifaddr.
struct assigned_address {
    ipv4::interface_address net{};
    ipv4::address broadcast{};  // unspecified: none
    u8 scope = scopes::universe;
    bool secondary = false;  // added after another address of the same subnet

    friend constexpr bool operator==(const assigned_address&,
                                     const assigned_address&) noexcept = default;
};

enum class interface_error : u8 { none, full, exists, not_found, invalid };

// The error as a sentence.
[[nodiscard]] constexpr const char* message(interface_error error) noexcept {
    using enum interface_error;
    switch (error) {
    case none:
        return "no error";
    case full:
        return "no room for the interface, its address or their routes; name larger tables: "
               "interfaces<interface_table<N>> (default 32; 8 addresses each), "
               "routes<lpm_trie<N>> (default 256)";
    case exists:
        return "the index or the address exists; name another";
    case not_found:
        return "there is no such interface or address; add it first";
    case invalid:
        return "the index, MTU or address is impossible; an index is 1 to N-1 of "
               "interface_table<N>, an MTU of an interface that is up 68 or more";
    }
    return "unknown interface error";
}

inline constexpr std::size_t max_interface_addresses = 8;

// A name of up to 15 bytes; a longer name is cut. Empty: none. Linux IFNAMSIZ.
struct interface_name {
    char characters[16]{};  // zeros after the name

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

// The fields of an interface that the packet path reads; refresh() compiles them from the others.
struct interface_path {
    u32 output_mtu = 0;  // bytes; 0: the interface does not send
    // A mask for a hop's own MTU: all ones, or 0 if the interface does not send.
    u16 hop_mtus = 0;
    // Forwarding is on, and no rule checks more of a source than the accept branch does.
    bool accept_fast = false;
};

struct interface {
    u16 index = 0;
    bool up = true;
    u32 mtu = 1500;  // bytes
    bool loopback = false;
    u16 master = 0;             // interface of the routing domain (VRF); 0: none
    interface_name name{};      // shown in probe replies and in extensions of ICMP errors
    interface_settings own{};   // settings of this interface (conf.IF)
    inherited_mask chosen = 0;  // members of own that no longer follow conf.default
    interface_settings in_force{};
    bounded_vector<assigned_address, max_interface_addresses> addresses{};

    // The source address to use towards destination (unspecified: any), of at most this scope: a
    // primary one on the destination's subnet, else the first primary one. With route_localnet,
    // addresses of scope host count as scope link. Linux inet_select_addr.
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
    // Whether both addresses are on one subnet of this interface; if second is unspecified, whether
    // first is on a subnet. Linux inet_addr_onlink.
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
