// Which socket of a fanout group gets a frame, and what a socket that receives only ARP can send.
// Needs root; else skipped.
#include <sluice/port/af_packet.hpp>

#include "veth_pair.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <vector>

namespace port_af_packet_fanout {
using namespace support;
using namespace port_test;
namespace ap = sluice::port::af_packet;

namespace {

using pool = fixed_pool<2048, 256, shared>;
using packet = pool::packet_type;

byte_vector udp_datagram(u16 from, u16 to, bool reverse) {
    datagram_fields f{.protocol = ipv4::protocols::udp,
                      .payload = reverse ? udp_message(to, from, pattern(8))
                                         : udp_message(from, to, pattern(8))};
    if (reverse) {
        std::swap(f.source, f.destination);
    }
    return datagram_of(f);
}
// Of 16 bytes each, the first with ports.
byte_vector fragment_of(u16 identification, ipv4::address destination, u16 part) {
    return datagram_of(
        {.destination = destination,
         .protocol = ipv4::protocols::udp,
         .identification = identification,
         .flags_and_offset = static_cast<u16>((part < 3 ? 0x2000 : 0) | part * 2),
         .payload = part == 0 ? udp_message(identification, 53, pattern(8)) : pattern(16)});
}

struct group {
    veth_pair wire;
    static inline pool buffers;
    std::vector<ap::device> sockets;

    explicit group(const char* purpose, const ap::fanout& how = {.group = 9}) : wire{purpose} {
        for (int i = 0; wire.made && i < 4; ++i) {
            auto opened = ap::open_in_namespace(wire.ns.path(), "vb",
                                                {.protocol = ethernet::types::ipv4, .fanout = how});
            REQUIRE(opened.has_value());
            sockets.push_back(std::move(*opened));
        }
    }
    // Calls f(socket, datagram) for each frame that came.
    template <class F>
    void collect(std::size_t count, F&& f) {
        CHECK(wait_until([&] {
            for (std::size_t i = 0; i < sockets.size(); ++i) {
                while (auto p = sockets[i].receive(buffers)) {
                    --count;
                    CHECK(p->pull(14));
                    f(i, ipv4::const_view{p->data()});
                }
            }
            return count == 0;
        }));
    }
};

}  // namespace

TEST_CASE("a group shares by flow, fragments by addresses and protocol") {
    group g{"afpg"};
    if (!g.wire.made) {
        support::skip("needs root, ip netns and veth");
        return;
    }
    auto a = ap::open_in_namespace(g.wire.ns.path(), "va");
    REQUIRE(a.has_value());
    ap::sender::model<packet> out = a->sender();
    const auto send = [&](const byte_vector& datagram) {
        auto p = packet_of(group::buffers, with_link_header(datagram));
        REQUIRE(out.send_frame(p, 1, {}));
    };
    std::map<u16, std::set<std::size_t>> seen;
    std::set<std::size_t> used;
    SUBCASE("both directions of a flow come to one socket") {
        for (u16 port = 1000; port < 1032; ++port) {
            send(udp_datagram(port, 53, false));
            send(udp_datagram(port, 53, true));
        }
        out.flush();
        g.collect(64, [&](std::size_t socket, ipv4::const_view ip) {
            const udp::const_view message{ip.data() + 20};
            const u16 port = message[udp::source_port] == 53 ? message[udp::destination_port]
                                                             : message[udp::source_port];
            seen[port].insert(socket);
        });
    }
    SUBCASE("all fragments of a datagram do") {
        for (u16 id = 1000; id < 1032; ++id) {
            for (const u16 part : {u16{2}, u16{0}, u16{1}, u16{3}}) {
                send(fragment_of(id, ipv4::address{0x0a000200u + id}, part));
            }
        }
        out.flush();
        g.collect(128, [&](std::size_t socket, ipv4::const_view ip) {
            seen[ip[ipv4::identification]].insert(socket);
        });
    }
    for (const auto& [key, sockets] : seen) {
        CAPTURE(key);
        CHECK(sockets.size() == 1);
        used.insert(sockets.begin(), sockets.end());
    }
    CHECK(seen.size() == 32);
    CHECK(used.size() > 1);
    CHECK(group::buffers.available() == 256);
}

TEST_CASE("by a rule, the kernel gives each frame to the worker that the rule names") {
    const worker_rule rule{{1, 2}, 4};
    group g{"afpr", {.group = 10, .mode = ap::fanout_mode::rule, .rule = rule}};
    if (!g.wire.made) {
        support::skip("needs root, ip netns and veth");
        return;
    }
    auto a = ap::open_in_namespace(g.wire.ns.path(), "va");
    REQUIRE(a.has_value());
    ap::sender::model<packet> out = a->sender();
    std::vector<byte_vector> all;
    for (u16 i = 1000; i < 1040; ++i) {
        all.push_back(udp_datagram(i, 53, false));
        all.push_back(udp_datagram(i, 53, true));
        all.push_back(fragment_of(i, ipv4::address{0x0a000200u + i}, 2));
        all.push_back(fragment_of(i, ipv4::address{0x0a000200u + i}, 0));
        all.push_back(datagram_of({.destination = ipv4::address{0x0a000300u + i},
                                   .protocol = 1,
                                   .payload = support::echo_request()}));
    }
    for (const byte_vector& d : all) {
        auto p = packet_of(group::buffers, with_link_header(d));
        REQUIRE(out.send_frame(p, 1, {}));
    }
    out.flush();
    std::set<std::size_t> used;
    g.collect(all.size(), [&](std::size_t socket, ipv4::const_view ip) {
        const std::size_t size = ip[ipv4::total_length];
        CHECK(socket == rule.worker_of({ip.data(), size}));
        used.insert(socket);
    });
    CHECK(used.size() == 4);
}

TEST_CASE("a rule that is missing is an error") {
    const veth_pair wire{"afpm"};
    if (!wire.made) {
        support::skip("needs root, ip netns and veth");
        return;
    }
    const auto opened = ap::open_in_namespace(
        wire.ns.path(), "vb", {.fanout = ap::fanout{.group = 11, .mode = ap::fanout_mode::rule}});
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().error_number == EINVAL);
}

TEST_CASE("a socket that receives only ARP sends every frame") {
    const veth_pair wire{"afpa"};
    if (!wire.made) {
        support::skip("needs root, ip netns and veth");
        return;
    }
    auto a = ap::open_in_namespace(wire.ns.path(), "va", {.protocol = ethernet::types::arp});
    auto b = ap::open_in_namespace(wire.ns.path(), "vb");
    REQUIRE((a && b));
    ap::sender::model<packet> out = a->sender();
    const byte_vector frame = unfinished_frame(true, 1700);
    auto p = packet_of(group::buffers, frame);
    set_unfinished(p, true, 900);
    REQUIRE(out.send_frame(p, 1, {}));
    out.flush();
    CHECK(out.counters().lost == 0);
    REQUIRE(wait_readable(b->fd()));
    CHECK(content_of(*b->receive(group::buffers)) == frame);
    CHECK(a->receive(group::buffers).error() == port::read_status::would_block);
}

}  // namespace port_af_packet_fanout
