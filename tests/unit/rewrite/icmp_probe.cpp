// icmp_probe: which interface an extended echo request names, and the reply about it.
#include <doctest/doctest.h>

#include <sluice/rewrite/icmp_probe.hpp>

#include "support/network.hpp"

namespace rewrite_icmp_probe {

namespace {

using namespace support;
using support::icmp_message;
using support::list;

// Identifier 7, sequence 9, the L bit.
constexpr u32 asked = 0x00070901;
constexpr u32 active = 0x00070904;
constexpr u32 active_ipv4 = 0x00070906;

// Extension header, object header and identifier; the object's length unless given.
byte_vector object(int type, const byte_vector& id, int length = -1) {
    byte_vector made = list({0x20, 0, 0, 0, 0, length < 0 ? int(id.size()) + 4 : length, 3, type});
    made.insert(made.end(), id.begin(), id.end());
    return made;
}
byte_vector text(const char* s, std::size_t size) {
    byte_vector made(size);
    for (std::size_t i = 0; i < size && s[i] != 0; ++i)
        made[i] = static_cast<std::byte>(s[i]);
    return made;
}

struct probed : network {
    fixed_pool<256, 4> pool;

    probed() {
        link(1).name = "lo";
        link(2).name = "if0";
        link(3).name = "if1";
        link(3).up = false;
        link(4).name = "fifteen-letters";
        interface bare{};
        bare.index = 6;
        static_cast<void>(interfaces.add(bare));
    }
    byte_vector answer(const byte_vector& message) {
        auto packet = support::packet_of(pool, message);
        REQUIRE(rewrite::turn_probe_round(tables(), packet));
        return support::content_of(packet);
    }
};

struct row {
    const char* name;
    byte_vector extension;
    u8 code = 1;
    u32 word = 0x00070900;
};
const row rows[] = {
    {.name = "a name", .extension = object(1, text("if0", 4)), .code = 0, .word = active_ipv4},
    {.name = "a name without padding",
     .extension = object(1, text("if0", 3)),
     .code = 0,
     .word = active_ipv4},
    {.name = "bytes behind the end of a name",
     .extension = object(1, list({'i', 'f', '0', 0, 'x', 0, 0, 0})),
     .code = 0,
     .word = active_ipv4},
    {.name = "the loopback interface",
     .extension = object(1, text("lo", 4)),
     .code = 0,
     .word = active_ipv4},
    {.name = "one that is down",
     .extension = object(1, text("if1", 4)),
     .code = 0,
     .word = 0x00070902},
    {.name = "a name of 15 bytes",
     .extension = object(1, text("fifteen-letters", 15)),
     .code = 0,
     .word = active_ipv4},
    {.name = "a name of 16 bytes", .extension = object(1, text("fifteen-letters", 16))},
    {.name = "a longer name that begins with one",
     .extension = object(1, text("if00", 4)),
     .code = 2},
    {.name = "half a name", .extension = object(1, text("if", 4)), .code = 2},
    {.name = "an empty name names no interface", .extension = object(1, text("", 4)), .code = 2},
    {.name = "an index",
     .extension = object(2, list({0, 0, 0, 2})),
     .code = 0,
     .word = active_ipv4},
    {.name = "an index without addresses",
     .extension = object(2, list({0, 0, 0, 6})),
     .code = 0,
     .word = active},
    {.name = "index 0", .extension = object(2, list({0, 0, 0, 0})), .code = 2},
    {.name = "an index that is not there", .extension = object(2, list({0, 0, 0, 9})), .code = 2},
    {.name = "an index beyond 16 bits", .extension = object(2, list({0, 1, 0, 2})), .code = 2},
    {.name = "an index of 3 bytes", .extension = object(2, list({0, 0, 2}))},
    {.name = "an index of 8 bytes", .extension = object(2, list({0, 0, 0, 2, 0, 0, 0, 0}))},
    {.name = "an address",
     .extension = object(3, list({0, 1, 4, 0, 10, 0, 1, 1})),
     .code = 0,
     .word = active_ipv4},
    {.name = "an address on one that is down",
     .extension = object(3, list({0, 1, 4, 0, 10, 0, 2, 1})),
     .code = 0,
     .word = 0x00070902},
    {.name = "the reserved byte",
     .extension = object(3, list({0, 1, 4, 9, 10, 0, 1, 1})),
     .code = 0,
     .word = active_ipv4},
    {.name = "an address by a local route",
     .extension = object(3, list({0, 1, 4, 0, 127, 8, 8, 8})),
     .code = 0,
     .word = active_ipv4},
    {.name = "a neighbour's address",
     .extension = object(3, list({0, 1, 4, 0, 10, 0, 1, 2})),
     .code = 2},
    {.name = "a broadcast address",
     .extension = object(3, list({0, 1, 4, 0, 10, 0, 1, 255})),
     .code = 2},
    {.name = "an address length of 5", .extension = object(3, list({0, 1, 5, 0, 10, 0, 1, 1}))},
    {.name = "an address of 5 bytes", .extension = object(3, list({0, 1, 5, 0, 10, 0, 1, 1, 0}))},
    {.name = "an unknown address family", .extension = object(3, list({0, 3, 4, 0, 10, 0, 1, 1}))},
    {.name = "IPv6",
     .extension = object(3, list({0, 2, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}))},
    {.name = "an address cut off", .extension = object(3, list({0, 1, 4, 0}))},
    {.name = "another C-Type", .extension = object(4, list({0, 0, 0, 2}))},
    {.name = "C-Type 0", .extension = object(0, list({0, 0, 0, 2}))},
    {.name = "another class number",
     .extension = list({0x20, 0, 0, 0, 0, 8, 2, 2, 0, 0, 0, 2}),
     .code = 0,
     .word = active_ipv4},
    {.name = "another version and a wrong sum",
     .extension = list({0x10, 0, 9, 9, 0, 8, 3, 2, 0, 0, 0, 2}),
     .code = 0,
     .word = active_ipv4},
    {.name = "bytes behind the object",
     .extension = list({0x20, 0, 0, 0, 0, 8, 3, 2, 0, 0, 0, 2, 1, 2, 3}),
     .code = 0,
     .word = active_ipv4},
    {.name = "an object length of 4", .extension = object(2, list({0, 0, 0, 2}), 4)},
    {.name = "an object length of 0", .extension = object(2, list({0, 0, 0, 2}), 0)},
    {.name = "an object length beyond the message", .extension = object(2, list({0, 0, 0, 2}), 9)},
    {.name = "a name cut off", .extension = object(1, text("if0", 3), 8)},
    {.name = "an object length of 25", .extension = object(1, text("if0", 21))},
    {.name = "no identifier", .extension = object(2, {})},
    {.name = "half an object header", .extension = list({0x20, 0, 0, 0, 0, 8})},
    {.name = "no extension", .extension = {}},
};

TEST_CASE("icmp probe: requests and their replies") {
    for (const row& r : rows) {
        INFO(doctest::String{r.name});
        probed at;
        const byte_vector got = at.answer(icmp_message(42, 0, asked, r.extension));
        CHECK(icmp::checksum_ok(got));
        byte_vector expected = icmp_message(43, r.code, r.word, r.extension);
        CHECK((got == expected));
    }
}

TEST_CASE("icmp probe: the code of the request stays where the answer has none of its own") {
    probed at;
    const byte_vector known =
        at.answer(icmp_message(42, 9, 0x000709ff, object(2, list({0, 0, 0, 2}))));
    CHECK((known == icmp_message(43, 9, active_ipv4, object(2, list({0, 0, 0, 2})))));
    const byte_vector unknown =
        at.answer(icmp_message(42, 9, asked, object(2, list({0, 0, 0, 9}))));
    CHECK(unknown[1] == std::byte{2});
}

TEST_CASE("icmp probe: a request in several blocks is read and summed whole") {
    probed at;
    byte_vector message = icmp_message(42, 0, asked, object(3, list({0, 1, 4, 0, 10, 0, 1, 1})));
    message.insert(message.end(), 30, std::byte{0x5a});
    for (const std::ptrdiff_t cut : {8, 9, 15, 21, 30}) {
        auto p = support::packet_of(at.pool, byte_vector(message.begin(), message.begin() + cut));
        p.append(support::packet_of(at.pool, byte_vector(message.begin() + cut, message.end())));
        REQUIRE(rewrite::turn_probe_round(at.tables(), p));
        const byte_vector got = support::content_of(p);
        CHECK(icmp::checksum_ok(got));
        CHECK(load_be<u32>(got.data() + 4) == active_ipv4);
        CHECK(got.size() == message.size());
    }
}

TEST_CASE("icmp probe: of an empty handle, or less than a header, nothing is made") {
    probed at;
    auto gone = support::packet_of(at.pool, icmp_message(42, 0, asked));
    const auto kept = std::move(gone);
    CHECK_FALSE(rewrite::turn_probe_round(at.tables(), gone));
    for (std::size_t n = 0; n < icmp::header_length; ++n) {
        auto p = support::packet_of(at.pool, byte_vector(n, std::byte{42}));
        CHECK_FALSE(rewrite::turn_probe_round(at.tables(), p));
        CHECK(support::content_of(p) == byte_vector(n, std::byte{42}));
    }
}

}  // namespace

}  // namespace rewrite_icmp_probe
