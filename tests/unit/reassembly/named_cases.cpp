// Named cases of length, end and overlap with Linux's results for each fragment of a sequence.
#include "fragments.hpp"

#include <doctest/doctest.h>

#include <string>

namespace reassembly_named_cases {
using namespace reassembly_test;

namespace {

using pool_type = fixed_pool<256, 16>;
using cache_type = bounded_cache<4, overlap::reject_datagram, 16>::model<pool_type::packet_type>;

struct row {
    const char* name;
    std::vector<fragment_fields> fragments;
    const char* expected;
    std::size_t held_after = 0;
};

const row rows[] = {
    {.name = "in order", .fragments = {at(0, 24), at(24, 24), at(48, 5, false)}, .expected = "hhc"},
    {.name = "a whole datagram", .fragments = {at(0, 24, false)}, .expected = "c"},
    {.name = "exact duplicate",
     .fragments = {at(0, 24), at(0, 24), at(24, 8, false)},
     .expected = "hdc"},
    {.name = "duplicate inside a run that grew in order",
     .fragments = {at(0, 24), at(24, 24), at(8, 32)},
     .expected = "hhd",
     .held_after = 2},
    {.name = "over two runs that came out of order",
     .fragments = {at(24, 24), at(0, 24), at(8, 32)},
     .expected = "hho"},
    {.name = "duplicate of the last",
     .fragments = {at(48, 43, false), at(56, 35, false), at(0, 48)},
     .expected = "hdc"},
    {.name = "overlap at the front", .fragments = {at(24, 24), at(0, 32)}, .expected = "ho"},
    {.name = "overlap at the end", .fragments = {at(0, 24), at(16, 24)}, .expected = "ho"},
    {.name = "covers all that came", .fragments = {at(24, 24), at(0, 80)}, .expected = "ho"},
    {.name = "same start, longer", .fragments = {at(0, 24), at(0, 32)}, .expected = "ho"},
    {.name = "overlap in the middle of a gap",
     .fragments = {at(0, 24), at(48, 24), at(16, 16)},
     .expected = "hho"},
    {.name = "fits a gap",
     .fragments = {at(0, 24), at(48, 24), at(24, 24), at(72, 1, false)},
     .expected = "hhhc"},
    {.name = "after an overlap a new datagram begins",
     .fragments = {at(0, 24), at(16, 24), at(24, 8, false), at(0, 24)},
     .expected = "hohc"},
    {.name = "the last ends inside the first",
     .fragments = {at(0, 48), at(24, 4, false)},
     .expected = "hi"},
    {.name = "the last fragment ends before received bytes",
     .fragments = {at(48, 48), at(40, 8, false)},
     .expected = "hi"},
    {.name = "two ends, the second later",
     .fragments = {at(48, 48, false), at(96, 16, false)},
     .expected = "hi"},
    {.name = "two ends, the second earlier",
     .fragments = {at(48, 48, false), at(48, 40, false)},
     .expected = "hi"},
    {.name = "data beyond the end", .fragments = {at(48, 48, false), at(96, 24)}, .expected = "hi"},
    {.name = "data up to the end with MF",
     .fragments = {at(48, 48, false), at(72, 24), at(0, 48)},
     .expected = "hdc"},
    {.name = "MF and 1 byte", .fragments = {at(0, 1)}, .expected = "i"},
    {.name = "MF and 7 bytes", .fragments = {at(0, 24), at(24, 7)}, .expected = "hi"},
    {.name = "MF and 9 bytes count 8", .fragments = {at(0, 9), at(8, 8, false)}, .expected = "hc"},
    {.name = "MF and 23 bytes count 16",
     .fragments = {at(0, 23), at(16, 8, false)},
     .expected = "hc"},
    {.name = "empty with MF", .fragments = {at(0, 0)}, .expected = "i"},
    {.name = "empty with MF later", .fragments = {at(8, 0)}, .expected = "i"},
    {.name = "empty last", .fragments = {at(0, 24), at(24, 0, false)}, .expected = "hi"},
    {.name = "beyond 65535 is held as it comes",
     .fragments = {at(65528, 8, false), at(65528, 7)},
     .expected = "hi"},
    {.name = "beyond 65535 alone", .fragments = {at(65528, 100)}, .expected = "h", .held_after = 1},
};

}  // namespace

TEST_CASE("verdicts") {
    for (const row& r : rows) {
        CAPTURE(r.name);
        pool_type pool;
        cache_type cache{secret};
        std::string got;
        for (const fragment_fields& s : r.fragments) {
            const std::size_t before = cache.held();
            const auto step = feed_fragment(cache, pool, s);
            got += letter(step);
            const bool taken = step.kind != reassembly_result::refused;
            CHECK(cache.held() + step.pieces_dropped + step.pieces == before + (taken ? 1 : 0));
        }
        CHECK(got == r.expected);
        CHECK(cache.held() == r.held_after);
        CHECK(pool.available() == 16 - r.held_after);
    }
}

TEST_CASE("a duplicate that first carries the end completes nothing under Linux's rule") {
    pool_type pool;
    cache_type cache{secret};
    CHECK(letter(feed_fragment(cache, pool, at(0, 24))) == 'h');
    CHECK(letter(feed_fragment(cache, pool, at(24, 24))) == 'h');
    CHECK(letter(feed_fragment(cache, pool, at(24, 24, false))) == 'd');
    bounded_cache<4, overlap::keep_first, 16>::model<pool_type::packet_type> first{secret};
    CHECK(feed_fragment(first, pool, at(0, 24)).kind == reassembly_result::held);
    CHECK(feed_fragment(first, pool, at(24, 24)).kind == reassembly_result::held);
    const auto step = feed_fragment(first, pool, at(24, 24, false));
    CHECK(step.kind == reassembly_result::complete);
    CHECK(step.pieces == 2);
    CHECK(step.pieces_dropped == 1);
}

}  // namespace reassembly_named_cases
