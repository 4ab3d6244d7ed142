// interface_host<Interfaces>: the link_host of a stack: the stack's addresses, and the link
// addresses that the program sets.
//
// Use it between an ethernet_link and a stack with several interfaces or addresses; ethernet_stack
// does so. single_link_host (link/concept.hpp) suffices for one address.
//
// Expects: an interface table that outlives it.
// Never:   answers for an address that is not local. As in Linux, each interface answers
//          for every local address.
// Cost:    a scan of the link addresses.
// Source:  Linux arp_process, inet_select_addr.
#pragma once

#include <sluice/base/bounded_vector.hpp>
#include <sluice/interface/interface.hpp>
#include <sluice/link/concept.hpp>
#include <sluice/packet/scopes.hpp>

#include <cstddef>

namespace sluice {

template <class Interfaces, std::size_t N = 32>
class interface_host {
public:
    constexpr explicit interface_host(const Interfaces& interfaces) noexcept
        : interfaces_{&interfaces} {}

    // Replaces the link address of the interface. false: N other interfaces have one.
    [[nodiscard]] constexpr bool set_hardware_address(u16 interface,
                                                      ethernet::address hardware) noexcept {
        for (auto& e : known_) {
            if (e.interface == interface) {
                e.hardware = hardware;
                return true;
            }
        }
        return known_.push_back({interface, hardware});
    }

    // The link address of the interface; all zeros if none was set.
    [[nodiscard]] constexpr ethernet::address hardware_address(u16 interface) const noexcept {
        for (const auto& e : known_) {
            if (e.interface == interface) {
                return e.hardware;
            }
        }
        return {};
    }
    [[nodiscard]] constexpr bool is_own(u16, ipv4::address a) const noexcept {
        return interfaces_->is_own(a);
    }
    [[nodiscard]] constexpr ipv4::address source_for(u16 interface,
                                                     ipv4::address target) const noexcept {
        const auto* const i = interfaces_->find(interface);
        return i != nullptr ? i->source_for(target, scopes::link) : ipv4::address{};
    }
    // Whether no neighbour can have this address.
    [[nodiscard]] constexpr bool is_martian(u16 interface, ipv4::address sender) const noexcept {
        if (sender.is_multicast() || sender.is_limited_broadcast() || sender.is_loopback()) {
            return true;
        }
        const auto* const i = interfaces_->find(interface);
        if (i != nullptr) {
            for (const auto& a : i->addresses) {
                if (!a.broadcast.is_unspecified() && a.broadcast == sender) {
                    return true;
                }
            }
        }
        return false;
    }

private:
    struct entry {
        u16 interface = 0;
        ethernet::address hardware{};
    };
    const Interfaces* interfaces_;
    bounded_vector<entry, N> known_;
};

}  // namespace sluice
