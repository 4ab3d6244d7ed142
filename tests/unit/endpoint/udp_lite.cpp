// UDP-Lite: ports of its own, a checksum that covers a part, counters of its own. RFC 3828; Linux
// udplite_checksum_init, udplite_csum, udp_queue_rcv_one_skb.
#include <doctest/doctest.h>

#include "unit/endpoint/support.hpp"

namespace endpoint_udp_lite {

namespace {

using namespace endpoint_test;

constexpr u8 lite = ipv4::protocols::udp_lite;

// The checksum of RFC 3828 section 3.1, word by word: the pseudo header with the length that IPv4
// states, then the covered bytes, padded to words.
u16 naive_checksum(ipv4::address from, ipv4::address to, const byte_vector& message,
                   std::size_t covered) {
    u64 sum = (from.value >> 16) + (from.value & 0xffff) + (to.value >> 16) + (to.value & 0xffff) +
              lite + message.size();
    for (std::size_t i = 0; i < covered; ++i) {
        const auto byte = std::to_integer<u32>(message[i]);
        sum += i % 2 == 0 ? byte << 8 : byte;
    }
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    const auto made = static_cast<u16>(~sum);
    return made == 0 ? u16{0xffff} : made;
}

struct message_fields {
    u16 from = 4000;
    u16 to = 7;
    u16 field = 0;  // the coverage
    std::size_t size = 20;
    ipv4::address destination = "10.0.1.1"_ip;
    bool has_checksum = true;
};

byte_vector lite_datagram(const message_fields& f, int wrong_at = -1) {
    byte_vector m = support::udp_message(f.from, f.to, pattern(f.size));
    store_be<u16>(m.data() + 4, f.field);
    store_be<u16>(m.data() + 6, 0);
    const std::size_t covered = f.field == 0 || f.field > m.size() ? m.size() : f.field;
    const u16 sum = naive_checksum("10.0.1.2"_ip, f.destination, m, covered);
    store_be<u16>(m.data() + 6, f.has_checksum ? sum : u16{0});
    if (wrong_at >= 0) m[static_cast<std::size_t>(wrong_at)] ^= std::byte{1};
    return datagram_of({.destination = f.destination, .protocol = lite, .payload = m});
}

u64 lite_counter(const endpoint_world& b, mib udp) {
    const auto offset =
        static_cast<u8>(mib::udplite_in_datagrams) - static_cast<u8>(mib::udp_in_datagrams);
    return b->counters()[static_cast<mib>(static_cast<u8>(udp) + offset)];
}

TEST_CASE("UDP-Lite: coverage and checksum decide whether a datagram is received") {
    const struct {
        const char* name;
        message_fields fields = {};
        int wrong_at = -1;
        drop_reason reason = drop_reason::none;
        u16 coverage = 0;
    } rows[] = {
        {.name = "coverage 0: the whole"},
        {.name = "the whole, by its length", .fields = {.field = 28}},
        {.name = "the header", .fields = {.field = 8}, .coverage = 8},
        {.name = "an odd part", .fields = {.field = 13}, .coverage = 13},
        {.name = "all but a byte", .fields = {.field = 27}, .coverage = 27},
        {.name = "no payload", .fields = {.field = 8, .size = 0}},
        {.name = "1", .fields = {.field = 1}, .reason = drop_reason::udplite_checksum},
        {.name = "7", .fields = {.field = 7}, .reason = drop_reason::udplite_checksum},
        {.name = "a byte too much",
         .fields = {.field = 29},
         .reason = drop_reason::udplite_invalid},
        {.name = "no checksum",
         .fields = {.has_checksum = false},
         .reason = drop_reason::udplite_checksum},
        {.name = "no checksum of a part",
         .fields = {.field = 8, .has_checksum = false},
         .reason = drop_reason::udplite_checksum},
        {.name = "a wrong byte behind the part",
         .fields = {.field = 12},
         .wrong_at = 12,
         .coverage = 12},
        {.name = "a wrong byte at its end",
         .fields = {.field = 12},
         .wrong_at = 11,
         .reason = drop_reason::udplite_checksum},
        {.name = "a wrong byte of the whole",
         .wrong_at = 27,
         .reason = drop_reason::udplite_checksum},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        endpoint_world b;
        udp_socket s{*b, udp_protocol::lite};
        REQUIRE(s.bind({{}, 7}).has_value());
        const bool good = r.reason == drop_reason::none;
        CHECK(b.receive(lite_datagram(r.fields, r.wrong_at)) ==
              (good ? fate::delivered : fate::dropped));
        CHECK(s.waiting_packets() == (good ? 1u : 0u));
        if (good) {
            const heard h = hear_one(s);
            CHECK(h.bytes.size() == r.fields.size);
            CHECK(h.what.from == endpoint_address{"10.0.1.2"_ip, 4000});
            CHECK(h.what.coverage == r.coverage);
        } else {
            CHECK(b->counters()[r.reason] == 1);
        }
        CHECK(lite_counter(b, mib::udp_in_datagrams) == (good ? 1u : 0u));
        CHECK(lite_counter(b, mib::udp_in_errors) == (good ? 0u : 1u));
        CHECK(lite_counter(b, mib::udp_in_csum_errors) ==
              (r.reason == drop_reason::udplite_checksum ? 1u : 0u));
        CHECK(b->counters()[mib::udp_in_datagrams] + b->counters()[mib::udp_in_errors] == 0);
        CHECK(b.is_quiet());
    }
}

TEST_CASE("UDP-Lite: a device that verified the checksum does not make up for its coverage") {
    endpoint_world b;
    udp_socket s{*b, udp_protocol::lite};
    REQUIRE(s.bind({{}, 7}).has_value());
    const auto receive_verified = [&](u16 field, bool has_checksum) {
        auto p = b.packet(lite_datagram({.field = field, .has_checksum = has_checksum}));
        p.writable_metadata().checksum = checksum_state::verified;
        return b->receive(std::move(p), b.now);
    };
    CHECK(receive_verified(7, true) == fate::dropped);
    CHECK(receive_verified(0, false) == fate::dropped);
    CHECK(b->counters()[drop_reason::udplite_checksum] == 2);
    CHECK(receive_verified(8, true) == fate::delivered);
    CHECK(hear_one(s).what.coverage == 8);
}

TEST_CASE("UDP-Lite: an endpoint refuses less coverage than it asks for") {
    const struct {
        u16 asked;
        u16 field;
        bool taken;
    } rows[] = {
        {.asked = 8, .field = 8, .taken = true},    {.asked = 1, .field = 8, .taken = true},
        {.asked = 12, .field = 11, .taken = false}, {.asked = 12, .field = 12, .taken = true},
        {.asked = 12, .field = 0, .taken = true},   {.asked = 0, .field = 27, .taken = false},
        {.asked = 0, .field = 28, .taken = true},   {.asked = 0, .field = 0, .taken = true},
        {.asked = 500, .field = 28, .taken = true}};
    for (const auto& r : rows) {
        CAPTURE(r.asked);
        CAPTURE(r.field);
        endpoint_world b;
        udp_socket s{*b, udp_protocol::lite};
        s.options().receive_coverage = r.asked;
        REQUIRE(s.bind({{}, 7}).has_value());
        CHECK(b.receive(lite_datagram({.field = r.field})) ==
              (r.taken ? fate::delivered : fate::dropped));
        CHECK(s.waiting_packets() == (r.taken ? 1u : 0u));
        CHECK(s.drops() == (r.taken ? 0u : 1u));
        CHECK(b->counters()[drop_reason::udplite_coverage] == (r.taken ? 0u : 1u));
        CHECK(lite_counter(b, mib::udp_in_errors) == (r.taken ? 0u : 1u));
        CHECK(lite_counter(b, mib::udp_rcvbuf_errors) == 0);
        CHECK(b.is_quiet());  // no port unreachable
    }
}

TEST_CASE("UDP-Lite: each copy of a broadcast meets the coverage of its endpoint") {
    endpoint_world b;
    udp_socket any{*b, udp_protocol::lite};
    udp_socket whole{*b, udp_protocol::lite};
    udp_socket udp{*b};
    whole.options().receive_coverage = 0;
    for (udp_socket* s : {&any, &whole, &udp}) {
        s->options().reuse = true;
        REQUIRE(s->bind({{}, 7}).has_value());
    }
    const byte_vector d = lite_datagram({.field = 12, .destination = "10.0.1.255"_ip});
    CHECK(b.receive(d, 2, link_addressing::broadcast) == fate::delivered);
    CHECK(hear_one(any).what.coverage == 12);
    CHECK(whole.waiting_packets() == 0);
    CHECK(udp.waiting_packets() == 0);
    CHECK(b->counters()[drop_reason::udplite_coverage] == 1);
    const byte_vector unwanted = lite_datagram({.to = 8, .destination = "10.0.1.255"_ip});
    CHECK(b.receive(unwanted, 2, link_addressing::broadcast) == fate::dropped);
    CHECK(lite_counter(b, mib::udp_ignored_multi) == 1);
}

TEST_CASE("UDP-Lite: the checksum of a sent datagram covers what the endpoint asks for") {
    const struct {
        u16 asked;
        std::size_t size;
        u16 field;
        u16 covered;
    } rows[] = {{.asked = 0xffff, .size = 20, .field = 28, .covered = 28},
                {.asked = 0, .size = 20, .field = 0, .covered = 28},
                {.asked = 1, .size = 20, .field = 8, .covered = 8},
                {.asked = 8, .size = 20, .field = 8, .covered = 8},
                {.asked = 13, .size = 20, .field = 13, .covered = 13},
                {.asked = 27, .size = 20, .field = 27, .covered = 27},
                {.asked = 28, .size = 20, .field = 28, .covered = 28},
                {.asked = 29, .size = 20, .field = 28, .covered = 28},
                {.asked = 8, .size = 0, .field = 8, .covered = 8},
                // In fragments, each in a buffer of its own.
                {.asked = 1999, .size = 3001, .field = 1999, .covered = 1999},
                {.asked = 0xffff, .size = 3001, .field = 3009, .covered = 3009}};
    for (const auto& r : rows) {
        CAPTURE(r.asked);
        CAPTURE(r.size);
        endpoint_world b;
        udp_socket s{*b, udp_protocol::lite};
        s.options().send_coverage = r.asked;
        s.options().discovery = mtu_discovery::dont;
        REQUIRE(s.bind({{}, 4000}).has_value());
        const byte_vector data = pattern(r.size);
        // By the route, then by the prepared flow.
        for (int i = 0; i < 2; ++i) {
            REQUIRE(s.send(data, {"10.0.1.2"_ip, 9}, b.now).has_value());
            byte_vector message;
            for (const sent_packet& p : b.sent()) {
                CHECK(ipv4::const_view{p.datagram.data()}[ipv4::protocol] == lite);
                const byte_vector part = support::payload_of(p.datagram);
                message.insert(message.end(), part.begin(), part.end());
            }
            REQUIRE(message.size() == r.size + 8);
            CHECK(load_be<u16>(message.data()) == 4000);
            CHECK(load_be<u16>(message.data() + 2) == 9);
            CHECK(load_be<u16>(message.data() + 4) == r.field);
            const u16 sum = load_be<u16>(message.data() + 6);
            store_be<u16>(message.data() + 6, 0);
            CHECK(sum == naive_checksum("10.0.1.1"_ip, "10.0.1.2"_ip, message, r.covered));
            CHECK((support::part(message, 8, message.size()) == data));
        }
        CHECK(lite_counter(b, mib::udp_out_datagrams) == 2);
        CHECK(b->counters()[mib::udp_out_datagrams] == 0);
    }
}

TEST_CASE("UDP-Lite: its ports are not those of UDP") {
    endpoint_world b;
    udp_socket l{*b, udp_protocol::lite};
    udp_socket u{*b};
    udp_socket second{*b, udp_protocol::lite};
    REQUIRE(l.bind({{}, 7}).has_value());
    REQUIRE(u.bind({{}, 7}).has_value());
    CHECK(second.bind({{}, 7}).error() == endpoint_error::address_in_use);
    REQUIRE(b.receive(lite_datagram({})) == fate::delivered);
    CHECK(l.waiting_packets() == 1);
    CHECK(u.waiting_packets() == 0);
    REQUIRE(b.hear(4000, 7, pattern(4)) == fate::delivered);
    CHECK(l.waiting_packets() == 1);
    CHECK(u.waiting_packets() == 1);
    l.close();
    const byte_vector d = lite_datagram({});
    CHECK(b.receive(d) == fate::dropped);
    check(b.sent_one(), support::icmp_is(3, 3), support::quotes(d, d.size()));
    CHECK(lite_counter(b, mib::udp_no_ports) == 1);
    CHECK(b->counters()[mib::udp_no_ports] == 0);
}

TEST_CASE("UDP-Lite: an ICMP error reaches the endpoint of its protocol alone") {
    endpoint_world b;
    udp_socket l{*b, udp_protocol::lite};
    udp_socket u{*b};
    for (udp_socket* s : {&l, &u}) {
        REQUIRE(s->bind({{}, 7000}).has_value());
        REQUIRE(s->connect({"10.0.2.9"_ip, 9}, b.now).has_value());
    }
    const auto quoted = [](u8 protocol, u16 from) {
        return datagram_of({.source = "10.0.2.1"_ip,
                            .destination = "10.0.2.9"_ip,
                            .protocol = protocol,
                            .payload = support::udp_message(from, 9, pattern(20))});
    };
    b.error(3, 3, 0, quoted(lite, 7000));
    CHECK(u.pending_error() == endpoint_error::none);
    CHECK(l.pending_error() == endpoint_error::refused);
    CHECK(b->counters()[mib::icmp_in_errors] == 0);
    b.error(3, 3, 0, quoted(lite, 7001));  // of no endpoint
    CHECK(b->counters()[mib::icmp_in_errors] == 1);
    CHECK(l.pending_error() == endpoint_error::none);
}

TEST_CASE("UDP-Lite: a full queue counts among its own counters") {
    endpoint_world b;
    udp_socket s{*b, udp_protocol::lite};
    REQUIRE(s.bind({{}, 7}).has_value());
    for (int i = 0; i < 5; ++i)
        static_cast<void>(b.receive(lite_datagram({})));
    CHECK(s.waiting_packets() == 4);
    CHECK(b->counters()[drop_reason::udplite_endpoint_full] == 1);
    CHECK(lite_counter(b, mib::udp_rcvbuf_errors) == 1);
    CHECK(lite_counter(b, mib::udp_in_errors) == 1);
    CHECK(b->counters()[mib::udp_rcvbuf_errors] == 0);
}

}  // namespace

}  // namespace endpoint_udp_lite
