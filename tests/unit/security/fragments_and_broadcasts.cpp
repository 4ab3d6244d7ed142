// tiny_fragments and no_directed_broadcasts: each against a table of refused datagrams.
#include <sluice/security/directed_broadcasts.hpp>
#include <sluice/security/tiny_fragments.hpp>

#include "unit/security/asked_policy.hpp"

namespace security_fragments_and_broadcasts {

namespace {

using namespace security_test;

constexpr u16 mf = 0x2000;

TEST_CASE("tiny fragments: of TCP, when forwarded, by their offset and size") {
    asked_policy<tiny_fragments> b;
    const struct {
        const char* name;
        u8 protocol = 6;
        u16 word = mf;
        std::size_t size;
        bool passes = false;
        byte_vector options = {};
    } rows[] = {
        {.name = "a first fragment that ends before the flags", .size = 8},
        {.name = "a first fragment of 15 bytes", .size = 15},
        {.name = "a first fragment of 16 bytes", .size = 16, .passes = true},
        {.name = "options do not count as data",
         .size = 8,
         .options = list({1, 1, 1, 1, 1, 1, 1, 1})},
        {.name = "nor does data count as options",
         .size = 16,
         .passes = true,
         .options = list({1, 1, 1, 1, 1, 1, 1, 1})},
        {.name = "a whole segment that is none", .word = 0, .size = 8},
        {.name = "no data at all", .word = 0, .size = 0},
        {.name = "a whole segment", .word = 0, .size = 20, .passes = true},
        {.name = "the second part of the header", .word = 1, .size = 100},
        {.name = "the same, with more to come", .word = mf | 1, .size = 104},
        {.name = "a third", .word = 2, .size = 4, .passes = true},
        {.name = "the last possible offset", .word = 0x1fff, .size = 4, .passes = true},
        {.name = "a flag beside offset 1", .word = 0x4001, .size = 100},
        {.name = "UDP", .protocol = 17, .size = 8, .passes = true},
        {.name = "UDP at offset 1", .protocol = 17, .word = 1, .size = 8, .passes = true},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        const byte_vector d = datagram_of({.protocol = r.protocol,
                                           .flags_and_offset = r.word,
                                           .options = r.options,
                                           .payload = pattern(r.size)});
        CHECK(b.asked(security_point::forward, d) ==
              (r.passes ? drop_reason::none : drop_reason::tiny_fragment));
        CHECK(b.permits(security_point::in, d));
        CHECK(b.permits(security_point::out, d));
    }
}

TEST_CASE("directed broadcasts: dropped for this host; the zero form is dropped when forwarded") {
    asked_policy<no_directed_broadcasts> b;
    const byte_vector directed = datagram_of({.destination = "10.0.1.255"_ip});
    const byte_vector limited = datagram_of({.destination = ipv4::limited_broadcast});
    using enum destination_form;
    using enum security_point;
    CHECK(b.asked(in, directed, broadcast) == drop_reason::destination_invalid);
    CHECK(b.permits(in, directed, host));  // of a network of others
    CHECK(b.permits(in, limited, broadcast));
    CHECK(b.permits(security_point::forward, directed, broadcast));  // bc_forwarding
    CHECK(b.permits(out, directed));
    const byte_vector lowest = datagram_of({.destination = "10.0.2.0"_ip});
    CHECK(b.asked(security_point::forward, lowest, network) == drop_reason::destination_invalid);
    CHECK(b.permits(security_point::forward, lowest, host));
}

}  // namespace

}  // namespace security_fragments_and_broadcasts
