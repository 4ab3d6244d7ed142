// refresh: how conf.all and an interface's own settings combine, and the values that the packet
// path reads.
#include <doctest/doctest.h>

#include <sluice/interface/interface_table.hpp>

namespace interface_refresh {

namespace {

using namespace sluice;

struct refreshed {
    interface_table<4> table;
    interface_settings all{};

    refreshed() {
        interface i{};
        i.index = 2;
        REQUIRE(table.add(i).has_value());
    }
    interface& get() { return *table.find(2); }
    const interface_path& path() {
        table.refresh(2, all);
        return table.path_of(2);
    }
    const interface_settings& in_force() {
        table.refresh(2, all);
        return get().in_force;
    }
};

TEST_CASE("switches combine by the kernel's rules") {
    enum class rule { both, either, own };
    using s = interface_settings;
    const struct {
        const char* name;
        bool s::* member;
        rule on_host = rule::either;
        rule on_router = rule::either;
    } rows[] = {
        {.name = "forwarding",
         .member = &s::forwarding,
         .on_host = rule::own,
         .on_router = rule::own},
        {.name = "accept_source_route",
         .member = &s::accept_source_route,
         .on_host = rule::both,
         .on_router = rule::both},
        {.name = "bc_forwarding",
         .member = &s::bc_forwarding,
         .on_host = rule::both,
         .on_router = rule::both},
        {.name = "mc_forwarding",
         .member = &s::mc_forwarding,
         .on_host = rule::both,
         .on_router = rule::both},
        {.name = "accept_redirects", .member = &s::accept_redirects, .on_router = rule::both},
        {.name = "send_redirects", .member = &s::send_redirects},
        {.name = "secure_redirects", .member = &s::secure_redirects},
        {.name = "shared_media", .member = &s::shared_media},
        {.name = "accept_local", .member = &s::accept_local},
        {.name = "route_localnet", .member = &s::route_localnet},
        {.name = "drop_unicast_in_l2_multicast", .member = &s::drop_unicast_in_l2_multicast},
    };
    for (const auto& row : rows) {
        for (const int bits : {0, 1, 2, 3, 4, 5, 6, 7}) {
            const bool all = (bits & 1) != 0;
            const bool own = (bits & 2) != 0;
            const bool router = (bits & 4) != 0;
            refreshed r;
            r.get().own.forwarding = router;
            r.all.*row.member = all;
            r.get().own.*row.member = own;
            const rule combined = router ? row.on_router : row.on_host;
            const bool expected = combined == rule::own    ? own
                                  : combined == rule::both ? all && own
                                                           : all || own;
            CAPTURE(row.name);
            CAPTURE(bits);
            CHECK(r.in_force().*row.member == expected);
        }
    }
}

TEST_CASE("the larger rp_filter") {
    for (const u8 all : {u8{0}, u8{1}, u8{2}, u8{3}}) {
        for (const u8 own : {u8{0}, u8{1}, u8{2}, u8{3}}) {
            refreshed r;
            r.all.rp_filter = all;
            r.get().own.rp_filter = own;
            CHECK(r.in_force().rp_filter == (all > own ? all : own));
        }
    }
}

TEST_CASE("the accept branch is enabled only without further source checks") {
    const struct {
        const char* name;
        void (*change)(refreshed&);
        bool fast;
    } rows[] = {
        {.name = "a plain router", .change = [](refreshed&) {}, .fast = true},
        {.name = "a host",
         .change = [](refreshed& r) { r.get().own.forwarding = false; },
         .fast = false},
        {.name = "reverse path of all",
         .change = [](refreshed& r) { r.all.rp_filter = 2; },
         .fast = false},
        {.name = "reverse path of its own",
         .change = [](refreshed& r) { r.get().own.rp_filter = 1; },
         .fast = false},
        {.name = "down", .change = [](refreshed& r) { r.get().up = false; }, .fast = false},
        {.name = "loopback",
         .change = [](refreshed& r) { r.get().loopback = true; },
         .fast = false},
        {.name = "in a routing domain",
         .change = [](refreshed& r) { r.get().master = 3; },
         .fast = false},
    };
    for (const auto& row : rows) {
        refreshed r;
        r.get().own.forwarding = true;
        row.change(r);
        CAPTURE(row.name);
        CHECK(r.path().accept_fast == row.fast);
    }
}

TEST_CASE("the MTU that the packet path reads is 0 while the interface is down or removed") {
    refreshed r;
    r.get().mtu = 576;
    CHECK(r.path().output_mtu == 576);
    r.get().up = false;
    CHECK(r.path().output_mtu == 0);
    r.get().up = true;
    CHECK(r.path().output_mtu == 576);
    r.table.remove(2);
    CHECK(r.path().output_mtu == 0);
    CHECK(r.table.find(2) == nullptr);
}

}  // namespace

}  // namespace interface_refresh
