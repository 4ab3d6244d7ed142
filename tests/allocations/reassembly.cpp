// Caches and fragmentation never allocate: under each rule and behaviour, while datagrams become
// whole, overlap, repeat, expire and are evicted; and on each way to make fragments.
#include "allocations/counted.hpp"

#include <sluice/packet/pool_storage.hpp>
#include <sluice/reassembly/bounded_cache.hpp>
#include <sluice/reassembly/shallow_reassembly.hpp>
#include <sluice/reassembly/sized_cache.hpp>
#include <sluice/rewrite/fragment.hpp>
#include <sluice/rewrite/fragment_bytes.hpp>
#include <sluice/rewrite/reassembler.hpp>
#include <sluice/testing/fixed_seed.hpp>
#include <sluice/testing/fragments.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <new>
#include <string>
#include <vector>

namespace allocations_reassembly {
using namespace allocation_test;
using namespace sluice;
using namespace sluice::testing;

namespace {

constexpr std::size_t buffers = 400;
using pool_type = fixed_pool<512, buffers>;
using packet = pool_type::packet_type;

// How often each of these came about: none may be 0, or the test shows nothing.
struct tally {
    u32 complete = 0;
    u32 refused = 0;
    u32 evicted = 0;
    u32 too_far = 0;
    u32 expired = 0;
    u32 pieces_dropped = 0;
};

template <class Cache>
struct feeder {
    Cache& cache;
    pool_type& pool;
    reassembly_limits limits{};
    tally seen{};
    instant now{};

    void operator()(const fragment_fields& f) {
        const auto step = feed_fragment(cache, pool, f, now, limits);
        seen.complete += step.kind == reassembly_result::complete ? 1u : 0u;
        seen.refused += step.kind == reassembly_result::refused ? 1u : 0u;
        seen.evicted += step.evicted_datagrams;
        seen.too_far += step.too_far ? 1u : 0u;
        seen.pieces_dropped += step.pieces_dropped;
    }
    void end() {
        now = now + 60_s;
        cache.expire(now,
                     [this](expired_datagram<packet>&& e) { seen.expired += e.first ? 1u : 0u; });
    }
};

// In order, reversed, in both directions from the middle; few pieces and enough for a map; overlaps
// of every kind; lone fragments of many datagrams; a datagram that waits too long.
template <class Cache>
void work(feeder<Cache>& feed) {
    for (const u32 pieces : {2u, 3u, 15u, 40u, 90u}) {
        for (u32 order = 0; order < 4; ++order) {
            for (u32 i = 0; i < pieces; ++i) {
                const u32 at = order == 0   ? i
                               : order == 1 ? pieces - 1 - i
                               : order == 2 ? i * 7 % pieces  // prime to none but 7 and its like
                                            : (i % 2 == 0 ? i / 2 : pieces - 1 - i / 2);
                feed({.start = 8 * at, .length = 8, .more = at + 1 < pieces, .id = 1});
            }
            feed.end();
        }
    }
    for (u32 i = 0; i < 3'000; ++i) {
        const u32 start = i * 37 % 29, length = 1 + i * 11 % 6;
        feed({.start = 8 * start,
              .length = 8 * length,
              .more = start + length < 30,
              .id = static_cast<u16>(2 + i / 400),
              .flavour = static_cast<u8>(i)});
    }
    feed.end();
    for (u16 id = 0; id < 60; ++id) {
        feed(head_fragment(id));
        if (id % 3 == 0) {
            feed(tail_fragment(id));
        }
    }
    feed.limits.max_distance = 2;
    feed.end();
    feed(head_fragment(1));
    for (u16 id = 2; id < 6; ++id) {
        feed(head_fragment(id));
    }
    feed(tail_fragment(1));
    feed.limits = {.high_threshold = 2'000};
    for (u16 id = 0; id < 10; ++id) {
        feed(head_fragment(id));
    }
    feed.end();
    CHECK(feed.cache.held() == 0);
}

template <class Cache>
void never_allocates(Cache& cache, pool_type& pool, bool evicts, bool settles) {
    feeder<Cache> feed{.cache = cache, .pool = pool};
    CHECK(allocations_in([&] { work(feed); }) == 0);
    CHECK(feed.seen.complete > 20);
    CHECK(feed.seen.refused > 0);
    CHECK((feed.seen.evicted > 0) == evicts);
    CHECK(feed.seen.too_far > 0);
    CHECK(feed.seen.expired > 0);
    CHECK((feed.seen.pieces_dropped > 0 || !settles));
    CHECK(pool.available() == buffers);
}

}  // namespace

TEST_CASE("each form of new is counted") {
    struct alignas(64) line {
        char bytes[64];
    };
    // Else a compiler may leave out what it allocates for nothing.
    const auto use = [](const void* p) { asm volatile("" : : "r"(p) : "memory"); };
    CHECK(allocations_in([] { ::operator delete(::operator new(0)); }) == 1);
    CHECK(allocations_in([] { ::operator delete[](::operator new[](8)); }) == 1);
    CHECK(allocations_in([] { ::operator delete(::operator new(8, std::nothrow)); }) == 1);
    CHECK(allocations_in([] { ::operator delete[](::operator new[](8, std::nothrow)); }) == 1);
    CHECK(allocations_in([use] { use(std::vector<line>(3).data()); }) == 1);
    CHECK(allocations_in([use] { use(std::string(100, 'a').data()); }) == 1);
    CHECK(allocations_in([use] { use(std::make_unique<line[]>(2).get()); }) == 1);
}

TEST_CASE_TEMPLATE("no cache allocates", Rule, overlap::reject_datagram, overlap::reject_fragment,
                   overlap::keep_first, overlap::keep_last, overlap::bsd, overlap::bsd_right,
                   overlap::old_linux, overlap::windows, overlap::solaris) {
    const auto pool = std::make_unique<pool_type>();
    constexpr bool settles = settles_overlaps<Rule>;
    SUBCASE("bounded_cache that refuses") {
        using type = typename bounded_cache<16, Rule, 128>::template model<packet>;
        const auto cache = std::make_unique<type>(fixed_seed);
        never_allocates(*cache, *pool, false, settles);
    }
    SUBCASE("bounded_cache that evicts, with shares") {
        using type =
            typename bounded_cache<16, Rule, 128, on_full::evict_oldest, 2>::template model<packet>;
        const auto cache = std::make_unique<type>(fixed_seed);
        never_allocates(*cache, *pool, true, settles);
    }
    SUBCASE("sized_cache, which is made without an allocation") {
        using type = typename sized_cache<Rule, on_full::evict_oldest>::template model<packet>;
        constexpr cache_size size{.datagrams = 16, .fragments = 128};
        std::vector<std::byte> memory(type::memory_for(size));
        alignas(type) std::byte place[sizeof(type)];
        type* cache = nullptr;
        CHECK(allocations_in([&] { cache = ::new (place) type(fixed_seed, memory, size); }) == 0);
        never_allocates(*cache, *pool, true, settles);
        CHECK(allocations_in([&] { cache->~type(); }) == 0);
    }
}

TEST_CASE("a batch that fetches allocates nothing") {
    const auto pool = std::make_unique<pool_type>();
    using type = bounded_cache<64>::model<packet>;
    const auto cache = std::make_unique<type>(fixed_seed);
    u32 held = 0;
    CHECK(allocations_in([&] {
              for (u16 batch = 0; batch < 4; ++batch) {
                  packet fragments[8];
                  fragment_hash hashes[8];
                  for (u16 i = 0; i < 8; ++i) {
                      fragments[i] =
                          fragment_of(*pool, head_fragment(static_cast<u16>(8 * batch + i)));
                      hashes[i] =
                          cache->hash_of(ipv4::const_view{std::as_const(fragments[i]).data()},
                                         reassembly_user::local_delivery, 0);
                  }
                  cache->prefetch(hashes);
                  for (u16 i = 0; i < 8; ++i) {
                      auto valid = pipeline::validate(fragments[i]);
                      held += cache->insert(std::move(*valid), {}, {}, hashes[i]).kind ==
                                      reassembly_result::held
                                  ? 1u
                                  : 0u;
                  }
              }
          }) == 0);
    CHECK(held == 32);
}

TEST_CASE("shallow_reassembly and reassembler allocate nothing") {
    const auto pool = std::make_unique<pool_type>();
    using shallow_type = shallow_reassembly<16>::model<packet>;
    const auto ports = std::make_unique<shallow_type>(fixed_seed);
    u32 passed = 0, ready = 0, early = 0;
    CHECK(allocations_in([&] {
              for (u16 id = 0; id < 40; ++id) {
                  for (const bool first : {id % 2 == 0, id % 2 != 0}) {
                      auto f = first ? head_fragment(id) : tail_fragment(id);
                      f.protocol = 17;
                      auto p = fragment_of(*pool, f);
                      const auto seen = ports->learn(p, reassembly_user::application, 0, instant{});
                      passed += seen.kind == shallow_result::passes ? 1u : 0u;
                      early += seen.kind == shallow_result::held ? 1u : 0u;
                      while (auto next = ports->next_ready()) {
                          ++ready;
                      }
                  }
              }
          }) == 0);
    CHECK(passed == 60);
    CHECK(early == 20);
    CHECK(ready == 20);

    using bytes_type = rewrite::reassembler<>;
    const auto of_bytes = std::make_unique<bytes_type>(fixed_seed);
    const byte_vector one = content_of(fragment_of(*pool, head_fragment(1)));
    const byte_vector other = content_of(fragment_of(*pool, tail_fragment(1)));
    std::size_t size = 0;
    CHECK(allocations_in([&] {
              static_cast<void>(of_bytes->add(one, {}));
              size = of_bytes->add(other, {})->size();
          }) == 0);
    CHECK(size == 52);
}

// A whole datagram of `data` octets, in packets of `each`.
template <class Pool>
typename Pool::packet_type datagram_in(Pool& pool, u32 data, u32 each) {
    fragment_fields f{.length = data < each ? data : each, .more = false};
    auto whole = fragment_of(pool, f);
    for (u32 at = each; at < data; at += each) {
        auto next = fragment_of(
            pool, {.start = at, .length = data - at < each ? data - at : each, .more = false});
        static_cast<void>(next.pull(20));
        static_cast<void>(whole.append_list(std::move(next)));
    }
    const ipv4::view ip{whole.writable()};
    ip.set(ipv4::total_length, static_cast<u16>(20 + data));
    ipv4::set_checksum(ip);
    return whole;
}

TEST_CASE_TEMPLATE("fragmentation allocates nothing", Ownership, unique, shared) {
    using large_pool = fixed_pool<2048, 128, Ownership>;
    const auto pool = std::make_unique<large_pool>();
    const struct {
        const char* name;
        u32 data, each, mtu;
        u32 fragments;
    } rows[] = {
        {.name = "a list that fits", .data = 4000, .each = 1480, .mtu = 1500, .fragments = 3},
        {.name = "a list to cut anew", .data = 4000, .each = 1480, .mtu = 576, .fragments = 8},
        {.name = "one packet", .data = 1480, .each = 1480, .mtu = 576, .fragments = 3},
        {.name = "in more parts than a packet has",
         .data = 960,
         .each = 9,
         .mtu = 576,
         .fragments = 2},
    };
    for (const auto& r : rows) {
        for (u32 most = 0; most <= r.fragments; ++most) {  // the sink ends it
            CAPTURE(r.name);
            CAPTURE(most);
            u32 copied = 0, referred = 0;
            CHECK(allocations_in([&] {
                      const auto refuse_after = [most](u32& sent) {
                          return [most, &sent](auto&& piece) {
                              const auto taken = std::move(piece);
                              return sent++ != most;
                          };
                      };
                      static_cast<void>(rewrite::fragment(datagram_in(*pool, r.data, r.each), r.mtu,
                                                          *pool, refuse_after(copied)));
                      static_cast<void>(rewrite::fragment<true>(datagram_in(*pool, r.data, r.each),
                                                                r.mtu, *pool,
                                                                refuse_after(referred)));
                  }) == 0);
            const u32 sent = most < r.fragments ? most + 1 : r.fragments;
            CHECK(copied == sent);
            CHECK(referred == sent);
            CHECK(pool->available() == 128);
        }
    }
    const byte_vector bytes = content_of(datagram_in(*pool, 1480, 1480));
    u32 sent = 0;
    CHECK(allocations_in([&] {
              static_cast<void>(rewrite::fragment(bytes, 576, [&sent](const_bytes, const_bytes) {
                  ++sent;
                  return true;
              }));
          }) == 0);
    CHECK(sent == 3);
}

}  // namespace allocations_reassembly
