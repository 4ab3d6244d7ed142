// run_order: runs added in any order come in order of their places.
#include <sluice/reassembly/run_order.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace reassembly_run_order {
using namespace sluice;

namespace {

struct block {};
struct held_packet {
    const block* of;
    const block& storage_block() const { return *of; }
};
struct run {
    held_packet packet;
    u32 start;
    run* beside;
};

// Whether runs at these places come in order, each once.
bool come_in_order(const std::vector<u32>& places) {
    const block any;
    std::vector<run> runs;
    for (const u32 at : places) {
        runs.push_back({{&any}, at, nullptr});
    }
    detail::run_order<run> order;
    for (run& r : runs) {
        order.add(r);
    }
    std::vector<u32> sorted = places;
    std::sort(sorted.begin(), sorted.end());
    for (const u32 at : sorted) {
        const run* const r = order.next();
        if (r == nullptr || r->start != at) {
            return false;
        }
    }
    return order.next() == nullptr && order.next() == nullptr;
}

std::vector<u32> every(u32 step, u32 count) {
    std::vector<u32> places(count);
    for (u32 i = 0; i < count; ++i) {
        places[i] = i * step;
    }
    return places;
}

}  // namespace

TEST_CASE("none, and one at each border") {
    CHECK(come_in_order({}));
    for (const u32 at : {0u, 504u, 512u, 32'760u, 32'768u, 65'528u}) {
        CHECK(come_in_order({at}));
    }
}

TEST_CASE("all 8,192 places, every other one, one a region: in order, reversed and shuffled") {
    std::mt19937 random{8};
    for (const u32 step : {8u, 16u, 72u, 512u, 1480u, 8192u}) {
        CAPTURE(step);
        std::vector<u32> places = every(step, (65'528 / step) + 1);
        CHECK(come_in_order(places));
        std::reverse(places.begin(), places.end());
        CHECK(come_in_order(places));
        for (u32 i = 0; i < 20; ++i) {
            std::shuffle(places.begin(), places.end(), random);
            CHECK(come_in_order(places));
            CHECK(come_in_order(
                {places.begin(), places.begin() + static_cast<std::ptrdiff_t>(places.size() / 3)}));
        }
    }
}

}  // namespace reassembly_run_order
