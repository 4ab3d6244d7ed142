// echo and build: replies as Linux sent them, and options that cannot be answered.
#include <doctest/doctest.h>

#include "surroundings.hpp"

namespace options_answer {

namespace {

using namespace options_test;

struct answered {
    const char* name;
    header_bytes in;
    header_bytes options = {};
    ipv4::address first_hop;
};

TEST_CASE("options of answers as Linux sent them") {
    constexpr ipv4::address sender = "10.0.1.2"_ip;
    const answered rows[] = {
        {.name = "record route full after one more",
         .in = list({7, 7, 4, 0, 0, 0, 0}),
         .options = list({7, 7, 8, 10, 0, 1, 1, 0}),
         .first_hop = sender},
        {.name = "record route continued",
         .in = list({7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0}),
         .options = list({7, 11, 12, 10, 0, 1, 1, 10, 0, 1, 1, 0}),
         .first_hop = sender},
        {.name = "source route before record route, now behind",
         .in = list({131, 7, 8, 10, 0, 1, 3, 7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0}),
         .options = list({7, 11, 12, 10, 0, 1, 1, 10, 0, 1, 1, 131, 7, 4, 10, 0, 1, 2, 0, 0}),
         .first_hop = "10.0.1.3"_ip},
        {.name = "three hops reversed",
         .in = list({137, 15, 16, 10, 0, 2, 3, 10, 0, 1, 4, 10, 12, 5, 5}),
         .options = list({137, 15, 4, 10, 0, 1, 4, 10, 0, 2, 3, 10, 0, 1, 2, 0}),
         .first_hop = "10.12.5.5"_ip},
        {.name = "one hop that is the sender",
         .in = list({131, 7, 8, 10, 0, 1, 2}),
         .first_hop = sender},
        {.name = "nothing travelled yet",
         .in = list({131, 7, 4, 10, 0, 2, 3}),
         .first_hop = sender},
        {.name = "timestamp with addresses continued",
         .in = list({68, 20, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}),
         .options =
             list({68, 20, 21, 1, 10, 0, 1, 1, 2, 0x93, 0x2e, 0, 10, 0, 1, 1, 2, 0x93, 0x2e, 0}),
         .first_hop = sender},
        {.name = "timestamp for two prespecified own addresses",
         .in = list({68, 20, 5, 3, 10, 0, 1, 1, 0, 0, 0, 0, 10, 0, 2, 1, 0, 0, 0, 0}),
         .options =
             list({68, 20, 21, 3, 10, 0, 1, 1, 2, 0x93, 0x2e, 0, 10, 0, 2, 1, 2, 0x93, 0x2e, 0}),
         .first_hop = sender},
        {.name = "prespecified for another host",
         .in = list({68, 20, 5, 3, 10, 0, 1, 1, 0, 0, 0, 0, 10, 0, 2, 9, 0, 0, 0, 0}),
         .options = list({68, 20, 13, 3, 10, 0, 1, 1, 2, 0x93, 0x2e, 0, 10, 0, 2, 9, 0, 0, 0, 0}),
         .first_hop = sender},
        {.name = "prespecified with half a slot behind the local address",
         .in = list({68, 16, 5, 3, 10, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0}),
         .options = list({68, 16, 13, 3, 10, 0, 1, 1, 2, 0x93, 0x2e, 0, 0, 0, 0, 0}),
         .first_hop = sender},
        {.name = "an option that takes all the room",
         .in = list({68, 40, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                     0,  0,  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}),
         .options =
             list({68, 40, 13, 0, 2, 0x93, 0x2e, 0, 2, 0x93, 0x2e, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                   0,  0,  0,  0, 0, 0,    0,    0, 0, 0,    0,    0, 0, 0, 0, 0, 0, 0, 0, 0}),
         .first_hop = sender},
        {.name = "alert, stream identifier and security are not answered",
         .in = list({148, 4, 0, 0, 136, 4, 0, 1, 130, 3, 0}),
         .first_hop = sender},
    };
    for (const answered& row : rows) {
        CAPTURE(row.name);
        header_bytes header = header_with(row.in);
        surroundings here;
        option_offsets found;
        REQUIRE(ip_options::compile(ipv4::view{header.data()}, found, here));
        ip_options::outgoing reply;
        REQUIRE(ip_options::echo(ipv4::const_view{header.data()}, found, reply, here));
        CHECK(reply.destination(sender) == row.first_hop);
        REQUIRE(reply.offsets.length == row.options.size());

        header_bytes answer = header_with(header_bytes(row.options.size(), std::byte{0xa5}));
        const ipv4::view ip{answer.data()};
        ip.set(ipv4::source, here.own);
        CHECK(ip_options::build(ip, reply, sender, noon) == reply.offsets);
        CHECK(options_after(answer) == row.options);
    }
}

TEST_CASE("a refused label is repeated in the error about it") {
    header_bytes header = header_with(list({134, 4, 0, 0}));
    surroundings here;
    option_offsets found;
    CHECK(ip_options::compile(ipv4::view{header.data()}, found, here).error() == 21);
    ip_options::outgoing reply;
    REQUIRE(ip_options::echo(ipv4::const_view{header.data()}, found, reply, here));
    CHECK(reply.offsets.length == 4);
    CHECK(reply.offsets.security == 20);
    CHECK(equal_bytes(reply.area(), list({134, 4, 0, 0})));
}

TEST_CASE("the error contains the addresses recorded before the bad option") {
    header_bytes header = header_with(list({7, 7, 4, 0, 0, 0, 0, 1, 7, 7, 4, 0, 0, 0, 0}));
    surroundings here;
    option_offsets found;
    CHECK(ip_options::compile(ipv4::view{header.data()}, found, here).error() == 28);
    ip_options::outgoing reply;
    REQUIRE(ip_options::echo(ipv4::const_view{header.data()}, found, reply, here));
    CHECK(equal_bytes(reply.area(), list({7, 7, 8, 10, 0, 1, 1, 0})));
}

TEST_CASE("a slot that is cut in half cannot be continued") {
    const header_bytes rows[] = {
        list({7, 9, 4, 0, 0, 0, 0, 0, 0}),
        list({68, 10, 5, 0, 0, 0, 0, 0, 0, 0}),
        list({68, 16, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}),
    };
    for (const header_bytes& options : rows) {
        header_bytes header = header_with(options);
        surroundings here;
        option_offsets found;
        REQUIRE(ip_options::compile(ipv4::view{header.data()}, found, here));
        ip_options::outgoing reply;
        CHECK_FALSE(ip_options::echo(ipv4::const_view{header.data()}, found, reply, here));
    }
}

TEST_CASE("a header without room is left alone") {
    ip_options::outgoing options;
    options.offsets.length = 8;
    header_bytes header = header_with(list({1, 1, 1, 1}));
    const header_bytes before = header;
    CHECK(ip_options::build(ipv4::view{header.data()}, options, "10.0.2.2"_ip, noon) ==
          option_offsets{});
    CHECK(header == before);
}

// A whole exchange in constant evaluation.
consteval u32 recorded_in_reply() {
    auto packet = "480000281234000040fd43980a0001020a000101070b04000000000000000000"_hex;
    surroundings here;
    option_offsets found;
    if (!ip_options::compile(ipv4::view{packet.data()}, found, here)) return 0;
    ip_options::outgoing reply;
    if (!ip_options::echo(ipv4::const_view{packet.data()}, found, reply, here)) return 0;
    ip_options::build(ipv4::view{packet.data()}, reply, "10.0.1.2"_ip, noon);
    return load_be<u32>(packet.data() + 27);
}
static_assert(recorded_in_reply() == 0x0a000102);

}  // namespace

}  // namespace options_answer
