// static_rules: the first rule that matches decides, never back to where a packet came from.
#include <doctest/doctest.h>

#include <sluice/multicast/static_rules.hpp>
#include <sluice/wire/literals.hpp>

#include <vector>

namespace multicast_static_rules {

namespace {

using namespace sluice;
using namespace sluice::literals;

multicast_rule rule(ipv4::prefix sources, ipv4::prefix groups, u8 upstream,
                    std::initializer_list<u8> to, u8 threshold = 1) {
    multicast_rule r{.sources = sources, .groups = groups, .upstream = upstream};
    for (const u8 n : to)
        r.thresholds.at(n) = threshold;
    return r;
}

template <class Rules>
std::vector<int> way(const Rules& rules, ipv4::address source, ipv4::address group, u8 ingress) {
    std::vector<int> to;
    const multicast_entry e = rules.entry(source, group, ingress, {});
    CHECK(e.source == source);
    CHECK(e.group == group);
    CHECK(e.upstream == ingress);
    for (u8 n = 0; n < max_vifs; ++n)
        if (e.thresholds[n] != 0) to.push_back(n);
    return to;
}

TEST_CASE("the first rule that matches decides") {
    static_multicast_rules<> rules;
    REQUIRE(rules.add(rule("10.0.1.0/24"_prefix, "239.1.0.0/16"_prefix, 0, {0, 1, 2})));
    REQUIRE(rules.add(rule({}, "239.1.0.0/16"_prefix, no_vif, {3})));
    REQUIRE(rules.add(rule("10.0.1.0/24"_prefix, "224.0.0.0/4"_prefix, no_vif, {}, 1)));
    REQUIRE(rules.add(multicast_rule{}));
    CHECK(way(rules, "10.0.1.9"_ip, "239.1.2.3"_ip, 0) == std::vector<int>{1, 2});
    CHECK(way(rules, "10.0.1.9"_ip, "239.1.2.3"_ip, 1) == std::vector<int>{3});
    CHECK(way(rules, "10.0.2.9"_ip, "239.1.2.3"_ip, 0) == std::vector<int>{3});
    CHECK(way(rules, "10.0.2.9"_ip, "239.1.2.3"_ip, 3).empty());
    CHECK(way(rules, "10.0.1.9"_ip, "239.2.2.3"_ip, 0).empty());
    CHECK(way(rules, "10.0.2.9"_ip, "239.2.2.3"_ip, no_vif).empty());
    rules.clear();
    CHECK(way(rules, "10.0.1.9"_ip, "239.1.2.3"_ip, 0).empty());
}

TEST_CASE("thresholds reach the entry; rules about no group, and beyond the room, are refused") {
    static_multicast_rules<1> rules;
    CHECK_FALSE(rules.add(rule({}, "10.0.0.0/8"_prefix, no_vif, {1})));
    CHECK_FALSE(rules.add(rule({}, "224.0.0.0/3"_prefix, no_vif, {1})));
    REQUIRE(rules.add(rule({}, "239.0.0.0/8"_prefix, no_vif, {1}, 16)));
    CHECK_FALSE(rules.add(rule({}, "239.0.0.0/8"_prefix, no_vif, {2})));
    CHECK(rules.entry("10.0.1.9"_ip, "239.1.2.3"_ip, 0, {}).thresholds[1] == 16);
}

}  // namespace

}  // namespace multicast_static_rules
