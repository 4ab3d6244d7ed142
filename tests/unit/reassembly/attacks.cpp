// The known attacks by fragments, by name: what each fragment comes to, and that nothing stays.
#include "fragments.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace reassembly_attacks {
using namespace reassembly_test;

namespace {

using pool_type = fixed_pool<1536, 128>;
using packet = pool_type::packet_type;
template <on_full OnFull = on_full::refuse, u32 Share = 1>
using cache_of =
    typename bounded_cache<32, overlap::reject_datagram, 56, OnFull, Share>::template model<packet>;

struct row {
    const char* name;
    std::vector<fragment_fields> fragments;
    const char* expected;
    std::size_t held_after = 0;
};

const row rows[] = {
    // The second ends inside the first: a length below zero, once.
    {.name = "teardrop", .fragments = {at(0, 36), at(24, 4, false)}, .expected = "hi"},
    // Nothing overlaps: the first counts 24 bytes. UDP then refuses a length beyond the whole.
    {.name = "newtear", .fragments = {at(0, 28), at(24, 4, false)}, .expected = "hc"},
    {.name = "syndrop", .fragments = {at(0, 48), at(24, 4, false)}, .expected = "hi"},
    // Sizes that were off by one: the first again, longer than the datagram.
    {.name = "nestea", .fragments = {at(0, 18), at(48, 116, false), at(0, 304)}, .expected = "hhi"},
    // A gap behind the first, then the end before it.
    {.name = "bonk",
     .fragments = {at(0, 36), at(56, 4, false), at(40, 8, false)},
     .expected = "hhi"},
    {.name = "boink",
     .fragments = {at(0, 24), at(32, 16), at(16, 8), at(24, 16)},
     .expected = "hhdo"},
    // The largest offset, again and again: one buffer, however many come.
    {.name = "jolt",
     .fragments = {at(65520, 380), at(65520, 380), at(65520, 380), at(65520, 380)},
     .expected = "hddd",
     .held_after = 1},
    {.name = "jolt2",
     .fragments = {at(65520, 9, false), at(65520, 9, false), at(65520, 9, false)},
     .expected = "hdd",
     .held_after = 1},
    // Other bytes for those that a filter saw; the bytes between come last.
    {.name = "overlap evasion",
     .fragments = {at(0, 24), at(48, 24), at(72, 17, false), at(24, 48)},
     .expected = "hhho"},
    // RFC 1858 section 4, RFC 3128: offset 8 would replace TCP's flags.
    {.name = "offset 1 behind a whole TCP header",
     .fragments = {at(0, 24), at(8, 16, false), at(24, 8, false)},
     .expected = "hdi"},
    {.name = "offset 1, longer than the first",
     .fragments = {at(0, 24), at(8, 24, false)},
     .expected = "ho"},
    // RFC 1858 section 3: a host sees the whole, never the first 8 bytes alone.
    {.name = "tiny first fragment", .fragments = {at(0, 8), at(8, 16, false)}, .expected = "hc"},
};

}  // namespace

TEST_CASE("teardrop and its kin, overlaps, tiny fragments") {
    for (const row& r : rows) {
        CAPTURE(r.name);
        const auto pool = std::make_unique<pool_type>();
        const auto cache = std::make_unique<cache_of<>>(secret);
        std::string got;
        for (const fragment_fields& f : r.fragments) {
            got += letter(feed_fragment(*cache, *pool, f));
        }
        CHECK(got == r.expected);
        CHECK(cache->held() == r.held_after);
        CHECK(pool->available() == 128 - r.held_after);
        cache->expire(instant{} + 30_s, [](auto&&) {});
        CHECK(cache->held() == 0);
        CHECK(cache->charged() == 0);
        CHECK(pool->available() == 128);
    }
}

TEST_CASE("ping of death: a datagram of more than 65,535 bytes goes when it would be whole") {
    const auto pool = std::make_unique<pool_type>();
    const auto cache = std::make_unique<cache_of<>>(secret);
    std::string got;
    for (u32 start = 0; start < 65536; start += 1480) {
        got += letter(feed_fragment(*cache, *pool, at(start, 1480, start + 1480 < 65536)));
    }
    CHECK(got == std::string(44, 'h') + "t");
    CHECK(pool->available() == 128);
    // The largest that may be.
    got.clear();
    for (u32 start = 0; start < 65515; start += 1480) {
        const u32 size = std::min(1480u, 65515 - start);
        got += letter(feed_fragment(*cache, *pool, at(start, size, start + size < 65515)));
    }
    CHECK(got == std::string(44, 'h') + "c");
}

TEST_CASE("Rose: sparse fragments end with their time, and another sender has room meanwhile") {
    const auto pool = std::make_unique<pool_type>();
    const auto cache = std::make_unique<cache_of<on_full::refuse, 4>>(secret);
    const auto flood = [&](instant now) {
        unsigned taken = 0;
        for (u16 id = 0; id < 3000; ++id) {
            for (const u32 start : {0u, 64800u}) {
                fragment_fields f = at(start, 8, start == 0);
                f.id = id;
                taken += held(feed_fragment(*cache, *pool, f, now, {.max_distance = 0})) ? 1u : 0u;
            }
        }
        return taken;
    };
    CHECK(flood({}) == 14);  // a fourth of 56 fragments
    // More of the same renew nothing.
    CHECK(flood(instant{} + 29_s) == 0);
    CHECK(cache->next_deadline() == instant{} + 30_s);
    fragment_fields head = head_fragment(7), tail = tail_fragment(7);
    head.source = tail.source = 0x0a000109;
    CHECK(letter(feed_fragment(*cache, *pool, head)) == 'h');
    CHECK(letter(feed_fragment(*cache, *pool, tail)) == 'c');
    cache->expire(instant{} + 30_s, [](auto&&) {});
    CHECK(cache->held() == 0);
    CHECK(pool->available() == 128);
}

TEST_CASE("Rose, evicting: a datagram that completes soon passes a flood of senders") {
    const auto pool = std::make_unique<pool_type>();
    const auto cache = std::make_unique<cache_of<on_full::evict_oldest>>(secret);
    u32 sender = 0x0b000000;
    for (u16 id = 0; id < 100; ++id) {
        CHECK(letter(feed_fragment(*cache, *pool, head_fragment(id))) == 'h');
        for (unsigned i = 0; i < 20; ++i) {
            fragment_fields f = at(64800, 8);
            f.source = ++sender;
            CHECK(letter(feed_fragment(*cache, *pool, f)) == 'h');
        }
        CHECK(letter(feed_fragment(*cache, *pool, tail_fragment(id))) == 'c');
    }
    CHECK(cache->held() <= 56);
}

// CVE-2018-5391.
TEST_CASE("FragmentSmack: a fragment asks the rule at most twice for each 8 bytes of its own") {
    struct counted {
        static unsigned& asked() {
            static unsigned count = 0;
            return count;
        }
        static overlap_answer settle(byte_range, byte_range) noexcept {
            ++asked();
            return overlap_answer::keep_held;
        }
    };
    struct counted_run {
        static run_answer refuse(byte_range, byte_range) noexcept {
            ++counted::asked();
            return run_answer::drop_fragment;
        }
    };
    using small_pool = fixed_pool<256, 8400>;
    const auto pool = std::make_unique<small_pool>();
    const auto worst = [&pool](auto& cache) {
        for (u32 start = 0; start < 65000; start += 16) {  // a gap behind each
            REQUIRE(held(feed_fragment(cache, *pool, at(start, 8))));
        }
        counted::asked() = 0;
        unsigned most = 0;
        for (u32 start = 8; start < 64000; start += 1000) {
            const unsigned before = counted::asked();
            static_cast<void>(feed_fragment(cache, *pool, at(start, 160)));
            most = std::max(most, counted::asked() - before);
        }
        return most;
    };
    using packet_type = small_pool::packet_type;
    const auto settling =
        std::make_unique<bounded_cache<2, counted, 4200>::model<packet_type>>(secret);
    const unsigned settled = worst(*settling);
    CHECK(settled >= 10);
    CHECK(settled <= 2 * 160 / 8);
    settling->expire(instant::never(), [](auto&&) {});
    const auto refusing =
        std::make_unique<bounded_cache<2, counted_run, 4200>::model<packet_type>>(secret);
    CHECK(worst(*refusing) == 1);
}

// With a hole behind each, in the orders that are worst for lists and trees: what is searched
// without an index takes some forty times as long with so many.
TEST_CASE_TEMPLATE("FragmentSmack: one of 4,000 fragments costs at most five times one of 64", Rule,
                   overlap::reject_datagram, overlap::keep_first) {
    using pool_of_many = fixed_pool<256, 6000>;
    using packet_type = pool_of_many::packet_type;
    const auto pool = std::make_unique<pool_of_many>();
    const auto cache =
        std::make_unique<typename bounded_cache<2, Rule, 4200>::template model<packet_type>>(
            secret);
    using place = u32 (*)(u32 n, u32 count);
    const place orders[] = {
        [](u32 n, u32 count) { return count - 1 - n; },               // last first
        [](u32 n, u32 count) { return n == 0 ? count - 1 : n - 1; },  // all before the first
        [](u32 n, u32 count) { return n % 2 == 0 ? n / 2 : count - 1 - n / 2; },  // from both ends
    };
    // In the best of some rounds.
    const auto time_of_one = [&](place order, u32 count) {
        auto best = std::chrono::steady_clock::duration::max();
        for (unsigned round = 0; round < 4; ++round) {
            std::vector<unsummed_datagram<packet_type>> fragments;
            for (u32 n = 0; n < count; ++n) {
                packet_type p = fragment_of(*pool, at(16 * order(n, count), 8));
                fragments.push_back(pipeline::validate(p).value());
            }
            const auto before = std::chrono::steady_clock::now();
            for (auto& f : fragments) {
                static_cast<void>(
                    cache->insert(std::move(f), reassembly_user::local_delivery, 0, {}, {}));
            }
            best = std::min(best, std::chrono::steady_clock::now() - before);
            CHECK(cache->held() == count);
            cache->expire(instant::never(), [](auto&&) {});
        }
        return static_cast<double>(best.count()) / count;
    };
    for (const place order : orders) {
        CHECK(time_of_one(order, 4000) < 5 * time_of_one(order, 64));
    }
}

TEST_CASE("collision flood: keys that agree in a weak hash all find room") {
    struct flood {
        const char* name;
        fragment_fields (*fragment)(u32);
    };
    const flood floods[] = {
        {.name = "identifications equal modulo 256",
         .fragment = [](u32 i) { return head_fragment(static_cast<u16>(256 * i)); }},
        {.name = "sums of addresses equal",
         .fragment =
             [](u32 i) {
                 fragment_fields f = head_fragment(1);
                 f.source += i;
                 f.destination -= i;
                 return f;
             }},
        {.name = "source and identification cancel out",
         .fragment =
             [](u32 i) {
                 fragment_fields f = head_fragment(static_cast<u16>(i));
                 f.source ^= i;
                 return f;
             }},
    };
    for (const flood& each : floods) {
        CAPTURE(each.name);
        const auto pool = std::make_unique<fixed_pool<256, 600>>();
        using cache_type = bounded_cache<256, overlap::reject_datagram,
                                         256>::model<fixed_pool<256, 600>::packet_type>;
        const auto cache = std::make_unique<cache_type>(secret);
        unsigned taken = 0;
        for (u32 i = 0; i < 256; ++i) {
            taken += held(feed_fragment(*cache, *pool, each.fragment(i))) ? 1u : 0u;
        }
        CHECK(taken == 256);
    }
}

// RFC 4963 section 5.
TEST_CASE("identification wrap: a half of an old datagram and one of a new never join") {
    const auto pool = std::make_unique<pool_type>();
    const auto cache = std::make_unique<cache_of<>>(secret);
    CHECK(letter(feed_fragment(*cache, *pool, head_fragment(1))) == 'h');
    for (u16 id = 2; id < 67; ++id) {  // 65 others, more than max_distance
        fragment_fields f = head_fragment(id);
        f.length = 24;
        f.more = false;
        CHECK(letter(feed_fragment(*cache, *pool, f)) == 'c');
    }
    const auto step = feed_fragment(*cache, *pool, tail_fragment(1));
    CHECK(step.too_far);
    CHECK(letter(step) == 'h');
    CHECK(step.pieces_dropped == 1);
}

// CVE-2021-24074: the options of one fragment, the length of another's.
TEST_CASE("options of later fragments never reach the whole") {
    for (const bool reversed : {false, true}) {
        const auto pool = std::make_unique<pool_type>();
        const auto cache = std::make_unique<cache_of<>>(secret);
        fragment_fields fragments[] = {head_fragment(1), tail_fragment(1)};
        fragments[0].options = 4;
        fragments[1].options = 40;
        if (reversed) {
            std::swap(fragments[0], fragments[1]);
        }
        CHECK(letter(feed_fragment(*cache, *pool, fragments[0])) == 'h');
        auto step = feed_fragment(*cache, *pool, fragments[1]);
        REQUIRE(letter(step) == 'c');
        CHECK(is_whole_datagram(step.packet, 32, 4));
    }
}

// CVE-2021-24074 as it was sent: source routes of two lengths, in either order.
TEST_CASE("source routes of two fragments: the whole has the first one's, whole and alone") {
    const auto routed = [](pool_type& pool, fragment_fields f, u8 kind, u8 hops) {
        f.options = static_cast<u8>(4 * (hops + 1));
        packet p = fragment_of(pool, f);
        std::byte* const option = p.data() + 20;
        option[0] = std::byte{kind};
        option[1] = std::byte(3 + 4 * hops);
        option[2] = std::byte{4};
        for (u32 i = 0; i < 4u * hops; ++i) {
            option[3 + i] = std::byte(kind + i);
        }
        option[3 + 4 * hops] = std::byte{0};
        ipv4::set_checksum(ipv4::view{p.data()});
        return p;
    };
    for (const bool reversed : {false, true}) {
        for (const auto& [first_hops, later_hops] : {std::pair{u8{1}, u8{9}}, {u8{9}, u8{1}}}) {
            CAPTURE(reversed);
            CAPTURE(first_hops);
            const auto pool = std::make_unique<pool_type>();
            const auto cache = std::make_unique<cache_of<>>(secret);
            packet both[] = {routed(*pool, head_fragment(1), 131, first_hops),
                             routed(*pool, tail_fragment(1), 137, later_hops)};
            const byte_vector first = content_of(both[0]);
            if (reversed) {
                std::swap(both[0], both[1]);
            }
            const auto insert = [&](packet& p) {
                return cache->insert(pipeline::validate(p).value(), reassembly_user::local_delivery,
                                     0, {}, {});
            };
            CHECK(letter(insert(both[0])) == 'h');
            auto step = insert(both[1]);
            REQUIRE(letter(step) == 'c');
            const u8 options = static_cast<u8>(4 * (first_hops + 1));
            CHECK(is_whole_datagram(step.packet, 32, options));
            const byte_vector whole = content_of(step.packet);
            CHECK(std::equal(whole.begin() + 20, whole.begin() + 20 + options, first.begin() + 20));
        }
    }
}

// CVE-2020-11896: the inner datagram of a tunnel is shorter than the buffers that hold it.
TEST_CASE("an inner length below the size of the whole cuts the list of fragments") {
    const auto pool = std::make_unique<pool_type>();
    const auto cache = std::make_unique<cache_of<>>(secret);
    packet head = fragment_of(*pool, at(0, 40));
    const ipv4::view inner{head.data() + 20};
    fill_bytes(head.data() + 20, 20, std::byte{0});
    inner.set(ipv4::version, 4);
    inner.set(ipv4::ihl, u8{5});
    inner.set(ipv4::total_length, u16{60});
    ipv4::set_checksum(inner);
    auto valid = pipeline::validate(head);
    REQUIRE(valid);
    CHECK(held(cache->insert(std::move(*valid), reassembly_user::local_delivery, 0, {}, {})));
    auto step = feed_fragment(*cache, *pool, at(40, 1400, false));
    REQUIRE(letter(step) == 'c');
    REQUIRE(step.packet.pull(20));
    const auto cut = pipeline::validate(step.packet);
    REQUIRE(cut);
    CHECK(cut->packet().size() == 60);
    const byte_vector all = content_of(cut->packet());
    REQUIRE(all.size() == 60);
    CHECK(all[59] == fragment_byte(59));
    // Longer than all fragments together: refused.
    packet beyond = fragment_of(*pool, at(0, 1400));
    const ipv4::view longer{beyond.data()};
    longer.set(ipv4::total_length, u16{1421});
    ipv4::set_checksum(longer);
    CHECK(pipeline::validate(beyond).error() == drop_reason::length_beyond_packet);
}

// 128 keys of one line of the index. Its twelve slots are full at once; the lines of the others
// come from SipHash, and nothing is refused.
TEST_CASE("collision flood: whoever knows the secret of the first hash fills no other line") {
    using large_pool = fixed_pool<256, 600>;
    const auto pool = std::make_unique<large_pool>();
    const auto cache = std::make_unique<
        bounded_cache<256, overlap::reject_datagram, 512>::model<large_pool::packet_type>>(secret);
    const detail::fragment_hasher first{detail::fragment_siphash{secret}};
    constexpr std::size_t lines = detail::slot_line::lines_for(256);
    u32 sent = 0;
    for (u32 n = 0; sent < 128; ++n) {
        fragment_fields f = head_fragment(static_cast<u16>(n));
        f.source += n >> 16;
        {
            const auto p = fragment_of(*pool, f);
            const ipv4::const_view ip{p.data()};
            if (first.hash_of(ip, reassembly_user::local_delivery, 0).hash() % lines != 3) {
                continue;
            }
        }
        ++sent;
        REQUIRE(held(feed_fragment(*cache, *pool, f, {}, {.max_distance = 0})));
    }
    for (u16 id = 0; id < 100; ++id) {
        fragment_fields head = head_fragment(id);
        fragment_fields tail = tail_fragment(id);
        head.source = tail.source = 0x0b000001u + id;
        REQUIRE(held(feed_fragment(*cache, *pool, head)));
        REQUIRE(feed_fragment(*cache, *pool, tail).kind == reassembly_result::complete);
    }
}

}  // namespace reassembly_attacks
