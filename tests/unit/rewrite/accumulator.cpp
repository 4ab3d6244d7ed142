// accumulator: whatever the sizes of writes, buffers and MTU, the datagram has the bytes in order
// and their sum; where the buffers allow it, each packet becomes a fragment without a copy; a
// failed write returns every buffer.
#include <doctest/doctest.h>

#include <sluice/base/random.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/rewrite/accumulator.hpp>
#include <sluice/rewrite/fragment.hpp>

#include "support/flaky_pool.hpp"
#include "unit/rewrite/pieces.hpp"

#include <utility>

namespace rewrite_accumulator {

namespace {

using namespace sluice;
using rewrite::accumulation;
using rewrite::accumulator;
using rewrite_test::piece_audit;
using routing::send_error;
using support::byte_vector;
using support::content_of;
using support::datagram_of;
using support::list;
using support::pattern;

template <class Source>
bool append(accumulator<Source>& to, Source& buffers, const_bytes more) {
    return to.append(buffers, static_cast<u32>(more.size()), rewrite::from_bytes{more}).has_value();
}

// Writes the payload in parts of random sizes up to `most`.
template <class Source>
bool write_in_parts(accumulator<Source>& to, Source& buffers, const_bytes payload, u32 most,
                    keyed_random& random) {
    for (const_bytes rest = payload; !rest.empty();) {
        const std::size_t drawn = 1 + random.below(most);
        const std::size_t n = drawn < rest.size() ? drawn : rest.size();
        if (!append(to, buffers, rest.first(n))) return false;
        rest = rest.subspan(n);
    }
    return true;
}

template <class Pool>
struct counting_source {
    using packet_type = typename Pool::packet_type;
    static constexpr std::size_t memory_limit = Pool::memory_limit;
    static constexpr u32 block_capacity = Pool::block_capacity;
    Pool& pool;
    u32 taken = 0;
    packet_type take(u16 headroom = default_headroom) noexcept {
        ++taken;
        return pool.take(headroom);
    }
};

// Sends the accumulated payload as a datagram with its header, in fragments, and audits them.
// Returns how many packets the fragments took: 0 if they are those of the payload.
template <class Pool>
u32 send_in_fragments(Pool& pool, typename Pool::packet_type payload, const byte_vector& whole,
                      u32 mtu) {
    std::byte* const header = payload.push(ipv4::min_header_length);
    REQUIRE(header != nullptr);
    copy_bytes(header, whole.data(), ipv4::min_header_length);
    REQUIRE(content_of(payload) == whole);
    piece_audit audit{whole, mtu};
    if (Pool::block_capacity < mtu) audit.expect_list();
    counting_source<Pool> source{.pool = pool};
    const auto result = rewrite::fragment(std::move(payload), mtu, source, audit);
    CHECK(result.complete);
    CHECK(audit.complete());
    CHECK(doctest::String{audit.first_fault() != nullptr ? audit.first_fault() : ""} == "");
    return source.taken;
}

template <std::size_t Bytes>
void writes_of_any_size(u32 mtu) {
    using pool_type = fixed_pool<Bytes, 1200>;
    static pool_type pool;
    keyed_random random{hash_key{7, mtu}};
    for (int round = 0; round < 40; ++round) {
        const u32 front = random.below(2) * 8;
        const byte_vector payload = pattern(1 + random.below(round < 30 ? 4 * mtu : 60'000));
        CAPTURE(mtu);
        CAPTURE(payload.size());
        accumulator<pool_type> all;
        REQUIRE(all.begin(pool, {.front = front, .mtu = mtu}).has_value());
        REQUIRE(write_in_parts(all, pool, payload, round % 3 == 0 ? 9 : mtu, random));
        CHECK(all.size() == front + payload.size());
        CHECK(checksum::fold(all.sum()) == checksum::fold(checksum::partial(payload)));
        auto made = all.take();
        CHECK(!all.has_begun());
        REQUIRE(made);
        byte_vector with_front(front, std::byte{0x5a});
        for (u32 i = 0; i < front; ++i)
            made.writable()[i] = std::byte{0x5a};
        with_front.insert(with_front.end(), payload.begin(), payload.end());
        const byte_vector whole = datagram_of({.protocol = 253, .payload = with_front});
        if (whole.size() <= mtu) {
            CHECK(content_of(made) == with_front);
            continue;
        }
        CHECK(send_in_fragments(pool, std::move(made), whole, mtu) == 0);
    }
    CHECK(pool.available() == 1200);
}

TEST_CASE("accumulator: writes of any size, in fragments without a copy") {
    for (const u32 mtu : {68u, 69u, 75u, 576u, 1006u, 1500u, 1501u, 1507u}) {
        writes_of_any_size<2048>(mtu);
    }
}

TEST_CASE("accumulator: buffers shorter than a fragment") {
    for (const u32 mtu : {576u, 1500u, 9000u}) {
        writes_of_any_size<512>(mtu);
    }
}

TEST_CASE("accumulator: the MTU has no room for a fragment") {
    static fixed_pool<2048, 64> pool;
    for (const u32 mtu : {0u, 20u, 27u}) {
        accumulator<fixed_pool<2048, 64>> all;
        REQUIRE(all.begin(pool, {.mtu = mtu}).has_value());
        const byte_vector payload = pattern(5000);
        REQUIRE(append(all, pool, payload));
        CHECK(content_of(all.take()) == payload);
    }
    CHECK(pool.available() == 64);
}

TEST_CASE("accumulator: sources of bytes") {
    static fixed_pool<2048, 16> pool;
    accumulator<fixed_pool<2048, 16>> all;
    const byte_vector a = pattern(3);
    const byte_vector b{};
    const byte_vector c = pattern(1601);
    byte_vector expected = a;
    expected.insert(expected.end(), c.begin(), c.end());
    const const_bytes ranges[] = {a, b, c};
    REQUIRE(all.begin(pool, {.mtu = 576}).has_value());
    SUBCASE("several ranges") {
        REQUIRE(all.append(pool, 1604, rewrite::from_ranges{ranges}).has_value());
    }
    SUBCASE("generated") {
        std::size_t at = 0;
        REQUIRE(all.append(pool, 1604, rewrite::generated{[&](bytes to) {
                               for (std::byte& one : to)
                                   one = expected[at++];
                           }})
                    .has_value());
    }
    SUBCASE("by turns, with an empty one between") {
        REQUIRE(append(all, pool, a));
        REQUIRE(append(all, pool, b));
        REQUIRE(append(all, pool, c));
    }
    CHECK(checksum::fold(all.sum()) == checksum::fold(checksum::partial(expected)));
    CHECK(content_of(all.take()) == expected);
    CHECK(pool.available() == 16);
}

TEST_CASE("accumulator: a source that fails or has fewer bytes, and the limits") {
    static fixed_pool<2048, 16> pool;
    accumulator<fixed_pool<2048, 16>> all;
    const byte_vector ten = pattern(10);
    const const_bytes ranges[] = {ten};
    const auto begin = [&](const accumulation& a = {}) { REQUIRE(all.begin(pool, a).has_value()); };
    begin();
    CHECK(all.append(pool, 11, rewrite::from_bytes{ten}).error() == send_error::invalid);
    CHECK(!all.has_begun());
    begin();
    CHECK(all.append(pool, 11, rewrite::from_ranges{ranges}).error() == send_error::invalid);
    CHECK(pool.available() == 16);
    begin({.header = 24, .front = 8, .mtu = 100, .limit = 100});
    REQUIRE(all.append(pool, 10, rewrite::from_bytes{ten}).has_value());
    const byte_vector longest = pattern(58);
    REQUIRE(append(all, pool, longest));  // 24 + 8 + 10 + 58
    const byte_vector one = pattern(1);
    CHECK(all.append(pool, 1, rewrite::from_bytes{one}).error() == send_error::too_big);
    CHECK(pool.available() == 16);
    CHECK(!all.take());
    begin();
    CHECK(all.append(pool, 0xffff'ffff, rewrite::from_bytes{one}).error() == send_error::too_big);
}

TEST_CASE("accumulator: nothing follows without a beginning, or after a failed write") {
    using pool_type = fixed_pool<2048, 16, shared>;
    static pool_type pool;
    accumulator<pool_type> all;
    const byte_vector five = pattern(5);
    auto page = support::packet_of(pool, five);
    CHECK(all.append(pool, 5, rewrite::from_bytes{five}).error() == send_error::invalid);
    CHECK(all.refer(pool, page, 0, 5).error() == send_error::invalid);
    REQUIRE(all.begin(pool, {.front = 8}).has_value());
    REQUIRE(all.refer(pool, page, 0, 5).has_value());
    CHECK(all.append(pool, 6, rewrite::from_bytes{five}).error() == send_error::invalid);
    CHECK(all.append(pool, 5, rewrite::from_bytes{five}).error() == send_error::invalid);
    CHECK_FALSE(all.take());
}

TEST_CASE("accumulator: the transport header lies in the first fragment, or is refused") {
    using pool_type = fixed_pool<2048, 16>;
    static pool_type pool;
    accumulator<pool_type> all;
    const byte_vector more = pattern(50);
    for (const u32 front : {8u, 20u, 40u}) {
        CAPTURE(front);
        // 68 bytes with a header of 60 carry 8.
        const bool fits = front == 8;
        CHECK(all.begin(pool, {.header = 60, .front = front, .mtu = 68}).has_value() == fits);
        if (!fits) continue;
        REQUIRE(append(all, pool, more));
        auto made = all.take();
        CHECK(made.head_size() >= front);
    }
    CHECK(all.begin(pool, {.front = 81, .mtu = 1500, .limit = 100}).error() == send_error::too_big);
    CHECK(pool.available() == 16);
    REQUIRE(all.begin(pool, {.mtu = 70'000, .limit = 70'000}).has_value());
    CHECK(all.append(pool, 65'516, rewrite::from_bytes{more}).error() == send_error::too_big);
}

TEST_CASE("accumulator: failure of every buffer acquisition") {
    using pool_type = flaky_pool<512, 32>;
    static pool_type pool;
    const byte_vector payload = pattern(3000);
    u32 failed = 0;
    for (u32 n = 1; n < 20; ++n) {
        pool.fail(sluice::testing::failure_plan::at(n));
        accumulator<pool_type> all;
        const bool begun = all.begin(pool, {.mtu = 300}).has_value();
        const auto done = begun ? all.append(pool, 3000, rewrite::from_bytes{payload})
                                : result<void, send_error>{failure{send_error::no_buffer}};
        if (!done.has_value()) {
            CHECK(done.error() == send_error::no_buffer);
            CHECK(pool.available() == 32);
            CHECK(!all.has_begun());
            ++failed;
        }
        pool.fail({});
        REQUIRE(all.begin(pool, {.mtu = 300}).has_value());
        REQUIRE(append(all, pool, payload));
        CHECK(content_of(all.take()) == payload);
    }
    CHECK(failed == 11);  // 3000 bytes in fragments of 280
}

TEST_CASE("accumulator: bytes of other packets by reference") {
    using pool_type = fixed_pool<2048, 16, shared>;
    static pool_type pool;
    const byte_vector content = pattern(1801);
    {
        auto page = support::packet_of(pool, content);
        accumulator<pool_type> all;
        REQUIRE(all.begin(pool, {.front = 8, .mtu = 9000}).has_value());
        const byte_vector first = pattern(5);
        byte_vector expected(8);
        const auto expect = [&](const_bytes more) {
            expected.insert(expected.end(), more.begin(), more.end());
        };
        REQUIRE(append(all, pool, first));
        expect(first);
        for (const u32 offset : {0u, 1u, 300u}) {
            REQUIRE(all.refer(pool, page, offset, 1501).has_value());
            expect(const_bytes{content}.subspan(offset, 1501));
        }
        REQUIRE(append(all, pool, first));
        expect(first);
        CHECK(pool.available() == 13);  // page, head, last bytes
        CHECK(checksum::fold(all.sum()) ==
              checksum::fold(checksum::partial(const_bytes{expected}.subspan(8))));
        auto made = all.take();
        for (int i = 0; i < 8; ++i)
            made.writable()[i] = std::byte{0};
        CHECK(content_of(made) == expected);
        CHECK(page.is_shared());
        REQUIRE(all.begin(pool, {}).has_value());
        CHECK(all.refer(pool, page, 1000, 802).error() == send_error::invalid);
        REQUIRE(all.begin(pool, {.limit = 100}).has_value());
        CHECK(all.refer(pool, page, 0, 81).error() == send_error::too_big);
        // More references than one packet holds.
        REQUIRE(all.begin(pool, {}).has_value());
        byte_vector many;
        for (int i = 0; i < 40; ++i) {
            REQUIRE(all.refer(pool, page, 7, 9).has_value());
            many.insert(many.end(), content.begin() + 7, content.begin() + 16);
        }
        CHECK(content_of(all.take()) == many);
    }
    CHECK(pool.available() == 16);
}

}  // namespace

}  // namespace rewrite_accumulator
