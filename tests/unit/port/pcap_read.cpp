// The pcap reader: golden files of both byte orders and resolutions, and files with false lengths.
#include <sluice/port/pcap.hpp>

#include "unit/port/hex.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace port_pcap_read {
using namespace sluice;
using namespace sluice::port::pcap;
using port_test::from_hex;

namespace {

struct file_row {
    const char* name;
    const char* hex;
    link_type link;
    i64 nanoseconds;
};

}  // namespace

TEST_CASE("one record in each of the four forms") {
    const file_row rows[] = {
        {.name = "big, microseconds",
         .hex = "a1b2c3d4 0002 0004 00000000 00000000 0000ffff 00000065"
                "00000007 00000009 00000003 00000010 450102",
         .link = link_type::raw,
         .nanoseconds = 7'000'009'000},
        {.name = "little, microseconds",
         .hex = "d4c3b2a1 0200 0400 00000000 00000000 ffff0000 01000000"
                "07000000 09000000 03000000 10000000 450102",
         .link = link_type::ethernet,
         .nanoseconds = 7'000'009'000},
        {.name = "big, nanoseconds",
         .hex = "a1b23c4d 0002 0004 00000000 00000000 0000ffff 000000e4"
                "00000007 00000009 00000003 00000010 450102",
         .link = link_type::ipv4,
         .nanoseconds = 7'000'000'009},
        {.name = "little, nanoseconds, check sequence bits",
         .hex = "4d3cb2a1 0200 0400 00000000 00000000 ffff0000 71000024"
                "07000000 09000000 03000000 10000000 450102",
         .link = link_type::linux_sll,
         .nanoseconds = 7'000'000'009},
    };
    for (const file_row& r : rows) {
        CAPTURE(r.name);
        const auto file = from_hex(r.hex);
        auto opened = reader::open(file);
        REQUIRE(opened.has_value());
        CHECK(opened->interface().link == r.link);
        CHECK(opened->interface().snap_length == 65535);
        const auto found = opened->next();
        REQUIRE(found.has_value());
        CHECK(found->since_epoch.nanoseconds == r.nanoseconds);
        CHECK(found->link == r.link);
        CHECK(found->interface == 0);
        CHECK(found->is_cut());
        CHECK(found->original_length == 16);
        REQUIRE(found->captured.size() == 3);
        CHECK(found->captured[2] == std::byte{2});
        CHECK(opened->next().error() == error::end);
    }
}

TEST_CASE("written records are read again") {
    std::vector<std::byte> file(file_header_size + record_header_size + 1);
    write_file_header(file.data(), link_type::raw);
    CHECK(load_be<u32>(file.data() + 20) == 101);  // LINKTYPE_RAW
    write_record_header(file.data() + file_header_size, 1_s + 5_ms, 1, 1500);
    file.back() = std::byte{0x45};
    auto opened = reader::open(file);
    REQUIRE(opened.has_value());
    CHECK(opened->is_nanosecond());
    CHECK_FALSE(opened->is_little_endian());
    const auto found = opened->next();
    REQUIRE(found.has_value());
    CHECK(found->since_epoch == 1_s + 5_ms);
    CHECK(found->original_length == 1500);
}

TEST_CASE("a time before 1970 is written as 1970") {
    std::byte header[record_header_size];
    write_record_header(header, {-1}, 1, 1);
    CHECK(load_be<u64>(header) == 0);
}

TEST_CASE("files with false lengths") {
    struct row {
        const char* name;
        const char* hex;
        error at_open = error::none;
        error at_next = error::none;
    };
    const char* const cut =
        "a1b2c3d4 0002 0004 00000000 00000000 0000ffff 00000065 00000007 00000009 00000003";
    const row rows[] = {
        {.name = "empty", .hex = "", .at_open = error::truncated},
        {.name = "three bytes", .hex = "a1b2c3", .at_open = error::truncated},
        {.name = "magic alone", .hex = "a1b2c3d4", .at_open = error::truncated},
        {.name = "text", .hex = "23212f62 696e2f73", .at_open = error::not_a_capture},
        {.name = "pcapng", .hex = "0a0d0d0a 0000001c", .at_open = error::not_a_capture},
        {.name = "version 1",
         .hex = "a1b2c3d4 0001 0004 00000000 00000000 0000ffff 00000065",
         .at_open = error::version},
        {.name = "no records",
         .hex = "a1b2c3d4 0002 0004 00000000 00000000 0000ffff 00000065",
         .at_next = error::end},
        {.name = "cut record header", .hex = cut, .at_next = error::truncated},
        {.name = "cut record",
         .hex = "a1b2c3d4 0002 0004 00000000 00000000 0000ffff 00000065"
                "00000007 00000009 00000003 00000010 4501",
         .at_next = error::truncated},
        {.name = "length 2^32-1",
         .hex = "a1b2c3d4 0002 0004 00000000 00000000 0000ffff 00000065"
                "00000007 00000009 ffffffff 00000010 4501",
         .at_next = error::too_long},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const auto file = from_hex(r.hex);
        auto opened = reader::open(file);
        CHECK(opened.error() == r.at_open);
        if (opened) {
            CHECK(opened->next().error() == r.at_next);
            CHECK(opened->next().error() == r.at_next);  // it stays there
        }
    }
}

}  // namespace port_pcap_read
