// may_wait: a packet of every kind of source may wait while its margins are left.
#include <doctest/doctest.h>

#include <sluice/packet/bounded_packet_queue.hpp>
#include <sluice/packet/external_pool.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/testing/exact_source.hpp>

#include <array>
#include <vector>

namespace packet_margins {

namespace {

using namespace sluice;

// 32 packets, of which one margin is 4. With `taken` of them out one may still wait, or not.
struct margin_row {
    const char* name;
    int taken;
    u32 margins;
    bool may;
};
constexpr margin_row rows[] = {
    {.name = "five left, one margin", .taken = 27, .margins = 1, .may = true},
    {.name = "four left, one margin", .taken = 28, .margins = 1, .may = true},
    {.name = "three left, one margin", .taken = 29, .margins = 1, .may = false},
    {.name = "eight left, two margins", .taken = 24, .margins = 2, .may = true},
    {.name = "seven left, two margins", .taken = 25, .margins = 2, .may = false},
};

TEST_CASE_TEMPLATE("a source's packet may wait while its margins are left, and at exactly these",
                   source_type, fixed_pool<256, 32>, heap_source<256, 32>, external_pool<256, 32>,
                   testing::exact_source<256, 32>) {
    for (const margin_row& row : rows) {
        CAPTURE(row.name);
        source_type source;
        std::vector<typename source_type::packet_type> out;
        for (int i = 0; i < row.taken; ++i) {
            out.push_back(source.take());
            REQUIRE(out.back());
        }
        CHECK(may_wait(out.front(), row.margins) == row.may);
    }
}

TEST_CASE("a lent frame may wait while the same margins are left") {
    for (const margin_row& row : rows) {
        CAPTURE(row.name);
        std::array<std::byte, 64> frame{};
        borrowed_frames<32> frames{[](void*, u64) noexcept {}, nullptr};
        std::vector<borrowed_frames<32>::packet_type> out;
        for (int i = 0; i < row.taken; ++i) {
            out.push_back(frames.lend(frame, 0, 20, 0));
            REQUIRE(out.back());
        }
        CHECK(may_wait(out.front(), row.margins) == row.may);
    }
}

}  // namespace

}  // namespace packet_margins
