// validate: each of the checks of Linux's ip_rcv_core, and their order.
#include <doctest/doctest.h>

#include <sluice/packet/pool_storage.hpp>
#include <sluice/pipeline/validate.hpp>

#include "support/datagrams.hpp"
#include "support/validated.hpp"

namespace pipeline_validate {

namespace {

using namespace support;

struct fault {
    const char* name;
    void (*break_it)(byte_vector&);
    drop_reason expected;
};

void set_byte(byte_vector& d, std::size_t at, int value) {
    d[at] = static_cast<std::byte>(value);
}
void repair(byte_vector& d) {
    store_be<u16>(d.data() + 10, 0);
    const unsigned words = static_cast<unsigned>(d[0]) & 15;
    store_be<u16>(d.data() + 10, checksum::compute_header(d.data(), words));
}

constexpr fault faults[] = {
    {.name = "nothing wrong", .break_it = [](byte_vector&) {}, .expected = drop_reason::none},
    {.name = "empty",
     .break_it = [](byte_vector& d) { d.clear(); },
     .expected = drop_reason::header_truncated},
    {.name = "19 bytes",
     .break_it = [](byte_vector& d) { d.resize(19); },
     .expected = drop_reason::header_truncated},
    {.name = "version 6",
     .break_it = [](byte_vector& d) { set_byte(d, 0, 0x65), repair(d); },
     .expected = drop_reason::header_invalid},
    {.name = "version 0",
     .break_it = [](byte_vector& d) { set_byte(d, 0, 0x05), repair(d); },
     .expected = drop_reason::header_invalid},
    {.name = "header length 4 words, its checksum right",
     .break_it =
         [](byte_vector& d) {
             set_byte(d, 0, 0x44);
             store_be<u16>(d.data() + 10, 0);
             store_be<u16>(d.data() + 10, checksum::compute_header(d.data(), 4));
         },
     .expected = drop_reason::header_invalid},
    {.name = "header length 0",
     .break_it = [](byte_vector& d) { set_byte(d, 0, 0x40); },
     .expected = drop_reason::header_invalid},
    {.name = "60 bytes of header, 36 there",
     .break_it = [](byte_vector& d) { set_byte(d, 0, 0x4f); },
     .expected = drop_reason::header_truncated},
    {.name = "a bit of the identification turned",
     .break_it = [](byte_vector& d) { d[5] ^= std::byte{1}; },
     .expected = drop_reason::header_checksum},
    {.name = "checksum ffff for 0000 is right",
     .break_it =
         [](byte_vector& d) {
             store_be<u16>(d.data() + 4, 0);
             repair(d);
             const u16 sum = load_be<u16>(d.data() + 10);
             store_be<u16>(d.data() + 4, sum);  // now everything sums to ffff without a checksum
             store_be<u16>(d.data() + 10, 0xffff);
         },
     .expected = drop_reason::none},
    {.name = "total length one more than came",
     .break_it =
         [](byte_vector& d) {
             store_be<u16>(d.data() + 2, static_cast<u16>(d.size() + 1));
             repair(d);
         },
     .expected = drop_reason::length_beyond_packet},
    {.name = "total length 19",
     .break_it = [](byte_vector& d) { store_be<u16>(d.data() + 2, 19), repair(d); },
     .expected = drop_reason::length_below_header},
    {.name = "total length 0",
     .break_it = [](byte_vector& d) { store_be<u16>(d.data() + 2, 0), repair(d); },
     .expected = drop_reason::length_below_header},
    {.name = "total length of the header alone",
     .break_it = [](byte_vector& d) { store_be<u16>(d.data() + 2, 20), repair(d); },
     .expected = drop_reason::none},
};

auto broken(fixed_pool<256, 2>& pool, const fault& f) {
    byte_vector d = datagram_of({});
    f.break_it(d);
    return packet_of(pool, d);
}

TEST_CASE("validate: each fault has its drop reason") {
    fixed_pool<256, 2> pool;
    for (const fault& f : faults) {
        INFO(doctest::String{f.name});
        auto packet = broken(pool, f);
        const byte_vector before = content_of(packet);
        CHECK(pipeline::validator::check(packet) == f.expected);
        const byte_vector after = content_of(packet);
        CHECK_MESSAGE(equal_bytes(after, const_bytes{before}.first(after.size())), "bytes changed");
    }
}

TEST_CASE("validate: only a valid packet is moved from") {
    fixed_pool<256, 2> pool;
    for (const fault& f : faults) {
        INFO(doctest::String{f.name});
        auto packet = broken(pool, f);
        const byte_vector d = content_of(packet);
        auto made = pipeline::validate(packet);
        CHECK(made.error() == f.expected);
        CHECK(made.has_value() == (f.expected == drop_reason::none));
        if (made.has_value()) {
            CHECK_FALSE(packet);
            CHECK(equal_bytes(content_of(made->packet()),
                              const_bytes{d}.first(made->packet().size())));
        } else {
            CHECK(content_of(packet) == d);
            CHECK(packet.interface() == 2);
        }
        CHECK(pool.available() == 1);
    }
    CHECK(pool.available() == 2);
}

TEST_CASE("validate: revalidate leaves a refused packet in place, and skips the checksum") {
    fixed_pool<256, 1> pool;
    byte_vector d = datagram_of({});
    d[10] ^= std::byte{1};
    auto packet = packet_of(pool, d);
    CHECK(pipeline::validate(packet).error() == drop_reason::header_checksum);
    auto made = pipeline::revalidate(packet);
    REQUIRE(made.has_value());
    CHECK_FALSE(packet);
    CHECK(content_of(made->packet()) == d);
    packet = std::move(*made).release();
    packet.data()[0] = std::byte{0x65};
    CHECK(pipeline::revalidate(packet).error() == drop_reason::header_invalid);
    CHECK(packet.size() == d.size());
}

TEST_CASE("validate: of two faults the first in Linux's order is named") {
    const auto bad_version = [](byte_vector& d) { set_byte(d, 0, 0x65); };
    const auto bad_sum = [](byte_vector& d) { d[10] ^= std::byte{1}; };
    const auto too_long = [](byte_vector& d) { store_be<u16>(d.data() + 2, 2000); };
    const auto below_header_and_beyond = [](byte_vector& d) {
        d = datagram_of({.options = byte_vector(40), .payload = {}});
        store_be<u16>(d.data() + 2, 59);
        repair(d);
        d.resize(60);
    };
    const struct {
        const char* name;
        std::vector<void (*)(byte_vector&)> faults;
        drop_reason expected;
    } rows[] = {
        {.name = "19 bytes of version 6",
         .faults = {bad_version, [](byte_vector& d) { d.resize(19); }},
         .expected = drop_reason::header_truncated},
        {.name = "version, checksum, length",
         .faults = {bad_version, bad_sum, too_long},
         .expected = drop_reason::header_invalid},
        {.name = "long header that is not there, checksum",
         .faults = {bad_sum, [](byte_vector& d) { set_byte(d, 0, 0x4f); }},
         .expected = drop_reason::header_truncated},
        {.name = "checksum, length",
         .faults = {bad_sum, too_long},
         .expected = drop_reason::header_checksum},
        {.name = "under the header, and all of it there",
         .faults = {below_header_and_beyond},
         .expected = drop_reason::length_below_header},
    };
    fixed_pool<256, 2> pool;
    for (const auto& row : rows) {
        INFO(doctest::String{row.name});
        byte_vector d = datagram_of({});
        for (const auto& f : row.faults)
            f(d);
        auto packet = packet_of(pool, d);
        CHECK(pipeline::validator::check(packet) == row.expected);
    }
}

TEST_CASE("validate: padding of the link layer is cut, nothing else") {
    fixed_pool<256, 2> pool;
    const byte_vector whole = datagram_of({.payload = pattern(5)});
    byte_vector padded = whole;
    padded.resize(46, std::byte{0xaa});
    auto d = support::validated(packet_of(pool, padded));
    REQUIRE(d.has_value());
    CHECK(content_of(d->packet()) == whole);
    CHECK(d->header_size() == 20);
    CHECK(d->payload_size() == 5);
}

TEST_CASE("validate: a header cut into segments is made contiguous; a refused packet goes back") {
    fixed_pool<256, 4> pool;
    const byte_vector whole = datagram_of({.options = list({1, 1, 1, 1}), .payload = pattern(40)});
    for (std::size_t cut : {1u, 10u, 20u, 22u, 24u, 30u}) {
        CAPTURE(cut);
        auto head = packet_of(pool, byte_vector(whole.begin(), whole.begin() + long(cut)));
        head.append(packet_of(pool, byte_vector(whole.begin() + long(cut), whole.end())));
        auto d = pipeline::validate(head);
        REQUIRE(d.has_value());
        CHECK(d->packet().head_size() >= 24);
        CHECK(content_of(d->packet()) == whole);
    }
    byte_vector bad = whole;
    bad[8] ^= std::byte{1};
    CHECK(support::validated(packet_of(pool, bad)).error() == drop_reason::header_checksum);
    CHECK(pool.available() == 4);
}

}  // namespace

}  // namespace pipeline_validate
