// refresh: how conf.all and an interface's own settings combine, and what the packet path reads.
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
        rule on_host;
        rule on_router;
    } rows[] = {
        {"forwarding", &s::forwarding, rule::own, rule::own},
        {"accept_source_route", &s::accept_source_route, rule::both, rule::both},
        {"bc_forwarding", &s::bc_forwarding, rule::both, rule::both},
        {"mc_forwarding", &s::mc_forwarding, rule::both, rule::both},
        {"accept_redirects", &s::accept_redirects, rule::either, rule::both},
        {"send_redirects", &s::send_redirects, rule::either, rule::either},
        {"secure_redirects", &s::secure_redirects, rule::either, rule::either},
        {"shared_media", &s::shared_media, rule::either, rule::either},
        {"accept_local", &s::accept_local, rule::either, rule::either},
        {"route_localnet", &s::route_localnet, rule::either, rule::either},
        {"drop_unicast_in_l2_multicast", &s::drop_unicast_in_l2_multicast, rule::either,
         rule::either},
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

TEST_CASE("accept fast only where nothing more is asked of a source") {
    const struct {
        const char* name;
        void (*change)(refreshed&);
        bool fast;
    } rows[] = {
        {"a plain router", [](refreshed&) {}, true},
        {"a host", [](refreshed& r) { r.get().own.forwarding = false; }, false},
        {"reverse path of all", [](refreshed& r) { r.all.rp_filter = 2; }, false},
        {"reverse path of its own", [](refreshed& r) { r.get().own.rp_filter = 1; }, false},
        {"down", [](refreshed& r) { r.get().up = false; }, false},
        {"loopback", [](refreshed& r) { r.get().loopback = true; }, false},
        {"in a routing domain", [](refreshed& r) { r.get().master = 3; }, false},
    };
    for (const auto& row : rows) {
        refreshed r;
        r.get().own.forwarding = true;
        row.change(r);
        CAPTURE(row.name);
        CHECK(r.path().accept_fast == row.fast);
    }
}

TEST_CASE("the MTU on the path is 0 while the interface is down or gone") {
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
