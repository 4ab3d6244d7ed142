// Groups of endpoints: what each receives, the errors of the calls, and what ends with the
// endpoint.
#include <doctest/doctest.h>

#include "unit/endpoint/support.hpp"

#include <sluice/multicast/igmp_host.hpp>

namespace endpoint_memberships {

namespace {

using namespace endpoint_test;
using enum endpoint_error;

struct member : policies<based_on<small_router>, multicast<igmp_host<8, 16, 4>>> {};
inline constexpr endpoint_sizes sizes{
    .queue = 8, .errors = 2, .quote = 64, .groups = 3, .sources = 4};
using member_world = world<member>;
using socket = udp_endpoint<member_world::stack_type, sizes>;
using raw = raw_endpoint<member_world::stack_type, sizes>;

constexpr ipv4::address group = "239.1.2.3"_ip;
constexpr ipv4::address other = "239.1.2.4"_ip;
constexpr ipv4::address one = "10.0.1.2"_ip;
constexpr ipv4::address two = "10.0.1.3"_ip;
constexpr u16 lan = 2;

fate speak(member_world& w, ipv4::address source, ipv4::address to = group) {
    return w.hear(9, 7000, pattern(3), to, source);
}
endpoint_error error_of(const result<void, endpoint_error>& r) {
    return r.has_value() ? none : r.error();
}

static_assert(std::is_empty_v<detail::no_memberships>);
static_assert(sizeof(udp_endpoint<stack<small_router>, sizes>) <
              sizeof(udp_endpoint<member_world::stack_type, sizes>));

TEST_CASE("each endpoint receives what its own filter passes") {
    member_world w;
    socket includes{*w};
    socket excludes{*w};
    socket hears_all{*w};
    socket hears_own{*w};
    for (socket* s : {&includes, &excludes, &hears_all, &hears_own}) {
        s->options().reuse = true;
        REQUIRE(s->bind({{}, 7000}).has_value());
    }
    hears_own.options().multicast_all = false;
    REQUIRE(includes.join_source(group, one, w.now, lan).has_value());
    REQUIRE(excludes.join(group, w.now, lan).has_value());
    REQUIRE(excludes.block_source(group, one, w.now, lan).has_value());
    const struct {
        ipv4::address source;
        std::size_t in, out;
    } rows[] = {{.source = one, .in = 1, .out = 0}, {.source = two, .in = 0, .out = 1}};
    for (const auto& r : rows) {
        CHECK(speak(w, r.source) == fate::delivered);
        CHECK(includes.waiting_packets() == r.in);
        CHECK(excludes.waiting_packets() == r.out);
        CHECK(hears_all.waiting_packets() == 1);
        CHECK(hears_own.waiting_packets() == 0);
        for (socket* s : {&includes, &excludes, &hears_all})
            static_cast<void>(hear_one(*s));
    }
    // Nobody wants it: a source that all block, and a group that nobody joined.
    includes.close();
    CHECK(speak(w, one) == fate::dropped);
    CHECK(speak(w, one, other) == fate::dropped);
    CHECK(hears_all.waiting_packets() == 0);
}

TEST_CASE("a raw endpoint counts as receiver of what its filter refuses") {
    member_world w;
    raw r{*w, 17};
    REQUIRE(r.bind().has_value());
    REQUIRE(r.join(group, w.now, lan).has_value());
    REQUIRE(r.block_source(group, one, w.now, lan).has_value());
    socket s{*w};
    REQUIRE(s.join(group, w.now, lan).has_value());
    static_cast<void>(speak(w, one));
    CHECK(r.waiting_packets() == 0);
    static_cast<void>(speak(w, two));
    CHECK(r.waiting_packets() == 1);
}

TEST_CASE("the errors are those of the kernel") {
    member_world w;
    w->change([](settings& s) {
        s.igmp_max_memberships = 2;
        s.igmp_max_msf = 2;
    });
    socket s{*w};
    CHECK(error_of(s.join("10.0.1.1"_ip, w.now, lan)) == invalid);
    CHECK(error_of(s.join(group, w.now, 9)) == no_interface);
    CHECK(error_of(s.join(group, w.now)) == no_interface);  // no route
    CHECK(error_of(s.leave(group, w.now, lan)) == address_not_available);
    CHECK(error_of(s.block_source(group, one, w.now, lan)) == invalid);
    CHECK(error_of(s.set_filter(group, {filter_mode::exclude, {}}, w.now, lan)) == invalid);
    CHECK(s.filter_of(group, lan).error() == address_not_available);
    REQUIRE(s.join(group, w.now, lan).has_value());
    CHECK(error_of(s.join(group, w.now, lan)) == address_in_use);
    CHECK(error_of(s.unblock_source(group, one, w.now, lan)) == address_not_available);
    REQUIRE(s.block_source(group, one, w.now, lan).has_value());
    CHECK(error_of(s.block_source(group, one, w.now, lan)) == address_not_available);
    CHECK(error_of(s.join_source(group, one, w.now, lan)) == invalid);
    REQUIRE(s.block_source(group, two, w.now, lan).has_value());
    CHECK(error_of(s.block_source(group, "10.0.1.4"_ip, w.now, lan)) == no_buffer);
    const ipv4::address three[] = {one, two, "10.0.1.4"_ip};
    CHECK(error_of(s.set_filter(group, {filter_mode::include, three}, w.now, lan)) == no_buffer);
    REQUIRE(s.join(group, w.now, 3).has_value());
    CHECK(error_of(s.join(other, w.now, lan)) == no_buffer);
    REQUIRE(s.leave(group, w.now, 3).has_value());
    REQUIRE(s.join(other, w.now, lan).has_value());
    CHECK(s.filter_of(group, lan)->sources.size() == 2);
}

TEST_CASE("a filter without sources takes the mode of the call; the last included source leaves") {
    member_world w;
    socket s{*w};
    REQUIRE(s.join(group, w.now, lan).has_value());
    REQUIRE(s.join_source(group, one, w.now, lan).has_value());
    CHECK(s.filter_of(group, lan)->mode == filter_mode::include);
    CHECK_FALSE(w->groups().is_member(lan, group, two));
    REQUIRE(s.leave_source(group, one, w.now, lan).has_value());
    CHECK_FALSE(w->groups().has_group(lan, group));
    CHECK(s.filter_of(group, lan).error() == address_not_available);
    REQUIRE(s.join_source(group, one, w.now, lan).has_value());
    REQUIRE(s.set_filter(group, {filter_mode::include, {}}, w.now, lan).has_value());
    CHECK_FALSE(w->groups().has_group(lan, group));
}

TEST_CASE(
    "a new filter replaces the old one, also one that was read back; refused, it changes nothing") {
    member_world w;
    socket s{*w};
    REQUIRE(s.join(other, w.now, lan).has_value());
    REQUIRE(s.block_source(other, one, w.now, lan).has_value());
    REQUIRE(s.join(group, w.now, lan).has_value());
    const ipv4::address both[] = {one, two};
    REQUIRE(s.set_filter(group, {filter_mode::include, both}, w.now, lan).has_value());
    CHECK(w->groups().is_member(lan, group, two));
    CHECK_FALSE(w->groups().is_member(lan, group, "10.0.1.4"_ip));
    REQUIRE(
        s.set_filter(group, {filter_mode::exclude, s.filter_of(group, lan)->sources}, w.now, lan)
            .has_value());
    CHECK_FALSE(w->groups().is_member(lan, group, two));
    CHECK(w->groups().is_member(lan, group, "10.0.1.4"_ip));
    CHECK(s.filter_of(other, lan)->sources.size() == 1);
    // Four sources are the endpoint's room.
    const ipv4::address four[] = {one, two, "10.0.1.4"_ip, "10.0.1.5"_ip};
    CHECK(error_of(s.set_filter(group, {filter_mode::exclude, four}, w.now, lan)) == no_buffer);
    CHECK(s.filter_of(group, lan)->sources.size() == 2);
    CHECK(w->groups().is_member(lan, group, "10.0.1.4"_ip));
}

TEST_CASE("groups end with the endpoint, and outlive their interface without harm") {
    member_world w;
    {
        socket s{*w};
        REQUIRE(s.join(group, w.now, lan).has_value());
        REQUIRE(s.block_source(group, one, w.now, lan).has_value());
        socket same{*w};
        REQUIRE(same.join(group, w.now, lan).has_value());
        same.close();
        CHECK(w->groups().has_group(lan, group));
    }
    CHECK_FALSE(w->groups().has_group(lan, group));
    socket s{*w};
    REQUIRE(s.join(group, w.now, lan).has_value());
    REQUIRE(w->remove_interface(lan).has_value());
    CHECK(error_of(s.leave(group, w.now, lan)) == none);
    CHECK(error_of(s.leave(group, w.now, lan)) == address_not_available);
}

TEST_CASE("an interface of 0 is that of the route to the group") {
    member_world w{{.has_gateway = true}};
    socket s{*w};
    REQUIRE(s.join(group, w.now).has_value());
    CHECK(w->groups().has_group(3, group));
    REQUIRE(w->add_route({.prefix = "239.0.0.0/8"_prefix, .interface = lan}).has_value());
    CHECK(error_of(s.leave(group, w.now)) == address_not_available);
    CHECK(error_of(s.leave(group, w.now, 3)) == none);
    REQUIRE(s.join(group, w.now).has_value());
    CHECK(w->groups().has_group(lan, group));
}

}  // namespace

}  // namespace endpoint_memberships
