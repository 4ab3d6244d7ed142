// Runs the conformance suite on each multicast_route_policy of the library, and tests what the
// concept rejects.
#include "support/conformance.hpp"

#include <doctest/doctest.h>

#include <sluice/multicast/forwarding_cache.hpp>
#include <sluice/multicast/multicast_tables.hpp>
#include <sluice/multicast/no_multicast_routes.hpp>
#include <sluice/testing/conformance/multicast_routes.hpp>

namespace conformance_multicast_routes {

namespace {

using namespace sluice;

using packet = fixed_pool<512, 4>::packet_type;
using none = no_multicast_routes::model<packet>;

// One requirement less each.
struct without_find : none {
    using none::none;
    void find(ipv4::address, ipv4::address, u16, u8) const = delete;
};
struct with_upcall_that_may_throw : none {
    using none::none;
    bool upcall(const multicast_event&, const packet&) { return false; }
};
struct with_silent_hold : none {
    using none::none;
    void hold(packet&&, instant) noexcept {}
};
struct without_deadline : none {
    using none::none;
    void next_deadline() const = delete;
};
using several = multicast_tables<2>::model<packet>;
struct without_table_for : several {
    using several::several;
    void table_for(const rule_key&) = delete;
};
static_assert(is_model_of_multicast_tables<several, packet>);
static_assert(!is_model_of_multicast_tables<without_table_for, packet>);
static_assert(!is_multicast_route_model<several, packet>);
static_assert(multicast_route_policy<multicast_tables<2>, packet>);
static_assert(is_multicast_route_model<none, packet>);
static_assert(!is_multicast_route_model<without_find, packet>);
static_assert(!is_multicast_route_model<with_upcall_that_may_throw, packet>);
static_assert(!is_multicast_route_model<with_silent_hold, packet>);
static_assert(!is_multicast_route_model<without_deadline, packet>);

using smallest = forwarding_cache<1, no_multicast_router, 1, 1>;

TEST_CASE_TEMPLATE("multicast routes", Tag, no_multicast_routes, smallest, forwarding_cache<>,
                   multicast_tables<1>, multicast_tables<3>, multicast_tables<2, smallest>) {
    support::conforms(testing::conformance::multicast_routes<Tag>(support::to_doctest));
}

}  // namespace

}  // namespace conformance_multicast_routes
