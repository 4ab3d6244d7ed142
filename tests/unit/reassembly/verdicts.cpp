// Named cases of length, end and overlap, as Linux decides them: what each fragment of a sequence
// comes to.
#include "fragments.hpp"

#include <doctest/doctest.h>

#include <string>

namespace reassembly_verdicts {
using namespace reassembly_test;

namespace {

using pool_type = fixed_pool<256, 16>;
using cache_type = bounded_cache<4, overlap::reject_datagram, 16>::model<pool_type::packet_type>;

// What a fragment came to: h held, c complete, d duplicate, o overlap, i invalid.
char letter(const reassembly_step<pool_type::packet_type>& step) {
    switch (step.kind) {
    case reassembly_outcome::held:
        return 'h';
    case reassembly_outcome::complete:
        return 'c';
    default:
        break;
    }
    switch (step.reason) {
    case drop_reason::fragment_duplicate:
        return 'd';
    case drop_reason::fragment_overlap:
        return 'o';
    case drop_reason::fragment_invalid:
        return 'i';
    default:
        return '?';
    }
}

spec at(u32 start, u32 length, bool more = true) {
    return {.start = start, .length = length, .more = more};
}

struct row {
    const char* name;
    std::vector<spec> fragments;
    const char* expected;
    std::size_t held_after;
};

const row rows[] = {
    {"in order", {at(0, 24), at(24, 24), at(48, 5, false)}, "hhc", 0},
    {"a whole datagram", {at(0, 24, false)}, "c", 0},
    {"exact duplicate", {at(0, 24), at(0, 24), at(24, 8, false)}, "hdc", 0},
    {"duplicate inside a run that grew in order", {at(0, 24), at(24, 24), at(8, 32)}, "hhd", 2},
    {"over two runs that came out of order", {at(24, 24), at(0, 24), at(8, 32)}, "hho", 0},
    {"duplicate of the last", {at(48, 43, false), at(56, 35, false), at(0, 48)}, "hdc", 0},
    {"overlap at the front", {at(24, 24), at(0, 32)}, "ho", 0},
    {"overlap at the end", {at(0, 24), at(16, 24)}, "ho", 0},
    {"covers all that came", {at(24, 24), at(0, 80)}, "ho", 0},
    {"same start, longer", {at(0, 24), at(0, 32)}, "ho", 0},
    {"overlap in the middle of a gap", {at(0, 24), at(48, 24), at(16, 16)}, "hho", 0},
    {"fits a gap", {at(0, 24), at(48, 24), at(24, 24), at(72, 1, false)}, "hhhc", 0},
    {"after an overlap a new datagram begins",
     {at(0, 24), at(16, 24), at(24, 8, false), at(0, 24)},
     "hohc",
     0},
    {"teardrop", {at(0, 48), at(24, 4, false)}, "hi", 0},
    {"last ends before what came", {at(48, 48), at(40, 8, false)}, "hi", 0},
    {"two ends, the second later", {at(48, 48, false), at(96, 16, false)}, "hi", 0},
    {"two ends, the second earlier", {at(48, 48, false), at(48, 40, false)}, "hi", 0},
    {"data beyond the end", {at(48, 48, false), at(96, 24)}, "hi", 0},
    {"data up to the end with MF", {at(48, 48, false), at(72, 24), at(0, 48)}, "hdc", 0},
    {"MF and 1 octet", {at(0, 1)}, "i", 0},
    {"MF and 7 octets", {at(0, 24), at(24, 7)}, "hi", 0},
    {"MF and 9 octets count 8", {at(0, 9), at(8, 8, false)}, "hc", 0},
    {"MF and 23 octets count 16", {at(0, 23), at(16, 8, false)}, "hc", 0},
    {"empty with MF", {at(0, 0)}, "i", 0},
    {"empty with MF later", {at(8, 0)}, "i", 0},
    {"empty last", {at(0, 24), at(24, 0, false)}, "hi", 0},
    {"beyond 65535 is held as it comes", {at(65528, 8, false), at(65528, 7)}, "hi", 0},
    {"beyond 65535 alone", {at(65528, 100)}, "h", 1},
};

}  // namespace

TEST_CASE("verdicts") {
    for (const row& r : rows) {
        CAPTURE(r.name);
        pool_type pool;
        cache_type cache{secret};
        std::string got;
        for (const spec& s : r.fragments) {
            const std::size_t before = cache.held();
            const auto step = feed(cache, pool, s);
            got += letter(step);
            const bool taken = step.kind != reassembly_outcome::refused;
            CHECK(cache.held() + step.pieces_dropped + step.pieces == before + (taken ? 1 : 0));
        }
        CHECK(got == r.expected);
        CHECK(cache.held() == r.held_after);
        CHECK(pool.available() == 16 - r.held_after);
    }
}

TEST_CASE("a duplicate that first tells the end completes nothing under Linux's rule") {
    pool_type pool;
    cache_type cache{secret};
    CHECK(letter(feed(cache, pool, at(0, 24))) == 'h');
    CHECK(letter(feed(cache, pool, at(24, 24))) == 'h');
    CHECK(letter(feed(cache, pool, at(24, 24, false))) == 'd');
    bounded_cache<4, overlap::keep_first, 16>::model<pool_type::packet_type> first{secret};
    CHECK(feed(first, pool, at(0, 24)).kind == reassembly_outcome::held);
    CHECK(feed(first, pool, at(24, 24)).kind == reassembly_outcome::held);
    const auto step = feed(first, pool, at(24, 24, false));
    CHECK(step.kind == reassembly_outcome::complete);
    CHECK(step.pieces == 2);
    CHECK(step.pieces_dropped == 1);
}

}  // namespace reassembly_verdicts
