// What every stats_policy must do, asked of each model: take any event; and tell it, where it can.
#include <doctest/doctest.h>

#include <sluice/stats/print.hpp>
#include <sluice/stats/snmp_counters.hpp>
#include <sluice/testing/archetypes.hpp>

#include <type_traits>

namespace conformance_stats {

namespace {

using namespace sluice;
using archetypes::stats;

#define SLUICE_STATS_MODELS snmp_counters, no_stats

// One requirement less each.
struct without_add : stats {
    void add(mib, u64) = delete;
};
struct with_add_of_one : stats {
    void add(mib) noexcept {}
};
struct with_add_that_may_throw : stats {
    void add(mib, u64) {}
};
struct without_types_in : stats {
    void icmp_in(u8) = delete;
};
struct without_types_out : stats {
    void icmp_out(u8) = delete;
};
struct with_drops_by_name : stats {
    void dropped(const char*, u64) noexcept {}
};
struct without_tally : stats {
    void tally(balance, u64) = delete;
};
static_assert(stats_policy<stats>);
static_assert(!readable_counters<stats>);
static_assert(!stats_policy<without_add>);
static_assert(!stats_policy<with_add_of_one>);
static_assert(!stats_policy<with_add_that_may_throw>);
static_assert(!stats_policy<without_types_in>);
static_assert(!stats_policy<without_types_out>);
static_assert(!stats_policy<with_drops_by_name>);
static_assert(!stats_policy<without_tally>);

TEST_CASE_TEMPLATE("it models the concept", Stats, SLUICE_STATS_MODELS) {
    static_assert(stats_policy<Stats>);
    static_assert(readable_counters<Stats> != std::is_empty_v<Stats>);
}

// Each event alone: no event moves what belongs to another.
TEST_CASE_TEMPLATE("every event is taken", Stats, SLUICE_STATS_MODELS) {
    for (std::size_t i = 1; i < mib_count; ++i) {
        Stats s{};
        s.add(static_cast<mib>(i), 3);
        s.add(static_cast<mib>(i), u64{1} << 40);
        if constexpr (readable_counters<Stats>) {
            for (std::size_t k = 1; k < mib_count; ++k)
                CHECK(s[static_cast<mib>(k)] == (k == i ? (u64{1} << 40) + 3 : 0));
            CHECK(s.drops() == 0);
        }
    }
    for (std::size_t i = 0; i < drop_reason_count; ++i) {
        Stats s{};
        s.dropped(static_cast<drop_reason>(i), 2);
        if constexpr (readable_counters<Stats>) {
            CHECK(s[static_cast<drop_reason>(i)] == 2);
            CHECK(s.drops() == 2);
        }
    }
    for (unsigned i = 0; i < balance_kinds; ++i) {
        Stats s{};
        s.tally(static_cast<balance>(i), 5);
        if constexpr (readable_counters<Stats>) {
            for (unsigned k = 0; k < balance_kinds; ++k)
                CHECK(s[static_cast<balance>(k)] == (k == i ? 5U : 0U));
        }
    }
}

TEST_CASE_TEMPLATE("every ICMP type is taken", Stats, SLUICE_STATS_MODELS) {
    Stats s{};
    for (unsigned type = 0; type < 256; ++type) {
        s.icmp_in(static_cast<u8>(type));
        s.icmp_out(static_cast<u8>(type));
        s.icmp_out(static_cast<u8>(type));
    }
    if constexpr (readable_counters<Stats>) {
        for (unsigned type = 0; type < 256; ++type) {
            CHECK(s.icmp_in_type(static_cast<u8>(type)) == 1);
            CHECK(s.icmp_out_type(static_cast<u8>(type)) == 2);
        }
    }
}

}  // namespace

}  // namespace conformance_stats
