// The time of reception, from the metadata that a port sets to the endpoint. Linux SO_TIMESTAMPNS,
// IP_RECVFRAGSIZE.
#include <doctest/doctest.h>

#include <sluice/hooks/hook_chain.hpp>

#include "unit/endpoint/support.hpp"

namespace endpoint_timestamps {

namespace {

using namespace endpoint_test;

constexpr duration first_time{1'700'000'000'000'000'001};
constexpr duration second_time{1'700'000'000'000'000'002};

template <class World>
fate receive_at(World& b, const byte_vector& d, duration at) {
    auto p = b.packet(d);
    p.writable_metadata().received_at = at;
    return b->receive(std::move(p), b.now);
}

byte_vector udp_datagram(std::size_t size) {
    return datagram_of({.destination = "10.0.1.1"_ip,
                        .protocol = ipv4::protocols::udp,
                        .payload = support::udp_message(9, 7, pattern(size))});
}

struct hooked_router : policies<based_on<small_router>, hooks<hook_chain<2>>> {};
using hooked_packet = stack<hooked_router>::packet_type;

struct watcher final : hook<hooked_packet> {
    duration seen{};
    hook_verdict operator()(hooked_packet& p, const hook_context&) noexcept override {
        seen = std::as_const(p).metadata().received_at;
        return hook_verdict::accept;
    }
};

TEST_CASE("timestamps: UDP, raw and ping endpoints get the time of their datagram") {
    endpoint_world b;
    udp_socket u{*b};
    raw_socket r{*b, 17};
    ping_socket p{*b};
    REQUIRE(u.bind({{}, 7}).has_value());
    REQUIRE(r.bind().has_value());
    REQUIRE(p.bind({{}, 3}).has_value());
    REQUIRE(receive_at(b, udp_datagram(4), first_time) == fate::delivered);
    CHECK(hear_one(u).what.received_at == first_time);
    CHECK(hear_one(r).what.received_at == first_time);
    REQUIRE(receive_at(b,
                       datagram_of({.destination = "10.0.1.1"_ip,
                                    .protocol = ipv4::protocols::icmp,
                                    .payload = support::icmp_message(0, 0, 3u << 16)}),
                       second_time) == fate::delivered);
    CHECK(hear_one(p).what.received_at == second_time);
    REQUIRE(b.receive(udp_datagram(4)) == fate::delivered);
    CHECK(hear_one(u).what.received_at == duration{});
}

TEST_CASE("timestamps: a reassembled datagram has the time of its last fragment, and its size") {
    endpoint_world b;
    udp_socket u{*b};
    REQUIRE(u.bind({{}, 7}).has_value());
    const byte_vector whole = udp_datagram(40);
    const auto piece = [&](std::size_t from, std::size_t to, bool more) {
        return datagram_of({.destination = "10.0.1.1"_ip,
                            .protocol = ipv4::protocols::udp,
                            .identification = 5,
                            .flags_and_offset = static_cast<u16>((more ? 0x2000u : 0u) | from / 8),
                            .payload = support::part(support::payload_of(whole), from, to)});
    };
    CHECK(receive_at(b, piece(32, 48, false), second_time) == fate::held);
    REQUIRE(receive_at(b, piece(0, 32, true), first_time) == fate::delivered);
    const heard h = hear_one(u);
    CHECK(h.what.received_at == first_time);  // came last
    CHECK(h.what.largest_fragment == 52);
    REQUIRE(b.receive(whole) == fate::delivered);
    CHECK(hear_one(u).what.largest_fragment == 0);
}

TEST_CASE("timestamps: the error queue has the time of the ICMP error") {
    endpoint_world b;
    udp_socket s{*b};
    s.options().receive_errors = true;
    REQUIRE(s.bind({{}, 7000}).has_value());
    const byte_vector quoted = datagram_of({.source = "10.0.1.1"_ip,
                                            .destination = "10.0.1.9"_ip,
                                            .protocol = ipv4::protocols::udp,
                                            .payload = support::udp_message(7000, 9, pattern(4))});
    REQUIRE(receive_at(b,
                       datagram_of({.destination = "10.0.1.1"_ip,
                                    .protocol = ipv4::protocols::icmp,
                                    .payload = support::icmp_message(3, 3, 0, quoted)}),
                       first_time) == fate::delivered);
    const auto report = s.receive_error({});
    REQUIRE(report.has_value());
    CHECK(report->received_at == first_time);
}

TEST_CASE("timestamps: a forwarded packet loses its time behind the forward hook") {
    world<hooked_router> b;
    watcher at_forward;
    watcher at_postrouting;
    REQUIRE(b->hooks().add(hook_point::forward, 0, at_forward));
    REQUIRE(b->hooks().add(hook_point::postrouting, 0, at_postrouting));
    REQUIRE(receive_at(b, datagram_of({.destination = "10.0.2.9"_ip}), first_time) ==
            fate::forwarded);
    CHECK(at_forward.seen == first_time);
    CHECK(at_postrouting.seen == duration{});
    b->hooks().remove(hook_point::forward, at_forward);
    b->hooks().remove(hook_point::postrouting, at_postrouting);
}

}  // namespace

}  // namespace endpoint_timestamps
