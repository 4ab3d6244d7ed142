// The presets run; policies without ICMP send none; a batch equals its packets one by one.
#include <doctest/doctest.h>

#include "support/world.hpp"

#include <sluice/hooks/hook_chain.hpp>
#include <sluice/stack/hardened_router.hpp>

namespace stack_presets {

namespace {

using namespace stack_test;

const byte_vector ping_us = datagram_of(
    {.destination = "10.0.1.1"_ip, .protocol = 1, .payload = support::echo_request(24)});
const byte_vector through = datagram_of({});

TEST_CASE_TEMPLATE("presets: each answers a ping", Preset, linux_host, linux_router,
                   hardened_router, tiny_host) {
    world<Preset> b;
    CHECK(b.receive(ping_us) == fate::delivered);
    check(b.sent_one(), support::right_sums(), support::icmp_is(0, 0, 0x00070001),
          support::payload(support::icmp_message(0, 0, 0x00070001, pattern(24))));
}

TEST_CASE("presets: hosts do not forward, routers do") {
    world<linux_host> host;
    CHECK(host.receive(through) == fate::dropped);
    CHECK(host->counters()[drop_reason::not_forwarding] == 1);
    world<tiny_host> tiny;
    CHECK(tiny.receive(through) == fate::dropped);
    world<linux_router> router;
    CHECK(router.receive(through) == fate::forwarded);
    world<hardened_router> hard;
    CHECK(hard.receive(through) == fate::forwarded);
}

TEST_CASE("presets: a set of policies based on a router is a router") {
    struct another : policies<based_on<linux_router>, hooks<hook_chain<2>>> {};
    struct third : policies<hooks<hook_chain<2>>, based_on<another>> {};
    CHECK(another::initial_settings().all.forwarding);
    CHECK(third::initial_settings().all.forwarding);
    CHECK_FALSE(policies<hooks<hook_chain<2>>>::initial_settings().all.forwarding);
}

TEST_CASE("presets: packets that only the hardened router drops") {
    const struct {
        const char* name;
        byte_vector datagram;
        link_addressing seen_as;
        drop_reason reason;
    } rows[] = {
        {.name = "a source from another link",
         .datagram = datagram_of({.source = "10.0.2.9"_ip,
                                  .destination = "10.0.1.1"_ip,
                                  .protocol = 1,
                                  .payload = support::echo_request()}),
         .seen_as = link_addressing::host,
         .reason = drop_reason::reverse_path},
        {.name = "unicast in a link-layer broadcast",
         .datagram = ping_us,
         .seen_as = link_addressing::broadcast,
         .reason = drop_reason::unicast_in_link_multicast},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        world<hardened_router> hard;
        CHECK(hard.receive(r.datagram, 2, r.seen_as) == fate::dropped);
        CHECK(hard->counters()[r.reason] == 1);
        world<linux_router> router;
        CHECK(router.receive(r.datagram, 2, r.seen_as) == fate::delivered);
    }
}

TEST_CASE("presets: the tiny host refuses options and fragments in silence") {
    world<tiny_host> b;
    CHECK(b.receive(datagram_of({.destination = "10.0.1.1"_ip, .options = list({1, 1, 1, 1})})) ==
          fate::dropped);
    CHECK(b.receive(datagram_of({.destination = "10.0.1.1"_ip, .flags_and_offset = 0x2000})) ==
          fate::dropped);
    CHECK(b->counters()[drop_reason::reassembly_refused] == 1);
    CHECK(b.is_quiet());
}

TEST_CASE("presets: with no_icmp nothing is answered, and all else works") {
    struct silent : policies<based_on<small_router>, icmp_limits<no_icmp>> {};
    world<silent> b;
    const byte_vector refused[] = {
        ping_us,
        datagram_of({.ttl = 1}),
        datagram_of({.destination = "192.0.2.1"_ip}),
        datagram_of({.destination = "10.0.1.1"_ip}),
        datagram_of({.flags_and_offset = 0x4000, .payload = pattern(1481)}),
        datagram_of({.destination = "10.0.1.1"_ip, .options = list({7, 7, 3, 0})}),
        datagram_of({.destination = "10.0.1.1"_ip,
                     .protocol = 1,
                     .payload = support::icmp_message(13, 0, 0, byte_vector(12))}),
    };
    for (const byte_vector& d : refused) {
        CHECK(b.receive(d) == fate::dropped);
        CHECK(b.is_quiet());
    }
    CHECK(b.receive(datagram_of({.destination = "10.0.1.77"_ip})) == fate::forwarded);
    CHECK(b.sent().size() == 1);  // no redirect beside it
}

TEST_CASE("presets: a batch equals its packets one by one") {
    world<> single, batch;
    std::vector<byte_vector> traffic;
    for (u8 i = 0; i < 5; ++i) {
        traffic.push_back(through);
        traffic.push_back(datagram_of({.destination = "10.0.2.9"_ip, .ttl = i}));
        traffic.push_back(ping_us);
        traffic.push_back(datagram_of({.destination = "192.0.2.1"_ip}));
        traffic.push_back(datagram_of({.payload = pattern(1481)}));
        traffic.push_back(datagram_of({.tos = 0xb8, .options = list({7, 7, 4, 0, 0, 0, 0, 0})}));
        traffic.push_back(byte_vector(i));
    }
    std::vector<world<>::packet_type> packets;
    for (const byte_vector& d : traffic) {
        single.receive(d);
        packets.push_back(batch.packet(d));
    }
    batch->receive(packets, batch.now);
    const auto one_by_one = single.sent();
    const auto together = batch.sent();
    REQUIRE(one_by_one.size() == together.size());
    for (std::size_t i = 0; i < together.size(); ++i) {
        CAPTURE(i);
        CHECK((one_by_one[i].datagram == together[i].datagram));
        CHECK(one_by_one[i].to == together[i].to);
    }
    for (std::size_t i = 0; i < mib_count; ++i) {
        CAPTURE(i);
        const mib m = static_cast<mib>(i);
        CHECK(single->counters()[m] == batch->counters()[m]);
    }
    for (std::size_t i = 0; i < drop_reason_count; ++i) {
        const drop_reason r = static_cast<drop_reason>(i);
        CHECK(single->counters()[r] == batch->counters()[r]);
    }
}

}  // namespace

}  // namespace stack_presets
