// Handlers of protocols: registered, wrapped and removed; tunnels that ask for their inner datagram
// to be delivered (resubmission); handlers that send from within a call; those that never stop.
#include <doctest/doctest.h>

#include "unit/stack/bench.hpp"

#include <sluice/delivery/receive_queue.hpp>

namespace {

using namespace stack_test;
using packet = bench<>::packet_type;
using services = local_services<packet>;

// Answers as told, and remembers what it saw.
struct recorder final : protocol_handler<packet> {
    handler_result answer = handler_result::taken();
    u32 calls = 0;
    octets last;
    delivery_info info;
    u32 errors = 0;
    icmp_error_notice notice;
    octets quoted;

    handler_result receive(packet& p, const delivery_info& i, services&) noexcept override {
        ++calls;
        last = support::content_of(p);
        info = i;
        return answer;
    }
    void error(const icmp_error_notice& n) noexcept override {
        ++errors;
        notice = n;
        quoted.assign(n.quoted.begin(), n.quoted.end());
    }
};

const octets to_us = datagram_of({.destination = "10.0.1.1"_ip});

TEST_CASE("handlers: what a handler answers is what becomes of the packet") {
    bench<> b;
    recorder h;
    b->delivery().set_handler(253, &h);
    CHECK(b.receive(to_us) == fate::delivered);
    CHECK(h.calls == 1);
    CHECK((h.last == to_us));
    CHECK(h.info.source == "10.0.1.2"_ip);
    CHECK(h.info.local == "10.0.1.1"_ip);
    CHECK(h.info.interface == 2);
    CHECK_FALSE(h.info.to_many);
    h.answer = handler_result::ignored();
    CHECK(b.receive(to_us) == fate::dropped);
    CHECK(b->counters()[drop_reason::ignored_by_handler] == 1);
    CHECK(b.is_quiet());
    h.answer = handler_result::unreachable();
    CHECK(b.receive(to_us) == fate::dropped);
    check(b.sent_one(), support::icmp_is(3, 2), support::quotes(to_us, to_us.size()));
    CHECK(b->counters()[mib::ip_in_delivers] == 2);
}

TEST_CASE("handlers: registered, replaced, restored") {
    bench<> b;
    recorder first, second;
    CHECK(b->delivery().set_handler(1, &first) == nullptr);
    CHECK(b->delivery().set_handler(1, &second) == &first);
    const octets ping = datagram_of(
        {.destination = "10.0.1.1"_ip, .protocol = 1, .payload = support::echo_request()});
    CHECK(b.receive(ping) == fate::delivered);
    CHECK(second.calls == 1);
    CHECK(first.calls == 0);
    CHECK(b.is_quiet());
    CHECK(b->delivery().set_handler(1, nullptr) == &second);
    b.receive(ping);
    check(b.sent_one(), support::icmp_is(0, 0, 0x00070001));
    b.receive(to_us);
    check(b.sent_one(), support::icmp_is(3, 2));
}

TEST_CASE("handlers: a raw tap gets a copy, and then the sender is told nothing") {
    bench<> b;
    receive_queue<packet, 2> queue;
    REQUIRE(b->delivery().add_raw({.protocol = 253}, queue));
    CHECK(b.receive(to_us) == fate::absorbed);
    CHECK(b.is_quiet());
    CHECK((support::content_of(queue.next().packet) == to_us));
    b->delivery().remove(queue);
    CHECK(b.receive(to_us) == fate::dropped);
    CHECK(b.sent().size() == 1);
}

// IP in IP: takes the outer header off and has the inner datagram delivered. RFC 2003.
struct tunnel_end final : protocol_handler<packet> {
    u32 calls = 0;
    handler_result receive(packet& p, const delivery_info&, services&) noexcept override {
        ++calls;
        const auto outer = static_cast<u32>(ipv4::header_length(ipv4::const_view{p.data()}));
        if (!p.may_pull(outer + 20) || !p.pull(outer)) return handler_result::ignored();
        return handler_result::again(ipv4::const_view{p.data()}[ipv4::protocol]);
    }
};

octets in_tunnel(const octets& inner) {
    return datagram_of({.destination = "10.0.1.1"_ip, .protocol = 4, .payload = inner});
}

TEST_CASE("handlers: the inner datagram of a tunnel is delivered as its own protocol") {
    bench<> b;
    tunnel_end tunnel;
    recorder inner;
    receive_queue<packet, 4> tap;
    b->delivery().set_handler(4, &tunnel);
    b->delivery().set_handler(253, &inner);
    REQUIRE(b->delivery().add_raw({.protocol = 253}, tap));
    const octets d = datagram_of({.source = "172.16.0.1"_ip, .destination = "10.0.1.1"_ip});
    CHECK(b.receive(in_tunnel(d)) == fate::delivered);
    CHECK(tunnel.calls == 1);
    CHECK(inner.calls == 1);
    CHECK((inner.last == d));
    CHECK(tap.size() == 1);
    tap.next().packet.reset();
    CHECK(b.receive(in_tunnel(in_tunnel(d))) == fate::delivered);
    CHECK(tunnel.calls == 3);
    CHECK(inner.calls == 2);
    tap.next().packet.reset();
}

TEST_CASE("handlers: an inner ping is answered to its own source") {
    bench<> b;
    tunnel_end tunnel;
    b->delivery().set_handler(4, &tunnel);
    const octets ping = datagram_of({.source = "10.0.2.9"_ip,
                                     .destination = "10.0.1.1"_ip,
                                     .protocol = 1,
                                     .payload = support::echo_request()});
    CHECK(b.receive(in_tunnel(ping)) == fate::delivered);
    check(b.sent_one(), support::right_sums(), support::destination("10.0.2.9"_ip),
          support::icmp_is(0, 0, 0x00070001));
}

TEST_CASE("handlers: an inner datagram is validated like any other") {
    tunnel_end tunnel;
    bench<> b;
    b->delivery().set_handler(4, &tunnel);
    octets d = datagram_of({.destination = "10.0.1.1"_ip});
    const struct {
        const char* name;
        std::size_t at;
        int value;
        drop_reason reason;
    } rows[] = {
        {"header length 4", 0, 0x44, drop_reason::header_invalid},
        {"version 6", 0, 0x65, drop_reason::header_invalid},
        {"checksum", 10, 0xee, drop_reason::header_checksum},
        {"longer than the outer says", 2, 0xff, drop_reason::length_beyond_packet},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        octets bad = d;
        bad[r.at] = static_cast<std::byte>(r.value);
        if (r.at == 2) ipv4::set_checksum(ipv4::view{bad.data()});
        const u64 before = b->counters()[r.reason];
        CHECK(b.receive(in_tunnel(bad)) == fate::dropped);
        CHECK(b->counters()[r.reason] == before + 1);
    }
    CHECK(b.receive(in_tunnel(octets(19))) == fate::dropped);
}

TEST_CASE("handlers: tunnels in tunnels end, whatever a sender packs") {
    bench<> b;
    tunnel_end tunnel;
    recorder inner;
    b->delivery().set_handler(4, &tunnel);
    b->delivery().set_handler(253, &inner);
    octets d = datagram_of({.destination = "10.0.1.1"_ip});
    for (int i = 0; i < 30; ++i)
        d = in_tunnel(d);
    CHECK(b.receive(d) == fate::dropped);
    CHECK(tunnel.calls == 5);
    CHECK(inner.calls == 0);
}

// Sends back what it got, from within receive.
struct mirror final : protocol_handler<packet> {
    ipv4::address to;
    u32 calls = 0;
    u32 depth = 0;
    u32 deepest = 0;
    u32 copies = 1;
    u32 refused = 0;

    handler_result receive(packet& p, const delivery_info&, services& s) noexcept override {
        ++calls;
        ++depth;
        deepest = depth > deepest ? depth : deepest;
        const octets got = support::content_of(p);
        for (u32 i = 0; i < copies; ++i) {
            packet out = s.buffer();
            std::byte* at = out ? out.put(static_cast<u32>(got.size())) : nullptr;
            if (at == nullptr) continue;
            copy_bytes(at, got.data(), got.size());
            const ipv4::view ip{at};
            ip.set(ipv4::source, "10.0.1.1"_ip);
            ip.set(ipv4::destination, to);
            ipv4::set_checksum(ip);
            refused += s.send_later(std::move(out)) ? 0u : 1u;
        }
        --depth;
        return handler_result::taken();
    }
};

TEST_CASE("handlers: what a handler sends leaves before the call returns") {
    bench<> b;
    mirror m;
    m.to = "10.0.1.2"_ip;
    b->delivery().set_handler(253, &m);
    CHECK(b.receive(to_us) == fate::delivered);
    check(b.sent_one(), support::right_sums(), support::destination("10.0.1.2"_ip),
          support::source("10.0.1.1"_ip), support::payload(pattern(16)));
}

TEST_CASE("handlers: one that answers itself for ever is stopped, and never called within itself") {
    bench<> b;
    mirror m;
    m.to = "10.0.1.1"_ip;
    b->delivery().set_handler(253, &m);
    for (const u32 copies : {1u, 2u, 40u}) {
        CAPTURE(copies);
        m.copies = copies;
        m.calls = 0;
        CHECK(b.receive(to_us) == fate::delivered);
        CHECK(m.calls > 10);
        CHECK(m.calls < 300);
        CHECK(m.deepest == 1);
        CHECK(b->held() == 0);
    }
    CHECK(b->counters()[drop_reason::work_queue_full] > 0);
    m.to = "10.0.1.2"_ip;
    m.copies = 1;
    CHECK(b.receive(to_us) == fate::delivered);
    CHECK(b.sent().size() == 1);
}

TEST_CASE("handlers: more than the work queue holds is refused to the handler") {
    struct large_router
        : policies<based_on<small_router>, buffers<fixed_pool<2048, 200>>,
                   output<queue_output<256>>> {};
    bench<large_router> b;
    mirror m;
    m.to = "10.0.1.2"_ip;
    m.copies = 100;
    b->delivery().set_handler(253, &m);
    b.receive(to_us);
    CHECK(m.refused == 36);
    CHECK(b.sent().size() == 64);
    CHECK(b->counters()[drop_reason::work_queue_full] == 36);
}

TEST_CASE("handlers: an ICMP error reaches the handler of the protocol that it quotes") {
    bench<> b;
    recorder h;
    b->delivery().set_handler(253, &h);
    const octets ours = datagram_of({.source = "10.0.1.1"_ip,
                                     .destination = "10.0.2.9"_ip,
                                     .options = list({7, 7, 4, 0, 0, 0, 0, 0}),
                                     .payload = pattern(8)});
    const auto about = [&](const octets& quoted) {
        return datagram_of({.source = "10.0.1.7"_ip,
                            .destination = "10.0.1.1"_ip,
                            .protocol = 1,
                            .payload = support::icmp_message(3, 4, 1234, quoted)});
    };
    CHECK(b.receive(about(ours)) == fate::delivered);
    REQUIRE(h.errors == 1);
    CHECK(h.notice.type == 3);
    CHECK(h.notice.code == 4);
    CHECK(h.notice.info == 1234);
    CHECK(h.notice.offender == "10.0.1.7"_ip);
    CHECK(h.notice.source == "10.0.1.1"_ip);
    CHECK(h.notice.destination == "10.0.2.9"_ip);
    CHECK((h.quoted.size() >= 28));
    CHECK(equal_bytes(h.quoted, const_bytes{ours}.first(h.quoted.size())));

    octets short_header = ours;
    short_header[0] = std::byte{0x44};
    b.receive(about(short_header));
    CHECK(h.errors == 1);
    b.receive(about(octets(ours.begin(), ours.begin() + 27)));
    CHECK(h.errors == 1);
    CHECK(b->counters()[drop_reason::icmp_invalid] == 1);
    octets long_header = ours;
    long_header[0] = std::byte{0x4f};
    b.receive(about(octets(long_header.begin(), long_header.begin() + 28)));
    CHECK(h.quoted.size() <= 36);
    CHECK(b.is_quiet());
}

}  // namespace
