// datagram: its named edits keep it valid, copy shared bytes first, and fail without a buffer for
// the copy.
#include <doctest/doctest.h>

#include <sluice/packet/external_storage.hpp>
#include <sluice/packet/inline_storage.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/pipeline/validate.hpp>

#include "support/datagrams.hpp"
#include "support/validated.hpp"

#include <type_traits>

namespace packet_datagram {

namespace {

using namespace support;

constexpr auto other = "192.0.2.77"_ip;

template <class Pool>
unsummed_datagram<typename Pool::packet_type> unsummed(Pool& pool, const datagram_fields& f) {
    return validated(packet_of(pool, datagram_of(f))).value();
}

// What datagram_of would have made with those fields: its checksum is computed, not mended.
void check_is(const auto& d, const datagram_fields& expected) {
    CHECK(content_of(d.packet()) == datagram_of(expected));
    CHECK(ipv4::checksum_ok(d.header()));
}

// A UDP datagram from 10.0.1.2 to 10.0.2.2, its checksum right.
byte_vector udp_from(ipv4::address source, const byte_vector& data) {
    byte_vector message = udp_message(1000, 53, data);
    udp::set_checksum(source, "10.0.2.2"_ip, message);
    return message;
}

TEST_CASE("datagram: a datagram converts to an unsummed one, never back") {
    using packet = inline_packet<64>;
    static_assert(std::is_convertible_v<datagram<packet>&&, unsummed_datagram<packet>>);
    static_assert(!std::is_constructible_v<datagram<packet>, unsummed_datagram<packet>&&>);
    static_assert(!std::is_constructible_v<datagram<packet>, packet&&>);
    static_assert(!std::is_constructible_v<unsummed_datagram<packet>, packet&&>);
    static_assert(!std::is_default_constructible_v<datagram<packet>>);
    static_assert(sizeof(datagram<packet>) == sizeof(packet));
    fixed_pool<256, 1> pool;
    check_is(unsummed(pool, {.ttl = 9}), {.ttl = 9});
}

TEST_CASE("datagram: decrementing the TTL keeps the checksum right") {
    fixed_pool<256, 1> pool;
    for (const u8 ttl : {u8{1}, u8{2}, u8{64}, u8{255}}) {
        auto d = validated(packet_of(pool, datagram_of({.ttl = ttl}))).value();
        REQUIRE(d.decrement_ttl());
        check_is(d, {.ttl = static_cast<u8>(ttl - 1)});
    }
    // A word of 0100 less makes the sum 0100 more.
    auto d = validated(packet_of(pool, datagram_of({.payload = {}}))).value();
    const u16 before = d.header()[ipv4::header_checksum];
    REQUIRE(d.decrement_ttl());
    CHECK(d.header()[ipv4::header_checksum] == before + 0x100);
}

TEST_CASE("datagram: another address, the header's checksum mended, nothing else touched") {
    fixed_pool<256, 1> pool;
    for (const ipv4::address to : {other, "0.0.0.0"_ip, "255.255.255.255"_ip, "10.0.1.2"_ip}) {
        auto d = validated(packet_of(pool, datagram_of({}))).value();
        REQUIRE(d.rewrite_source(to));
        check_is(d, {.source = to});
        REQUIRE(d.rewrite_destination("10.9.9.9"_ip));
        check_is(d, {.source = to, .destination = "10.9.9.9"_ip});
    }
}

TEST_CASE("datagram: an address by hand") {
    // 45000014 00000000 40fd .... 0a000001 0a000002: 4500 + 0014 + 40fd + 0a00 + 0001 + 0a00 + 0002
    // = 9a14, so the checksum is 65eb. With the source c000024d: 4500 + 0014 + 40fd + c000 + 024d +
    // 0a00 + 0002 = 15260, 5261 with its carry, so it is ad9e.
    fixed_pool<256, 1> pool;
    auto d = validated(packet_of(pool, list({0x45, 0,    0,  20, 0, 0, 0,  0, 0x40, 0xfd,
                                             0x65, 0xeb, 10, 0,  0, 1, 10, 0, 0,    2})))
                 .value();
    REQUIRE(d.rewrite_source(other));
    CHECK(content_of(d.packet()) ==
          list({0x45, 0, 0, 20, 0, 0, 0, 0, 0x40, 0xfd, 0xad, 0x9e, 192, 0, 2, 77, 10, 0, 0, 2}));
}

TEST_CASE("datagram: a wrong header checksum stays wrong by as much") {
    fixed_pool<256, 1> pool;
    auto p = packet_of(pool, datagram_of({}));
    ipv4::view ip{p.data()};
    ip.set(ipv4::header_checksum, static_cast<u16>(ip[ipv4::header_checksum] ^ 1));
    auto d = pipeline::revalidate(p).value();
    REQUIRE(d.rewrite_source(other));
    REQUIRE(d.decrement_ttl());
    byte_vector right = datagram_of({.source = other, .ttl = 63});
    CHECK_FALSE(ipv4::checksum_ok(d.header()));
    byte_vector left = content_of(d.packet());
    right[10] = left[10] = right[11] = left[11] = std::byte{0};
    CHECK(left == right);
}

TEST_CASE("datagram: changing an address updates the UDP checksum") {
    fixed_pool<256, 1> pool;
    const byte_vector data = pattern(21);
    auto d = validated(packet_of(pool, datagram_of({.protocol = ipv4::protocols::udp,
                                                    .payload = udp_from("10.0.1.2"_ip, data)})))
                 .value();
    REQUIRE(d.rewrite_source(other));
    check_is(d,
             {.source = other, .protocol = ipv4::protocols::udp, .payload = udp_from(other, data)});
    REQUIRE(d.rewrite_destination("10.7.0.7"_ip));
    REQUIRE(d.rewrite_destination("10.0.2.2"_ip));
    REQUIRE(d.rewrite_source("10.0.1.2"_ip));
    check_is(d, {.protocol = ipv4::protocols::udp, .payload = udp_from("10.0.1.2"_ip, data)});
}

TEST_CASE("datagram: each transport whose checksum covers the addresses, behind options too") {
    fixed_pool<256, 1> pool;
    const struct {
        const char* name;
        u8 protocol;
        std::size_t at;  // of the checksum; 0: none that is mended
    } rows[] = {
        {.name = "TCP", .protocol = 6, .at = 16},  {.name = "UDP", .protocol = 17, .at = 6},
        {.name = "DCCP", .protocol = 33, .at = 6}, {.name = "UDP-Lite", .protocol = 136, .at = 6},
        {.name = "ICMP", .protocol = 1, .at = 0},  {.name = "SCTP", .protocol = 132, .at = 0},
        {.name = "253", .protocol = 253, .at = 0},
    };
    for (const auto& r : rows) {
        CAPTURE(r.name);
        const byte_vector options = list({1, 1, 1, 1});
        const byte_vector payload = pattern(40);
        auto d = validated(packet_of(pool, datagram_of({.protocol = r.protocol,
                                                        .options = options,
                                                        .payload = payload})))
                     .value();
        REQUIRE(d.rewrite_destination("10.0.2.3"_ip));  // one more than it was
        byte_vector expected = payload;
        if (r.at != 0) {
            const u16 was = load_be<u16>(expected.data() + r.at);
            store_be<u16>(expected.data() + r.at, static_cast<u16>(was - 1));
        }
        check_is(d, {.destination = "10.0.2.3"_ip,
                     .protocol = r.protocol,
                     .options = options,
                     .payload = expected});
    }
}

TEST_CASE("datagram: a UDP checksum of none stays none, and a sum of zero is sent as all ones") {
    fixed_pool<256, 1> pool;
    const struct {
        const char* name;
        u8 protocol;
        u16 before = 1, after = 0;
    } rows[] = {
        {.name = "UDP, none was made", .protocol = 17, .before = 0},
        {.name = "UDP, the sum becomes zero", .protocol = 17, .after = 0xffff},
        {.name = "UDP-Lite, the sum becomes zero", .protocol = 136, .after = 0xffff},
        {.name = "TCP, the sum becomes zero", .protocol = 6},
        {.name = "TCP, the sum was zero", .protocol = 6, .before = 0, .after = 0xfffe},
    };
    for (const auto& r : rows) {
        CAPTURE(r.name);
        byte_vector payload(20);
        std::byte* const field = payload.data() + (r.protocol == 6 ? 16 : 6);
        store_be<u16>(field, r.before);
        const byte_vector whole = datagram_of({.protocol = r.protocol, .payload = payload});
        auto d = validated(packet_of(pool, whole)).value();
        REQUIRE(d.rewrite_source("10.0.1.3"_ip));
        store_be<u16>(field, r.after);
        check_is(d, {.source = "10.0.1.3"_ip, .protocol = r.protocol, .payload = payload});
    }
}

TEST_CASE("datagram: a pending checksum holds the sum of the addresses, not its complement") {
    fixed_pool<256, 1> pool;
    byte_vector payload(20);
    const auto readdressed = [&](u16 checksum_start, u16 field) {
        store_be<u16>(payload.data() + 6, field);
        auto p = packet_of(pool, datagram_of({.protocol = 17, .payload = payload}));
        p.metadata().checksum = checksum_state::pending;
        p.metadata().checksum_start = checksum_start;
        p.metadata().checksum_offset = 6;
        auto d = pipeline::validate(p).value();
        REQUIRE(d.rewrite_source("10.0.1.3"_ip));
        return load_be<u16>(d.packet().data() + 26);
    };
    CHECK(readdressed(20, 0x1000) == 0x1001);
    CHECK(readdressed(20, 0) == 1);
    CHECK(readdressed(28, 0x1000) == 0x0fff);  // the checksum of the inner packet
}

TEST_CASE("datagram: an unknown transport header stays unchanged") {
    fixed_pool<256, 1> pool;
    const struct {
        const char* name;
        u16 flags_and_offset = 0;
        std::size_t size = 16;
        bool is_mended = false;
    } rows[] = {
        {.name = "the first fragment", .flags_and_offset = 0x2000, .is_mended = true},
        {.name = "a later one", .flags_and_offset = 0x2001},
        {.name = "the last one", .flags_and_offset = 0x0001},
        {.name = "just long enough", .size = 8, .is_mended = true},
        {.name = "a byte short of the checksum", .size = 7},
        {.name = "no payload", .size = 0},
    };
    for (const auto& r : rows) {
        CAPTURE(r.name);
        byte_vector payload = pattern(r.size);
        auto d = validated(packet_of(pool, datagram_of({.protocol = 17,
                                                        .flags_and_offset = r.flags_and_offset,
                                                        .payload = payload})))
                     .value();
        REQUIRE(d.rewrite_source("10.0.1.3"_ip));
        if (r.is_mended) {
            const u16 was = load_be<u16>(payload.data() + 6);
            store_be<u16>(payload.data() + 6, static_cast<u16>(was - 1));
        }
        check_is(d, {.source = "10.0.1.3"_ip,
                     .protocol = 17,
                     .flags_and_offset = r.flags_and_offset,
                     .payload = payload});
    }
}

TEST_CASE("datagram: a transport header in another block is brought to the first, or nothing is") {
    fixed_pool<256, 3> pool;
    const byte_vector data = pattern(21);
    const byte_vector whole =
        datagram_of({.protocol = ipv4::protocols::udp, .payload = udp_from("10.0.1.2"_ip, data)});
    auto head = packet_of(pool, byte_vector(whole.begin(), whole.begin() + 20));
    REQUIRE(head.append(packet_of(pool, byte_vector(whole.begin() + 20, whole.end()))));
    auto d = pipeline::validate(head).value();
    REQUIRE(d.rewrite_source(other));
    check_is(d,
             {.source = other, .protocol = ipv4::protocols::udp, .payload = udp_from(other, data)});
    CHECK(d.packet().head_size() >= 28);
    heap_source<24, 2> narrow;  // no block holds both headers
    constexpr u32 header = narrow.block_capacity;
    const byte_vector with_options = datagram_of(
        {.protocol = ipv4::protocols::udp, .options = byte_vector(header - 20, std::byte{1})});
    const auto part = [&](std::size_t from, u32 n) {
        auto p = narrow.take(0);
        copy_bytes(p.put(n), with_options.data() + from, n);
        return p;
    };
    auto tight = part(0, header);
    REQUIRE(tight.append(part(header, 16)));
    auto stuck = pipeline::validate(tight).value();
    CHECK_FALSE(stuck.rewrite_source(other));
    CHECK(content_of(stuck.packet()) == with_options);
}

TEST_CASE("datagram: an edit of the options keeps the header valid") {
    fixed_pool<256, 1> pool;
    auto d = unsummed(pool, {.options = list({7, 7, 4, 0, 0, 0, 0, 0})});
    REQUIRE(d.edit_options([](ipv4::view ip, option_offsets& found) noexcept {
        found.record_route = 20;
        ipv4::options_of(ip)[3] = std::byte{10};
        ip.set(ipv4::destination, other);
        ip.set(ipv4::version, 6);
        ip.set(ipv4::ihl, 15);
        ip.set(ipv4::total_length, 9000);
    }));
    CHECK(d.packet().metadata().options.record_route == 20);
    byte_vector expected = datagram_of({.options = list({7, 7, 4, 10, 0, 0, 0, 0})});
    copy_bytes(expected.data() + 10,
               datagram_of({.options = list({7, 7, 4, 0, 0, 0, 0, 0})}).data() + 10,
               2);  // the forwarder updates it
    store_be<u32>(expected.data() + 16, other.value);
    CHECK(content_of(d.packet()) == expected);
    auto p = std::move(d).release();
    CHECK(pipeline::revalidate(p).has_value());
}

TEST_CASE("datagram: marks, type and interface are beside the bytes") {
    fixed_pool<256, 1> pool;
    auto d = unsummed(pool, {});
    CHECK_FALSE(d.packet().has_metadata());
    d.set_addressing(link_addressing::multicast);
    d.set_interface(7);
    d.set_forwarded();
    CHECK_FALSE(d.packet().has_metadata());
    REQUIRE(d.set_mark(0x01020304));
    CHECK(d.packet().addressing() == link_addressing::multicast);
    CHECK(d.packet().interface() == 7);
    CHECK(d.packet().is_forwarded());
    CHECK(d.packet().metadata().mark == 0x01020304);
    check_is(d, {});
}

// -- others have the same bytes --

using shared_pool = fixed_pool<256, 2, shared>;
using shared_datagram = unsummed_datagram<shared_pool::packet_type>;

struct edit {
    const char* name;
    bool (*make)(shared_datagram&);
};
const edit edits[] = {
    {"decrement_ttl", [](shared_datagram& d) { return d.decrement_ttl(); }},
    {"rewrite_source", [](shared_datagram& d) { return d.rewrite_source(other); }},
    {"rewrite_destination", [](shared_datagram& d) { return d.rewrite_destination(other); }},
    {"edit_options",
     [](shared_datagram& d) {
         return d.edit_options([](ipv4::view ip, option_offsets& found) noexcept {
             found.length = 4;
             ip.set(ipv4::destination, other);
         });
     }},
    {"set_mark", [](shared_datagram& d) { return d.set_mark(9); }},
};

TEST_CASE("datagram: an edit copies shared bytes first") {
    for (const edit& e : edits) {
        CAPTURE(e.name);
        shared_pool pool;
        auto p = packet_of(pool, datagram_of({.protocol = 17}));
        const auto held = p.clone();
        shared_datagram d = pipeline::validate(p).value();
        CHECK(pool.available() == 1);
        CHECK(e.make(d));
        CHECK(pool.available() == 0);
        CHECK(content_of(held) == datagram_of({.protocol = 17}));
        CHECK(held.metadata().mark == 0);
        CHECK(held.metadata().options.length == 0);
        const bool is_changed = content_of(d.packet()) != datagram_of({.protocol = 17}) ||
                                d.packet().metadata().mark == 9;
        CHECK(is_changed);
        CHECK(e.make(d));  // its own now
        CHECK(pool.available() == 0);
    }
}

TEST_CASE("datagram: an edit without a buffer for the copy fails and changes nothing") {
    for (const edit& e : edits) {
        CAPTURE(e.name);
        shared_pool pool;
        auto p = packet_of(pool, datagram_of({.protocol = 17}));
        auto held = p.clone();
        auto last = pool.take();
        shared_datagram d = pipeline::validate(p).value();
        CHECK_FALSE(e.make(d));
        CHECK(content_of(d.packet()) == datagram_of({.protocol = 17}));
        CHECK(d.packet().metadata().mark == 0);
        CHECK(d.packet().metadata().options.length == 0);
        held.reset();
        CHECK(e.make(d));  // no other handle has it
    }
}

TEST_CASE("datagram: marks set on its handle do not change other handles") {
    shared_pool pool;
    auto p = packet_of(pool, datagram_of({}));
    const auto held = p.clone();
    shared_datagram d = pipeline::validate(p).value();
    d.set_addressing(link_addressing::broadcast);
    d.set_interface(3);
    d.set_forwarded();
    CHECK(held.addressing() == link_addressing::host);
    CHECK(held.interface() == 2);
    CHECK_FALSE(held.is_forwarded());
    CHECK(pool.available() == 1);
}

// All of it in constant evaluation.
constexpr bool edited_in_constant_evaluation() {
    auto p = make_inline_packet<64>();
    std::byte* const to = p.put(28);
    fill_bytes(to, 28, std::byte{0});
    const ipv4::view ip{to};
    ip.set(ipv4::version, 4);
    ip.set(ipv4::ihl, 5);
    ip.set(ipv4::total_length, 28);
    ip.set(ipv4::ttl, 2);
    ip.set(ipv4::protocol, ipv4::protocols::udp);
    ip.set(ipv4::source, "10.0.0.1"_ip);
    ip.set(ipv4::destination, "10.0.0.2"_ip);
    ipv4::set_checksum(ip);
    const udp::view header{to + 20};
    header.set(udp::length, 8);
    udp::set_checksum("10.0.0.1"_ip, "10.0.0.2"_ip, {to + 20, 8});
    auto valid = pipeline::validate(p);
    if (!valid.has_value() || p) {
        return false;
    }
    datagram<inline_packet<64>>& d = *valid;
    const bool done = d.decrement_ttl() && d.rewrite_source("10.0.0.9"_ip) &&
                      d.rewrite_destination("10.0.0.8"_ip) && d.set_mark(5);
    return done && ipv4::checksum_ok(d.header()) && d.header()[ipv4::ttl] == 1 &&
           udp::checksum_ok("10.0.0.9"_ip, "10.0.0.8"_ip, {d.packet().data() + 20, 8}) &&
           d.packet().metadata().mark == 5;
}
static_assert(edited_in_constant_evaluation());

}  // namespace

}  // namespace packet_datagram
