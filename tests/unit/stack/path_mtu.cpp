// Path MTUs: which errors are accepted, which value is learned, and its effect on sent packets. RFC
// 1191.
#include <doctest/doctest.h>

#include "unit/stack/learning.hpp"
#include "unit/stack/recorder.hpp"

namespace stack_path_mtu {

namespace {

using namespace stack_test;
using routing::send_error;

constexpr u16 df = 0x4000;

TEST_CASE("path MTU: packets to the destination fit the learned MTU") {
    learning_world<> b;
    b.too_big(1000, b.datagram_to(far));
    CHECK(b.us.errors == 1);
    CHECK(b.mtu(far) == 1000);

    auto all = b.send(far, 981, {.prefer_whole = true});
    REQUIRE(all.size() == 2);
    check(all[0], support::size(996), support::flags_and_offset(0x2000), support::right_sums());
    all = b.send(far, 980, {.prefer_whole = true});
    REQUIRE(all.size() == 1);
    check(all[0], support::size(1000), support::flags_and_offset(df));
    CHECK(b.send(far, 981, {.dont_fragment = true}).empty());
    CHECK(b.error_of_send == send_error::too_big);
    CHECK(b.send(far, 981).size() == 2);

    // As a prober sends: by the interface alone.
    CHECK(b.send(far, 981, {.dont_fragment = true, .ignore_path_mtu = true}).size() == 1);
    CHECK(b.send(far, 1481, {.ignore_path_mtu = true}).size() == 2);
    // Others are not affected.
    CHECK(b.send(farther, 981, {.dont_fragment = true}).size() == 1);
}

TEST_CASE("path MTU: an echo reply fits the learned MTU") {
    learning_world<> b;
    b.too_big(1000, b.datagram_to(far));
    REQUIRE(b.receive(datagram_of({.source = far,
                                   .destination = "10.0.2.1"_ip,
                                   .protocol = 1,
                                   .payload = support::echo_request(1200)}),
                      3) == fate::delivered);
    CHECK(b.sent().size() == 2);
}

TEST_CASE("path MTU: only errors about sent datagrams are accepted") {
    const byte_vector reply = support::icmp_message(0, 0, 1);
    const byte_vector request = support::icmp_message(8, 0, 1);
    const auto quote = [](u8 protocol, byte_vector payload, ipv4::address source = "10.0.2.1"_ip) {
        return datagram_of({.source = source,
                            .destination = far,
                            .protocol = protocol,
                            .payload = std::move(payload)});
    };
    byte_vector damaged = learning_world<>::datagram_to(far);
    damaged[10] ^= std::byte{0xff};
    damaged[0] = std::byte{0x65};
    byte_vector cut = learning_world<>::datagram_to(far);
    cut.resize(28);
    const struct {
        const char* name;
        byte_vector quoted;
        bool believed;
    } rows[] = {
        {.name = "a datagram of the program",
         .quoted = learning_world<>::datagram_to(far),
         .believed = true},
        {.name = "28 bytes of it", .quoted = cut, .believed = true},
        {.name = "its checksum and version wrong", .quoted = damaged, .believed = true},
        {.name = "of a closed port",
         .quoted = learning_world<>::datagram_to(far, 7001),
         .believed = false},
        {.name = "of an unknown protocol", .quoted = quote(253, pattern(8)), .believed = false},
        {.name = "an echo reply of this host", .quoted = quote(1, reply), .believed = true},
        {.name = "an echo request that was not sent",
         .quoted = quote(1, request),
         .believed = false},
        {.name = "a source that is not local",
         .quoted = quote(1, reply, "10.0.1.2"_ip),
         .believed = false},
        {.name = "TCP, whose handler does not say that it sent it",
         .quoted = quote(6, pattern(8)),
         .believed = false},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        learning_world<> b;
        recorder tcp;
        REQUIRE(b->delivery().set_handler(6, &tcp).has_value());
        b.too_big(1000, r.quoted);
        CHECK((b.mtu(far) == 1000) == r.believed);
        CHECK(b->exceptions().any() == r.believed);
    }
}

struct sure_handler final : protocol_handler<packet> {
    handler_result receive(packet&, const delivery_info&, services&) noexcept override {
        return handler_result::taken();
    }
    bool believes(const icmp_error_notice& n) const noexcept override { return n.info == 1000; }
};

TEST_CASE("path MTU: endpoints and handlers decide for themselves") {
    learning_world<> b;
    b.us.believing = false;
    b.too_big(1000, b.datagram_to(far));
    CHECK(b.mtu(far) == 0);
    CHECK(b.us.errors == 1);

    sure_handler tcp;
    REQUIRE(b->delivery().set_handler(6, &tcp).has_value());
    const byte_vector segment = datagram_of(
        {.source = "10.0.2.1"_ip, .destination = farther, .protocol = 6, .payload = pattern(8)});
    b.too_big(900, segment);
    CHECK(b.mtu(farther) == 0);
    b.too_big(1000, segment);
    CHECK(b.mtu(farther) == 1000);

    program<packet> raw;
    REQUIRE(b->delivery().add_raw({.protocol = 253}, raw));
    b.too_big(800, datagram_of({.source = "10.0.2.1"_ip, .destination = far}));
    CHECK(b.mtu(far) == 800);
}

TEST_CASE("path MTU: which value is learned") {
    const struct {
        const char* name;
        u32 reported;
        u16 learned = 552;  // 0: nothing
        bool locked = false;
    } rows[] = {
        {.name = "0, from a router older than RFC 1191", .reported = 0, .locked = true},
        {.name = "68, the least there is", .reported = 68, .locked = true},
        {.name = "one below the least that is believed", .reported = 551, .locked = true},
        {.name = "the least that is believed", .reported = 552},
        {.name = "an ordinary one", .reported = 1400, .learned = 1400},
        {.name = "the MTU of the link", .reported = 1500, .learned = 1500},
        {.name = "more", .reported = 1501, .learned = 0},
        {.name = "the largest", .reported = 65535, .learned = 0},
        {.name = "bytes beside the MTU do not count",
         .reported = 0xffff0000 | 1000,
         .learned = 1000},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        learning_world<> b;
        b.too_big(r.reported, b.datagram_to(far));
        CHECK(b.mtu(far) == r.learned);
        CHECK(b.route_used(far).mtu_locked == r.locked);
        const auto all = b.send(far, 400, {.prefer_whole = true});
        REQUIRE(all.size() == 1);
        check(all[0], support::flags_and_offset(r.locked ? 0 : df));
    }
}

TEST_CASE("path MTU: a learned value only decreases, and a locked one stays") {
    learning_world<> b;
    b.too_big(1000, b.datagram_to(far));
    b.too_big(1200, b.datagram_to(far));
    CHECK(b.mtu(far) == 1000);
    b.too_big(900, b.datagram_to(far));
    CHECK(b.mtu(far) == 900);
    b.too_big(100, b.datagram_to(far));
    CHECK(b.route_used(far).mtu_locked);
    b.too_big(552, b.datagram_to(far));
    CHECK(b.route_used(far).mtu_locked);

    // A locked MTU of the route is no matter of discovery.
    REQUIRE(b->add_route({.prefix = "198.51.100.0/24"_prefix,
                          .mtu_locked = true,
                          .mtu = 1300,
                          .gateway = gateway})
                .has_value());
    b.too_big(1000, b.datagram_to("198.51.100.1"_ip));
    CHECK(b.mtu("198.51.100.1"_ip) == 1300);
    const auto all = b.send("198.51.100.1"_ip, 400, {.prefer_whole = true});
    REQUIRE(all.size() == 1);
    check(all[0], support::flags_and_offset(0));
}

TEST_CASE("path MTU: forgotten after mtu_expires, counted from the last news") {
    learning_world<> b;
    const auto later = [&](duration d) { b.now.now = b.now.now + d; };
    b.too_big(1000, b.datagram_to(far));
    CHECK(b->poll(b.now) == b.now.now + 600_s);
    later(299_s);
    b.too_big(1000, b.datagram_to(far));  // in its first half it is not made younger
    later(300_s);
    CHECK(b.mtu(far) == 1000);
    later(1_s);
    CHECK(b.mtu(far) == 0);
    b.too_big(1000, b.datagram_to(far));
    later(301_s);
    b.too_big(1000, b.datagram_to(far));
    later(599_s);
    CHECK(b.mtu(far) == 1000);
    later(1_s);
    CHECK(b.mtu(far) == 0);
    CHECK(b->exceptions().any());
    CHECK(b->poll(b.now) == instant::never());
    CHECK_FALSE(b->exceptions().any());
}

TEST_CASE("path MTU: ip_no_pmtu_disc") {
    const u16 learned[] = {1000, 552, 0, 0};
    for (u8 mode = 0; mode < 4; ++mode) {
        INFO("ip_no_pmtu_disc ", mode);
        learning_world<> b;
        b->change([mode](settings& s) { s.ip_no_pmtu_disc = mode; });
        b.too_big(1000, b.datagram_to(far));
        CHECK(b.mtu(far) == learned[mode]);
        CHECK(b.route_used(far).mtu_locked == (mode == 1));
    }
}

TEST_CASE("path MTU: forwarding uses it only with ip_forward_use_pmtu, or if it is locked") {
    const byte_vector plain = datagram_of({.destination = far, .payload = pattern(1180)});
    const byte_vector whole =
        datagram_of({.destination = far, .flags_and_offset = df, .payload = pattern(1180)});
    for (const bool use : {false, true}) {
        for (const u32 reported : {1000u, 500u}) {
            INFO("ip_forward_use_pmtu ", use, ", reported ", reported);
            learning_world<> b;
            b->change([use](settings& s) { s.ip_forward_use_pmtu = use; });
            b.too_big(reported, b.datagram_to(far));
            const bool counts = use || reported == 500;
            CHECK(b.receive(plain) == fate::forwarded);
            CHECK(b.sent().size() == (!counts ? 1 : reported == 500 ? 3 : 2));
            CHECK((b.receive(whole) == fate::dropped) == counts);
            const auto all = b.sent();
            REQUIRE(all.size() == 1);
            if (counts)
                check(all[0].datagram, support::destination("10.0.1.2"_ip),
                      support::icmp_is(3, 4, reported == 500 ? 552 : 1000));
        }
    }
}

TEST_CASE("path MTU: datagrams with a program's own header") {
    learning_world<> b;
    program<packet> raw;
    REQUIRE(b->delivery().add_raw({.protocol = 253}, raw));
    b.too_big(1000, b.datagram_to(far));
    const auto send = [&](u16 flags) {
        return b->send_raw(b.packet(datagram_of({.source = "10.0.2.1"_ip,
                                                 .destination = far,
                                                 .flags_and_offset = flags,
                                                 .payload = pattern(1180)})),
                           {.destination = far}, b.now);
    };
    CHECK(send(0).has_value());
    CHECK(b.sent().size() == 2);
    CHECK(send(df).error() == send_error::too_big);
    CHECK(b.is_quiet());
    CHECK(raw.errors == 1);  // by the error that we sent to ourselves
    CHECK(b->counters()[mib::ip_frag_fails] == 1);
    CHECK(b->counters()[mib::ip_out_discards] == 1);
}

TEST_CASE("path MTU: it is forgotten with its route, interface or address") {
    const struct {
        const char* name;
        void (*change)(learning_world<>&);
        u16 left;
    } rows[] = {
        {.name = "its route taken away and given again",
         .change =
             [](learning_world<>& b) {
                 const route_entry r{.prefix = "0.0.0.0/0"_prefix, .gateway = gateway};
                 REQUIRE(b->remove_route(r).has_value());
                 REQUIRE(b->add_route(r).has_value());
             },
         .left = 0},
        {.name = "another route taken away",
         .change =
             [](learning_world<>& b) {
                 const route_entry r{.prefix = "198.51.100.0/24"_prefix, .gateway = gateway};
                 REQUIRE(b->add_route(r).has_value());
                 REQUIRE(b->remove_route(r).has_value());
             },
         .left = 1000},
        {.name = "a longer route by another gateway",
         .change =
             [](learning_world<>& b) {
                 REQUIRE(b->add_route({.prefix = {far, 32}, .gateway = "10.0.2.9"_ip}).has_value());
             },
         .left = 0},
        {.name = "the interface down and up",
         .change =
             [](learning_world<>& b) {
                 REQUIRE(b->set_up(3, false).has_value());
                 REQUIRE(b->set_up(3, true).has_value());
                 REQUIRE(b->add_route({.gateway = gateway}).has_value());
             },
         .left = 0},
        {.name = "another interface down",
         .change = [](learning_world<>& b) { REQUIRE(b->set_up(2, false).has_value()); },
         .left = 1000},
        {.name = "the interface narrower than it",
         .change = [](learning_world<>& b) { REQUIRE(b->set_mtu(3, 900).has_value()); },
         .left = 900},
        {.name = "the interface narrower, but not so much",
         .change = [](learning_world<>& b) { REQUIRE(b->set_mtu(3, 1200).has_value()); },
         .left = 1000},
        {.name = "as wide as it, then wider",
         .change =
             [](learning_world<>& b) {
                 REQUIRE(b->set_mtu(3, 1000).has_value());
                 REQUIRE(b->set_mtu(3, 1400).has_value());
             },
         .left = 1400},
        {.name = "all forgotten",
         .change = [](learning_world<>& b) { b->forget_exceptions(); },
         .left = 0},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        learning_world<> b;
        b.too_big(1000, b.datagram_to(far));
        r.change(b);
        CHECK(b.mtu(far) == r.left);
    }
}

TEST_CASE("path MTU: no value below 68 is learned, whatever the switch says") {
    learning_world<> b;
    b->change([](settings& s) { s.route_min_pmtu = 0; });
    b.too_big(10, b.datagram_to(far));
    CHECK(b.mtu(far) == 68);
    CHECK(b.send(far, 100).size() == 3);
    CHECK(b.error_of_send == routing::send_error{});
}

TEST_CASE("path MTU: the small host does not learn") {
    learning_world<tiny_host> b;
    b.too_big(1000, b.datagram_to(far));
    CHECK(b.us.errors == 1);
    CHECK(b.mtu(far) == 0);
}

}  // namespace

}  // namespace stack_path_mtu
