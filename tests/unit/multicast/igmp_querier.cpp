// igmp_querier: the tables of RFC 3376 section 6.4 against a naive model; queries on the wire;
// election; older hosts; fast leave; bounds.
#include <doctest/doctest.h>

#include <sluice/multicast/igmp_querier.hpp>
#include <sluice/wire/literals.hpp>

#include "support/datagrams.hpp"
#include "support/querier_model.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <vector>

namespace multicast_igmp_querier {

namespace {

using namespace sluice;
using namespace sluice::literals;
using support::byte_vector;
namespace rt = igmp::record_types;

constexpr ipv4::address own = "10.0.1.1"_ip;
constexpr ipv4::address host = "10.0.1.9"_ip;
constexpr ipv4::address group = "239.1.1.1"_ip;
constexpr instant start = instant{} + 1000_s;
constexpr duration membership = 260_s;  // 2 * 125 s + 10 s

struct record {
    u8 type;
    ipv4::address group;
    std::vector<ipv4::address> sources;
};

byte_vector summed(byte_vector m) {
    igmp::set_checksum(m);
    return m;
}

byte_vector report(const std::vector<record>& records) {
    byte_vector m(8);
    m[0] = std::byte{igmp::types::v3_report};
    store_be<u16>(m.data() + 6, static_cast<u16>(records.size()));
    for (const record& r : records) {
        const std::size_t at = m.size();
        m.resize(at + 8 + 4 * r.sources.size());
        m[at] = std::byte{r.type};
        store_be<u16>(m.data() + at + 2, static_cast<u16>(r.sources.size()));
        store_be<u32>(m.data() + at + 4, r.group.value);
        for (std::size_t i = 0; i < r.sources.size(); ++i)
            store_be<u32>(m.data() + at + 8 + 4 * i, r.sources[i].value);
    }
    return summed(m);
}

byte_vector old_message(u8 type, ipv4::address about = group, u8 code = 0) {
    byte_vector m(8);
    m[0] = std::byte{type};
    m[1] = std::byte{code};
    store_be<u32>(m.data() + 4, about.value);
    return summed(m);
}

byte_vector v3_query(ipv4::address about, const std::vector<ipv4::address>& sources = {},
                     u8 flags = 2, u8 interval = 125, u8 code = 100) {
    byte_vector m(12 + 4 * sources.size());
    m[0] = std::byte{igmp::types::query};
    m[1] = std::byte{code};
    store_be<u32>(m.data() + 4, about.value);
    m[8] = std::byte{flags};
    m[9] = std::byte{interval};
    store_be<u16>(m.data() + 10, static_cast<u16>(sources.size()));
    for (std::size_t i = 0; i < sources.size(); ++i)
        store_be<u32>(m.data() + 12 + 4 * i, sources[i].value);
    return summed(m);
}

struct sent {
    ipv4::address to;
    byte_vector bytes;

    friend bool operator==(const sent&, const sent&) = default;
};

template <class Querier>
std::vector<sent> polled(Querier& q, instant now, instant* next = nullptr) {
    std::vector<sent> all;
    const instant due = q.poll(
        now, [&](ipv4::address to, const_bytes m) { all.push_back({to, {m.begin(), m.end()}}); });
    if (next != nullptr) *next = due;
    return all;
}

TEST_CASE("group records follow the tables of section 6.4") {
    std::mt19937 draw{7};
    unsigned wanted = 0, unwanted = 0;
    for (unsigned round = 0; round < 200; ++round) {
        igmp_querier<4, 8> q{own, {}, start};
        querier_model::group n;
        instant now = start;
        for (unsigned step = 0; step < 40; ++step) {
            const i64 most = draw() % 4 == 0 ? 200'000 : 3000;
            now = now + duration::from_milliseconds(static_cast<i64>(draw()) % most);
            n.pass(now);
            static_cast<void>(polled(q, now));
            std::set<u32> listed;
            std::vector<ipv4::address> sources;
            for (unsigned i = 0; i < 6; ++i)
                if (draw() % 3 == 0) listed.insert("10.9.0.1"_ip.value + i);
            for (const u32 a : listed)
                sources.push_back({a});
            const auto type = static_cast<u8>(1 + draw() % 6);
            REQUIRE(q.receive(report({{type, group, sources}}), host, now));
            n.hear(type, listed, now);
            n.pass(now);
            static_cast<void>(polled(q, now));
            for (unsigned i = 0; i < 7; ++i) {
                const u32 a = "10.9.0.1"_ip.value + i;
                CHECK(q.wants({a}, group, now) == n.wants(a, now));
                (n.wants(a, now) ? wanted : unwanted) += 1;
            }
        }
    }
    CHECK(wanted > 10'000);
    CHECK(unwanted > 10'000);
}

TEST_CASE("a starting querier asks twice at once, then every 125 seconds") {
    igmp_querier<> q{own, {}, start};
    instant next{};
    CHECK(polled(q, start, &next) == std::vector<sent>{{ipv4::all_systems, v3_query({})}});
    CHECK(next == start + 31'250_ms);
    CHECK(polled(q, start + 31_s).empty());
    CHECK(polled(q, next, &next).size() == 1);
    CHECK(next == start + 31'250_ms + 125_s);
    CHECK(q.counters().queries_sent == 2);
}

TEST_CASE("version 2 asks in the words of version 2 and hears no version 3 reports") {
    igmp_querier<> q{own, {.version = 2}, start};
    CHECK(polled(q, start) ==
          std::vector<sent>{{ipv4::all_systems, old_message(igmp::types::query, {}, 100)}});
    CHECK_FALSE(q.receive(report({{rt::mode_is_exclude, group, {}}}), host, start));
    REQUIRE(q.receive(old_message(igmp::types::v2_report), host, start));
    CHECK(q.wants(host, group, start));
    REQUIRE(q.receive(old_message(igmp::types::leave), host, start + 1_s));
    CHECK(polled(q, start + 1_s) ==
          std::vector<sent>{{group, old_message(igmp::types::query, group, 10)}});
}

TEST_CASE("a leave is asked about twice, then the membership ends") {
    igmp_querier<> q{own, {}, start};
    static_cast<void>(polled(q, start));
    REQUIRE(q.receive(old_message(igmp::types::v2_report), host, start));
    REQUIRE(q.receive(old_message(igmp::types::leave), host, start + 5_s));
    instant next{};
    CHECK(polled(q, start + 5_s, &next) ==
          std::vector<sent>{{group, v3_query(group, {}, 2, 125, 10)}});
    CHECK(next == start + 6_s);
    CHECK(polled(q, start + 6_s, &next).size() == 1);
    CHECK(next == start + 7_s);
    CHECK(q.wants(host, group, start + 6_s));
    CHECK(polled(q, start + 7_s).empty());
    CHECK(q.find(group) == nullptr);
}

TEST_CASE("a member that answers in time keeps the group; the second query suppresses timers") {
    igmp_querier<> q{own, {}, start};
    static_cast<void>(polled(q, start));
    REQUIRE(q.receive(old_message(igmp::types::v2_report), host, start));
    REQUIRE(q.receive(old_message(igmp::types::leave), host, start + 5_s));
    static_cast<void>(polled(q, start + 5_s));
    REQUIRE(q.receive(old_message(igmp::types::v2_report), host, start + 5'500_ms));
    CHECK(polled(q, start + 6_s) ==
          std::vector<sent>{{group, v3_query(group, {}, 8 | 2, 125, 10)}});
    CHECK(polled(q, start + 30_s).empty());
    CHECK(q.wants(host, group, start + 30_s));
}

TEST_CASE("blocked sources are asked about; those wanted again in a query of their own") {
    const ipv4::address a = "10.9.0.1"_ip, b = "10.9.0.2"_ip;
    igmp_querier<> q{own, {}, start};
    static_cast<void>(polled(q, start));
    REQUIRE(q.receive(report({{rt::allow_new_sources, group, {a, b}}}), host, start));
    REQUIRE(q.receive(report({{rt::block_old_sources, group, {a, b}}}), host, start + 1_s));
    CHECK(polled(q, start + 1_s) ==
          std::vector<sent>{{group, v3_query(group, {a, b}, 2, 125, 10)}});
    REQUIRE(q.receive(report({{rt::mode_is_include, group, {a}}}), host, start + 1'500_ms));
    CHECK(polled(q, start + 2_s) == std::vector<sent>{{group, v3_query(group, {b}, 2, 125, 10)}});
    static_cast<void>(polled(q, start + 3_s));
    CHECK(q.wants(a, group, start + 3_s));
    CHECK_FALSE(q.wants(b, group, start + 3_s));
}

TEST_CASE("fast leave ends the membership at once, unless a host of version 1 is there") {
    igmp_querier<> q{own, {.fast_leave = true}, start};
    static_cast<void>(polled(q, start));
    REQUIRE(q.receive(old_message(igmp::types::v2_report), host, start));
    REQUIRE(q.receive(old_message(igmp::types::leave), host, start + 1_s));
    CHECK_FALSE(q.wants(host, group, start + 1_s));
    CHECK(polled(q, start + 1_s).empty());
    REQUIRE(q.receive(old_message(igmp::types::v1_report), host, start + 2_s));
    REQUIRE(q.receive(old_message(igmp::types::leave), host, start + 3_s));
    CHECK(q.wants(host, group, start + 3_s));
    CHECK(polled(q, start + 3_s).empty());
}

TEST_CASE("hosts of version 2 make blocks meaningless and exclude lists empty") {
    igmp_querier<> q{own, {}, start};
    REQUIRE(q.receive(old_message(igmp::types::v2_report), host, start));
    for (const u8 type : {rt::block_old_sources, rt::change_to_exclude}) {
        CAPTURE(type);
        REQUIRE(q.receive(report({{type, group, {host}}}), host, start));
        for (u32 second = 0; second < 5; ++second)
            static_cast<void>(polled(q, start + duration::from_seconds(second)));
        CHECK(q.wants(host, group, start + 5_s));
    }
    // Section 8.13: as long as their reports could be missing.
    static_cast<void>(polled(q, start + 259_s));
    REQUIRE(q.receive(report({{rt::change_to_exclude, group, {host}}}), host, start + membership));
    CHECK_FALSE(q.wants(host, group, start + membership));
}

TEST_CASE("the lower address asks; its silence makes this router the querier again") {
    igmp_querier<> q{own, {}, start};
    static_cast<void>(polled(q, start));
    CHECK(q.receive(v3_query({}), "10.0.1.7"_ip, start));
    CHECK(q.is_querier());
    CHECK_FALSE(q.receive(v3_query({}), {}, start));
    CHECK(q.receive(v3_query({}, {}, 3, 60), "10.0.0.200"_ip, start + 1_s));
    CHECK_FALSE(q.is_querier());
    CHECK(q.querier() == "10.0.0.200"_ip);
    instant next{};
    CHECK(polled(q, start + 40_s, &next).empty());
    CHECK(next == start + 1_s + 180_s + 5_s);  // its robustness and interval
    CHECK(q.receive(v3_query({}), "10.0.0.201"_ip, start + 2_s));
    CHECK(q.querier() == "10.0.0.200"_ip);
    CHECK(polled(q, next, &next).size() == 1);
    CHECK(q.is_querier());
    CHECK(q.querier() == own);
    CHECK(next > start + 186_s);
}

TEST_CASE("a router that does not ask lowers its timers only by the querier's queries") {
    igmp_querier<> q{own, {}, start};
    REQUIRE(q.receive(v3_query({}), "10.0.0.200"_ip, start));
    REQUIRE(q.receive(old_message(igmp::types::v2_report), host, start));
    REQUIRE(q.receive(old_message(igmp::types::leave), host, start + 1_s));
    CHECK(polled(q, start + 4_s).empty());
    CHECK(q.wants(host, group, start + 4_s));
    REQUIRE(q.receive(v3_query(group, {}, 8 | 2), "10.0.0.200"_ip, start + 5_s));
    static_cast<void>(polled(q, start + 8_s));
    CHECK(q.wants(host, group, start + 8_s));  // suppressed
    REQUIRE(q.receive(v3_query(group), "10.0.0.200"_ip, start + 9_s));
    static_cast<void>(polled(q, start + 11_s));
    CHECK_FALSE(q.wants(host, group, start + 11_s));
}

TEST_CASE("what is malformed or not routed leaves no state") {
    igmp_querier<2, 2> q{own, {}, start};
    byte_vector wrong = report({{rt::mode_is_exclude, group, {}}});
    wrong[4] ^= std::byte{1};
    CHECK_FALSE(q.receive(wrong, host, start));
    CHECK_FALSE(q.receive(byte_vector(7), host, start));
    CHECK_FALSE(q.receive({}, host, start));
    CHECK_FALSE(q.receive(old_message(0x13), host, start));
    CHECK_FALSE(q.receive(old_message(igmp::types::v2_report, host), host, start));
    CHECK(q.receive(old_message(igmp::types::v2_report, "224.0.0.251"_ip), host, start));
    byte_vector cut = report({{rt::mode_is_exclude, group, {host, own}}});
    cut.resize(cut.size() - 4);
    CHECK_FALSE(q.receive(summed(cut), host, start));
    unsigned groups = 0;
    q.for_each_group([&](const auto&) { ++groups; });
    CHECK(groups == 0);
    CHECK(q.counters().refused == 6);
}

TEST_CASE("with the subnets of the interface, hosts elsewhere are not heard, but 0.0.0.0 is") {
    const std::vector<byte_vector> joins{report({{rt::change_to_exclude, group, {}}}),
                                         old_message(igmp::types::v2_report),
                                         old_message(igmp::types::v1_report)};
    struct row {
        ipv4::address from;
        bool is_heard;
    };
    const row rows[] = {{.from = host, .is_heard = true},
                        {.from = "10.0.2.9"_ip, .is_heard = true},
                        {.from = "0.0.0.0"_ip, .is_heard = true},
                        {.from = "10.0.3.1"_ip, .is_heard = false},
                        {.from = "0.0.0.1"_ip, .is_heard = false}};
    querier_settings s;
    s.fast_leave = true;
    REQUIRE(s.subnets.push_back("10.0.1.0/24"_prefix));
    REQUIRE(s.subnets.push_back("10.0.2.0/24"_prefix));
    for (const auto& [from, is_heard] : rows) {
        for (const byte_vector& join : joins) {
            igmp_querier<> q{own, s, start};
            CAPTURE(from.value);
            CHECK(q.receive(join, from, start) == is_heard);
            CHECK(q.wants("10.9.9.9"_ip, group, start) == is_heard);
            CHECK(q.counters().refused == (is_heard ? 0 : 1));
            CHECK(igmp_querier<>{own, {}, start}.receive(join, from, start));
        }
        igmp_querier<> q{own, s, start};
        REQUIRE(q.receive(joins[1], host, start));
        CHECK(q.receive(old_message(igmp::types::leave), from, start) == is_heard);
        CHECK(q.wants("10.9.9.9"_ip, group, start) != is_heard);
    }
    // Nor queries: a forged one would end the duties of this querier.
    igmp_querier<> q{own, s, start};
    CHECK_FALSE(q.receive(v3_query({}), "9.0.0.1"_ip, start));
    CHECK(q.is_querier());
    CHECK(igmp_querier<>{own, {}, start}.receive(v3_query({}), "9.0.0.1"_ip, start));
}

TEST_CASE("groups and sources that find no room are left out and counted") {
    igmp_querier<2, 2> q{own, {}, start};
    for (u32 i = 0; i < 3; ++i)
        REQUIRE(q.receive(old_message(igmp::types::v2_report, {group.value + i}), host, start));
    CHECK(q.counters().left_out == 1);
    CHECK_FALSE(q.wants(host, {group.value + 2}, start));
    REQUIRE(q.receive(report({{rt::change_to_exclude, group, {own, host, "10.9.0.1"_ip}}}), host,
                      start));
    igmp_querier<2, 2> few{own, {}, start};
    REQUIRE(few.receive(report({{rt::allow_new_sources, group, {own, host, "10.9.0.1"_ip}}}), host,
                        start));
    CHECK(few.find(group)->left_out == 1);
    CHECK(few.wants(host, group, start));
    CHECK_FALSE(few.wants("10.9.0.1"_ip, group, start));
}

TEST_CASE("random bytes break nothing") {
    std::mt19937 draw{3};
    igmp_querier<4, 4> q{own, {}, start};
    instant now = start;
    for (unsigned i = 0; i < 20'000; ++i) {
        byte_vector m(draw() % 40);
        for (std::byte& b : m)
            b = static_cast<std::byte>(draw());
        if (m.size() >= 8) {
            constexpr u8 types[] = {0x11, 0x12, 0x16, 0x17, 0x22};
            m[0] = std::byte{types[draw() % 5]};
            if (draw() % 2 == 0) store_be<u32>(m.data() + 4, group.value);
            if (m[0] == std::byte{0x22}) store_be<u16>(m.data() + 6, static_cast<u16>(draw() % 4));
            igmp::set_checksum(m);
        }
        now = now + duration::from_milliseconds(static_cast<i64>(draw()) % 500);
        static_cast<void>(q.receive(m, {static_cast<u32>(draw())}, now));
        instant next{};
        static_cast<void>(polled(q, now, &next));
        CHECK(next > now);
    }
}

}  // namespace

}  // namespace multicast_igmp_querier
