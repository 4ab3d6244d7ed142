// With the pool exhausted as far as anybody can exhaust it by packets that wait (sockets that
// nobody reads, next hops that do not answer, fragments that stay alone), ARP and ICMP are answered
// and sent as before; also when a program has taken every buffer itself.
#include "support.hpp"

#include "support/chains.hpp"
#include "support/datagrams.hpp"

#include <sluice/endpoint/udp_endpoint.hpp>
#include <sluice/link/ethernet_output.hpp>
#include <sluice/packet/external_storage.hpp>
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>

namespace link_exhausted_pool {
using namespace link_test;
using support::datagram_of;
using support::octets;

namespace {

constexpr ethernet::address peer_mac{{2, 0, 0, 0, 1, 2}};

// A router, 10.0.1.1/24 on interface 2 and 10.0.2.1/24 on 3; its neighbour 10.0.1.2 on 2 is known.
template <class Pool>
struct world {
    using packet = typename Pool::packet_type;
    struct frames {
        static constexpr bool takes_segmented = true;
        std::vector<octets> sent{};
        bool send_frame(packet& frame, u16) noexcept {
            octets whole;
            frame.for_each_piece(
                [&](const_bytes piece) { whole.insert(whole.end(), piece.begin(), piece.end()); });
            sent.push_back(std::move(whole));
            frame.reset();
            return true;
        }
        void flush() noexcept {}
    };
    using wires = ethernet_link<Pool, host, frames, 256>;
    struct edge : policies<based_on<linux_router>, buffers<Pool>, reassembly<bounded_cache<4096>>,
                           sluice::output<ethernet_output<wires>>> {
        [[nodiscard]] static constexpr settings initial_settings() noexcept {
            settings s = linux_router::initial_settings();
            s.icmp_ratelimit = 0;
            s.icmp_msgs_per_sec = 1'000'000;
            s.icmp_msgs_burst = 1'000'000;
            return s;
        }
    };
    using router = sluice::stack<edge>;
    using socket = udp_endpoint<router, endpoint_sizes{.queue = 1024}>;

    std::unique_ptr<router> at =
        std::make_unique<router>(typename router::parts{.seed = testing::fixed_seed});
    host addresses{};
    frames device{};
    std::unique_ptr<wires> link =
        std::make_unique<wires>(at->buffers(), addresses, device, hash_key{1, 2});
    u32 unknown = 0x0a0002f8;  // 10.0.2.248, asked for by nobody yet
    u32 unheard = 0;           // frames for which the device had no buffer

    world() {
        at->output() = typename ethernet_output<wires>::template model<packet>{*link};
        REQUIRE(at->add_interface({.index = 2, .address = "10.0.1.1/24"_net, .mtu = 1500}));
        REQUIRE(at->add_interface({.index = 3, .address = "10.0.2.1/24"_net, .mtu = 1500}));
        REQUIRE(link->set_permanent(2, "10.0.1.2"_ip, peer_mac));
    }

    // As a device does: in a buffer of the pool, or not at all.
    void hear(const octets& contents, u16 type) {
        octets frame(14);
        static_cast<void>(emit_value(ethernet::header{mac0, peer_mac, type}, frame));
        frame.insert(frame.end(), contents.begin(), contents.end());
        const bool fits_one = frame.size() + 128 <= Pool::block_capacity;
        if (at->buffers().available() < (fits_one ? 1u : 2u)) {
            ++unheard;
            return;
        }
        hear(support::chain_of(at->buffers(), frame));
    }
    void hear(packet&& p) {
        p.set_interface(2);
        if (link->input(p, {}) == frame_kind::ipv4) {
            static_cast<void>(at->receive(std::move(p), {}));
        }
    }
    void hear_ipv4(const octets& datagram) { hear(datagram, ethernet::types::ipv4); }

    // How many ARP packets of that operation left, and ICMP messages of that type and code.
    [[nodiscard]] std::ptrdiff_t arp_left(u8 operation) const {
        return std::count_if(device.sent.begin(), device.sent.end(), [&](const octets& f) {
            return f[13] == std::byte{6} && f[21] == std::byte{operation};
        });
    }
    [[nodiscard]] std::ptrdiff_t icmp_left(u8 type, u8 code) const {
        return std::count_if(device.sent.begin(), device.sent.end(), [&](const octets& f) {
            return f[13] == std::byte{0} && f[23] == std::byte{1} && f[34] == std::byte{type} &&
                   f[35] == std::byte{code};
        });
    }
    void check_answers() {
        device.sent.clear();
        hear(arp_question(), ethernet::types::arp);
        CHECK(arp_left(2) == 1);
        hear_ipv4(datagram_of({.source = "10.0.1.2"_ip,
                               .destination = "10.0.1.1"_ip,
                               .protocol = ipv4::protocols::icmp,
                               .payload = support::echo_request()}));
        CHECK(icmp_left(0, 0) == 1);
        hear_ipv4(to_port(9));
        CHECK(icmp_left(3, 3) == 1);
        const ipv4::address silent{++unknown};
        hear_ipv4(datagram_of({.source = "10.0.1.2"_ip, .destination = silent}));
        CHECK(arp_left(1) == 1);
        CHECK(unheard == 0);
    }

    static octets arp_question() {
        octets q(arp::layout::size);
        const auto asked = arp::make_request(peer_mac, "10.0.1.2"_ip, "10.0.1.1"_ip);
        static_cast<void>(emit_value(asked, q));
        return q;
    }
    static octets to_port(u16 port, std::size_t size = 8) {
        octets message = support::udp_message(1000, port, octets(size));
        udp::set_checksum("10.0.1.2"_ip, "10.0.1.1"_ip, message);
        return datagram_of({.source = "10.0.1.2"_ip,
                            .destination = "10.0.1.1"_ip,
                            .protocol = ipv4::protocols::udp,
                            .payload = message});
    }
};

// Each holds for ever what it can get.
template <class World>
void flood_socket(World& w, typename World::socket& s) {
    REQUIRE(s.bind({{}, 53}).has_value());
    s.options().receive_octets = 0xffffffff;
    for (u32 n = 0; n < 1500; ++n) {
        w.hear_ipv4(World::to_port(53, 1 + n % 1400));
    }
}
template <class World>
void flood_fragments(World& w) {
    for (u32 n = 0; n < 2500; ++n) {
        octets d = datagram_of(
            {.source = "10.0.1.2"_ip, .destination = "10.0.1.1"_ip, .payload = octets(8)});
        const ipv4::view ip{d.data()};
        ip.set(ipv4::identification, static_cast<u16>(n));
        ip.set(ipv4::flags_and_offset, u16{1});
        ipv4::set_checksum(ip);
        w.hear_ipv4(d);
    }
}
template <class World>
void flood_silent_hosts(World& w) {
    for (u32 n = 0; n < 1200; ++n) {
        w.hear_ipv4(datagram_of({.source = "10.0.1.2"_ip,
                                 .destination = ipv4::address{0x0a000200 + 2 + n % 240},
                                 .payload = octets(1000)}));
    }
}

template <class Pool>
void check_exhausted(bool fragments_first) {
    CAPTURE(fragments_first);
    const auto w = std::make_unique<world<Pool>>();
    const auto before = w->at->buffers().available();
    {
        const auto s = std::make_unique<typename world<Pool>::socket>(*w->at);
        if (fragments_first) {
            flood_fragments(*w);
            CHECK(w->at->buffers().available() >= before / 4);  // a socket still hears
            const auto held = w->at->held();
            CHECK(held > 0);
            flood_socket(*w, *s);
            CHECK(s->waiting_packets() >= before / 8);
        } else {
            flood_socket(*w, *s);
            CHECK(s->waiting_packets() > 0);
        }
        flood_silent_hosts(*w);
        flood_fragments(*w);
        flood_silent_hosts(*w);
        CHECK(w->at->buffers().available() >= before / 8);
        CHECK(w->at->buffers().available() <= before / 8 + 1);  // as far as anybody can
        w->check_answers();
        w->check_answers();
    }
    w->link->flush(3);
    static_cast<void>(w->at->poll({instant{} + 40_s}));
    CHECK(w->at->held() == 0);
    w->link->flush(3);
    CHECK(w->at->buffers().available() == before);
}

template <class Ownership>
using blocks = fixed_pool<2048, 64, Ownership>;
using borrowed = heap_source<2048, 64>;

}  // namespace

TEST_CASE_TEMPLATE("what waits leaves buffers for ARP and ping, however many wait", Pool,
                   blocks<unique>, blocks<shared>, borrowed, fixed_pool<1600, 8>,
                   fixed_pool<2048, 1024>) {
    check_exhausted<Pool>(false);
    check_exhausted<Pool>(true);
}

TEST_CASE_TEMPLATE("a program that took every buffer: ARP and ICMP have their own", Pool,
                   blocks<unique>, blocks<shared>, borrowed, fixed_pool<1600, 8>) {
    const auto w = std::make_unique<world<Pool>>();
    auto& from = w->at->buffers();
    std::vector<typename Pool::packet_type> all;
    for (auto p = from.take(64); p; p = from.take(64)) {
        all.push_back(std::move(p));
    }
    const std::size_t count = all.size();
    const auto give = [&](const octets& contents, u16 type) {
        auto p = std::move(all.back());
        all.pop_back();
        octets frame(14);
        static_cast<void>(emit_value(ethernet::header{mac0, peer_mac, type}, frame));
        frame.insert(frame.end(), contents.begin(), contents.end());
        copy_bytes(p.put(static_cast<u32>(frame.size())), frame.data(), frame.size());
        w->hear(std::move(p));
        all.push_back(from.take(64));  // the buffer of what was received is back
        CHECK(all.back());
        CHECK_FALSE(from.take(0));
    };
    for (u32 round = 0; round < 20; ++round) {
        w->device.sent.clear();
        give(w->arp_question(), ethernet::types::arp);
        CHECK(w->arp_left(2) == 1);
        give(w->to_port(9), ethernet::types::ipv4);
        CHECK(w->icmp_left(3, 3) == 1);
        // The packet for a next hop that is not known cannot wait; the question leaves.
        const ipv4::address unknown{0x0a000202 + round};
        give(datagram_of({.source = "10.0.1.2"_ip, .destination = unknown}), ethernet::types::ipv4);
        CHECK(w->arp_left(1) == 1);
        CHECK(w->link->neighbours().held() == 0);
    }
    CHECK(w->link->counters().no_buffer == 0);
    CHECK(w->at->counters()[mib::icmp_out_errors] == 0);
    all.clear();
    CHECK(from.available() == count);
}

}  // namespace link_exhausted_pool
