// ip_no_pmtu_disc: which "fragmentation needed" messages are accepted, by its four values. Linux
// icmp_unreach, icmp_tag_validation.
#include <doctest/doctest.h>

#include "unit/stack/learning.hpp"
#include "unit/stack/recorder.hpp"

namespace stack_believed_sizes {

namespace {

using namespace stack_test;

// A protocol that recognizes its own datagrams, and one that does not.
struct checking final : protocol_handler<packet> {
    bool knows = true;
    u32 errors = 0;
    u32 info = 0;

    handler_result receive(packet&, const delivery_info&, services&) noexcept override {
        return handler_result::taken();
    }
    bool error(const icmp_error_notice& n) noexcept override {
        ++errors;
        info = n.info;
        return knows;
    }
    bool believes(const icmp_error_notice&) const noexcept override { return knows; }
};

constexpr u16 least = 552;  // route_min_pmtu

TEST_CASE("believed sizes: ip_no_pmtu_disc, by protocol") {
    const struct {
        u8 protocol;
        u8 no_pmtu_disc;
        bool reported = false;
        u16 learned = 0;
    } rows[] = {
        {.protocol = 6, .no_pmtu_disc = 0, .reported = true, .learned = 1000},
        {.protocol = 6, .no_pmtu_disc = 1, .reported = true, .learned = least},
        {.protocol = 6, .no_pmtu_disc = 2},
        {.protocol = 6, .no_pmtu_disc = 3, .reported = true, .learned = 1000},
        {.protocol = 17, .no_pmtu_disc = 0, .reported = true, .learned = 1000},
        {.protocol = 17, .no_pmtu_disc = 1, .reported = true, .learned = least},
        {.protocol = 17, .no_pmtu_disc = 2},
        {.protocol = 17, .no_pmtu_disc = 3},
        {.protocol = 47, .no_pmtu_disc = 0, .reported = true, .learned = 1000},
        {.protocol = 47, .no_pmtu_disc = 1, .reported = true, .learned = least},
        {.protocol = 47, .no_pmtu_disc = 2},
        {.protocol = 47, .no_pmtu_disc = 3},
        {.protocol = 132, .no_pmtu_disc = 3, .reported = true, .learned = 1000},
    };
    for (const auto& r : rows) {
        CAPTURE(int{r.protocol});
        CAPTURE(int{r.no_pmtu_disc});
        learning_world<> b;
        checking h;
        b->change([&](settings& s) { s.ip_no_pmtu_disc = r.no_pmtu_disc; });
        if (r.protocol != 17) REQUIRE(b->delivery().set_handler(r.protocol, &h).has_value());
        const byte_vector quoted = r.protocol == 17 ? b.datagram_to(far)
                                                    : datagram_of({.source = "10.0.2.1"_ip,
                                                                   .destination = far,
                                                                   .protocol = r.protocol,
                                                                   .payload = pattern(8)});
        b.too_big(1000, quoted);
        CHECK(b.mtu(far) == r.learned);
        CHECK((r.protocol == 17 ? b.us.errors : h.errors) == (r.reported ? 1u : 0u));
        if (r.reported && r.protocol != 17) CHECK(h.info == (r.no_pmtu_disc == 1 ? 0u : 1000u));
        // Other errors are reported with every value.
        b.error(3, 1, 0, quoted);
        CHECK((r.protocol == 17 ? b.us.errors : h.errors) == (r.reported ? 2u : 1u));
        CHECK(b.mtu(far) == r.learned);
    }
}

// The check of the quote is the protocol's own: a guess teaches nothing.
TEST_CASE("believed sizes: with ip_no_pmtu_disc 3 TCP is asked whether it sent the quote") {
    learning_world<> b;
    checking tcp;
    tcp.knows = false;
    b->change([](settings& s) { s.ip_no_pmtu_disc = 3; });
    REQUIRE(b->delivery().set_handler(6, &tcp).has_value());
    const byte_vector quoted = datagram_of(
        {.source = "10.0.2.1"_ip, .destination = far, .protocol = 6, .payload = pattern(8)});
    b.too_big(1000, quoted);
    CHECK(tcp.errors == 1);
    CHECK(b.mtu(far) == 0);
    CHECK(b->counters()[mib::icmp_in_errors] == 1);
    tcp.knows = true;
    b.too_big(1000, quoted);
    CHECK(b.mtu(far) == 1000);
}

// Quotes that any host can make count as in Linux, and not in the strict form.
TEST_CASE("believed sizes: with ip_no_pmtu_disc 3 no endpoint and no echo reply confirms an MTU") {
    const byte_vector segment = datagram_of(
        {.source = "10.0.2.1"_ip, .destination = far, .protocol = 6, .payload = pattern(8)});
    const byte_vector reply = datagram_of({.source = "10.0.2.1"_ip,
                                           .destination = far,
                                           .protocol = 1,
                                           .payload = support::icmp_message(0, 0, 1)});
    const byte_vector request = datagram_of({.source = "10.0.2.1"_ip,
                                             .destination = far,
                                             .protocol = 1,
                                             .payload = support::icmp_message(8, 0, 1)});
    for (const u8 mode : {u8{0}, u8{3}}) {
        CAPTURE(int{mode});
        learning_world<> b;
        program<packet> raw_tcp;
        program<packet> raw_icmp;
        b->change([mode](settings& s) { s.ip_no_pmtu_disc = mode; });
        REQUIRE(b->delivery().add_raw({.protocol = 6}, raw_tcp));
        const auto learned = [&](const byte_vector& quoted) {
            b.too_big(1000, quoted);
            const u16 mtu = b.mtu(far);
            b->forget_exceptions();
            return mtu;
        };
        const u16 wanted = mode == 0 ? 1000 : 0;
        CHECK(learned(segment) == wanted);  // no handler of TCP, a raw endpoint
        CHECK(learned(reply) == wanted);
        CHECK(learned(b.datagram_to(far)) == wanted);
        REQUIRE(b->delivery().add_raw({.protocol = 1}, raw_icmp));
        CHECK(learned(request) == wanted);
        // A handler that does not know the segment changes nothing; one that does, does.
        checking tcp;
        tcp.knows = false;
        REQUIRE(b->delivery().set_handler(6, &tcp).has_value());
        CHECK(learned(segment) == wanted);
        tcp.knows = true;
        CHECK(learned(segment) == 1000);
    }
}

// What DF a program may set hangs on it as well: a locked path is cut without DF.
TEST_CASE("believed sizes: a missing MTU counts as the smallest") {
    learning_world<> b;
    b->change([](settings& s) { s.ip_no_pmtu_disc = 1; });
    b.too_big(1000, b.datagram_to(far));
    CHECK(b.route_used(far).mtu_locked);
    const auto all = b.send(far, 600, {.prefer_whole = true});
    REQUIRE(all.size() == 2);
    check(all[0], support::size(548), support::flags_and_offset(0x2000));
    const auto one = b.send(far, 500, {.prefer_whole = true});
    REQUIRE(one.size() == 1);
    check(one[0], support::flags_and_offset(0));
}

}  // namespace

}  // namespace stack_believed_sizes
