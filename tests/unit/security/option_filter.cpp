// option_filter: which kinds pass by default, anywhere in the list, and after a change.
#include <sluice/security/option_filter.hpp>

#include "unit/security/asked_policy.hpp"

namespace security_option_filter {

namespace {

using namespace security_test;

// The kind, in an option of 4 bytes or of one.
byte_vector with(int kind) {
    return datagram_of({.options = kind < 2 ? list({kind, 0, 0, 0}) : list({kind, 4, 5, 0})});
}

TEST_CASE("option filter: by default only the listed kinds pass") {
    asked_policy<option_filter> b;
    constexpr int harmless[] = {0, 1, 25, 130, 131, 133, 134, 137, 148};
    for (int kind = 0; kind < 256; ++kind) {
        CAPTURE(kind);
        bool passes = false;
        for (const int h : harmless)
            passes = passes || h == kind;
        const drop_reason expected = passes ? drop_reason::none : drop_reason::option_refused;
        CHECK(b.asked(security_point::in, with(kind)) == expected);
        CHECK(b.asked(security_point::forward, with(kind)) == expected);
        CHECK(b.permits(security_point::out, with(kind)));
    }
}

TEST_CASE("option filter: every option is looked at, and nothing behind the end") {
    asked_policy<option_filter> b;
    const struct {
        const char* name;
        byte_vector options;
        bool passes;
    } rows[] = {
        {.name = "none", .options = {}, .passes = true},
        {.name = "behind a harmless one",
         .options = list({148, 4, 0, 0, 7, 3, 4, 0}),
         .passes = false},
        {.name = "behind padding", .options = list({1, 1, 1, 1, 1, 7, 3, 4}), .passes = false},
        {.name = "behind the end", .options = list({1, 0, 7, 3}), .passes = true},
        {.name = "data of a harmless one",
         .options = list({130, 8, 7, 7, 7, 7, 7, 7}),
         .passes = true},
        {.name = "the last of forty bytes",
         .options = list({130, 37, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                          0,   0,  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 3, 4}),
         .passes = false},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        CHECK(b.permits(security_point::forward, datagram_of({.options = r.options})) == r.passes);
    }
}

TEST_CASE("option filter: the list can be changed, kind by kind") {
    for (int kind = 2; kind < 256; ++kind) {
        CAPTURE(kind);
        asked_policy<option_filter> b;
        b.model.passing_options.add(static_cast<u8>(kind));
        CHECK(b.permits(security_point::in, with(kind)));
        b.model.passing_options.remove(static_cast<u8>(kind));
        b.model.passing_options.remove(static_cast<u8>(kind));  // again: no change
        CHECK_FALSE(b.permits(security_point::in, with(kind)));
        // and only that one
        for (int other = 2; other < 256; ++other) {
            const u8 o = static_cast<u8>(other);
            if (other != kind) CHECK(b.model.passing_options.has(o) == harmless_options.has(o));
        }
    }
}

}  // namespace

}  // namespace security_option_filter
