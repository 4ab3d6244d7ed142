// What every multicast_policy must do, asked of each model.
#include <doctest/doctest.h>

#include <sluice/multicast/group_list.hpp>
#include <sluice/testing/archetypes.hpp>
#include <sluice/wire/literals.hpp>

namespace conformance_multicast {

namespace {

using namespace sluice;
using namespace sluice::literals;
using archetypes::multicast;

#define SLUICE_MULTICAST_MODELS all_systems_only, group_list<1>, group_list<>

// One requirement less each.
struct without_member : multicast {
    void is_member(u16, ipv4::address, ipv4::address) const = delete;
};
struct with_member_that_changes : multicast {
    bool is_member(u16, ipv4::address, ipv4::address) noexcept { return false; }
};
struct without_source : multicast {
    bool is_member(u16, ipv4::address) const noexcept { return false; }
};
struct with_silent_join : multicast {
    void join(u16, ipv4::address) noexcept {}
};
struct with_leave_that_may_throw : multicast {
    bool leave(u16, ipv4::address) { return false; }
};
static_assert(multicast_policy<multicast>);
static_assert(!multicast_policy<without_member>);
static_assert(!multicast_policy<with_member_that_changes>);
static_assert(!multicast_policy<without_source>);
static_assert(!multicast_policy<with_silent_join>);
static_assert(!multicast_policy<with_leave_that_may_throw>);

constexpr ipv4::address anybody = "198.51.100.7"_ip;

TEST_CASE_TEMPLATE("it models the concept", Groups, SLUICE_MULTICAST_MODELS) {
    static_assert(multicast_policy<Groups>);
}

// RFC 1112 section 7.2.
TEST_CASE_TEMPLATE("all-systems is joined on every interface, whatever was left", Groups,
                   SLUICE_MULTICAST_MODELS) {
    Groups groups;
    for (const u16 interface : {u16{1}, u16{2}, u16{0xffff}}) {
        CHECK(groups.is_member(interface, ipv4::all_systems, anybody));
        if (groups.join(interface, ipv4::all_systems)) {
            CHECK(groups.leave(interface, ipv4::all_systems));
        }
        static_cast<void>(groups.leave(interface, ipv4::all_systems));
        CHECK(groups.is_member(interface, ipv4::all_systems, anybody));
    }
}

TEST_CASE_TEMPLATE("what is no group is never joined", Groups, SLUICE_MULTICAST_MODELS) {
    Groups groups;
    for (const ipv4::address a : {"0.0.0.0"_ip, "10.0.0.1"_ip, "223.255.255.255"_ip, "240.0.0.0"_ip,
                                  "255.255.255.255"_ip}) {
        CHECK_FALSE(groups.join(2, a));
        CHECK_FALSE(groups.is_member(2, a, anybody));
        CHECK_FALSE(groups.leave(2, a));
    }
}

TEST_CASE_TEMPLATE("membership is what join granted until leave took it back", Groups,
                   SLUICE_MULTICAST_MODELS) {
    Groups groups;
    const ipv4::address group = "239.1.2.3"_ip;
    CHECK_FALSE(groups.is_member(2, group, anybody));
    CHECK_FALSE(groups.leave(2, group));
    const bool granted = groups.join(2, group);
    CHECK(groups.is_member(2, group, anybody) == granted);
    CHECK_FALSE(groups.is_member(3, group, anybody));
    CHECK_FALSE(groups.is_member(2, "239.1.2.4"_ip, anybody));
    CHECK(groups.leave(2, group) == granted);
    CHECK_FALSE(groups.is_member(2, group, anybody));
    CHECK_FALSE(groups.leave(2, group));
}

}  // namespace

}  // namespace conformance_multicast
