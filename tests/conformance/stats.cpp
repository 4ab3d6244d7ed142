// Runs the conformance suite on each stats_policy of the library, and tests what the concept
// rejects.
#include "support/conformance.hpp"

#include <doctest/doctest.h>

#include <sluice/stats/print.hpp>
#include <sluice/stats/snmp_counters.hpp>
#include <sluice/testing/archetypes.hpp>
#include <sluice/testing/conformance/stats.hpp>

#include <type_traits>

namespace conformance_stats {

namespace {

using namespace sluice;
using archetypes::stats;

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

TEST_CASE_TEMPLATE("stats", Stats, snmp_counters, no_stats) {
    static_assert(readable_counters<Stats> != std::is_empty_v<Stats>);
    support::conforms(testing::conformance::stats<Stats>(support::to_doctest));
}

}  // namespace

}  // namespace conformance_stats
