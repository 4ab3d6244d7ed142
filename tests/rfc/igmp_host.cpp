// IGMP version 3 of a host: its messages, the changes it reports, the queries it answers.
#include "rfc/member.hpp"

#include <sluice/packet/named_settings.hpp>

namespace rfc_igmp_host {

namespace {

using namespace rfc_member;

bool is_v3_message(const spoken& m) {
    return m.type() == v3_report && m.destination() == v3_routers && m.ip()[ipv4::ttl] == 1 &&
           m.ip()[ipv4::tos] == 0xc0 && m.ip()[ipv4::protocol] == 2 &&
           support::part(m.datagram, 20, 24) == host::alert() && ipv4::header_length(m.ip()) == 24;
}

// What changes is reported from the call until 2 s later.
template <class F>
records reported(host& h, F&& change) {
    h.settle();
    change();
    return records_of(h.pass(2_s));
}
records twice(const records& r) {
    records both = r;
    both.insert(both.end(), r.begin(), r.end());
    return both;
}

TEST_CASE("igmp: messages of version 3, and those of older versions") {
    host h;
    socket s{*h};
    REQUIRE(s.join(group, h.now, lan).has_value());
    const auto first = h.pass(10_ms);
    REQUIRE(first.size() == 1);
    CHECK_RFC("R3376-003", is_v3_message(first[0]));
    CHECK_RFC("R3376-007", first[0].ip()[ipv4::source] == own);
    CHECK_RFC("R3376-005", sums_up(first[0].igmp()));
    CHECK_RFC("R1122-157", first[0].to.interface == lan);
    for (int type = 0; type < 256; ++type) {
        const bool known = type == 0x11 || type == v1_report || type == v2_report;
        h.settle();
        auto m = query(0, 10, 2, 125, {});
        m[0] = static_cast<std::byte>(type);
        igmp::set_checksum(m);
        const fate f = h.hear(m);
        const bool answered = !h.pass(5_s).empty();
        CHECK_RFC("R3376-003", answered == (type == 0x11) && (known || f == fate::dropped));
    }
    for (const u8 version : {u8{1}, u8{2}}) {
        host old{version};
        socket t{*old};
        REQUIRE(t.join(group, old.now, lan).has_value());
        const auto all = old.pass(10_ms);
        REQUIRE(all.size() == 1);
        CHECK_RFC("R3376-003", all[0].type() == (version == 1 ? v1_report : v2_report) &&
                                   all[0].ip()[ipv4::ttl] == 1 && all[0].ip()[ipv4::tos] == 0xc0);
        REQUIRE(t.leave(group, old.now, lan).has_value());
        const auto left = old.pass(10_ms);
        CHECK_RFC("R3376-003",
                  version == 1 ? left.empty() : left.size() == 1 && left[0].type() == leave);
    }
}

TEST_CASE("igmp: the source is 0.0.0.0 only where no address is known") {
    host h;
    REQUIRE(h->remove_address(lan, "10.0.1.1/24"_net).has_value());
    REQUIRE(h->groups().join(lan, group));
    REQUIRE(h->groups().join(3, group));
    for (const spoken& m : h.pass(5_s)) {
        const ipv4::address from = m.ip()[ipv4::source];
        CHECK_RFC("R3376-007", from == (m.to.interface == lan ? ipv4::unspecified : "10.0.2.1"_ip));
    }
}

TEST_CASE("igmp: a message with a wrong bit is ignored") {
    host h;
    socket s{*h};
    REQUIRE(s.join(group, h.now, lan).has_value());
    h.settle();
    for (const auto& good : {query(0, 10, 2, 125, {}), query(group.value, 10, 2, 125, {5, 6})}) {
        for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
            auto m = good;
            m[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
            CHECK_RFC("R3376-005", h.hear(m) == fate::dropped && h.pass(2_s).empty());
        }
        CHECK_RFC("R3376-005", h.hear(good) == fate::delivered && h.pass(2_s).size() == 1);
    }
}

TEST_CASE("igmp: the time of the answer, to whatever address of this host the query goes") {
    host h;
    socket s{*h};
    REQUIRE(s.join(group, h.now, lan).has_value());
    const auto answers_within = [&](u8 code, duration limit) {
        delays seen;
        for (int i = 0; i < 60; ++i) {
            h.settle();
            const instant asked = h.now.now;
            REQUIRE(h.hear(query(0, code, 2, 125, {})) == fate::delivered);
            // Not at once.
            CHECK_RFC("R3376-015", h.is_quiet() && h.pass(0_s).empty());
            const auto all = h.pass(limit + slack);
            REQUIRE(all.size() == 1);
            seen.add(all[0].at - asked);
        }
        // Random over the time: a tenth of it is not left out on either side.
        return seen.least > 0_s && seen.least < duration{limit.nanoseconds / 10} &&
               seen.most > duration{limit.nanoseconds / 10 * 9};
    };
    CHECK_RFC("R3376-004", answers_within(50, 5_s));
    CHECK_RFC("R3376-004", answers_within(127, 12'700_ms));
    CHECK_RFC("R3376-004", answers_within(0x80, 12'800_ms));     // 0x10 << 3
    CHECK_RFC("R3376-004", answers_within(0x9f, 49'600_ms));     // 0x1f << 4
    CHECK_RFC("R3376-004", answers_within(0xff, 3'174'400_ms));  // 0x1f << 10
    for (const ipv4::address to : {ipv4::all_systems, own}) {
        CHECK_RFC("R3376-006", h.hear(query(0, 10, 2, 125, {}), to) == fate::delivered &&
                                   h.pass(2_s).size() == 1);
    }
    for (const ipv4::address to : {group, own}) {
        CHECK_RFC("R3376-006", h.hear(query(group.value, 10, 2, 125, {}), to) == fate::delivered &&
                                   h.pass(2_s).size() == 1);
    }
}

TEST_CASE("igmp: the version of a query is told by its length") {
    host h;
    socket s{*h};
    REQUIRE(s.join(group, h.now, lan).has_value());
    h.settle();
    const auto resized = [](std::size_t size) {
        auto m = query(0, 10, 2, 125, {});
        m.resize(size);
        igmp::set_checksum(m);
        return m;
    };
    for (const std::size_t size : {8u, 9u, 10u, 11u, 12u, 13u, 20u}) {
        host one;
        socket t{*one};
        REQUIRE(t.join(group, one.now, lan).has_value());
        one.settle();
        static_cast<void>(one.hear(resized(size)));
        const auto all = one.pass(12_s);
        const int answer = all.empty() ? 0 : all[0].type();
        CHECK_RFC("R3376-018", answer == (size == 8 ? v2_report : size < 12 ? 0 : v3_report));
    }
    for (const std::size_t size : {0u, 1u, 4u, 7u})
        CHECK_RFC("R3376-018", h.hear(byte_vector(size)) == fate::dropped && h.pass(12_s).empty());
    static_cast<void>(h.hear(short_message(0x11, 0, 0)));
    const auto all = h.pass(12_s);
    CHECK_RFC("R3376-018", all.size() == 1 && all[0].type() == v1_report);
}

TEST_CASE("igmp: changes of the filter") {
    const auto a = sources_from(1, 2);     // 1 2
    const auto b = sources_from(2, 2);     // 2 3
    const auto more = sources_from(1, 3);  // 1 2 3
    const auto only1 = set_of(sources_from(1, 1)), only3 = set_of(sources_from(3, 1));
    host h;
    socket s{*h};
    const auto to = [&](filter_mode mode, const std::vector<ipv4::address>& list) {
        return [&h, &s, mode, &list] {
            REQUIRE(s.set_filter(group, {mode, list}, h.now, lan).has_value());
        };
    };
    using enum filter_mode;
    const records joined = reported(h, [&] { REQUIRE(s.join(group, h.now, lan).has_value()); });
    CHECK_RFC("R3376-011", joined == twice({{4, group, {}}}));
    CHECK_RFC("R3376-009", joined.at(0).type == 4);
    CHECK_RFC("R3376-011", reported(h, to(exclude, a)) == twice({{6, group, set_of(a)}}));
    const records excluded = reported(h, to(exclude, b));
    CHECK_RFC("R3376-011", excluded == twice({{5, group, only1}, {6, group, only3}}) ||
                               excluded == twice({{6, group, only3}, {5, group, only1}}));
    CHECK_RFC("R3376-009", reported(h, to(include, a)) == twice({{3, group, set_of(a)}}));
    const records included = reported(h, to(include, b));
    CHECK_RFC("R3376-011", included == twice({{5, group, only3}, {6, group, only1}}) ||
                               included == twice({{6, group, only1}, {5, group, only3}}));
    // Nothing that is empty.
    CHECK_RFC("R3376-013", reported(h, to(include, more)) == twice({{5, group, only1}}));
    CHECK_RFC("R3376-013", reported(h, to(include, b)) == twice({{6, group, only1}}));
    CHECK_RFC("R3376-011", reported(h, to(exclude, a)) == twice({{4, group, set_of(a)}}));
    CHECK_RFC("R3376-011", reported(h, to(include, b)) == twice({{3, group, set_of(b)}}));
    CHECK_RFC("R3376-011", reported(h, to(include, {})) == twice({{6, group, set_of(b)}}));
    for (const auto& m : h.pass(60_s))
        CHECK_RFC("R3376-008", records_of({m}).at(0).auxiliary == 0);
}

TEST_CASE("igmp: a change is reported Robustness times, at random times within a second") {
    host h;
    socket s{*h};
    delays between;
    for (int i = 0; i < 60; ++i) {
        h.settle();
        const instant joined = h.now.now;
        REQUIRE(s.join(group, h.now, lan).has_value());
        const auto all = h.pass(30_s);
        REQUIRE(all.size() == 2);
        CHECK_RFC("R3376-012", all[0].at - joined <= 5_ms);
        CHECK_RFC("R3376-012", all[1].at - all[0].at <= 1_s + slack);
        CHECK_RFC("R3376-008", records_of(all).at(0).auxiliary == 0);
        between.add(all[1].at - all[0].at);
        REQUIRE(s.leave(group, h.now, lan).has_value());
        CHECK_RFC("R3376-012", h.pass(30_s).size() == 2);
    }
    CHECK_RFC("R3376-012", between.least < 100_ms && between.most > 900_ms);
    // A querier says otherwise; 0 means the default.
    for (const u8 robustness : {u8{4}, u8{0}}) {
        static_cast<void>(h.hear(query(0, 10, robustness, 125, {})));
        h.settle();
        REQUIRE(s.join(group, h.now, lan).has_value());
        const std::size_t count = h.pass(30_s).size();
        CHECK_RFC("R3376-012", count == (robustness == 0 ? 2 : robustness));
        if (robustness == 0) CHECK_RFC("R3376-021", count == 2);
        REQUIRE(s.leave(group, h.now, lan).has_value());
    }
    CHECK_RFC("R3376-021", settings{}.igmp_qrv == 2);
    CHECK_RFC("R3376-021", !find_setting(named_settings, text_view{"igmp_qrv", 8})->takes({0}));
}

TEST_CASE("igmp: answers about groups and about sources") {
    host h;
    socket s{*h};
    const auto a = sources_from(1, 3);
    const auto ask = [&](const std::vector<u32>& about, u8 code = 10) {
        return h.hear(query(group.value, code, 2, 125, about), group) == fate::delivered;
    };
    for (const ipv4::address one : a)
        REQUIRE(s.join_source(group, one, h.now, lan).has_value());
    h.settle();
    REQUIRE(ask({a[0].value, a[1].value, 77}));
    CHECK(records_of(h.pass(2_s)) == records{{1, group, {a[0].value, a[1].value}}});
    REQUIRE(ask({77}));
    CHECK(h.pass(2_s).empty());
    CHECK_RFC("R3376-009", ask({}) && records_of(h.pass(2_s)) == records{{1, group, set_of(a)}});
    // One answer to several queries: about all that was asked, when the first is due.
    REQUIRE(ask({a[0].value}));
    REQUIRE(ask({a[2].value}, 100));
    CHECK(records_of(h.pass(12_s)) == records{{1, group, {a[0].value, a[2].value}}});
    REQUIRE(ask({a[0].value}));
    REQUIRE(ask({}, 100));
    CHECK(records_of(h.pass(12_s)) == records{{1, group, set_of(a)}});
    REQUIRE(h.hear(query(0, 10, 2, 125, {})) == fate::delivered);
    REQUIRE(h.hear(query(0, 100, 2, 125, {})) == fate::delivered);
    CHECK(h.pass(12_s).size() == 1);
    // The first of the five rules: a general answer that is due sooner is enough.
    REQUIRE(h.hear(query(0, 1, 2, 125, {})) == fate::delivered);
    REQUIRE(ask({}, 255));
    CHECK_RFC_DEVIATES("R3376-014", h.pass(3'200_s).size() == 2);

    REQUIRE(s.set_filter(group, {filter_mode::exclude, a}, h.now, lan).has_value());
    h.settle();
    CHECK_RFC("R3376-009", ask({}) && records_of(h.pass(2_s)) == records{{2, group, set_of(a)}});
    // RFC: the sources that are asked about and not excluded, in a record IS_IN.
    REQUIRE(ask({a[0].value, 77}));
    CHECK_RFC_DEVIATES("R3376-016", records_of(h.pass(2_s)) == records{{2, group, set_of(a)}});
    REQUIRE(ask({a[0].value, a[1].value}));
    CHECK(h.pass(2_s).empty());
}

TEST_CASE("igmp: reports keep to the MTU") {
    host h;
    h->change([](settings& s) { s.igmp_max_msf = 80; });
    REQUIRE(h->set_mtu(lan, 100).has_value());
    socket s{*h};
    const auto many = sources_from(1, 40);
    REQUIRE(s.join_source(group, many[0], h.now, lan).has_value());
    REQUIRE(s.set_filter(group, {filter_mode::include, many}, h.now, lan).has_value());
    h.settle();
    const auto answer = [&] {
        REQUIRE(h.hear(query(0, 10, 2, 125, {})) == fate::delivered);
        auto all = h.pass(2_s);
        for (const spoken& m : all)
            CHECK_RFC("R3376-010", m.datagram.size() <= 100);
        return all;
    };
    const auto split = answer();
    std::set<u32> named;
    for (const record& r : records_of(split)) {
        CHECK_RFC("R3376-010", r.type == 1);
        named.insert(r.sources.begin(), r.sources.end());
    }
    CHECK_RFC("R3376-010", split.size() > 1 && named == set_of(many));
    REQUIRE(s.set_filter(group, {filter_mode::exclude, many}, h.now, lan).has_value());
    h.settle();
    const records cut = records_of(answer());
    CHECK_RFC("R3376-010",
              cut.size() == 1 && cut.at(0).type == 2 && cut.at(0).sources.size() == 15);
}

TEST_CASE("igmp: nothing is ever said about 224.0.0.1") {
    for (const u8 version : {u8{0}, u8{1}, u8{2}}) {
        host h{version};
        socket s{*h};
        REQUIRE(s.join(ipv4::all_systems, h.now, lan).has_value());
        static_cast<void>(h.hear(query(0, 10, 2, 125, {})));
        static_cast<void>(h.hear(query(ipv4::all_systems.value, 10, 2, 125, {})));
        static_cast<void>(h.hear(short_message(0x11, 10, 0)));
        static_cast<void>(h.hear(short_message(0x11, 0, 0)));
        REQUIRE(s.leave(ipv4::all_systems, h.now, lan).has_value());
        const bool silent = h.pass(60_s).empty();
        CHECK_RFC("R3376-017", silent);
        CHECK_RFC("R2236-010", silent);
        CHECK_RFC("R1112-017", silent);
    }
}

TEST_CASE("igmp: an older querier sets the version for 260 s") {
    for (const u8 code : {u8{0}, u8{10}}) {
        host h;
        socket s{*h};
        h.settle();
        REQUIRE(h.hear(short_message(0x11, code, 0)) == fate::delivered);
        // Its timer is of each interface.
        REQUIRE(s.join(group, h.now, 3).has_value());
        CHECK_RFC("R3376-019", h.pass(1_s).at(0).type() == v3_report);
        static_cast<void>(h.pass(258_s));
        REQUIRE(s.join(group, h.now, lan).has_value());
        const auto old = h.pass(100_ms);
        CHECK_RFC("R3376-019",
                  old.size() == 1 && old[0].type() == (code == 0 ? v1_report : v2_report));
        REQUIRE(s.leave(group, h.now, lan).has_value());
        static_cast<void>(h.pass(1_s));
        REQUIRE(s.join(group, h.now, lan).has_value());
        const auto young = h.pass(100_ms);
        CHECK_RFC("R3376-019", young.size() == 1 && young[0].type() == v3_report);
    }
}

TEST_CASE("igmp: what an older querier finds pending") {
    host h;
    socket s{*h};
    REQUIRE(s.join(group, h.now, lan).has_value());
    REQUIRE(h.pass(5_ms).size() == 1);
    REQUIRE(h.hear(short_message(0x11, 1, other_group.value)) == fate::delivered);
    CHECK(h.pass(60_s).empty());  // the second report of the join
    host g;
    socket t{*g};
    REQUIRE(t.join(group, g.now, lan).has_value());
    g.settle();
    REQUIRE(g.hear(query(0, 100, 2, 125, {})) == fate::delivered);
    REQUIRE(g.hear(short_message(0x11, 1, other_group.value)) == fate::delivered);
    const auto all = g.pass(60_s);
    CHECK_RFC_DEVIATES("R3376-020", all.size() == 1 && all[0].type() == v3_report);
}

TEST_CASE("igmp: queries that the RFCs advise to ignore") {
    host h;
    socket s{*h};
    REQUIRE(s.join(group, h.now, lan).has_value());
    h.settle();
    const auto q = query(0, 10, 2, 125, {});
    CHECK_RFC_DEVIATES("R3376-022", h.hear(q, ipv4::all_systems, router, {}) == fate::delivered &&
                                        h.pass(2_s).size() == 1);
    CHECK_RFC_DEVIATES("R3376-022", h.hear(q, group) == fate::delivered && h.pass(2_s).size() == 1);
    CHECK_RFC_DEVIATES("R2236-011",
                       h.hear(q, ipv4::all_systems, "192.0.2.7"_ip) == fate::delivered &&
                           h.pass(2_s).size() == 1);
}

}  // namespace

}  // namespace rfc_igmp_host
