// forward and follow: golden headers recorded from Linux, and each branch by itself.
#include <doctest/doctest.h>

#include "surroundings.hpp"

namespace options_forward {

namespace {

using namespace options_test;
using ip_options::route_target;
using ip_options::source_route_result;

route_target route_to(ipv4::address a) noexcept {
    if (surroundings::is_local(a)) return route_target::local;
    return surroundings{}.is_unicast(a) && a.byte(0) == 10 ? route_target::forwardable
                                                           : route_target::other;
}

struct forwarding {
    const char* name;
    header_bytes in;
    header_bytes out;
};

// One packet from if0 (10.0.1.1) to if1 (10.0.2.1), as a router treats it.
header_bytes through_router(header_bytes header, surroundings& here) {
    const ipv4::view ip{header.data()};
    option_offsets found;
    REQUIRE(ip_options::compile(ip, found, here));
    if (found.source_route != 0) {
        const auto step =
            ip_options::follow(ip, found, {true, route_to(ip[ipv4::destination])}, route_to);
        REQUIRE(step.kind != source_route_result::refused);
    }
    ipv4::decrement_ttl(ip);
    ip_options::forward(ip, found, here);
    CHECK_FALSE(bool{found.changed});
    return header;
}

TEST_CASE("packets as Linux forwarded them") {
    const forwarding rows[] = {
        {.name = "source route, record route and timestamp (options/local-12)",
         .in = to_header(
             "4c0000381234000040fd6f660a0001020a0001018307040a000203070704000000000101440c05010000"
             "000000000000"_hex),
         .out = to_header(
             "4c000038123400003ffd00000a0001020a0002038307080a0002010707080a0002010101440c0d010a00"
             "020102932e00"_hex)},
        {.name = "consecutive own hops are consumed (options/local-09)",
         .in = to_header("480000281234000040fdbd7f0a0001020a000101890b040a0002010a00020300"_hex),
         .out = to_header("48000028123400003ffdb77d0a0001020a000203890b0c0a0002010a00020100"_hex)},
        {.name = "a loose route of others is passed by (options/accept-source-route-all1-if1)",
         .in = to_header("4700001e1234000040fdc4980a0001020a0002028307040a00020300"_hex),
         .out = to_header("4700001e123400003ffdc5980a0001020a0002028307040a00020300"_hex)},
        {.name = "bytes after the end of the list (options/fragmented-on-forward)",
         .in = to_header("460000201234000040fd4eab0a0001020a00020200ffffff"_hex),
         .out = to_header("460000201234000040fd4eab0a0001020a00020200000000"_hex)},
        {.name = "overflow counted (options/forward-04)",
         .in = to_header("480000281234000040fdfc930a0001020a000202440c0d020000000000000000"_hex),
         .out = to_header("48000028123400003ffdfd830a0001020a000202440c0d120000000000000000"_hex)},
    };
    for (const forwarding& row : rows) {
        CAPTURE(row.name);
        surroundings here;
        const header_bytes got = through_router(row.in, here);
        header_bytes want = row.out;
        // The first row was recorded with the time masked: the checksum follows from the rest.
        ipv4::view{want.data()}.set(ipv4::ttl, ipv4::const_view{got.data()}[ipv4::ttl]);
        ipv4::set_checksum(ipv4::view{want.data()});
        CHECK(got == want);
        CHECK(ipv4::const_view{got.data()}[ipv4::ttl] ==
              ipv4::const_view{row.in.data()}[ipv4::ttl] - 1);
    }
}

TEST_CASE("a timestamp keeps the incoming address where no source route is followed") {
    surroundings here;
    const auto got = through_router(
        header_with(list({68, 12, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0}), "10.0.2.2"_ip), here);
    CHECK(load_be<u32>(got.data() + 24) == here.own.value);
    CHECK(here.asked_outgoing == 0);
}

TEST_CASE("a packet without recording keeps its checksum, even a wrong one") {
    header_bytes header = header_with(list({1, 1, 1, 0}));
    header[10] = std::byte{0xab};
    const header_bytes before = header;
    surroundings here;
    option_offsets found;
    REQUIRE(ip_options::compile(ipv4::view{header.data()}, found, here));
    ip_options::forward(ipv4::view{header.data()}, found, here);
    CHECK(header == before);
}

struct step_row {
    const char* name;
    header_bytes options;
    bool to_us;
    route_target destination = route_target::local;
    ip_options::source_route_step step;
    ipv4::address destination_after;
    ipv4::address next_hop = {};
};

TEST_CASE("each result of a step along a source route") {
    using enum source_route_result;
    constexpr ipv4::address local = "10.0.1.1"_ip;
    const step_row rows[] = {
        {.name = "link broadcast",
         .options = list({131, 7, 4, 10, 0, 2, 3}),
         .to_us = false,
         .step = {refused},
         .destination_after = local},
        {.name = "loose, not for this host",
         .options = list({131, 7, 4, 10, 0, 2, 3}),
         .to_us = true,
         .destination = route_target::forwardable,
         .step = {passed_by},
         .destination_after = local},
        {.name = "strict, not for this host",
         .options = list({137, 7, 4, 10, 0, 2, 3}),
         .to_us = true,
         .destination = route_target::forwardable,
         .step = {problem, 16},
         .destination_after = local},
        {.name = "to a broadcast address",
         .options = list({131, 7, 4, 10, 0, 2, 3}),
         .to_us = true,
         .destination = route_target::other,
         .step = {refused},
         .destination_after = local},
        {.name = "one hop",
         .options = list({131, 7, 4, 10, 0, 2, 3}),
         .to_us = true,
         .step = {advanced, 0, true},
         .destination_after = local,
         .next_hop = "10.0.2.3"_ip},
        {.name = "an own hop first",
         .options = list({131, 11, 4, 10, 0, 2, 1, 10, 0, 3, 9}),
         .to_us = true,
         .step = {advanced, 0, true},
         .destination_after = "10.0.2.1"_ip,
         .next_hop = "10.0.3.9"_ip},
        {.name = "the last hop is a local address",
         .options = list({137, 7, 4, 10, 0, 3, 1}),
         .to_us = true,
         .step = {arrived, 0, true},
         .destination_after = "10.0.3.1"_ip},
        {.name = "complete",
         .options = list({131, 7, 8, 10, 0, 2, 3}),
         .to_us = true,
         .step = {arrived},
         .destination_after = local},
        {.name = "complete, pointer far beyond",
         .options = list({131, 7, 255, 10, 0, 2, 3}),
         .to_us = true,
         .step = {arrived},
         .destination_after = local},
        {.name = "multicast hop",
         .options = list({131, 7, 4, 224, 0, 0, 1}),
         .to_us = true,
         .step = {refused},
         .destination_after = local},
        {.name = "half a hop left",
         .options = list({131, 5, 4, 1, 1}),
         .to_us = true,
         .step = {problem, 22},
         .destination_after = local},
        {.name = "half a hop after an own one",
         .options = list({131, 9, 4, 10, 0, 2, 1, 10, 0}),
         .to_us = true,
         .step = {problem, 22, true},
         .destination_after = "10.0.2.1"_ip},
        {.name = "unaligned pointer names another hop",
         .options = list({131, 11, 5, 10, 0, 2, 3, 10, 0, 2, 4}),
         .to_us = true,
         .step = {refused},
         .destination_after = local},
    };
    for (const step_row& row : rows) {
        CAPTURE(row.name);
        header_bytes header = header_with(row.options);
        const ipv4::view ip{header.data()};
        surroundings here;
        option_offsets found;
        REQUIRE(ip_options::compile(ip, found, here));
        CHECK(ip_options::follow(ip, found, {row.to_us, row.destination}, route_to) == row.step);
        CHECK(ip[ipv4::destination] == row.destination_after);
        CHECK(found.next_hop == row.next_hop);
        CHECK(bool{found.route_hit} == (row.step.kind == advanced));
    }
}

}  // namespace

}  // namespace options_forward
