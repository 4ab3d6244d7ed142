// IGMP versions 1 and 2 of a host: reports, delays, other hosts' reports, leaves.
#include "rfc/member.hpp"

namespace rfc_igmp_host_old {

namespace {

using namespace rfc_member;

const byte_vector general = short_message(0x11, 100, 0);  // 10 s
const byte_vector v1_query = short_message(0x11, 0, 0);
byte_vector about(ipv4::address g, u8 code) {
    return short_message(0x11, code, g.value);
}
bool goes_to(const spoken& m, ipv4::address to, int type, ipv4::address named) {
    return m.destination() == to && m.type() == type && m.about() == named &&
           m.ip()[ipv4::ttl] == 1 && m.ip()[ipv4::tos] == 0xc0 && m.ip()[ipv4::protocol] == 2 &&
           support::part(m.datagram, 20, 24) == host::alert() && m.igmp().size() == 8 &&
           sums_up(m.igmp());
}

struct one_group : host {
    explicit one_group(u8 version) : host{version} {
        REQUIRE(s.join(group, now, lan).has_value());
        settle();
    }
    // Whether the answers to many of these queries fill the time.
    bool answers_within(const byte_vector& q, duration limit, ipv4::address to) {
        delays seen;
        for (int i = 0; i < 60; ++i) {
            const instant asked = now.now;
            REQUIRE(hear(q, to) == fate::delivered);
            CHECK(is_quiet());
            const auto all = pass(limit + slack);
            REQUIRE(all.size() == 1);
            seen.add(all[0].at - asked);
        }
        return seen.least > 0_s && seen.least < duration{limit.nanoseconds / 10} &&
               seen.most > duration{limit.nanoseconds / 10 * 9};
    }
    socket s{**this};
};

TEST_CASE("igmp: version 1 reports to the group, within 10 s, unless another host does") {
    one_group h{1};
    REQUIRE(h.hear(v1_query) == fate::delivered);
    const auto all = h.pass(10_s + slack);
    REQUIRE(all.size() == 1);
    CHECK_RFC("R1112-016", goes_to(all[0], group, 0x12, group));
    CHECK_RFC("R1112-016", h.answers_within(v1_query, 10_s, ipv4::all_systems));
    CHECK_RFC("R2236-002", h.answers_within(v1_query, 10_s, ipv4::all_systems));
    // For each group a delay of its own; one that another host reports is silent.
    REQUIRE(h.s.join(other_group, h.now, lan).has_value());
    h.settle();
    REQUIRE(h.hear(v1_query) == fate::delivered);
    const auto both = h.pass(10_s + slack);
    CHECK_RFC("R1112-016", both.size() == 2 && both[0].at != both[1].at);
    REQUIRE(h.hear(v1_query) == fate::delivered);
    REQUIRE(h.hear_report(group, v1_report) == fate::delivered);
    const auto rest = h.pass(10_s + slack);
    CHECK_RFC("R1112-016", rest.size() == 1 && rest[0].about() == other_group);
}

TEST_CASE("igmp: a join is reported at once, and once or twice again") {
    for (const u8 version : {u8{1}, u8{2}}) {
        host h{version};
        socket s{*h};
        delays between;
        for (int i = 0; i < 60; ++i) {
            const instant joined = h.now.now;
            REQUIRE(s.join(group, h.now, lan).has_value());
            const auto all = h.pass(60_s);
            REQUIRE(all.size() >= 2);
            const bool at_once = all[0].at - joined <= 5_ms && all.size() <= 3;
            CHECK_RFC(version == 1 ? "R1112-018" : "R2236-007",
                      at_once && all[0].type() == (version == 1 ? v1_report : v2_report));
            between.add(all[1].at - all[0].at);
            REQUIRE(s.leave(group, h.now, lan).has_value());
            static_cast<void>(h.pass(1_s));
        }
        CHECK_RFC(version == 1 ? "R1112-018" : "R2236-007",
                  between.most <= 10_s + slack && between.most > 9_s);
    }
}

TEST_CASE("igmp: messages of version 2") {
    one_group h{2};
    REQUIRE(h.hear(general) == fate::delivered);
    const auto answer = h.pass(11_s);
    REQUIRE(answer.size() == 1);
    CHECK_RFC("R2236-001", goes_to(answer[0], group, 0x16, group));
    CHECK_RFC("R2236-003", sums_up(answer[0].igmp()));
    REQUIRE(h.s.leave(group, h.now, lan).has_value());
    const auto left = h.pass(1_s);
    REQUIRE(left.size() == 1);
    CHECK_RFC("R2236-001", goes_to(left[0], all_routers, 0x17, group));
    host old{1};
    socket s{*old};
    REQUIRE(s.join(group, old.now, lan).has_value());
    CHECK_RFC("R2236-001", goes_to(old.pass(10_ms).at(0), group, 0x12, group));
}

TEST_CASE("igmp: checksums of version 2") {
    one_group h{2};
    // Octets behind the first eight count for nothing but the sum.
    byte_vector longer = general;
    longer.resize(20, std::byte{0x5a});
    igmp::set_checksum(longer);
    for (const byte_vector& good : {general, longer}) {
        for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
            byte_vector m = good;
            m[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
            const bool ignored = h.hear(m) == fate::dropped && h.pass(30_s).empty();
            CHECK_RFC("R2236-003", ignored);
            CHECK_RFC("R2236-004", ignored);
        }
        CHECK_RFC("R2236-004", h.hear(good) == fate::delivered && h.pass(30_s).size() == 1);
    }
    byte_vector report = short_message(v2_report, 0, group.value);
    report.resize(40, std::byte{0x5a});
    igmp::set_checksum(report);
    REQUIRE(h.hear(general) == fate::delivered);
    CHECK_RFC("R2236-004",
              h.hear(report, group, "10.0.1.9"_ip) == fate::delivered && h.pass(11_s).empty());
}

TEST_CASE("igmp: delays of version 2") {
    one_group h{2};
    CHECK_RFC("R2236-002", h.answers_within(short_message(0x11, 1, 0), 100_ms, ipv4::all_systems));
    CHECK_RFC("R2236-002",
              h.answers_within(short_message(0x11, 255, 0), 25'500_ms, ipv4::all_systems));
    CHECK_RFC("R2236-005", h.answers_within(general, 10_s, ipv4::all_systems));
    CHECK_RFC("R2236-005", h.answers_within(about(group, 20), 2_s, group));
    REQUIRE(h.hear(about(other_group, 20), other_group) != fate::delivered);
    CHECK_RFC("R2236-005", h.pass(30_s).empty());
    for (int i = 0; i < 30; ++i) {
        // A timer that would end later than the new time is replaced, and no other.
        const instant asked = h.now.now;
        REQUIRE(h.hear(general) == fate::delivered);
        REQUIRE(h.hear(about(group, 5), group) == fate::delivered);
        const auto all = h.pass(30_s);
        CHECK_RFC("R2236-005", all.size() == 1 && all[0].at - asked <= 500_ms + slack);
        const instant again = h.now.now;
        REQUIRE(h.hear(about(group, 5), group) == fate::delivered);
        REQUIRE(h.hear(general) == fate::delivered);
        const auto sooner = h.pass(30_s);
        CHECK_RFC("R2236-005", sooner.size() == 1 && sooner[0].at - again <= 500_ms + slack);
    }
    // For each group of its own.
    REQUIRE(h.s.join(other_group, h.now, lan).has_value());
    h.settle();
    REQUIRE(h.hear(general) == fate::delivered);
    const auto both = h.pass(11_s);
    CHECK_RFC("R2236-005", both.size() == 2 && both[0].at != both[1].at);
}

TEST_CASE("igmp: version 2: another host's report, and who says that it leaves") {
    one_group h{2};
    REQUIRE(h.s.join(other_group, h.now, lan).has_value());
    h.settle();
    REQUIRE(h.hear(general) == fate::delivered);
    REQUIRE(h.hear_report(group) == fate::delivered);
    const auto rest = h.pass(11_s);
    CHECK_RFC("R2236-006", rest.size() == 1 && rest[0].about() == other_group);
    // Not the last to report one group, but of the other.
    REQUIRE(h.s.leave(group, h.now, lan).has_value());
    CHECK_RFC("R2236-008", h.pass(1_s).empty());
    REQUIRE(h.s.leave(other_group, h.now, lan).has_value());
    const auto left = h.pass(1_s);
    CHECK_RFC("R2236-008", left.size() == 1 && goes_to(left[0], all_routers, 0x17, other_group));
}

TEST_CASE("igmp: a version 1 router is present for 260 s") {
    host h;
    socket s{*h};
    REQUIRE(h.hear(v1_query) == fate::delivered);
    REQUIRE(s.join(group, h.now, lan).has_value());
    const auto all = h.pass(30_s);
    REQUIRE(!all.empty());
    CHECK(all[0].type() == v1_report);
    REQUIRE(s.leave(group, h.now, lan).has_value());
    CHECK(h.pass(229_s).empty());
    static_cast<void>(h.pass(2_s));
    REQUIRE(s.join(group, h.now, lan).has_value());
    // The RFC says 400 s.
    CHECK_RFC_DEVIATES("R2236-009", h.pass(1_s).at(0).type() == v3_report);
}

}  // namespace

}  // namespace rfc_igmp_host_old
