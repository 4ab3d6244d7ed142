// complete_route: the scope of a route whose gateway counts as a neighbour.
// unit/stack/route_checks.cpp tests the other rules with a whole stack.
#include <doctest/doctest.h>

#include <sluice/routing/complete_route.hpp>

#include "support/network.hpp"

namespace routing_complete_route {

namespace {

using namespace support;

// Linux fib_check_nh_v4_gw: "Nexthop has invalid scope".
TEST_CASE("complete route: only a route beyond the link may take a gateway for a neighbour") {
    const network n;
    for (const u8 scope : {scopes::universe, u8{scopes::link - 1}, scopes::link}) {
        CAPTURE(int{scope});
        const auto made = routing::complete_route(n.tables(), {.prefix = "30.0.0.0/16"_prefix,
                                                               .scope = scope,
                                                               .on_link = true,
                                                               .interface = 2,
                                                               .gateway = "99.0.0.1"_ip});
        CHECK(made.has_value() == (scope < scopes::link));
        if (!made.has_value()) CHECK(made.error() == route_error::invalid);
    }
}

}  // namespace

}  // namespace routing_complete_route
