// sending_flow: route and source are chosen once and follow every change; DF, MTU and
// identification by the discovery mode; what the sender learns.
#include <doctest/doctest.h>

#include <sluice/endpoint/sending_flow.hpp>

#include "unit/endpoint/support.hpp"

namespace endpoint_sending_flow {

namespace {

using namespace endpoint_test;
using routing::send_error;
using flow_type = sending_flow<stack_type>;

constexpr ipv4::address peer = "192.0.2.1"_ip;

stack_type::packet_type segment(endpoint_world& w, u32 size) {
    return support::packet_of(w->buffers(), pattern(size), 0);
}
u16 identification(const byte_vector& d) {
    return ipv4::const_view{d.data()}[ipv4::identification];
}

TEST_CASE("sending_flow: a segment behind its header, by a route that is looked up once") {
    endpoint_world w;
    flow_type flow{*w, {.destination = peer, .protocol = 6, .tos = 8}};
    CHECK(flow.source().is_unspecified());
    CHECK(flow.header_length() == 20);
    u16 last = 0;
    for (int i = 0; i < 5; ++i) {
        REQUIRE(flow.send(segment(w, 100), w.now).has_value());
        const byte_vector d = w.sent_one();
        check(d, support::right_sums(), support::source("10.0.2.1"_ip), support::destination(peer),
              support::protocol(6), support::tos(8), support::ttl(64),
              support::flags_and_offset(0x4000), support::payload(pattern(100)));
        CHECK((i == 0 || identification(d) == static_cast<u16>(last + 1)));
        last = identification(d);
    }
    CHECK(flow.lookups() == 1);
    CHECK(flow.source() == "10.0.2.1"_ip);
    CHECK(*flow.mtu(w.now) == 1500);
}

TEST_CASE("sending_flow: another route, another interface, and the source stays") {
    endpoint_world w;
    flow_type flow{*w, {.destination = peer, .protocol = 6}};
    REQUIRE(flow.send(segment(w, 10), w.now).has_value());
    static_cast<void>(w.sent());
    REQUIRE(
        w->add_route({.prefix = {peer, 32}, .hop_limit = 7, .mtu = 900, .gateway = "10.0.1.254"_ip})
            .has_value());
    REQUIRE(flow.send(segment(w, 10), w.now).has_value());
    const auto sent = w.sent_by(2);
    REQUIRE(sent.size() == 1);
    check(sent[0], support::source("10.0.2.1"_ip), support::ttl(7));
    CHECK(flow.lookups() == 2);
    CHECK(*flow.mtu(w.now) == 900);
    // The source is gone.
    REQUIRE(w->remove_address(3, "10.0.2.1/24"_net).has_value());
    CHECK(flow.send(segment(w, 10), w.now).error() == send_error::network_unreachable);
    CHECK(flow.mtu(w.now).error() == send_error::network_unreachable);
    CHECK(w.is_quiet());
}

TEST_CASE("sending_flow: a path MTU that was learned, and forgotten") {
    endpoint_world w;
    udp_socket believer{*w};  // recognizes the quoted datagram
    REQUIRE(believer.connect({peer, 9}, w.now).has_value());
    REQUIRE(believer.send(pattern(1000), w.now).has_value());
    const byte_vector quoted = w.sent_one();
    flow_type flow{*w, {.destination = peer, .protocol = 6}};
    CHECK(*flow.mtu(w.now) == 1500);
    w.error(3, 4, 800, quoted, "10.0.2.254"_ip);
    CHECK(*flow.mtu(w.now) == 800);
    CHECK(flow.send(segment(w, 781), w.now).error() == send_error::too_big);
    CHECK(flow.send(segment(w, 780), w.now).has_value());
    w.now.now = w.now.now + 601_s;
    static_cast<void>(w->poll(w.now));
    CHECK(*flow.mtu(w.now) == 1500);
    CHECK(flow.send(segment(w, 781), w.now).has_value());
}

TEST_CASE("sending_flow: discovery decides about DF and fragments") {
    using enum mtu_discovery;
    const struct {
        const char* name;
        mtu_discovery how;
        bool locked = false;
        bool df = false;
        u32 mtu = 700;
        bool fragments = false;
    } rows[] = {
        {.name = "want", .how = want, .df = true},
        {.name = "want, locked", .how = want, .locked = true, .fragments = true},
        {.name = "always, locked", .how = always, .locked = true, .df = true},
        {.name = "dont", .how = dont, .fragments = true},
        {.name = "probe", .how = probe, .df = true, .mtu = 1500},
        {.name = "interface", .how = mtu_discovery::interface, .mtu = 1500, .fragments = true},
        {.name = "omit", .how = omit, .mtu = 1500, .fragments = true},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        endpoint_world w;
        REQUIRE(w->add_route({.prefix = {peer, 32},
                              .mtu_locked = r.locked,
                              .mtu = 700,
                              .gateway = "10.0.2.254"_ip})
                    .has_value());
        flow_type flow{*w, {.destination = peer, .protocol = 6, .dont_fragment = true}, r.how};
        CHECK(*flow.mtu(w.now) == r.mtu);
        REQUIRE(flow.send(segment(w, 100), w.now).has_value());
        const byte_vector first = w.sent_one();
        check(first, support::flags_and_offset(r.df ? 0x4000 : 0));
        REQUIRE(flow.send(segment(w, 100), w.now).has_value());
        if (r.df)
            CHECK(identification(w.sent_one()) == static_cast<u16>(identification(first) + 1));
        static_cast<void>(w.sent());
        const auto long_one = flow.send(segment(w, r.mtu - 19), w.now);
        CHECK(long_one.has_value() == r.fragments);
        CHECK(w.sent().size() == (r.fragments ? 2 : 0));
    }
}

TEST_CASE("sending_flow: options, mark and counters go with each segment") {
    endpoint_world w;
    const auto tables = w->tables();
    const std::byte none[ipv4::min_header_length]{};
    const interface nowhere{};
    routing::option_environment environment{tables, ipv4::const_view{none}, nowhere,
                                            route_type::unicast, w.now.midnight_ms};
    const byte_vector alert = list({0x94, 4, 0, 0});
    const auto options = stack_type::chosen::options::compile_request(
        alert, ip_options::sender_rights::ordinary, environment);
    REQUIRE(options.has_value());
    flow_type flow{*w,
                   {.destination = peer,
                    .protocol = 17,
                    .ttl = 3,
                    .mark = 9,
                    .sent_counter = mib::udp_out_datagrams,
                    .options = &*options}};
    CHECK(flow.header_length() == 24);
    REQUIRE(flow.send(segment(w, 20), w.now).has_value());
    const auto all = w.sent();
    REQUIRE(all.size() == 1);
    CHECK(all[0].mark == 9);
    check(all[0].datagram, support::ttl(3), support::right_sums());
    CHECK(equal_bytes(const_bytes{all[0].datagram}.subspan(20, 4), alert));
    CHECK(w->counters()[mib::udp_out_datagrams] == 1);
}

TEST_CASE("sending_flow: the sender is told") {
    endpoint_world w;
    flow_type nowhere{*w, {.destination = peer, .source = "10.9.9.9"_ip, .protocol = 6}};
    CHECK(nowhere.send(segment(w, 10), w.now).error() == send_error::network_unreachable);
    CHECK(w->counters()[mib::ip_out_no_routes] == 1);
    flow_type flow{*w, {.destination = peer, .protocol = 6}};
    CHECK(flow.send({}, w.now).error() == send_error::no_buffer);
    for (int i = 0; i < 64; ++i)
        REQUIRE(flow.send(segment(w, 10), w.now).has_value());
    CHECK(flow.send(segment(w, 10), w.now).error() == send_error::no_buffer);  // the output is full
    CHECK(w.sent().size() == 64);
}

}  // namespace

}  // namespace endpoint_sending_flow
