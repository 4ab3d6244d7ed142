// snmp_counters: ICMP types by name, drops by reason and the counters that their rows name.
#include <doctest/doctest.h>

#include <sluice/stats/snmp_counters.hpp>

#include <string>

namespace stats_snmp_counters {

namespace {

using namespace sluice;

u64 sum_of(const snmp_counters& c) {
    u64 sum = 0;
    for (std::size_t i = 1; i < mib_count; ++i)
        sum += c[static_cast<mib>(i)];
    return sum;
}

// RFC 4293; the names of /proc/net/snmp.
TEST_CASE("ICMP types with a name") {
    const struct {
        u8 type;
        const char* name;
    } rows[] = {
        {0, "EchoReps"},       {3, "DestUnreachs"}, {4, "SrcQuenchs"},    {5, "Redirects"},
        {8, "Echos"},          {11, "TimeExcds"},   {12, "ParmProbs"},    {13, "Timestamps"},
        {14, "TimestampReps"}, {17, "AddrMasks"},   {18, "AddrMaskReps"},
    };
    bool named[256]{};
    for (const auto& row : rows) {
        named[row.type] = true;
        snmp_counters c;
        c.icmp_in(row.type);
        c.icmp_out(row.type);
        c.icmp_out(row.type);
        for (std::size_t i = 1; i < mib_count; ++i) {
            const std::string field = mib_names[i].field;
            const u64 n = c[static_cast<mib>(i)];
            CAPTURE(field);
            CHECK(n == (field == std::string{"In"} + row.name    ? 1U
                        : field == std::string{"Out"} + row.name ? 2U
                                                                 : 0U));
        }
    }
    snmp_counters unnamed;
    for (unsigned type = 0; type < 256; ++type) {
        if (named[type]) continue;
        unnamed.icmp_in(static_cast<u8>(type));
        unnamed.icmp_out(static_cast<u8>(type));
        CHECK(unnamed.icmp_in_type(static_cast<u8>(type)) == 1);
    }
    CHECK(sum_of(unnamed) == 0);
}

TEST_CASE("a drop moves the counters of its row once a packet") {
    for (std::size_t i = 0; i < drop_reason_count; ++i) {
        const auto why = static_cast<drop_reason>(i);
        const drop_info& row = describe(why);
        snmp_counters c;
        c.dropped(why, 1);
        c.dropped(why, 4);
        CAPTURE(row.name);
        CHECK(c[why] == 5);
        CHECK(c.drops() == 5);
        u64 expected = 0;
        for (const mib named : {row.first, row.second}) {
            if (named == mib::none) continue;
            CHECK(c[named] == 5);
            expected += 5;
        }
        CHECK(sum_of(c) == expected);
        CHECK(c[mib::none] == 0);
    }
}

TEST_CASE("a sum adds every counter") {
    snmp_counters a;
    snmp_counters b;
    for (std::size_t i = 1; i < mib_count; ++i) {
        a.add(static_cast<mib>(i), i);
        b.add(static_cast<mib>(i), 1000);
    }
    for (std::size_t i = 0; i < balance_kinds; ++i)
        b.tally(static_cast<balance>(i), i + 5);
    a += b;
    for (std::size_t i = 1; i < mib_count; ++i)
        CHECK(a[static_cast<mib>(i)] == i + 1000);
    for (std::size_t i = 0; i < balance_kinds; ++i)
        CHECK(a[static_cast<balance>(i)] == i + 5);
    snmp_counters events;
    events.icmp_in(8);
    events.icmp_out(255);
    events.dropped(drop_reason::header_checksum, 3);
    const u64 named = a[mib::icmp_in_echos];
    a += events;
    a += events;
    CHECK(a.icmp_in_type(8) == 2);
    CHECK(a.icmp_out_type(255) == 2);
    CHECK(a[mib::icmp_in_echos] == named + 2);
    CHECK(a[drop_reason::header_checksum] == 6);
    CHECK(a.drops() == 6);
    CHECK(a[mib::none] == 0);
}

TEST_CASE("counts beyond 32 bits") {
    snmp_counters c;
    c.add(mib::ipext_in_octets, 0xffffffffU);
    c.add(mib::ipext_in_octets, 2);
    CHECK(c[mib::ipext_in_octets] == 0x100000001U);
    c.tally(balance::delivered, 0x100000000U);
    CHECK(c[balance::delivered] == 0x100000000U);
    CHECK(c[balance::received] == 0);
}

}  // namespace

}  // namespace stats_snmp_counters
