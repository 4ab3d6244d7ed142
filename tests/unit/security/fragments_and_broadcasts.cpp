// tiny_fragments and no_directed_broadcasts: each against a table of what is refused.
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
        u8 protocol;
        u16 word;
        std::size_t size;
        bool passes;
        octets options = {};
    } rows[] = {
        {"a first fragment that ends before the flags", 6, mf, 8, false},
        {"a first fragment of 15 octets", 6, mf, 15, false},
        {"a first fragment of 16 octets", 6, mf, 16, true},
        {"options do not count as data", 6, mf, 8, false, list({1, 1, 1, 1, 1, 1, 1, 1})},
        {"nor does data count as options", 6, mf, 16, true, list({1, 1, 1, 1, 1, 1, 1, 1})},
        {"a whole segment that is none", 6, 0, 8, false},
        {"no data at all", 6, 0, 0, false},
        {"a whole segment", 6, 0, 20, true},
        {"the second part of the header", 6, 1, 100, false},
        {"the same, with more to come", 6, mf | 1, 104, false},
        {"a third", 6, 2, 4, true},
        {"the last possible offset", 6, 0x1fff, 4, true},
        {"a flag beside offset 1", 6, 0x4001, 100, false},
        {"UDP", 17, mf, 8, true},
        {"UDP at offset 1", 17, 1, 8, true},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        const octets d = datagram_of({.protocol = r.protocol,
                                      .flags_and_offset = r.word,
                                      .options = r.options,
                                      .payload = pattern(r.size)});
        CHECK(b.asked(security_point::forward, d) ==
              (r.passes ? drop_reason::none : drop_reason::tiny_fragment));
        CHECK(b.permits(security_point::in, d));
        CHECK(b.permits(security_point::out, d));
    }
}

TEST_CASE("directed broadcasts: refused for us, and the old form on its way") {
    asked_policy<no_directed_broadcasts> b;
    const octets directed = datagram_of({.destination = "10.0.1.255"_ip});
    const octets limited = datagram_of({.destination = ipv4::limited_broadcast});
    using enum destination_form;
    using enum security_point;
    CHECK(b.asked(in, directed, broadcast) == drop_reason::destination_invalid);
    CHECK(b.permits(in, directed, host));  // of a network of others
    CHECK(b.permits(in, limited, broadcast));
    CHECK(b.permits(security_point::forward, directed, broadcast));  // bc_forwarding
    CHECK(b.permits(out, directed));
    const octets lowest = datagram_of({.destination = "10.0.2.0"_ip});
    CHECK(b.asked(security_point::forward, lowest, network) == drop_reason::destination_invalid);
    CHECK(b.permits(security_point::forward, lowest, host));
}

}  // namespace

}  // namespace security_fragments_and_broadcasts
