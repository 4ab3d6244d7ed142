// The switches: the kernel's defaults, and how conf.all and an interface's value combine.
#include <doctest/doctest.h>

#include <sluice/packet/settings.hpp>

namespace packet_settings {

namespace {

using namespace sluice;

TEST_CASE("a fresh namespace") {
    const settings s;
    CHECK(s.all.forwarding == false);
    CHECK(s.ip_default_ttl == 64);
    CHECK(s.icmp_ratelimit == 1000);
    CHECK(s.icmp_ratemask == 6168);
    CHECK(s.icmp_msgs_per_sec == 1000);
    CHECK(s.icmp_msgs_burst == 50);
    CHECK(s.icmp_echo_ignore_all == false);
    CHECK(s.icmp_echo_ignore_broadcasts == true);
    CHECK(s.icmp_ignore_bogus_error_responses == true);
    CHECK(s.ipfrag_time == 30);
    CHECK(s.ipfrag_high_thresh == 4194304);
    CHECK(s.ipfrag_max_dist == 64);
    CHECK(s.route_min_pmtu == 552);
    CHECK(s.route_mtu_expires == 600);
    CHECK(s.route_error_cost_ms == 1000);
    CHECK(s.route_error_burst_ms == 5000);
    CHECK(s.all.accept_source_route == false);
    CHECK(s.defaults.accept_source_route == true);
    CHECK(s.all.accept_redirects == true);
}

TEST_CASE("ip_forward writes all and default") {
    settings s = settings::of_router();
    CHECK(s.all.forwarding);
    CHECK(s.defaults.forwarding);
    s.set_ip_forward(false);
    CHECK_FALSE(s.all.forwarding);
    CHECK_FALSE(s.defaults.forwarding);
}

// Linux inetdevice.h: how "all" and the interface combine.
TEST_CASE("how a switch of all and one of an interface combine") {
    using field = bool interface_settings::*;
    enum class rule { both, either, own };
    const struct {
        const char* name;
        field member;
        rule combined;
    } rows[] = {
        {.name = "forwarding", .member = &interface_settings::forwarding, .combined = rule::own},
        {.name = "mc_forwarding",
         .member = &interface_settings::mc_forwarding,
         .combined = rule::both},
        {.name = "bc_forwarding",
         .member = &interface_settings::bc_forwarding,
         .combined = rule::both},
        {.name = "accept_source_route",
         .member = &interface_settings::accept_source_route,
         .combined = rule::both},
        {.name = "send_redirects",
         .member = &interface_settings::send_redirects,
         .combined = rule::either},
        {.name = "secure_redirects",
         .member = &interface_settings::secure_redirects,
         .combined = rule::either},
        {.name = "shared_media",
         .member = &interface_settings::shared_media,
         .combined = rule::either},
        {.name = "accept_local",
         .member = &interface_settings::accept_local,
         .combined = rule::either},
        {.name = "route_localnet",
         .member = &interface_settings::route_localnet,
         .combined = rule::either},
        {.name = "drop_unicast_in_l2_multicast",
         .member = &interface_settings::drop_unicast_in_l2_multicast,
         .combined = rule::either},
    };
    for (const auto& row : rows) {
        CAPTURE(row.name);
        for (int bits = 0; bits < 4; ++bits) {
            const bool all = (bits & 1) != 0;
            const bool own = (bits & 2) != 0;
            interface_settings a;
            interface_settings o;
            a.*row.member = all;
            o.*row.member = own;
            const bool expected = row.combined == rule::both     ? all && own
                                  : row.combined == rule::either ? all || own
                                                                 : own;
            CHECK(effective(a, o).*row.member == expected);
        }
    }
}

TEST_CASE("accept_redirects: both on a router, either on a host") {
    interface_settings all{.accept_redirects = false};
    interface_settings own{.forwarding = false};
    CHECK(effective(all, own).accept_redirects);
    own.forwarding = true;
    CHECK_FALSE(effective(all, own).accept_redirects);
    all.accept_redirects = true;
    CHECK(effective(all, own).accept_redirects);
}

TEST_CASE("numbers: rp_filter the larger") {
    CHECK(effective({.rp_filter = 1}, {.rp_filter = 2}).rp_filter == 2);
    CHECK(effective({.rp_filter = 2}, {.rp_filter = 1}).rp_filter == 2);
}

}  // namespace

}  // namespace packet_settings
