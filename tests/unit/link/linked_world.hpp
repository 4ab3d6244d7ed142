// A router above the Ethernet link: the shared world, with frames received and sent. Its neighbour
// 10.0.1.2 on interface 2 is known; interface 3 has no neighbour. Its ICMP errors have no limit.
#pragma once

#include "support.hpp"

#include "support/chains.hpp"
#include "support/world.hpp"

#include <sluice/endpoint/udp_endpoint.hpp>
#include <sluice/link/ethernet_output.hpp>

#include <algorithm>

namespace link_test {

using support::byte_vector;
using support::datagram_of;

constexpr ethernet::address peer_mac{{2, 0, 0, 0, 1, 2}};

template <class Packet>
struct frame_list {
    static constexpr bool takes_segmented = true;
    std::vector<byte_vector> sent{};
    bool send_frame(Packet& frame, u16, instant) noexcept {
        sent.push_back(support::content_of(frame));
        frame.reset();
        return true;
    }
    void flush() noexcept {}
};
template <class Pool>
using wires_of = ethernet_link<Pool, host, frame_list<typename Pool::packet_type>, 256>;

template <class Pool>
struct linked_router
    : policies<based_on<linux_router>, buffers<Pool>, reassembly<bounded_cache<4096>>,
               sluice::output<ethernet_output<wires_of<Pool>>>> {
    [[nodiscard]] static constexpr settings initial_settings() noexcept {
        settings s = linux_router::initial_settings();
        s.icmp_ratelimit = 0;
        s.icmp_msgs_per_sec = 1'000'000;
        s.icmp_msgs_burst = 1'000'000;
        return s;
    }
};

template <class Pool>
struct linked_world : stack_test::world<linked_router<Pool>> {
    using stack_type = stack<linked_router<Pool>>;
    using packet_type = typename Pool::packet_type;
    using socket = udp_endpoint<stack_type, endpoint_sizes{.queue = 1024}>;

    host addresses{};
    frame_list<packet_type> device{};
    std::unique_ptr<wires_of<Pool>> link =
        std::make_unique<wires_of<Pool>>((**this).buffers(), addresses, device, hash_key{1, 2});
    u32 unheard = 0;  // frames for which the device had no buffer

    linked_world() {
        (**this).output() =
            typename ethernet_output<wires_of<Pool>>::template model<packet_type>{*link};
        REQUIRE(link->set_permanent(2, "10.0.1.2"_ip, peer_mac, at(0)));
    }

    // As a device does: in a buffer of the pool, or not at all.
    void hear(const byte_vector& contents, u16 type) {
        byte_vector frame(14);
        static_cast<void>(emit_value(ethernet::header{mac0, peer_mac, type}, frame));
        frame.insert(frame.end(), contents.begin(), contents.end());
        const bool fits_one = frame.size() + 128 <= Pool::block_capacity;
        if ((**this).buffers().available() < (fits_one ? 1u : 2u)) {
            ++unheard;
            return;
        }
        hear(support::chain_of((**this).buffers(), frame));
    }
    void hear(packet_type&& p) {
        p.set_interface(2);
        if (link->input(p, {}) == frame_kind::ipv4) {
            static_cast<void>((**this).receive(std::move(p), {}));
        }
    }
    void hear_ipv4(const byte_vector& contents) { hear(contents, ethernet::types::ipv4); }

    // How many ARP packets of that operation left, and ICMP messages of that type and code.
    [[nodiscard]] std::ptrdiff_t arp_left(u8 operation) const {
        return std::count_if(device.sent.begin(), device.sent.end(), [&](const byte_vector& f) {
            return f[13] == std::byte{6} && f[21] == std::byte{operation};
        });
    }
    [[nodiscard]] std::ptrdiff_t icmp_left(u8 type, u8 code) const {
        return std::count_if(device.sent.begin(), device.sent.end(), [&](const byte_vector& f) {
            return f[13] == std::byte{0} && f[23] == std::byte{1} && f[34] == std::byte{type} &&
                   f[35] == std::byte{code};
        });
    }
};

}  // namespace link_test
