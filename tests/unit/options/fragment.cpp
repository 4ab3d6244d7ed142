// The options that later fragments keep: all 256 kinds, and the header around them.
#include <doctest/doctest.h>

#include "surroundings.hpp"

namespace options_fragment {

namespace {

using namespace options_test;

TEST_CASE("all 256 kinds at every length") {
    for (int kind = 2; kind < 256; ++kind) {
        for (int length = 2; length <= 38; ++length) {
            header_bytes area(40, std::byte{0xee});
            area[0] = std::byte(kind);
            area[1] = std::byte(length);
            area[std::size_t(length)] = std::byte{1};
            area[std::size_t(length) + 1] = std::byte{0};
            header_bytes expected = area;
            if (kind < 128) {
                for (int i = 0; i < length; ++i)
                    expected[std::size_t(i)] = std::byte{1};
            }
            ip_options::fragment(area);
            REQUIRE(area == expected);
        }
    }
}

struct cut {
    const char* name;
    header_bytes before;
    header_bytes after;
};

TEST_CASE("lists as Linux left them (options/fragmented-on-forward)") {
    const cut rows[] = {
        {.name = "record route",
         .before = list({7, 7, 8, 10, 0, 1, 1, 0}),
         .after = list({1, 1, 1, 1, 1, 1, 1, 0})},
        {.name = "copied between others",
         .before = list({25, 3, 120, 153, 3, 121, 0, 0}),
         .after = list({1, 1, 1, 153, 3, 121, 0, 0})},
        {.name = "only the listed bytes",
         .before = list({25, 4, 97, 98, 0, 0, 0, 0}),
         .after = list({1, 1, 1, 1, 0, 0, 0, 0})},
        {.name = "source route stays",
         .before = list({131, 7, 4, 10, 13, 4, 4, 0}),
         .after = list({131, 7, 4, 10, 13, 4, 4, 0})},
        {.name = "behind the end nothing is an option",
         .before = list({0, 7, 3, 4}),
         .after = list({0, 7, 3, 4})},
        {.name = "from a malformed option on, as it was",
         .before = list({25, 2, 25, 9}),
         .after = list({1, 1, 25, 9})},
    };
    for (const cut& row : rows) {
        CAPTURE(row.name);
        header_bytes area = row.before;
        ip_options::fragment(area);
        CHECK(area == row.after);
        ip_options::fragment(area);
        CHECK(area == row.after);
    }
}

TEST_CASE("fragments lose the offsets of options not copied, and keep the others") {
    header_bytes header = header_with(
        list({7, 7, 4, 0, 0, 0, 0, 148, 4, 0, 0, 68, 8, 5, 0, 0, 0, 0, 0, 131, 7, 8, 10, 0, 2, 3}));
    const ipv4::view ip{header.data()};
    surroundings here;
    option_offsets found;
    REQUIRE(ip_options::compile(ip, found, here));
    REQUIRE(found.timestamp == 31);
    const option_offsets before = found;
    ip_options::fragment(ip, found);
    CHECK(found.record_route == 0);
    CHECK(found.timestamp == 0);
    CHECK_FALSE((found.record_address || found.stamp_address || found.stamp_time));
    CHECK(found.router_alert == before.router_alert);
    CHECK(found.length == before.length);
}

}  // namespace

}  // namespace options_fragment
