// Special cases of endpoints: a checksum of zero, the address 0.0.0.0, one port on two interfaces,
// local errors among received ones.
#include <doctest/doctest.h>

#include "unit/endpoint/support.hpp"

namespace endpoint_corners {

namespace {

using namespace endpoint_test;

constexpr endpoint_address far{"192.0.2.1"_ip, 9};

u16 word_at(const byte_vector& o, std::size_t i) {
    return load_be<u16>(o.data() + i);
}
// What the bytes sum to with the pseudo header: 0xffff when the checksum is right.
u16 udp_sum(const byte_vector& datagram) {
    const ipv4::const_view ip{datagram.data()};
    const byte_vector message = support::payload_of(datagram);
    return checksum::fold(checksum::partial(
        message, checksum::pseudo_header(ip[ipv4::source], ip[ipv4::destination],
                                         ipv4::protocols::udp, static_cast<u32>(message.size()))));
}

// RFC 768: 0 says that there is no checksum, so a sum of zero goes as all ones.
TEST_CASE("endpoint corners: a UDP checksum of zero is sent as 0xffff") {
    for (const std::size_t more : {0u, 1u, 2u, 1599u, 3000u}) {
        CAPTURE(more);
        endpoint_world b;
        udp_socket s{*b};
        s.options().discovery = mtu_discovery::dont;
        REQUIRE(s.bind({"10.0.2.1"_ip, 7000}).has_value());
        // With the checksum of the same message as its first word, the sum is zero.
        byte_vector message(2 + more);
        const auto checksum_of = [&] {
            REQUIRE(s.send(message, {"10.0.2.9"_ip, 9}, b.now).has_value());
            const auto out = b.sent();
            REQUIRE(!out.empty());
            if (out.size() == 1) CHECK(udp_sum(out[0].datagram) == 0xffff);
            return word_at(out[0].datagram, 26);
        };
        const u16 sum = checksum_of();
        CHECK(sum != 0);
        store_be<u16>(message.data(), sum);
        CHECK(checksum_of() == 0xffff);
        // One less is an ordinary one.
        store_be<u16>(message.data(), static_cast<u16>(sum - 1));
        CHECK(checksum_of() == 1);
    }
}

TEST_CASE("endpoint corners: a UDP checksum of 0xffff is right where it arrives") {
    endpoint_world b;
    udp_socket s{*b};
    udp_socket to{*b};
    REQUIRE(s.bind({"10.0.1.1"_ip, 7000}).has_value());
    REQUIRE(to.bind({"10.0.1.1"_ip, 7001}).has_value());
    byte_vector message = support::udp_message(7000, 7001, list({0, 0}));
    udp::set_checksum("10.0.1.1"_ip, "10.0.1.1"_ip, message);
    const u16 sum = word_at(message, 6);
    byte_vector data(2);
    store_be<u16>(data.data(), sum);
    REQUIRE(s.send(data, {"10.0.1.1"_ip, 7001}, b.now).has_value());
    CHECK((hear_one(to).bytes == data));
    CHECK(b->counters()[mib::udp_in_csum_errors] == 0);
    // The wire's own helper says the same.
    byte_vector zero = support::udp_message(7000, 7001, data);
    udp::set_checksum("10.0.1.1"_ip, "10.0.1.1"_ip, zero);
    CHECK(word_at(zero, 6) == 0xffff);
    // From others, 0xffff is looked at, and 0 is not.
    CHECK(b.receive(datagram_of({.destination = "10.0.1.1"_ip, .protocol = 17, .payload = zero})) ==
          fate::dropped);
    CHECK(b->counters()[mib::udp_in_csum_errors] == 1);
    store_be<u16>(zero.data() + 6, 0);
    CHECK(b.receive(datagram_of({.destination = "10.0.1.1"_ip, .protocol = 17, .payload = zero})) ==
          fate::delivered);
}

// RFC 792 does not define this field: Linux ping_v4_push_pending_frames sends it unchanged.
TEST_CASE("endpoint corners: an ICMP checksum of zero stays zero") {
    endpoint_world b;
    ping_socket s{*b};
    REQUIRE(s.bind({{}, 7}).has_value());
    const auto checksum_with = [&](u16 word) {
        byte_vector data(2);
        store_be<u16>(data.data(), word);
        REQUIRE(s.send_echo(1, data, "10.0.2.9"_ip, b.now).has_value());
        const byte_vector one = b.sent_one();
        check(one, support::right_sums());
        return word_at(one, 22);
    };
    const u16 sum = checksum_with(0);
    CHECK(sum != 0);
    CHECK(checksum_with(sum) == 0);
}

// A Linux 6.18 kernel: getpeername() after connect() to 0.0.0.0 is 127.0.0.1, or the address that
// the socket is bound to.
TEST_CASE("endpoint corners: connected to 0.0.0.0, the peer is this host") {
    for (const ipv4::address bound : {ipv4::address{}, "10.0.1.1"_ip}) {
        CAPTURE(bound.value);
        const ipv4::address self = bound.is_unspecified() ? "127.0.0.1"_ip : bound;
        endpoint_world b;
        udp_socket s{*b};
        udp_socket other{*b};
        REQUIRE(other.bind({{}, 7001}).has_value());
        REQUIRE(s.bind({bound, 7000}).has_value());
        REQUIRE(s.connect({{}, 7001}, b.now).has_value());
        CHECK((s.peer() == endpoint_address{self, 7001}));
        CHECK((s.local() == endpoint_address{self, 7000}));
        REQUIRE(s.send(pattern(3), b.now).has_value());
        const heard h = hear_one(other);
        CHECK(h.bytes.size() == 3);
        CHECK((h.what.from == endpoint_address{self, 7000}));
        CHECK(h.what.destination == self);
        REQUIRE(other.send(pattern(4), h.what.from, b.now).has_value());
        CHECK(hear_one(s).bytes.size() == 4);
        // No other host is received from.
        b.hear(7001, 7000, pattern(5));
        CHECK(s.waiting_packets() == 0);
        s.disconnect();
        CHECK(s.local().host == bound);
        b.hear(7001, 7000, pattern(5));
        CHECK(s.waiting_packets() == 1);

        raw_socket raw{*b, 253};
        REQUIRE(raw.bind(bound).has_value());
        REQUIRE(raw.connect({}, b.now).has_value());
        CHECK(raw.peer().host == self);
        CHECK(raw.local().host == self);
        ping_socket ping{*b};
        REQUIRE(ping.bind({bound, 7}).has_value());
        REQUIRE(ping.connect({}, b.now).has_value());
        CHECK(ping.peer().host == self);
        CHECK(ping.local().host == self);
    }
}

TEST_CASE("endpoint corners: unconnected, 0.0.0.0 is this host too") {
    endpoint_world b;
    udp_socket s{*b};
    udp_socket to{*b};
    REQUIRE(to.bind({{}, 7001}).has_value());
    REQUIRE(s.send(pattern(3), {{}, 7001}, b.now).has_value());
    const heard h = hear_one(to);
    CHECK(h.what.from.host == "127.0.0.1"_ip);
    CHECK(h.what.destination == "127.0.0.1"_ip);
    CHECK(b.is_quiet());
}

// A Linux 6.18 kernel, SO_BINDTODEVICE: two devices share the port, any and the same do not.
TEST_CASE("endpoint corners: one port on two interfaces") {
    endpoint_world b;
    udp_socket by2{*b};
    udp_socket by3{*b};
    by2.options().interface = 2;
    by3.options().interface = 3;
    REQUIRE(by2.bind({{}, 7000}).has_value());
    REQUIRE(by3.bind({{}, 7000}).has_value());
    const struct {
        endpoint_address at;
        u16 interface;
    } refused[] = {
        {{{}, 7000}, 0}, {{{}, 7000}, 2}, {{"10.0.1.1"_ip, 7000}, 2}, {{"10.0.2.1"_ip, 7000}, 0}};
    for (const auto& r : refused) {
        udp_socket s{*b};
        s.options().interface = r.interface;
        CHECK(s.bind(r.at).error() == endpoint_error::address_in_use);
    }
    // Each receives from its own interface, for any address.
    b.hear(9, 7000, pattern(2));
    b.hear(9, 7000, pattern(3), "10.0.2.1"_ip, "10.0.2.9"_ip, 3);
    b.hear(9, 7000, pattern(4), "10.0.1.1"_ip, "10.0.2.9"_ip, 3);
    CHECK(hear_one(by2).bytes.size() == 2);
    CHECK(by2.waiting_packets() == 0);
    CHECK(hear_one(by3).bytes.size() == 3);
    CHECK(hear_one(by3).bytes.size() == 4);
    // An error is for the one whose interface it came by.
    by2.options().receive_errors = by3.options().receive_errors = true;
    b.error(3, 3, 0,
            datagram_of({.source = "10.0.2.1"_ip,
                         .destination = far.host,
                         .protocol = ipv4::protocols::udp,
                         .payload = support::udp_message(7000, far.port, pattern(8))}));
    CHECK(by2.waiting_errors() == 0);
    CHECK(by3.waiting_errors() == 1);
}

// Linux sock_dequeue_err_skb: the next one is pending only when it came by ICMP.
TEST_CASE("endpoint corners: a local error behind an ICMP error is not pending") {
    const byte_vector sent_datagram =
        datagram_of({.source = "10.0.2.1"_ip,
                     .destination = far.host,
                     .protocol = ipv4::protocols::udp,
                     .payload = support::udp_message(7000, far.port, pattern(8))});
    for (const bool icmp_first : {true, false}) {
        CAPTURE(icmp_first);
        endpoint_world b;
        udp_socket s{*b};
        s.options().receive_errors = true;
        s.options().discovery = mtu_discovery::always;
        REQUIRE(s.bind({{}, 7000}).has_value());
        const auto too_big = [&] {
            return s.send(pattern(1473), far, b.now).error() == endpoint_error::too_big;
        };
        if (icmp_first) {
            b.error(3, 3, 0, sent_datagram);
            CHECK(s.pending_error() == endpoint_error::refused);
            CHECK(too_big());
        } else {
            CHECK(too_big());
            b.error(3, 3, 0, sent_datagram);
        }
        REQUIRE(s.waiting_errors() == 2);
        const auto first = s.receive_error({});
        REQUIRE(first.has_value());
        CHECK(first->from_icmp == icmp_first);
        CHECK(s.pending_error() == (icmp_first ? endpoint_error::none : endpoint_error::refused));
        const auto second = s.receive_error({});
        REQUIRE(second.has_value());
        CHECK(second->from_icmp != icmp_first);
        CHECK(s.pending_error() == endpoint_error::none);
        CHECK(s.send(pattern(3), far, b.now).has_value());
    }
}

// Reading the last ICMP error of the queue clears the pending error; a local error does not.
TEST_CASE("endpoint corners: reading the error queue clears a pending error that came by ICMP") {
    const byte_vector sent_datagram =
        datagram_of({.source = "10.0.2.1"_ip,
                     .destination = far.host,
                     .protocol = ipv4::protocols::udp,
                     .payload = support::udp_message(7000, far.port, pattern(8))});
    endpoint_world b;
    udp_socket s{*b};
    s.options().receive_errors = true;
    s.options().discovery = mtu_discovery::always;
    REQUIRE(s.bind({{}, 7000}).has_value());
    b.error(3, 3, 0, sent_datagram);
    REQUIRE(s.receive_error({}).has_value());
    CHECK(s.send(pattern(3), far, b.now).has_value());
    CHECK(s.send(pattern(1473), far, b.now).error() == endpoint_error::too_big);
    CHECK(s.send(pattern(1473), far, b.now).error() == endpoint_error::too_big);
    REQUIRE(s.waiting_errors() == 2);
    REQUIRE(s.receive_error({}).has_value());
    CHECK(s.pending_error() == endpoint_error::none);
    // A full queue loses the ICMP error, but it stays pending; reading a local error does not clear
    // it.
    CHECK(s.send(pattern(1473), far, b.now).error() == endpoint_error::too_big);
    b.error(3, 1, 0, sent_datagram);
    CHECK(s.errors_lost() == 1);
    REQUIRE(s.receive_error({}).has_value());
    REQUIRE(s.receive_error({}).has_value());
    CHECK(s.pending_error() == endpoint_error::host_unreachable);
}

}  // namespace

}  // namespace endpoint_corners
