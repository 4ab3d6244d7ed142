// The pcapng reader: files of both byte orders built block by block, and files with false lengths.
#include <sluice/port/pcapng.hpp>

#include "support/datagrams.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace port_pcapng {
using namespace support;
using namespace sluice::port;
using pcapng::error;

namespace {

struct file {
    bool little = false;
    byte_vector all = {};

    void u16_(u32 v) {
        for (const u32 i : {0u, 1u})
            all.push_back(static_cast<std::byte>(v >> (little ? 8 * i : 8 - 8 * i)));
    }
    void u32_(u64 v) {
        for (const u32 i : {0u, 1u, 2u, 3u})
            all.push_back(static_cast<std::byte>(v >> (little ? 8 * i : 24 - 8 * i)));
    }
    void pad() {
        while (all.size() % 4 != 0)
            all.push_back({});
    }
    template <class Body>
    file& block(u32 type, Body&& body) {
        const std::size_t at = all.size();
        u32_(type);
        u32_(0);
        body();
        pad();
        const u32 length = static_cast<u32>(all.size() - at + 4);
        u32_(length);
        byte_vector own;
        std::swap(own, all);
        u32_(length);
        std::swap(own, all);
        copy_bytes(all.data() + at + 4, own.data(), 4);
        return *this;
    }
    file& section(u32 major = 1, u32 magic = 0x1a2b3c4d) {
        return block(0x0a0d0d0a, [&] { u32_(magic), u16_(major), u16_(0), u32_(~0u), u32_(~0u); });
    }
    file& interface(u32 link, int resolution = -1, i64 offset = 0, u32 snap = 0) {
        return block(1, [&] {
            u16_(link), u16_(0), u32_(snap);
            u16_(2), u16_(3), u32_(0x61626300);  // a name
            if (resolution >= 0) {
                u16_(9), u16_(1);
                all.push_back(static_cast<std::byte>(resolution));
                pad();
            }
            if (offset != 0) {
                u16_(14), u16_(8);
                const u64 v = static_cast<u64>(offset);
                u32_(little ? v & 0xffffffff : v >> 32), u32_(little ? v >> 32 : v & 0xffffffff);
            }
            u16_(0), u16_(0);
        });
    }
    file& packet(u32 interface, u64 ticks, const byte_vector& data, u32 original = 60) {
        return block(6, [&] {
            u32_(interface), u32_(ticks >> 32), u32_(ticks & 0xffffffff);
            u32_(data.size()), u32_(original);
            all.insert(all.end(), data.begin(), data.end());
        });
    }
};

// Every record up to the end, or the error.
struct reading {
    std::vector<pcapng::record> records;
    error end = error::none;
};
reading read(const byte_vector& content) {
    reading r;
    auto opened = pcapng::reader::open(content);
    r.end = opened.error();
    while (r.end == error::none) {
        const auto next = opened->next();
        r.end = next.error();
        if (next.has_value()) r.records.push_back(*next);
    }
    return r;
}

byte_vector bytes_of(const_bytes view) {
    return {view.begin(), view.end()};
}

}  // namespace

TEST_CASE("interfaces of several link types and clocks, sections of either order") {
    file f;
    f.section().interface(1).interface(101, 9);
    f.packet(1, 7'000'000'009, list({0x45, 1, 2})).block(0xbad, [&] { f.u32_(1); });
    f.packet(0, 7'000'009, list({1, 2, 3, 4}), 4);
    f.little = true;
    f.section().interface(228, 0x80 | 10, 100);
    f.packet(0, (5u << 10) + 512, list({0x45}));
    f.block(3, [&] { f.u32_(2), f.u16_(0xbbaa); });
    f.block(2, [&] {
        f.u16_(0), f.u16_(9), f.u32_(0), f.u32_(1024), f.u32_(1), f.u32_(1), f.u16_(0x77);
    });
    const reading r = read(f.all);
    CHECK(r.end == error::end);
    REQUIRE(r.records.size() == 5);
    const pcapng::record& plain = r.records[0];
    const pcapng::record& first = r.records[1];
    const pcapng::record& other = r.records[2];
    const pcapng::record& simple = r.records[3];
    const pcapng::record& old = r.records[4];
    CHECK(plain.link == pcap::link_type::raw);
    CHECK(plain.since_epoch.nanoseconds == 7'000'000'009);
    CHECK(plain.interface == 1);
    CHECK(plain.is_cut());
    CHECK(plain.direction == capture::direction::unknown);
    CHECK_FALSE(first.is_cut());
    CHECK(first.interface == 0);
    CHECK(other.interface == 2);  // counted on through the sections
    CHECK(simple.interface == 2);
    CHECK(old.interface == 2);
    CHECK(plain.original_length == 60);
    CHECK(bytes_of(plain.captured) == list({0x45, 1, 2}));
    CHECK(first.link == pcap::link_type::ethernet);
    CHECK(first.since_epoch.nanoseconds == 7'000'009'000);
    CHECK(bytes_of(first.captured) == list({1, 2, 3, 4}));
    CHECK(other.link == pcap::link_type::ipv4);
    CHECK(other.since_epoch.nanoseconds == 105'500'000'000);
    CHECK(simple.since_epoch.nanoseconds == 0);
    CHECK(bytes_of(simple.captured) == list({0xaa, 0xbb}));
    CHECK(old.since_epoch.nanoseconds == 101'000'000'000);
    CHECK(bytes_of(old.captured) == list({0x77}));
}

TEST_CASE("any number of interfaces, in each section its own") {
    file f;
    f.section();
    for (u32 i = 0; i < 1000; ++i) {
        f.interface(i % 2 == 0 ? 1 : 101);
    }
    f.packet(999, 1, list({1})).section().interface(113).packet(0, 1, list({2}));
    const reading r = read(f.all);
    CHECK(r.end == error::end);
    REQUIRE(r.records.size() == 2);
    CHECK(r.records[0].interface == 999);
    CHECK(r.records[0].link == pcap::link_type::raw);
    CHECK(r.records[1].interface == 1000);
    CHECK(r.records[1].link == pcap::link_type::linux_sll);
    f.packet(1, 1, list({3}));  // the second section has one
    CHECK(read(f.all).end == error::no_interface);
    auto opened = pcapng::reader::open(f.all);
    REQUIRE((opened && opened->next() && opened->next()));
    REQUIRE(opened->interfaces().size() == 1001);
    CHECK(bytes_of(opened->interfaces()[1000].name) == list({'a', 'b', 'c'}));
}

TEST_CASE("the direction of a packet; damaged options are ignored") {
    struct row {
        u32 code;
        u32 length = 4;
        u32 value;
        capture::direction direction = capture::direction::unknown;
    };
    for (const bool little : {false, true}) {
        for (const row& r :
             {row{.code = 2, .length = 4, .value = 1, .direction = capture::direction::in},
              {.code = 2, .value = 2, .direction = capture::direction::out},
              {.code = 2, .value = 0x106, .direction = capture::direction::out},
              {.code = 2, .value = 3},
              {.code = 2, .value = 4},
              {.code = 3, .value = 1},
              {.code = 2, .length = 40, .value = 1}}) {
            CAPTURE(r.code);
            CAPTURE(r.value);
            CAPTURE(r.length);
            file f;
            f.little = little;
            f.section().interface(1).block(6, [&] {
                f.u32_(0), f.u32_(0), f.u32_(0), f.u32_(3), f.u32_(3);
                f.u32_(0), f.u16_(r.code), f.u16_(r.length), f.u32_(r.value);
            });
            const reading got = read(f.all);
            REQUIRE(got.records.size() == 1);
            CHECK(got.records[0].direction == r.direction);
        }
    }
}

TEST_CASE("clocks of any resolution") {
    struct row {
        const char* name;
        int resolution;
        i64 offset = 0;
        u64 ticks;
        i64 nanoseconds;
    };
    constexpr i64 last = 0x7fff'ffff'ffff'ffff;
    const row rows[] = {
        {.name = "seconds", .resolution = 0, .ticks = 3, .nanoseconds = 3'000'000'000},
        {.name = "seconds, too many", .resolution = 0, .ticks = ~u64{0}, .nanoseconds = last},
        {.name = "microseconds, all", .resolution = 6, .ticks = ~u64{0}, .nanoseconds = last},
        {.name = "nanoseconds, the last",
         .resolution = 9,
         .ticks = 9'223'372'035'999'999'999,
         .nanoseconds = 9'223'372'035'999'999'999},
        {.name = "picoseconds",
         .resolution = 12,
         .ticks = 1'000'000'001'999,
         .nanoseconds = 1'000'000'001},
        {.name = "finer than can be", .resolution = 127, .ticks = ~u64{0}, .nanoseconds = 0},
        {.name = "halves", .resolution = 0x81, .ticks = 3, .nanoseconds = 1'500'000'000},
        {.name = "2^-32", .resolution = 0xa0, .ticks = u64{1} << 31, .nanoseconds = 500'000'000},
        {.name = "2^-63", .resolution = 0xbf, .ticks = u64{3} << 62, .nanoseconds = 1'500'000'000},
        {.name = "2^-64", .resolution = 0xc0, .ticks = ~u64{0}, .nanoseconds = 0},
        {.name = "2^-127", .resolution = 0xff, .ticks = ~u64{0}, .nanoseconds = 0},
        {.name = "before the epoch",
         .resolution = 6,
         .offset = -10,
         .ticks = 1,
         .nanoseconds = -9'999'999'000},
        {.name = "offset too large",
         .resolution = 6,
         .offset = last,
         .ticks = 1,
         .nanoseconds = last},
        {.name = "offset too small",
         .resolution = 6,
         .offset = -last,
         .ticks = 1,
         .nanoseconds = -last},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        file f;
        f.section().interface(1, r.resolution, r.offset).packet(0, r.ticks, {});
        const reading got = read(f.all);
        REQUIRE(got.records.size() == 1);
        CHECK(got.records[0].since_epoch.nanoseconds == r.nanoseconds);
    }
}

TEST_CASE("files with false lengths") {
    const auto in_file = [](auto&& build) {
        file f;
        build(f);
        f.all.shrink_to_fit();  // so that a sanitizer sees a read past the end
        return read(f.all).end;
    };
    CHECK(read({}).end == error::truncated);
    CHECK(read(list({0xa1, 0xb2, 0xc3, 0xd4, 0, 0})).end == error::not_a_capture);
    CHECK(in_file([](file& f) { f.section(2); }) == error::version);
    CHECK(in_file([](file& f) { f.section(1, 0x12345678); }) == error::damaged);
    CHECK(in_file([](file& f) { f.section().packet(0, 0, {}); }) == error::no_interface);
    CHECK(in_file([](file& f) { f.section().interface(1).section().packet(0, 0, {}); }) ==
          error::no_interface);
    CHECK(in_file([](file& f) { f.section().interface(1).packet(1, 0, {}); }) ==
          error::no_interface);
    CHECK(in_file([](file& f) { f.section().block(3, [&] { f.u32_(0); }); }) ==
          error::no_interface);
    CHECK(in_file([](file& f) { f.section().block(1, [&] { f.u32_(1); }); }) == error::damaged);
    CHECK(in_file([](file& f) { f.section().interface(1).block(6, [&] { f.u32_(0); }); }) ==
          error::damaged);
    CHECK(in_file([](file& f) { f.section().interface(1).block(3, [&] {}); }) == error::damaged);
    CHECK(in_file([](file& f) {  // an option longer than its block
              f.section().block(1, [&] { f.u32_(1), f.u32_(0), f.u16_(9), f.u16_(200); });
          }) == error::damaged);
    CHECK(in_file([](file& f) {  // more bytes than its block
              f.section().interface(1).block(
                  6, [&] { f.u32_(0), f.u32_(0), f.u32_(0), f.u32_(5), f.u32_(5), f.u32_(0); });
          }) == error::damaged);
    CHECK(in_file([](file& f) {
              f.section().interface(1).block(
                  6, [&] { f.u32_(0), f.u32_(0), f.u32_(0), f.u32_(~0u), f.u32_(5), f.u32_(0); });
          }) == error::too_long);
    for (const u32 length : {0u, 8u, 13u}) {
        CAPTURE(length);
        CHECK(in_file([&](file& f) { f.section().u32_(7), f.u32_(length), f.u32_(length); }) ==
              error::damaged);
    }
    CHECK(in_file([&](file& f) { f.section().u32_(7), f.u32_(12), f.u32_(16); }) == error::damaged);
    CHECK(in_file([&](file& f) { f.section().u32_(7), f.u32_(~3u), f.u32_(16); }) ==
          error::truncated);
}

TEST_CASE("a file of more interfaces than the reader keeps is an error, not memory without end") {
    const auto of = [](std::size_t interfaces) {
        file f;
        f.section();
        for (std::size_t i = 0; i < interfaces; ++i) {
            f.interface(1);
        }
        return f;
    };
    const std::size_t most = pcapng::reader::most_interfaces;
    CHECK(read(of(most).all).end == error::end);
    CHECK(read(of(most + 1).all).end == error::too_many_interfaces);
}

TEST_CASE("a snap length limits a simple packet") {
    file f;
    f.section().interface(1, -1, 0, 2).block(3, [&] { f.u32_(1000), f.u16_(0x1234); });
    const reading r = read(f.all);
    REQUIRE(r.records.size() == 1);
    CHECK(bytes_of(r.records[0].captured) == list({0x12, 0x34}));
    CHECK(r.records[0].original_length == 1000);
}

TEST_CASE("every cut and every changed byte is an answer, never a read outside") {
    file f;
    f.section().interface(1, 9).interface(101, 6, 1);
    f.packet(1, 5, pattern(21)).block(3, [&] { f.u32_(4), f.u32_(0); });
    for (std::size_t n = 0; n < f.all.size(); ++n) {
        const byte_vector cut{f.all.begin(), f.all.begin() + static_cast<std::ptrdiff_t>(n)};
        const error end = read(cut).end;
        CHECK((end == error::truncated || end == error::end));
    }
    for (std::size_t i = 0; i < f.all.size(); ++i) {
        for (const int value : {0, 1, 0x7f, 0x80, 0xff}) {
            byte_vector changed = f.all;
            changed[i] = static_cast<std::byte>(value);
            const reading r = read(changed);
            CHECK(r.end != error::none);
            CHECK(r.records.size() <= 2);
        }
    }
}

}  // namespace port_pcapng
