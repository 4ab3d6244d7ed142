// no_multicast_routes: a stack that forwards no multicast. Costs no byte and no instruction.
#pragma once

#include <sluice/base/siphash.hpp>
#include <sluice/multicast/route_concept.hpp>

namespace sluice {

struct no_multicast_routes {
    template <class Packet>
    struct model {
        static constexpr bool never_routes = true;
        static constexpr std::size_t held_limit = 0;

        constexpr explicit model(hash_key) noexcept {}

        [[nodiscard]] static constexpr multicast_route find(ipv4::address, ipv4::address, u16,
                                                            u8) noexcept {
            return {};
        }
        [[nodiscard]] static constexpr u8 find_vif(u16) noexcept { return no_vif; }
        [[nodiscard]] static constexpr const virtual_interface* vif(u8) noexcept { return nullptr; }
        static constexpr void count_entry(const multicast_route&, u32, instant) noexcept {}
        static constexpr void count_out(u8, u32) noexcept {}
        [[nodiscard]] static constexpr multicast_report
        count_wrong_interface(const multicast_route&, instant) noexcept {
            return multicast_report::none;
        }
        [[nodiscard]] static constexpr bool upcall(const multicast_event&, const Packet&) noexcept {
            return false;
        }
        [[nodiscard]] static constexpr waiting await(ipv4::address, ipv4::address) noexcept {
            return waiting::table_full;
        }
        [[nodiscard]] static constexpr bool hold(Packet&& packet, instant) noexcept {
            packet.reset();
            return false;
        }
        [[nodiscard]] static constexpr Packet take_held(ipv4::address, ipv4::address) noexcept {
            return {};
        }
        [[nodiscard]] static constexpr std::size_t held() noexcept { return 0; }
        [[nodiscard]] static constexpr u32 expire(instant) noexcept { return 0; }
        [[nodiscard]] static constexpr instant next_deadline() noexcept { return instant::never(); }
    };
};

}  // namespace sluice
