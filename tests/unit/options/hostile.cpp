// Random headers with offsets that do not match them: no byte outside the header changes, and an
// accepted header is accepted again.
#include <doctest/doctest.h>

#include "surroundings.hpp"

namespace options_hostile {

namespace {

using namespace options_test;
using ip_options::route_target;

route_target any_route(ipv4::address a) noexcept {
    if (a.value % 5 == 0) return route_target::other;
    return a.value % 3 == 0 ? route_target::forwardable : route_target::local;
}

option_offsets random_offsets(dice& random) {
    option_offsets o;
    o.length = u8(random.below(256));
    for (u8* where : {&o.source_route, &o.record_route, &o.timestamp, &o.router_alert, &o.security})
        *where = u8(random.below(random.below(2) ? 61 : 256));
    o.strict_route = random.below(2) != 0;
    o.route_hit = random.below(2) != 0;
    o.record_address = random.below(2) != 0;
    o.stamp_address = random.below(2) != 0;
    o.stamp_time = random.below(2) != 0;
    return o;
}

TEST_CASE("wrong offsets never cause a write outside the header") {
    dice random{3};
    constexpr std::size_t margin = 300;
    for (int round = 0; round < 50'000; ++round) {
        const header_bytes header = header_with(random_options(random));
        header_bytes arena(margin + header.size() + margin, std::byte{0xa5});
        copy_bytes(arena.data() + margin, header.data(), header.size());
        const ipv4::view ip{arena.data() + margin};
        surroundings here;
        option_offsets o = random_offsets(random);
        ip_options::outgoing reply;
        (void)ip_options::echo(ipv4::const_view{ip.data()}, o, reply, here);
        CHECK(reply.offsets.length <= 40);
        (void)ip_options::follow(ip, o, {true, route_target::local}, any_route);
        ip_options::forward(ip, o, here);
        ip_options::fragment(ip, o);
        reply.offsets = random_offsets(random);
        (void)ip_options::build(ip, reply, "10.0.2.2"_ip, noon);
        bool untouched = true;
        for (std::size_t i = 0; i < margin; ++i) {
            untouched = untouched && arena[i] == std::byte{0xa5} &&
                        arena[arena.size() - 1 - i] == std::byte{0xa5};
        }
        REQUIRE(untouched);
    }
}

TEST_CASE("an offset into the fixed header names no option") {
    header_bytes header = header_with(list({1, 1, 1, 0}));
    const ipv4::view ip{header.data()};
    // Read as an option at offset 0: length 8, pointer 5.
    ip.set(ipv4::tos, 8);
    ip.set(ipv4::total_length, 0x0500);
    ipv4::set_checksum(ip);
    const header_bytes before = header;
    surroundings here;
    option_offsets stale;
    stale.record_address = true;
    ip_options::forward(ip, stale, here);
    CHECK(header == before);
}

TEST_CASE("properties of every accepted header") {
    dice random{4};
    int accepted = 0;
    for (int round = 0; round < 100'000; ++round) {
        header_bytes header = header_with(random_options(random));
        const ipv4::view ip{header.data()};
        surroundings here;
        option_offsets found;
        if (!ip_options::compile(ip, found, here)) continue;
        ++accepted;
        ip_options::outgoing reply;
        if (ip_options::echo(ipv4::const_view{header.data()}, found, reply, here)) {
            // The answer is no longer than the question, and well formed.
            REQUIRE(reply.offsets.length <= found.length);
            REQUIRE(reply.offsets.length % 4 == 0);
            header_bytes answer = header_with(reply.area());
            ip_options::build(ipv4::view{answer.data()}, reply, "10.0.1.2"_ip, noon);
            option_offsets again;
            const auto accepted_again = ip_options::compile(ipv4::view{answer.data()}, again, here);
            // Only half a slot left, or a count at its end, are problems in the answer.
            if (!accepted_again) REQUIRE(again.timestamp == 0);
        }
        ip_options::forward(ip, found, here);
        if (here.asked_own + here.asked_time > 0) REQUIRE(ipv4::checksum_ok(ip));
        ip_options::fragment(ip, found);
        const header_bytes once = header;
        option_offsets left;
        REQUIRE(ip_options::compile(ip, left, here));
        REQUIRE_FALSE((left.record_route || left.timestamp || left.changed));
        REQUIRE(header == once);
    }
    CHECK(accepted > 5'000);
}

}  // namespace

}  // namespace options_hostile
