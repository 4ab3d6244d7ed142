// With a pool that waiting packets exhaust as far as they can (sockets without a reader, next hops
// that do not answer, lone fragments), ARP and ICMP are answered and sent as before; also after a
// program took every buffer.
#include <doctest/doctest.h>

#include "linked_world.hpp"

#include <sluice/packet/external_storage.hpp>

namespace link_exhausted_pool {
using namespace link_test;

namespace {

byte_vector arp_question() {
    byte_vector q(arp::layout::size);
    const auto asked = arp::make_request(peer_mac, "10.0.1.2"_ip, "10.0.1.1"_ip);
    static_cast<void>(emit_value(asked, q));
    return q;
}
byte_vector to_port(u16 port, std::size_t size = 8) {
    byte_vector message = support::udp_message(1000, port, byte_vector(size));
    udp::set_checksum("10.0.1.2"_ip, "10.0.1.1"_ip, message);
    return datagram_of({.source = "10.0.1.2"_ip,
                        .destination = "10.0.1.1"_ip,
                        .protocol = ipv4::protocols::udp,
                        .payload = message});
}

// `silent`: a neighbour without an entry yet.
template <class World>
void check_answers(World& w, ipv4::address silent) {
    w.device.sent.clear();
    w.hear(arp_question(), ethernet::types::arp);
    CHECK(w.arp_left(2) == 1);
    w.hear_ipv4(datagram_of({.source = "10.0.1.2"_ip,
                             .destination = "10.0.1.1"_ip,
                             .protocol = ipv4::protocols::icmp,
                             .payload = support::echo_request()}));
    CHECK(w.icmp_left(0, 0) == 1);
    w.hear_ipv4(to_port(9));
    CHECK(w.icmp_left(3, 3) == 1);
    w.hear_ipv4(datagram_of({.source = "10.0.1.2"_ip, .destination = silent}));
    CHECK(w.arp_left(1) == 1);
    CHECK(w.unheard == 0);
}

// Each holds all packets that it can get, forever.
template <class World>
void flood_socket(World& w, typename World::socket& s) {
    REQUIRE(s.bind({{}, 53}).has_value());
    s.options().receive_bytes = 0xffffffff;
    for (u32 n = 0; n < 1500; ++n) {
        w.hear_ipv4(to_port(53, 1 + n % 1400));
    }
}
template <class World>
void flood_fragments(World& w) {
    for (u32 n = 0; n < 2500; ++n) {
        byte_vector d = datagram_of(
            {.source = "10.0.1.2"_ip, .destination = "10.0.1.1"_ip, .payload = byte_vector(8)});
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
                                 .payload = byte_vector(1000)}));
    }
}

template <class Pool>
void check_exhausted(bool fragments_first) {
    CAPTURE(fragments_first);
    const auto w = std::make_unique<linked_world<Pool>>();
    const auto before = (*w)->buffers().available();
    {
        const auto s = std::make_unique<typename linked_world<Pool>::socket>(**w);
        if (fragments_first) {
            flood_fragments(*w);
            CHECK((*w)->buffers().available() >= before / 4);  // a socket still receives
            const auto held = (*w)->held();
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
        CHECK((*w)->buffers().available() >= before / 8);
        CHECK((*w)->buffers().available() <= before / 8 + 1);  // as far as possible
        check_answers(*w, "10.0.2.249"_ip);
        check_answers(*w, "10.0.2.250"_ip);
    }
    w->link->flush(3);
    static_cast<void>((*w)->poll({instant{} + 40_s}));
    CHECK((*w)->held() == 0);
    w->link->flush(3);
    CHECK((*w)->buffers().available() == before);
}

template <class Ownership>
using blocks = fixed_pool<2048, 64, Ownership>;
using borrowed = heap_source<2048, 64>;

}  // namespace

TEST_CASE_TEMPLATE("waiting packets leave buffers for ARP and ping", Pool, blocks<unique>,
                   blocks<shared>, borrowed, fixed_pool<1600, 8>, fixed_pool<2048, 1024>) {
    check_exhausted<Pool>(false);
    check_exhausted<Pool>(true);
}

TEST_CASE_TEMPLATE("ARP and ICMP work after a program took every buffer", Pool, blocks<unique>,
                   blocks<shared>, borrowed, fixed_pool<1600, 8>) {
    const auto w = std::make_unique<linked_world<Pool>>();
    auto& from = (*w)->buffers();
    std::vector<typename Pool::packet_type> all;
    for (auto p = from.take(64); p; p = from.take(64)) {
        all.push_back(std::move(p));
    }
    const std::size_t count = all.size();
    const auto give = [&](const byte_vector& contents, u16 type) {
        auto p = std::move(all.back());
        all.pop_back();
        byte_vector frame(14);
        static_cast<void>(emit_value(ethernet::header{mac0, peer_mac, type}, frame));
        frame.insert(frame.end(), contents.begin(), contents.end());
        copy_bytes(p.put(static_cast<u32>(frame.size())), frame.data(), frame.size());
        w->hear(std::move(p));
        all.push_back(from.take(64));  // the buffer of the received packet is back
        CHECK(all.back());
        CHECK_FALSE(from.take(0));
    };
    for (u32 round = 0; round < 20; ++round) {
        w->device.sent.clear();
        give(arp_question(), ethernet::types::arp);
        CHECK(w->arp_left(2) == 1);
        give(to_port(9), ethernet::types::ipv4);
        CHECK(w->icmp_left(3, 3) == 1);
        // The packet for a next hop that is not known cannot wait; the question leaves.
        const ipv4::address unknown{0x0a000202 + round};
        give(datagram_of({.source = "10.0.1.2"_ip, .destination = unknown}), ethernet::types::ipv4);
        CHECK(w->arp_left(1) == 1);
        CHECK(w->link->neighbours().held() == 0);
    }
    CHECK(w->link->counters().no_buffer == 0);
    CHECK((*w)->counters()[mib::icmp_out_errors] == 0);
    all.clear();
    CHECK(from.available() == count);
}

}  // namespace link_exhausted_pool
