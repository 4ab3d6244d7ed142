// Runs the conformance suite on each multicast_policy of the library, and tests what the concept
// rejects.
#include "support/conformance.hpp"

#include <doctest/doctest.h>

#include <sluice/multicast/group_list.hpp>
#include <sluice/multicast/igmp_host.hpp>
#include <sluice/testing/archetypes.hpp>
#include <sluice/testing/conformance/multicast.hpp>

namespace conformance_multicast {

namespace {

using namespace sluice;
using archetypes::multicast;

// One requirement less each.
struct without_member : multicast {
    void is_member(u16, ipv4::address, ipv4::address) const = delete;
};
struct with_member_that_changes : multicast {
    bool is_member(u16, ipv4::address, ipv4::address) noexcept { return false; }
};
struct without_source : multicast {
    bool is_member(u16, ipv4::address) const noexcept { return false; }
};
struct with_silent_join : multicast {
    void join(u16, ipv4::address) noexcept {}
};
struct with_leave_that_may_throw : multicast {
    bool leave(u16, ipv4::address) { return false; }
};
static_assert(multicast_policy<multicast>);
static_assert(!multicast_policy<without_member>);
static_assert(!multicast_policy<with_member_that_changes>);
static_assert(!multicast_policy<without_source>);
static_assert(!multicast_policy<with_silent_join>);
static_assert(!multicast_policy<with_leave_that_may_throw>);

TEST_CASE_TEMPLATE("multicast", Groups, all_systems_only, group_list<1>, group_list<>,
                   igmp_host<1, 1, 1>, igmp_host<>) {
    support::conforms(testing::conformance::multicast<Groups>(support::to_doctest));
}

}  // namespace

}  // namespace conformance_multicast
