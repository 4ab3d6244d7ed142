// The switches: the kernel's defaults, and how "all" and an interface combine.
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

// Linux inetdevice.h: what "all" and the interface make together.
TEST_CASE("how a switch of all and one of an interface combine") {
    using field = bool interface_settings::*;
    enum class rule { both, either, own };
    const struct {
        const char* name;
        field member;
        rule combined;
    } rows[] = {
        {"forwarding", &interface_settings::forwarding, rule::own},
        {"mc_forwarding", &interface_settings::mc_forwarding, rule::both},
        {"bc_forwarding", &interface_settings::bc_forwarding, rule::both},
        {"accept_source_route", &interface_settings::accept_source_route, rule::both},
        {"send_redirects", &interface_settings::send_redirects, rule::either},
        {"secure_redirects", &interface_settings::secure_redirects, rule::either},
        {"shared_media", &interface_settings::shared_media, rule::either},
        {"accept_local", &interface_settings::accept_local, rule::either},
        {"route_localnet", &interface_settings::route_localnet, rule::either},
        {"drop_unicast_in_l2_multicast", &interface_settings::drop_unicast_in_l2_multicast,
         rule::either},
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
