#include <doctest/doctest.h>

#include <sluice/wire/igmp.hpp>
#include <sluice/wire/literals.hpp>

#include "random_bytes.hpp"

namespace wire_igmp {
using namespace sluice;
using namespace sluice::literals;

TEST_CASE("igmp: the version of a query follows from size and code") {
    CHECK(igmp::query_version("1100eeff00000000"_hex) == 1);
    CHECK(igmp::query_version("1164ee9b00000000"_hex) == 2);
    CHECK(igmp::query_version("1164ec1e00000000 027d0000"_hex) == 3);
    CHECK(igmp::query_version("1164ec1e00000000 027d00"_hex) == 0);
    CHECK(igmp::query_version("1164ec1e0000"_hex) == 0);
    CHECK(igmp::query_version({}) == 0);
}

TEST_CASE("igmp: fields of a version 3 query and its sources") {
    const auto query = "1164 0000 e0010203 0a 7d 0002 0a000001 0a000002 ffff"_hex;
    const igmp::const_v3_query_view view{query.data()};
    CHECK(view[igmp::group] == "224.1.2.3"_ip);
    CHECK(view[igmp::suppress]);
    CHECK(view[igmp::robustness] == 2);
    CHECK(view[igmp::query_interval_code] == 125);
    CHECK(view[igmp::source_count] == 2);
    const auto sources = igmp::query_sources(query);
    CHECK(sources.size() == 8);
    CHECK(igmp::source_at(sources, 1) == "10.0.0.2"_ip);
    CHECK(igmp::source_at(sources, 2) == ipv4::unspecified);
    CHECK(igmp::query_sources(const_bytes{query}.first(19)).size() == 4);
    CHECK(igmp::query_sources(const_bytes{query}.first(12)).empty());
    CHECK(igmp::query_sources(const_bytes{query}.first(11)).empty());
}

TEST_CASE("igmp: float codes decode by the formula of RFC 3376 and encode to the next below") {
    for (unsigned code = 0; code < 256; ++code) {
        u32 expected = code;
        if (code >= 128) {
            const u32 mantissa = code % 16;
            const u32 exponent = code / 16 % 8;
            expected = mantissa + 16;
            for (u32 i = 0; i < exponent + 3; ++i)
                expected *= 2;
        }
        CAPTURE(code);
        CHECK(igmp::decode_float(static_cast<u8>(code)) == expected);
        CHECK(igmp::encode_float(expected) == code);
    }
    for (u32 value = 0; value < 33000; ++value) {
        const u8 code = igmp::encode_float(value);
        CHECK(igmp::decode_float(code) <= value);
        if (code != 255) CHECK(igmp::decode_float(static_cast<u8>(code + 1)) > value);
    }
    CHECK(igmp::encode_float(~u32{0}) == 255);
}

TEST_CASE("igmp: records of a report, with sources and auxiliary data") {
    const auto report = "2200 0000 0000 0002"
                        "04 00 0000 e0010203"
                        "01 01 0002 e0010204 0a000001 0a000002 deadbeef"_hex;
    igmp::record_cursor at{report};
    REQUIRE(at.next());
    CHECK(at.record()[igmp::record_type] == igmp::record_types::change_to_exclude);
    CHECK(at.record()[igmp::record_group] == "224.1.2.3"_ip);
    CHECK(at.sources().empty());
    CHECK(at.auxiliary().empty());
    REQUIRE(at.next());
    CHECK(igmp::source_at(at.sources(), 1) == "10.0.0.2"_ip);
    CHECK(equal_bytes(at.auxiliary(), "deadbeef"_hex));
    CHECK_FALSE(at.next());
    CHECK_FALSE(at.malformed());
    for (std::size_t size = 0; size < report.size(); ++size) {
        igmp::record_cursor cut{const_bytes{report}.first(size)};
        std::size_t seen = 0;
        while (cut.next())
            ++seen;
        CAPTURE(size);
        CHECK(seen == (size < 16 ? 0 : 1));
        CHECK(cut.malformed() == (size >= 8));
        CHECK_FALSE(cut.next());
    }
}

TEST_CASE("igmp: any bytes are walked within their bounds") {
    wire_test::random_bytes random{81};
    std::size_t all = 0;
    for (int round = 0; round < 5000; ++round) {
        auto report = random.make(random.below(100));
        for (auto& one : report) {
            if (random.below(4) != 0) one = static_cast<std::byte>(random.below(3));
        }
        std::size_t steps = 0;
        const auto* const end = report.data() + report.size();
        for (igmp::record_cursor at{report}; at.next();) {
            ++steps;
            CHECK(at.sources().data() + at.sources().size() <= at.auxiliary().data());
            CHECK(at.auxiliary().data() + at.auxiliary().size() <= end);
        }
        CHECK(steps * 8 <= report.size());
        all += steps;
    }
    CHECK(all > 500);
}

TEST_CASE("igmp: checksum") {
    auto leave = "1700ffffe0010203"_hex;
    igmp::set_checksum(leave);
    CHECK(leave == "170006fbe0010203"_hex);
    CHECK(igmp::checksum_ok(leave));
    leave[7] ^= std::byte{1};
    CHECK_FALSE(igmp::checksum_ok(leave));
}

}  // namespace wire_igmp
