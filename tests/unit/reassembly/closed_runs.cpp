// closed_runs against a naive model: one number of a run for each unit of 8 bytes.
#include <sluice/reassembly/closed_runs.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

namespace reassembly_closed_runs {
using namespace sluice;
using detail::unit_range;

namespace {

constexpr u32 units = 8192;

struct counting {
    static inline u32 count = 0;
    static void read() { ++count; }
};

struct subject {
    std::vector<detail::run_map> maps = std::vector<detail::run_map>(1);
    detail::map_pool<detail::run_map> pool{maps.data(), 1};
    detail::closed_runs<counting> runs;
    std::vector<unit_range> model;
    std::vector<u32> run_of = std::vector<u32>(units);  // its number and 1; 0: none

    u32 count = 0;

    bool add(unit_range r) {
        const bool added = runs.add_if_apart(count, r, pool);
        count += added ? 1 : 0;
        return added;
    }
    unit_range find(unit_range r) const { return runs.first_overlapping(count, r); }
    void clear() { runs.clear(std::exchange(count, 0), pool); }
    // The first run of the model that overlaps, or an empty range.
    unit_range overlapped(unit_range r) const {
        for (u32 unit = r.from; unit < r.to; ++unit) {
            if (run_of[unit] != 0) {
                return model[run_of[unit] - 1];
            }
        }
        return {};
    }
    void note(unit_range r) {
        model.push_back(r);
        std::fill(run_of.begin() + r.from, run_of.begin() + r.to, static_cast<u32>(model.size()));
    }
    void check(unit_range r) {
        const unit_range expected = overlapped(r);
        const u32 words = (r.to - 1) / 64 - r.from / 64 + 1;
        counting::count = 0;
        const unit_range found = find(r);
        REQUIRE(found.from == expected.from);
        REQUIRE(found.to == expected.to);
        REQUIRE(counting::count <= words + 4);
        counting::count = 0;
        REQUIRE(add(r) == (expected.to == 0));
        REQUIRE(counting::count <= words);
        if (expected.to == 0) {
            note(r);
        }
    }
};

}  // namespace

TEST_CASE("random runs of all sizes: what overlaps is what the model says") {
    std::mt19937 random{5};
    for (u32 round = 0; round < 200; ++round) {
        subject s;
        const u32 longest = std::vector<u32>{1, 2, 20, 64, 190, 3000}[round % 6];
        // Runs that end and begin at the borders of words, or anywhere.
        const u32 step = round % 2 == 0 ? 1 : 64;
        for (u32 i = 0; i < 400; ++i) {
            const u32 from = static_cast<u32>(random()) % (units / step) * step;
            const u32 length = (1 + static_cast<u32>(random()) % longest) * step;
            s.check({from, std::min(from + length, units)});
        }
    }
}

TEST_CASE("a single unit each, in any order: each is found again, and one word is read for it") {
    subject s;
    std::vector<u32> order(units);
    for (u32 i = 0; i < units; ++i) {
        order[i] = i;
    }
    std::mt19937 random{6};
    std::shuffle(order.begin(), order.end(), random);
    for (const u32 unit : order) {
        counting::count = 0;
        REQUIRE(s.add({unit, unit + 1}));
        REQUIRE(counting::count <= 1);
    }
    for (const u32 unit : order) {
        counting::count = 0;
        const unit_range found = s.find({unit, unit + 1});
        REQUIRE(found.from == unit);
        REQUIRE(found.to == unit + 1);
        REQUIRE(counting::count <= 5);
    }
}

TEST_CASE("33 runs and one that covers nearly all: its ends are found from each of its units") {
    for (const u32 end : {8100u, 8128u, 8129u, 8191u, 8192u}) {
        for (const u32 start : {33u, 63u, 64u, 65u, 128u}) {
            subject s;
            for (u32 i = 0; i < 33; ++i) {
                s.check({i, i + 1});
            }
            s.check({start, end});
            for (u32 unit = start; unit < end; ++unit) {
                counting::count = 0;
                const unit_range found = s.find({unit, unit + 1});
                REQUIRE(found.from == start);
                REQUIRE(found.to == end);
                REQUIRE(counting::count <= 5);
            }
        }
    }
}

TEST_CASE("after clear() nothing is left, and the map serves again") {
    for (u32 round = 0; round < 2; ++round) {
        subject s;
        for (u32 i = 0; i < 33 + round; ++i) {
            REQUIRE(s.add({i, i + 1}));
        }
        REQUIRE(s.add({64, units}));
        s.clear();
        CHECK(s.find({0, units}).to == 0);
        for (u32 i = 0; i < 30; ++i) {
            s.check({256 * i + 10, 256 * i + 70});
        }
        for (u32 i = 0; i < 30; ++i) {
            s.check({256 * i + 68, 256 * i + 69});
        }
    }
}

}  // namespace reassembly_closed_runs
