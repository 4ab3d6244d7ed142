// group_list: joins are counted by interface and group; bounds; against std::map.
#include <doctest/doctest.h>

#include <sluice/multicast/group_list.hpp>
#include <sluice/wire/literals.hpp>

#include <map>
#include <random>
#include <utility>

namespace multicast_group_list {

namespace {

using namespace sluice;
using namespace sluice::literals;

constexpr ipv4::address group = "239.1.2.3"_ip;
constexpr ipv4::address anybody = "198.51.100.7"_ip;

TEST_CASE("a group joined twice is left twice") {
    group_list<> groups;
    REQUIRE(groups.join(2, group));
    REQUIRE(groups.join(2, group));
    CHECK(groups.leave(2, group));
    CHECK(groups.is_member(2, group, anybody));
    CHECK(groups.leave(2, group));
    CHECK_FALSE(groups.is_member(2, group, anybody));
    CHECK_FALSE(groups.leave(2, group));
}

TEST_CASE("interfaces are apart") {
    group_list<> groups;
    REQUIRE(groups.join(2, group));
    CHECK_FALSE(groups.is_member(3, group, anybody));
    CHECK_FALSE(groups.leave(3, group));
    CHECK(groups.is_member(2, group, anybody));
}

TEST_CASE("a full list refuses new groups, counts known ones, and has room after a leave") {
    group_list<2> groups;
    REQUIRE(groups.join(2, "239.0.0.1"_ip));
    REQUIRE(groups.join(2, "239.0.0.2"_ip));
    CHECK_FALSE(groups.join(2, "239.0.0.3"_ip));
    CHECK_FALSE(groups.is_member(2, "239.0.0.3"_ip, anybody));
    CHECK(groups.join(2, "239.0.0.1"_ip));
    CHECK(groups.leave(2, "239.0.0.2"_ip));
    CHECK(groups.join(2, "239.0.0.3"_ip));
    CHECK(groups.is_member(2, "239.0.0.1"_ip, anybody));
}

TEST_CASE("the ends of 224/4 are groups, their neighbours are not") {
    group_list<> groups;
    CHECK(groups.join(2, "224.0.0.0"_ip));
    CHECK(groups.join(2, "239.255.255.255"_ip));
    CHECK_FALSE(groups.join(2, "223.255.255.255"_ip));
    CHECK_FALSE(groups.join(2, "240.0.0.0"_ip));
}

TEST_CASE("joins and leaves agree with a naive count") {
    std::mt19937 random{5};
    group_list<8> groups;
    std::map<std::pair<u16, u32>, int> naive;
    for (int step = 0; step < 5000; ++step) {
        const auto interface = static_cast<u16>(1 + random() % 3);
        const ipv4::address g{0xef000000U + static_cast<u32>(random() % 5)};
        const std::pair<u16, u32> key{interface, g.value};
        if (random() % 2 == 0) {
            const bool room = naive.count(key) != 0 || naive.size() < 8;
            CHECK(groups.join(interface, g) == room);
            if (room) ++naive[key];
        } else {
            const bool joined = naive.count(key) != 0;
            CHECK(groups.leave(interface, g) == joined);
            if (joined && --naive[key] == 0) naive.erase(key);
        }
        CHECK(groups.is_member(interface, g, anybody) == (naive.count(key) != 0));
    }
}

TEST_CASE("every interface receives 224.0.0.1, joined or left: RFC 1112 section 7.2") {
    group_list<> groups;
    CHECK(groups.is_member(2, ipv4::all_systems, anybody));
    REQUIRE(groups.join(2, ipv4::all_systems));
    CHECK(groups.leave(2, ipv4::all_systems));
    CHECK(groups.is_member(2, ipv4::all_systems, anybody));
    CHECK(groups.is_member(3, ipv4::all_systems, anybody));
}

TEST_CASE("a host without groups receives 224.0.0.1 alone") {
    for (const auto& one : {"224.0.0.1"_ip, "224.0.0.2"_ip, "239.1.2.3"_ip}) {
        CAPTURE(one.value);
        const bool all_systems = one == ipv4::all_systems;
        CHECK(all_systems_only::is_member(2, one, anybody) == all_systems);
        CHECK(all_systems_only::join(2, one) == all_systems);
        CHECK(all_systems_only::leave(2, one) == all_systems);
    }
}

TEST_CASE("a removed interface loses all its groups, and no other interface does") {
    group_list<> groups;
    for (const u16 interface : {u16{2}, u16{3}, u16{2}}) {
        for (u32 i = 0; i < 3; ++i) {
            REQUIRE(groups.join(interface, ipv4::address{group.value + i}));
        }
    }
    groups.forget(2);
    for (u32 i = 0; i < 3; ++i) {
        CHECK_FALSE(groups.is_member(2, ipv4::address{group.value + i}, anybody));
        CHECK(groups.is_member(3, ipv4::address{group.value + i}, anybody));
    }
}

}  // namespace

}  // namespace multicast_group_list
