// forget: exceptions are removed with their route or interface, and no others.
#include "unit/stack/acts/subject.hpp"

#include <sluice/stack/forget.hpp>

namespace acts_forget {

namespace {

using namespace acts_test;

constexpr instant now = instant{} + 1000_s;
constexpr exception_key by_2{"10.0.1.9"_ip, {}, 2};
constexpr exception_key by_3{"10.0.2.9"_ip, {}, 3};
constexpr exception_key behind{"20.0.0.1"_ip, "10.0.2.254"_ip, 3};
constexpr route_entry far{.prefix = {"20.0.0.0"_ip, 8}, .interface = 3, .gateway = "10.0.2.254"_ip};

struct learned {
    core<small> c;
    learned() : c{{.seed = testing::fixed_seed}} {
        furnish(c);
        REQUIRE(acts::add_route(c.tables, far).has_value());
        for (const exception_key& k : {by_2, by_3, behind})
            c.tables.exceptions.learn(k, {.mtu = 1200, .expires = now + 600_s}, now);
    }
    u32 mtu(const exception_key& k) {
        const route_exception* e = c.tables.exceptions.find(k, now);
        return e != nullptr ? e->mtu : 0;
    }
};

TEST_CASE("forget: every exception") {
    learned l;
    const u32 generation = l.c.tables.route_generation();
    acts::forget_exceptions(l.c.tables);
    CHECK_FALSE(l.c.tables.exceptions.any());
    CHECK(l.c.tables.route_generation() != generation);
    CHECK(l.c.tables.routes.lookup("20.0.0.1"_ip) != next_hop::none);
}

TEST_CASE("forget: the exceptions of a removed route alone") {
    learned l;
    acts::routes_removed(l.c.tables);  // all are there still
    CHECK(l.mtu(behind) == 1200);
    REQUIRE(l.c.tables.routes.remove(far).has_value());
    acts::routes_removed(l.c.tables);
    CHECK(l.mtu(behind) == 0);
    CHECK(l.mtu(by_2) == 1200);
    CHECK(l.mtu(by_3) == 1200);
}

TEST_CASE("forget: the exceptions of an interface that went down alone") {
    learned l;
    acts::interface_went_down(l.c.tables, 3);
    CHECK(l.mtu(by_2) == 1200);
    CHECK(l.mtu(by_3) == 0);
    CHECK(l.mtu(behind) == 0);
}

TEST_CASE("forget: a learned MTU follows its interface's down, and up if it was equal") {
    learned l;
    acts::interface_mtu_changed(l.c.tables, 3, 1000, 1500);
    CHECK(l.mtu(by_2) == 1200);
    CHECK(l.mtu(by_3) == 1000);
    acts::interface_mtu_changed(l.c.tables, 3, 1400, 1000);
    CHECK(l.mtu(by_3) == 1400);
    acts::interface_mtu_changed(l.c.tables, 3, 1500, 1450);
    CHECK(l.mtu(by_3) == 1400);
}

TEST_CASE("forget: where no MTU was learned, none is made of a change, not of nought either") {
    learned l;
    constexpr exception_key redirected{"20.0.0.2"_ip, "10.0.2.254"_ip, 3};
    l.c.tables.exceptions.learn(redirected, {.gateway = "10.0.2.253"_ip, .expires = now + 600_s},
                                now);
    for (const u32 before : {1500u, 0u}) {
        acts::interface_mtu_changed(l.c.tables, 3, 1400, before);
        CHECK(l.mtu(redirected) == 0);
    }
    CHECK(l.mtu(by_3) == 1200);
}

}  // namespace

}  // namespace acts_forget
