// multicast_routes: who may change the tables, and when interfaces forward multicast.
#include "unit/stack/acts/subject.hpp"

#include <sluice/multicast/forwarding_cache.hpp>
#include <sluice/stack/multicast_routes.hpp>
#include <sluice/stack/stack.hpp>

namespace acts_multicast_routes {

namespace {

using namespace acts_test;

struct routing : policies<based_on<small>, multicast_routes<forwarding_cache<16>>> {};
using router = core<routing>;

bool forwards(const router& c, u16 index) {
    return c.tables.interfaces.find(index)->in_force.mc_forwarding;
}

TEST_CASE("an interface forwards multicast while the tables are open and it has a VIF") {
    router c{{.seed = testing::fixed_seed}};
    furnish(c);
    CHECK(acts::add_vif(c, 0, {.interface = 2}).error() == multicast_error::not_open);
    REQUIRE(acts::open_multicast_routes(c).has_value());
    CHECK(acts::open_multicast_routes(c).error() == multicast_error::in_use);
    CHECK_FALSE(forwards(c, 2));
    REQUIRE(acts::add_vif(c, 0, {.interface = 2}).has_value());
    REQUIRE(acts::add_vif(c, 4, {.interface = 2}).has_value());
    REQUIRE(acts::add_vif(c, 1, {.interface = 3}).has_value());
    CHECK(forwards(c, 2));
    CHECK(forwards(c, 3));
    REQUIRE(acts::remove_vif(c, 0).has_value());
    CHECK(forwards(c, 2));
    REQUIRE(acts::remove_vif(c, 4).has_value());
    CHECK_FALSE(forwards(c, 2));
    CHECK(forwards(c, 3));
    acts::close_multicast_routes(c);
    CHECK_FALSE(forwards(c, 3));
    CHECK(c.multicast.vifs().present() == 0);
    REQUIRE(acts::open_multicast_routes(c).has_value());
    CHECK_FALSE(forwards(c, 3));
}

TEST_CASE("a VIF needs an interface; a number in use or out of range comes first") {
    router c{{.seed = testing::fixed_seed}};
    furnish(c);
    REQUIRE(acts::open_multicast_routes(c).has_value());
    CHECK(acts::add_vif(c, 0, {.interface = 77}).error() == multicast_error::not_found);
    REQUIRE(acts::add_vif(c, 0, {.interface = 2}).has_value());
    CHECK(acts::add_vif(c, 0, {.interface = 77}).error() == multicast_error::in_use);
    CHECK(acts::add_vif(c, 32, {.interface = 77}).error() == multicast_error::out_of_range);
    CHECK(acts::remove_vif(c, 31).error() == multicast_error::not_found);
    CHECK(acts::remove_vif(c, no_vif).error() == multicast_error::out_of_range);
}

TEST_CASE("closing leaves static entries only") {
    router c{{.seed = testing::fixed_seed}};
    furnish(c);
    REQUIRE(acts::open_multicast_routes(c).has_value());
    REQUIRE(acts::add_vif(c, 0, {.interface = 2}).has_value());
    multicast_entry e{.source = "10.0.1.2"_ip, .group = "239.1.1.1"_ip};
    REQUIRE(acts::add_multicast_route(c, e, entry_match::any_upstream).has_value());
    e.group = "239.1.1.2"_ip;
    e.is_static = true;
    REQUIRE(acts::add_multicast_route(c, e, entry_match::any_upstream).has_value());
    acts::close_multicast_routes(c);
    CHECK(c.multicast.size() == 1);
    CHECK(c.multicast.entry("10.0.1.2"_ip, "239.1.1.2"_ip) != nullptr);
}

TEST_CASE("the VIFs of a removed interface go with it") {
    stack<routing> s{{.seed = testing::fixed_seed}};
    REQUIRE(s.add_interface({.index = 2, .address = "10.0.1.1/24"_net}).has_value());
    REQUIRE(s.add_interface({.index = 3, .address = "10.0.2.1/24"_net}).has_value());
    REQUIRE(s.open_multicast_routes().has_value());
    REQUIRE(s.add_vif(0, {.interface = 2}).has_value());
    REQUIRE(s.add_vif(1, {.interface = 3}).has_value());
    REQUIRE(s.add_vif(2, {.interface = 3}).has_value());
    REQUIRE(s.remove_interface(3).has_value());
    CHECK(s.multicast_routes().vifs().present() == 1);
    REQUIRE(s.remove_vif(0).has_value());
    s.flush_vifs();
    s.flush_multicast_routes({.entries = true});
    s.close_multicast_routes();
}

}  // namespace

}  // namespace acts_multicast_routes
