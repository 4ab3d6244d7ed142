// igmp_host: the named rules of RFC 1112, 2236 and 3376, one by one: what is sent, to where, when,
// and what is not.
#include "../../support/igmp_model.hpp"

#include <doctest/doctest.h>

#include <sluice/multicast/igmp_host.hpp>
#include <sluice/wire/literals.hpp>

namespace multicast_igmp_host {

namespace {

using namespace igmp_model;
using namespace sluice::literals;
namespace kinds = igmp::types;

constexpr ipv4::address group = "239.1.2.3"_ip;
constexpr ipv4::address other = "239.1.2.4"_ip;
constexpr ipv4::address one = "10.7.0.1"_ip;
constexpr ipv4::address two = "10.7.0.2"_ip;
constexpr u16 lan = 2;

template <class Host = igmp_host<8, 16, 2>>
struct node {
    explicit node(const igmp_terms& terms = {}) {
        REQUIRE(host.set_terms(lan, terms));
        host.set_up(lan, true);
    }
    // Runs the timers; returns the messages sent.
    std::size_t pass(u32 ms) {
        const std::size_t before = sent.messages;
        const instant end = now + duration::from_milliseconds(ms);
        for (instant due = host.next_deadline(); due <= end; due = host.next_deadline()) {
            now = due < now ? now : due;
            host.poll(now, sent);
        }
        now = end;
        host.poll(now, sent);
        return sent.messages - before;
    }
    bool hear(const std::vector<std::byte>& message) { return host.receive(lan, message, true); }
    filter view(ipv4::address g) { return sent.routers[lan].view(g.value); }

    Host host{hash_key{7, 8}};
    wire sent;
    instant now{};
};

TEST_CASE("224.0.0.1 is always joined, never reported, never left") {
    node<> n;
    CHECK(n.host.is_member(lan, ipv4::all_systems, one));
    REQUIRE(n.host.join(lan, ipv4::all_systems));
    CHECK(n.host.leave(lan, ipv4::all_systems));
    CHECK_FALSE(n.host.leave(lan, ipv4::all_systems));
    n.hear(query(0, 10, 2, 60, {}));
    n.hear(short_message(kinds::query, 10, 0));
    CHECK(n.pass(20'000) == 0);
}

TEST_CASE("groups of the link are silent if the switch says so") {
    for (const bool reported : {true, false}) {
        node<> n{{.robustness = 1, .link_local_reports = reported}};
        REQUIRE(n.host.join(lan, "224.0.0.5"_ip));
        n.hear(query(0, 10, 1, 60, {}));
        CHECK((n.pass(20'000) != 0) == reported);
    }
}

TEST_CASE("a join is reported as often as the robustness says, the first time at once") {
    for (const u8 robustness : {u8{1}, u8{2}, u8{5}}) {
        CAPTURE(robustness);
        node<> n{{.robustness = robustness}};
        REQUIRE(n.host.join(lan, group));
        CHECK(n.pass(10) == 1);
        CHECK(n.view(group) == filter{filter_mode::exclude, {}});
        CHECK(n.pass(60'000) == robustness - 1u);
    }
}

TEST_CASE("a query of version 3 is answered within its time, and no later for a second one") {
    node<> n{{.robustness = 1}};
    REQUIRE(n.host.join(lan, group));
    n.pass(5'000);
    CHECK(n.hear(query(0, 20, 2, 60, {})));
    const instant due = n.host.next_deadline();
    CHECK(due <= n.now + 2002_ms);
    CHECK(n.hear(query(0, 100, 2, 60, {})));
    CHECK(n.host.next_deadline() <= due);
    CHECK(n.pass(2'002) == 1);
    CHECK(n.pass(60'000) == 0);
}

TEST_CASE("a query about sources is answered with those of them that the filter names") {
    node<> n{{.robustness = 1}};
    const ipv4::address both[] = {one, two};
    REQUIRE(n.host.enter(lan, group, filter_mode::include));
    REQUIRE(n.host.add_sources(lan, group, filter_mode::include, both));
    n.pass(5'000);
    n.sent.routers[lan].forget();
    n.hear(query(group.value, 10, 1, 60, {two.value, 0x0a070009}));
    CHECK(n.pass(1'100) == 1);
    CHECK(n.view(group) == filter{filter_mode::include, {two.value}});
    n.hear(query(group.value, 10, 1, 60, {0x0a070009}));
    CHECK(n.pass(1'100) == 0);
    n.hear(query(group.value, 10, 1, 60, {two.value}));
    n.hear(query(group.value, 10, 1, 60, {one.value}));
    n.sent.routers[lan].forget();
    CHECK(n.pass(1'100) == 1);
    CHECK(n.view(group) == filter{filter_mode::include, {one.value, two.value}});
}

TEST_CASE("a query about sources does not narrow the answer to an earlier one about the group") {
    node<> n{{.robustness = 1}};
    const ipv4::address both[] = {one, two};
    REQUIRE(n.host.enter(lan, group, filter_mode::include));
    REQUIRE(n.host.add_sources(lan, group, filter_mode::include, both));
    n.pass(5'000);
    n.sent.routers[lan].forget();
    n.hear(query(group.value, 10, 1, 60, {}));
    n.hear(query(group.value, 10, 1, 60, {two.value}));
    CHECK(n.pass(1'100) == 1);
    CHECK(n.view(group) == filter{filter_mode::include, {one.value, two.value}});
}

TEST_CASE("a query about sources is answered with all if the mode changes meanwhile") {
    node<> n{{.robustness = 1}};
    const ipv4::address both[] = {one, two};
    REQUIRE(n.host.enter(lan, group, filter_mode::include));
    REQUIRE(n.host.add_sources(lan, group, filter_mode::include, both));
    n.pass(5'000);
    n.hear(query(group.value, 255, 1, 60, {two.value}));
    REQUIRE(n.host.add_filter(lan, group, filter_mode::exclude, both));
    n.host.drop_filter(lan, group, filter_mode::include, both);
    n.pass(60'000'000);
    CHECK(n.view(group) == filter{filter_mode::exclude, {one.value, two.value}});
}

TEST_CASE("a general query is answered with all sources, whatever another query asks about") {
    node<> n{{.robustness = 1}};
    const ipv4::address both[] = {one, two};
    REQUIRE(n.host.enter(lan, group, filter_mode::include));
    REQUIRE(n.host.add_sources(lan, group, filter_mode::include, both));
    n.pass(5'000);
    n.sent.routers[lan].forget();
    n.hear(query(group.value, 255, 1, 60, {two.value}));
    n.hear(query(0, 1, 1, 60, {}));
    CHECK(n.pass(102) == 1);
    CHECK(n.view(group) == filter{filter_mode::include, {one.value, two.value}});
}

TEST_CASE("malformed queries are ignored") {
    node<> n{{.robustness = 1}};
    REQUIRE(n.host.join(lan, group));
    n.pass(5'000);
    auto cut = query(group.value, 10, 1, 60, {one.value, two.value});
    cut.resize(16);
    igmp::set_checksum(cut);
    auto unsummed = query(0, 10, 1, 60, {});
    unsummed[5] ^= std::byte{1};
    auto eleven = query(0, 10, 1, 60, {});
    eleven.resize(11);
    igmp::set_checksum(eleven);
    for (const auto& m : {cut, unsummed, eleven, query(0, 10, 1, 60, {one.value})})
        CHECK_FALSE(n.hear(m));
    CHECK_FALSE(n.hear(std::vector<std::byte>(7)));
    CHECK_FALSE(n.host.receive(lan + 1, query(0, 10, 1, 60, {}), true));
    CHECK(n.pass(60'000) == 0);
}

TEST_CASE("version 2: one report a group, silenced by another host's, and a leave if it was ours") {
    node<> n{{.robustness = 1}};
    REQUIRE(n.host.join(lan, group));
    REQUIRE(n.host.join(lan, other));
    n.pass(5'000);
    const auto general = short_message(kinds::query, 20, 0);
    REQUIRE(n.hear(general));
    CHECK(n.pass(2'002) == 2);
    CHECK(n.sent.types[kinds::v2_report] == 2);
    REQUIRE(n.hear(general));
    CHECK(n.hear(short_message(kinds::v2_report, 0, group.value)));
    CHECK(n.pass(2'002) == 1);
    // The other host was the last to report `group`.
    CHECK(n.host.leave(lan, group));
    CHECK(n.pass(0) == 0);
    CHECK(n.host.leave(lan, other));
    CHECK(n.pass(0) == 1);
    CHECK(n.sent.types[kinds::leave] == 1);
    CHECK(n.sent.good);
}

TEST_CASE("a report that only one host heard silences nobody") {
    node<> n{{.robustness = 1, .forced_version = 2}};
    REQUIRE(n.host.join(lan, group));
    n.pass(5'000);
    REQUIRE(n.hear(short_message(kinds::query, 20, 0)));
    CHECK_FALSE(n.host.receive(lan, short_message(kinds::v2_report, 0, group.value), false));
    CHECK(n.pass(2'002) == 1);
}

TEST_CASE(
    "version 1: reports within ten seconds, no leave; the older querier wins and is forgotten") {
    node<> n{{.robustness = 1}};
    REQUIRE(n.host.join(lan, group));
    n.pass(5'000);
    REQUIRE(n.hear(query(0, 10, 1, 20, {})));
    n.pass(5'000);
    REQUIRE(n.hear(short_message(kinds::query, 0, 0)));
    CHECK(n.pass(10'002) == 1);
    CHECK(n.sent.last_type == kinds::v1_report);
    REQUIRE(n.hear(short_message(kinds::query, 20, 0)));
    REQUIRE(n.hear(query(0, 10, 1, 20, {})));
    CHECK(n.pass(10'002) == 1);
    CHECK(n.sent.last_type == kinds::v1_report);
    CHECK(n.host.leave(lan, group));
    CHECK(n.pass(1'000) == 0);
    // One interval of 20 s and the response time of 10 s after the last old query.
    n.pass(30'000);
    REQUIRE(n.host.join(lan, group));
    CHECK(n.pass(10) == 1);
    CHECK(n.sent.last_type == kinds::v3_report);
}

TEST_CASE("a forced version holds whatever is heard") {
    for (const u8 version : {u8{1}, u8{2}}) {
        node<> n{{.robustness = 1, .forced_version = version}};
        REQUIRE(n.host.join(lan, group));
        CHECK(n.pass(100) == 1);
        REQUIRE(n.hear(query(0, 10, 1, 60, {})));
        CHECK(n.pass(10'002) == 1);
        CHECK(n.sent.last_type == (version == 1 ? kinds::v1_report : kinds::v2_report));
    }
}

TEST_CASE("records of included sources are split over messages, those of excluded ones are cut") {
    node<igmp_host<4, 64, 1>> n{{.robustness = 1}};
    std::vector<ipv4::address> many;
    for (u32 i = 0; i < 40; ++i)
        many.push_back({0x0a070001 + i});
    n.sent.mtu = 24 + 8 + 8 + 4 * 16;
    REQUIRE(n.host.enter(lan, group, filter_mode::include));
    REQUIRE(n.host.add_sources(lan, group, filter_mode::include, many));
    CHECK(n.pass(100) == 3);
    CHECK(n.view(group).sources.size() == 40);
    n.hear(query(0, 1, 1, 60, {}));
    n.sent.routers[lan].forget();
    CHECK(n.pass(200) == 3);
    CHECK(n.view(group).sources.size() == 40);
    REQUIRE(n.host.add_filter(lan, group, filter_mode::exclude, many));
    n.host.drop_filter(lan, group, filter_mode::include, many);
    CHECK(n.pass(100) == 1);
    CHECK(n.view(group).mode == filter_mode::exclude);
    CHECK(n.view(group).sources.size() == 16);
}

TEST_CASE("what does not fit is refused and changes nothing; reports of groups left give way") {
    node<igmp_host<3, 2, 1>> n;
    const ipv4::address three[] = {"10.7.0.3"_ip, "10.7.0.4"_ip, "10.7.0.5"_ip};
    REQUIRE(n.host.enter(lan, group, filter_mode::include));
    CHECK_FALSE(n.host.add_sources(lan, group, filter_mode::include, three));
    CHECK_FALSE(n.host.is_member(lan, group, three[0]));
    CHECK(n.host.add_sources(lan, group, filter_mode::include, std::span{three}.first(2)));
    CHECK(n.host.is_member(lan, group, three[0]));
    REQUIRE(n.host.join(lan, other));
    CHECK_FALSE(n.host.join(lan, "239.1.2.5"_ip));
    REQUIRE(n.host.leave(lan, other));
    CHECK(n.host.join(lan, "239.1.2.5"_ip));
    CHECK_FALSE(n.host.join(lan + 1, group));  // no room for an interface
    CHECK_FALSE(n.host.join(lan, "10.0.0.1"_ip));
}

struct full_wire {
    bytes begin(u16, ipv4::address) noexcept {
        ++asked;
        return {};
    }
    void end(u32) noexcept { ++sent; }
    int asked = 0;
    int sent = 0;
};

TEST_CASE("without room for a message nothing is sent and the timers go on") {
    igmp_host<> host{hash_key{7, 8}};
    host.set_terms(lan, {});
    host.set_up(lan, true);
    REQUIRE(host.join(lan, group));
    full_wire none;
    while (host.next_deadline() != instant::never())
        host.poll(host.next_deadline(), none);
    CHECK(none.asked > 1);
    CHECK(none.sent == 0);
    CHECK(host.is_member(lan, group, one));
}

TEST_CASE("a group that was left while the interface was down is reported when it comes up") {
    node<> n{{.robustness = 1}};
    REQUIRE(n.host.join(lan, group));
    n.pass(5'000);
    REQUIRE(n.host.leave(lan, group));
    n.host.set_up(lan, false);
    n.pass(5'000);
    CHECK(n.view(group).listens());
    n.host.set_up(lan, true);
    n.pass(5'000);
    CHECK_FALSE(n.view(group).listens());
}

TEST_CASE("a new mode replaces what was still to be reported of single sources") {
    node<> n{{.robustness = 1}};
    REQUIRE(n.host.enter(lan, group, filter_mode::include));
    REQUIRE(n.host.enter(lan, group, filter_mode::include));
    REQUIRE(n.host.add_sources(lan, group, filter_mode::include, {&one, 1}));
    n.hear(query(group.value, 10, 7, 60, {}));
    n.pass(10'000);
    n.host.remove_sources(lan, group, filter_mode::include, {&one, 1});  // to be told seven times
    n.hear(query(group.value, 10, 1, 60, {}));
    REQUIRE(n.host.add_filter(lan, group, filter_mode::exclude, {}));
    n.host.drop_filter(lan, group, filter_mode::exclude, {});
    REQUIRE(n.host.add_sources(lan, group, filter_mode::include, {&one, 1}));
    n.pass(60'000);
    CHECK(n.view(group) == filter{filter_mode::include, {one.value}});
}

TEST_CASE("a new mode forgets which sources were removed before") {
    node<> n{{.robustness = 1}};
    REQUIRE(n.host.enter(lan, group, filter_mode::include));
    REQUIRE(n.host.add_sources(lan, group, filter_mode::include, {&one, 1}));
    n.hear(query(group.value, 10, 7, 60, {}));
    n.pass(10'000);
    n.host.remove_sources(lan, group, filter_mode::include, {&one, 1});  // to be told seven times
    n.hear(query(group.value, 10, 1, 60, {}));
    REQUIRE(n.host.add_filter(lan, group, filter_mode::exclude, {&one, 1}));
    n.host.drop_filter(lan, group, filter_mode::include, {});
    n.pass(60'000);
    CHECK(n.view(group) == filter{filter_mode::exclude, {one.value}});
}

TEST_CASE("removed sources that find no room are told of by a report of the whole filter") {
    node<igmp_host<8, 1, 2>> n{{.robustness = 1}};
    REQUIRE(n.host.join(lan, group));
    REQUIRE(n.host.add_sources(lan, group, filter_mode::exclude, {&one, 1}));
    n.pass(60'000);
    REQUIRE(n.view(group) == filter{filter_mode::exclude, {one.value}});
    REQUIRE(n.host.enter(lan, group, filter_mode::exclude));  // excludes no source
    REQUIRE(n.host.is_member(lan, group, one));
    CHECK(n.pass(60'000) == 1);
    CHECK(n.view(group) == filter{filter_mode::exclude, {}});
}

TEST_CASE("a source that goes while a report is sent is not in the rest of that report") {
    namespace types = igmp::record_types;
    using record = std::pair<u8, u32>;
    constexpr std::array both{one, two};
    for (const bool answers : {false, true}) {
        node<> n{{.robustness = 1}};
        n.sent.mtu = 24 + 8 + 8 + 4;  // one source a message
        std::vector<record> told;
        const auto listen = [&] {
            n.sent.sent = [&] {
                igmp::record_cursor at{const_bytes{n.sent.room}.first(n.sent.mtu - 24)};
                REQUIRE(at.next());
                told.push_back(
                    {at.record()[igmp::record_type], igmp::source_at(at.sources(), 0).value});
                if (told.size() == 1)
                    n.host.remove_sources(lan, group, filter_mode::include, {&two, 1});
            };
        };
        REQUIRE(n.host.enter(lan, group, filter_mode::include));
        if (!answers) listen();
        REQUIRE(n.host.add_sources(lan, group, filter_mode::include, both));
        n.pass(60'000);
        listen();
        n.hear(query(0, 10, 1, 60, {}));
        n.pass(60'000);
        CAPTURE(answers);
        const u8 type = answers ? types::mode_is_include : types::allow_new_sources;
        REQUIRE(!told.empty());
        CHECK(told.front() == record{type, one.value});
        CHECK(std::count(told.begin(), told.end(), record{type, two.value}) == 0);
        CHECK(n.view(group) == filter{filter_mode::include, {one.value}});
    }
}

TEST_CASE(
    "a filter that changed and was dropped before the report does not leave routers excluding") {
    for (const bool again : {false, true}) {
        node<> n;
        REQUIRE(n.host.join(lan, group));
        n.pass(60'000);
        REQUIRE(n.host.add_filter(lan, group, filter_mode::include, {}));
        n.host.drop_filter(lan, group, filter_mode::exclude, {});
        REQUIRE(n.host.leave(lan, group, filter_mode::include, {}));
        if (again) REQUIRE(n.host.enter(lan, group, filter_mode::include));
        n.pass(60'000);
        CHECK_FALSE(n.view(group).listens());
    }
}

TEST_CASE("an interface that comes up reports its groups again; one that is gone has none") {
    node<> n{{.robustness = 1}};
    REQUIRE(n.host.join(lan, group));
    n.pass(5'000);
    n.host.set_up(lan, false);
    CHECK(n.pass(5'000) == 0);
    n.host.set_up(lan, true);
    CHECK(n.pass(100) == 1);
    n.host.forget(lan);
    CHECK_FALSE(n.host.is_member(lan, group, one));
    CHECK_FALSE(n.host.leave(lan, group));
    CHECK(n.host.next_deadline() == instant::never());
}

}  // namespace

}  // namespace multicast_igmp_host
