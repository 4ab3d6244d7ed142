// The router part of IGMP: queries, memberships by reports of all versions, the election.
#include "rfc/record.hpp"
#include "support/datagrams.hpp"
#include "support/igmp_model.hpp"

#include <sluice/multicast/igmp_querier.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace rfc_igmp_querier {

namespace {

using namespace sluice;
using namespace sluice::literals;
using igmp_model::short_message;
using support::byte_vector;

constexpr ipv4::address own = "10.0.1.5"_ip;
constexpr ipv4::address host = "10.0.1.9"_ip;
constexpr ipv4::address group = "239.1.1.1"_ip;
constexpr ipv4::address source = "10.9.0.1"_ip;
constexpr instant start = instant{} + 1000_s;

struct sent_query {
    instant at;
    ipv4::address to;
    byte_vector bytes;
};

struct router {
    explicit router(const querier_settings& s = {}) : querier{own, s, start} {}
    std::vector<sent_query> pass(duration d) {
        std::vector<sent_query> all;
        const instant end = now + d;
        for (;;) {
            const instant due = querier.poll(now, [&](ipv4::address to, const_bytes m) {
                all.push_back({now, to, {m.begin(), m.end()}});
            });
            if (due > end) break;
            now = due > now ? due : now;
        }
        now = end;
        return all;
    }
    bool hear(const byte_vector& m, ipv4::address from = host) {
        return querier.receive(m, from, now);
    }
    bool wants(ipv4::address from = source) const { return querier.wants(from, group, now); }

    igmp_querier<8, 8> querier;
    instant now = start;
};

// A report of version 3 of one record about the group.
byte_vector report(u8 type, const std::vector<u32>& sources, u8 auxiliary = 0) {
    byte_vector m(16 + 4 * sources.size() + 4u * auxiliary, std::byte{0});
    m[0] = std::byte{0x22};
    m[7] = std::byte{1};
    m[8] = std::byte{type};
    m[9] = std::byte{auxiliary};
    store_be<u16>(m.data() + 10, static_cast<u16>(sources.size()));
    store_be<u32>(m.data() + 12, group.value);
    for (std::size_t i = 0; i < sources.size(); ++i)
        store_be<u32>(m.data() + 16 + 4 * i, sources[i]);
    for (std::size_t i = 16 + 4 * sources.size(); i < m.size(); ++i)
        m[i] = std::byte{0xee};
    igmp::set_checksum(m);
    return m;
}

TEST_CASE("igmp: general queries, and questions after a leave") {
    router r;
    const auto general = r.pass(400_s);
    REQUIRE(general.size() >= 4);
    CHECK_RFC("R1812-115", general[0].to == ipv4::all_systems && general[0].at == start);
    CHECK_RFC("R3376-021", general[0].bytes.size() == 12 && general[0].bytes[1] == std::byte{100} &&
                               general[0].bytes[8] == std::byte{2} &&
                               general[0].bytes[9] == std::byte{125});
    CHECK_RFC("R3376-021", general.back().at - general[general.size() - 2].at == 125_s);
    CHECK_RFC("R2236-002", general[0].bytes[1] == std::byte{100});
    REQUIRE(r.hear(report(4, {})));
    CHECK_RFC("R1812-115", r.wants());
    static_cast<void>(r.pass(100_ms));
    REQUIRE(r.hear(report(3, {})));
    std::vector<sent_query> asked;
    const instant left = r.now;
    for (const auto& q : r.pass(2_s))
        if (q.to == group) asked.push_back(q);
    REQUIRE(asked.size() == 2);
    CHECK_RFC("R3376-021", asked[0].bytes[1] == std::byte{10} && asked[1].at - left == 1_s);
    CHECK_RFC("R1812-115", !r.wants());
}

TEST_CASE("igmp: reports of every version make members, a leave is asked about") {
    for (const byte_vector& m : {short_message(0x12, 0, group.value),
                                 short_message(0x16, 0, group.value), report(2, {})}) {
        router r;
        CHECK_RFC("R1812-115", !r.wants() && r.hear(m) && r.wants());
        static_cast<void>(r.pass(259_s));
        CHECK_RFC("R1812-115", r.wants());
        static_cast<void>(r.pass(2_s));
        CHECK_RFC("R1812-115", !r.wants());
    }
    router r;
    REQUIRE(r.hear(short_message(0x16, 0, group.value)));
    static_cast<void>(r.pass(1_s));
    REQUIRE(r.hear(short_message(0x17, 0, group.value)));
    CHECK_RFC("R1812-115", r.wants());
    static_cast<void>(r.pass(3_s));
    CHECK_RFC("R1812-115", !r.wants());
}

TEST_CASE("igmp: the router of the lowest address asks") {
    router r;
    static_cast<void>(r.pass(100_s));
    const auto query = igmp_model::query(0, 100, 2, 125, {});
    REQUIRE(r.hear(query, "10.0.1.6"_ip));
    CHECK_RFC("R1812-115", r.querier.is_querier());
    REQUIRE(r.hear(query, "10.0.1.4"_ip));
    CHECK_RFC("R1812-115", !r.querier.is_querier() && r.pass(254_s).empty());
    CHECK_RFC("R1812-115", !r.pass(2_s).empty() && r.querier.is_querier());
}

TEST_CASE("igmp: a router ignores messages with a wrong bit, and sums what it sends") {
    byte_vector longer = short_message(0x16, 0, group.value);
    longer.resize(20, std::byte{0x5a});
    igmp::set_checksum(longer);
    for (const byte_vector& good :
         {short_message(0x16, 0, group.value), report(2, {}), longer, report(1, {source.value})}) {
        for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
            byte_vector m = good;
            m[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
            router r;
            const bool ignored = !r.hear(m) && !r.wants();
            CHECK_RFC("R2236-003", ignored);
            CHECK_RFC("R3376-005", ignored);
        }
        router r;
        CHECK_RFC("R2236-004", r.hear(good) && r.wants());
    }
    router r;
    for (const auto& q : r.pass(300_s)) {
        u64 sum = 0;
        for (std::size_t i = 0; i < q.bytes.size(); i += 2)
            sum += load_be<u16>(q.bytes.data() + i);
        CHECK_RFC("R2236-003", sum % 0xffff == 0 && sum != 0);
    }
}

TEST_CASE("igmp: a router of version 2 states its time in tenths of a second") {
    router r{{.version = 2, .response_interval = 7_s}};
    const auto all = r.pass(1_s);
    REQUIRE(all.size() == 1);
    CHECK_RFC("R2236-002", all[0].bytes.size() == 8 && all[0].bytes[1] == std::byte{70});
}

TEST_CASE("igmp: records of every type, with auxiliary data, and of none") {
    const u32 a = source.value;
    const auto after = [&](const std::vector<byte_vector>& messages) {
        router r;
        for (const byte_vector& m : messages)
            REQUIRE(r.hear(m));
        static_cast<void>(r.pass(3_s));
        return r.wants() ? 1 : 0;
    };
    for (const u8 aux : {u8{0}, u8{1}, u8{3}}) {
        CHECK_RFC("R3376-008", after({report(1, {a}, aux)}) == 1);
        CHECK_RFC("R3376-009", after({report(1, {a}, aux)}) == 1);
        CHECK_RFC("R3376-009", after({report(2, {a}, aux)}) == 0);
        CHECK_RFC("R3376-009", after({report(2, {}, aux)}) == 1);
        CHECK_RFC("R3376-009", after({report(2, {}), report(3, {a}, aux)}) == 1);
        CHECK_RFC("R3376-009", after({report(1, {a}), report(3, {}, aux)}) == 0);
        CHECK_RFC("R3376-009", after({report(4, {a}, aux)}) == 0);
        CHECK_RFC("R3376-009", after({report(5, {a}, aux)}) == 1);
        CHECK_RFC("R3376-009", after({report(5, {a}), report(6, {a}, aux)}) == 0);
    }
    for (int type = 0; type < 256; ++type) {
        if (type >= 1 && type <= 6) continue;
        router r;
        static_cast<void>(r.hear(report(static_cast<u8>(type), {a})));
        static_cast<void>(r.hear(report(static_cast<u8>(type), {})));
        CHECK_RFC("R3376-009", !r.wants() && !r.wants(host));
        REQUIRE(r.hear(report(1, {a})));
        static_cast<void>(r.hear(report(static_cast<u8>(type), {})));
        static_cast<void>(r.pass(3_s));
        CHECK_RFC("R3376-009", r.wants() && !r.wants(host));
    }
}

}  // namespace

}  // namespace rfc_igmp_querier
