// What the bytes of a datagram are under each rule for overlaps: one suite, run for each of the
// library and for four of a user, against a map of bytes that asks the same rule. To check a rule
// of your own, add it to the list.
#include "../unit/reassembly/fragments.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>

namespace conformance_overlap {
using namespace reassembly_test;

namespace {

// A user's own rules: two of other systems, and two that give every answer.
struct bsd {  // the lower offset wins; what was first, where they are equal
    static constexpr overlap_answer settle(byte_range held, byte_range incoming) noexcept {
        return held.start <= incoming.start ? overlap_answer::keep_held
                                            : overlap_answer::keep_incoming;
    }
};
struct windows {  // what was first, unless it lies inside what comes
    static constexpr overlap_answer settle(byte_range held, byte_range incoming) noexcept {
        const bool inside = incoming.start < held.start && held.end < incoming.end;
        return inside ? overlap_answer::keep_incoming : overlap_answer::keep_held;
    }
};
struct by_arithmetic {
    static constexpr overlap_answer settle(byte_range held, byte_range incoming) noexcept {
        if (held.end % 64 != 0 && incoming.end % 64 == 0) {
            return overlap_answer::drop_datagram;
        }
        return held.contains(incoming)    ? overlap_answer::keep_held
               : incoming.contains(held)  ? overlap_answer::keep_incoming
               : incoming.start % 16 != 0 ? overlap_answer::drop_fragment
                                          : overlap_answer::keep_held;
    }
};
struct forgiving {  // refuses runs: a fragment by its size, else its datagram
    static constexpr run_answer refuse(byte_range run, byte_range incoming) noexcept {
        return run.contains(incoming)                ? run_answer::duplicate
               : incoming.end - incoming.start <= 32 ? run_answer::drop_fragment
                                                     : run_answer::drop_datagram;
    }
};

enum class outcome { taken, duplicate, ignored, drop_fragment, drop_datagram };

// The bytes of a datagram one by one: whose each is, and which piece holds it.
struct byte_map {
    struct byte {
        u8 flavour;
        unsigned piece;
    };
    std::map<u32, byte> bytes;
    std::vector<byte_range> runs;
    unsigned pieces = 0;

    [[nodiscard]] byte_range range_of(unsigned piece) const {
        byte_range r{~u32{0}, 0};
        for (const auto& [place, b] : bytes) {
            if (b.piece == piece) {
                r = {std::min(r.start, place), place + 1};
            }
        }
        return r;
    }
    // In order of their place.
    [[nodiscard]] std::vector<unsigned> pieces_within(byte_range r) const {
        std::vector<unsigned> found;
        for (u32 place = r.start; place < r.end; ++place) {
            const auto at = bytes.find(place);
            if (at != bytes.end() && (found.empty() || found.back() != at->second.piece)) {
                found.push_back(at->second.piece);
            }
        }
        return found;
    }

    template <refuses_overlaps Rule>
    outcome insert(byte_range incoming, u8 flavour) {
        const byte_range* first = nullptr;
        byte_range* last = nullptr;
        for (byte_range& r : runs) {
            if (r.start < incoming.end && incoming.start < r.end &&
                (first == nullptr || r.start < first->start)) {
                first = &r;
            }
            last = last == nullptr || last->end < r.end ? &r : last;
        }
        if (first != nullptr) {
            constexpr outcome by_answer[] = {outcome::ignored, outcome::duplicate,
                                             outcome::drop_fragment, outcome::drop_datagram};
            return by_answer[static_cast<int>(Rule::refuse(*first, incoming))];
        }
        if (last != nullptr && last->end == incoming.start) {
            last->end = incoming.end;
        } else {
            runs.push_back(incoming);
        }
        for (u32 place = incoming.start; place < incoming.end; ++place) {
            bytes[place] = {flavour, 0};
        }
        return outcome::taken;
    }

    template <settles_overlaps Rule>
    outcome insert(byte_range incoming, u8 flavour) {
        const auto overlapped = pieces_within(incoming);
        for (const unsigned held : overlapped) {
            const auto answer = Rule::settle(range_of(held), incoming);
            if (answer == overlap_answer::drop_fragment) {
                return outcome::drop_fragment;
            }
            if (answer == overlap_answer::drop_datagram) {
                return outcome::drop_datagram;
            }
        }
        const unsigned own = ++pieces;
        byte_range p = incoming;
        std::map<u32, byte> of_p;
        for (u32 place = p.start; place < p.end; ++place) {
            of_p[place] = {flavour, own};
        }
        bool anything_new = false;
        for (const unsigned piece : overlapped) {
            const byte_range held = range_of(piece);
            const bool held_wins = Rule::settle(held, incoming) == overlap_answer::keep_held;
            const bool held_inside = p.start < held.start && held.end < p.end;
            const bool p_inside = held.start < p.start && p.end < held.end;
            anything_new = anything_new || !held_wins;
            for (u32 place = std::max(held.start, p.start); place < std::min(held.end, p.end);
                 ++place) {
                of_p[place].flavour = held_wins ? bytes[place].flavour : flavour;
                of_p[place].piece =
                    held_wins ? (held_inside ? own : piece) : (p_inside ? piece : own);
            }
            if (held_wins && held.start <= p.start) {
                p.start = std::min(held.end, p.end);
            }
        }
        for (const auto& [place, b] : of_p) {
            anything_new = anything_new || bytes.count(place) == 0;
            bytes[place] = b;
        }
        return anything_new ? outcome::taken : outcome::duplicate;
    }
};

// The datagram that a cache should have.
struct expected_datagram {
    byte_map map;
    u32 length = 0;
    bool known = false;

    [[nodiscard]] bool is_whole() const { return known && map.bytes.size() == length; }
    [[nodiscard]] bool end_fits(const spec& s) {
        const u32 end = s.start + s.length;
        if (s.more ? (known && end > length) : (end < length || (known && end != length))) {
            return false;
        }
        known = known || !s.more;
        length = std::max(length, end);
        return true;
    }
};

// A datagram of 1 to 400 bytes cut up three times, each time at other places and with other bytes.
std::vector<spec> three_cuts(std::mt19937& random, u16 id) {
    const auto below = [&random](u32 n) { return static_cast<u32>(random() % n); };
    std::vector<spec> all;
    const u32 length = 1 + below(400);
    for (u8 flavour = 0; flavour < 3; ++flavour) {
        for (u32 at = 0; at < length;) {
            const u32 size = std::min(8 * (1 + below(10)), length - at);
            if (below(3) != 0) {
                all.push_back({.start = at,
                               .length = size,
                               .more = at + size < length,
                               .id = id,
                               .flavour = static_cast<u8>(flavour + 1)});
            }
            at += size;
        }
    }
    std::shuffle(all.begin(), all.end(), random);
    return all;
}

template <class Packet>
bool same_bytes(const Packet& whole, const byte_map& map) {
    const auto all = octets(whole);
    return all.size() == 20 + map.bytes.size() &&
           std::all_of(map.bytes.begin(), map.bytes.end(), [&all](const auto& b) {
               return all[20 + b.first] == pattern(b.first, b.second.flavour);
           });
}

}  // namespace

TEST_CASE_TEMPLATE("the bytes are those that the rule says", Rule, overlap::reject_datagram,
                   overlap::reject_fragment, overlap::keep_first, overlap::keep_last, bsd, windows,
                   by_arithmetic, forgiving) {
    using pool_type = fixed_pool<512, 128>;
    using cache_type =
        typename bounded_cache<4, Rule, 96>::template model<typename pool_type::packet_type>;
    const auto pool = std::make_unique<pool_type>();
    const auto cache = std::make_unique<cache_type>(secret);
    std::mt19937 random{17};
    unsigned completed = 0;
    for (u16 id = 0; id < 3000; ++id) {
        expected_datagram expected;
        for (const spec& s : three_cuts(random, id)) {
            const expected_datagram before = expected;
            auto step = feed(*cache, *pool, s, {}, {.max_distance = 0});
            REQUIRE(expected.end_fits(s));
            const outcome o =
                expected.map.template insert<Rule>({s.start, s.start + s.length}, s.flavour);
            if (o == outcome::drop_fragment) {
                expected = before;
            }
            if (o == outcome::drop_fragment || o == outcome::drop_datagram) {
                REQUIRE(step.reason == drop_reason::fragment_overlap);
            } else if (o != outcome::ignored && expected.is_whole()) {
                REQUIRE(step.kind == reassembly_outcome::complete);
                REQUIRE(same_bytes(step.packet, expected.map));
                ++completed;
            } else if (o == outcome::taken) {
                REQUIRE(step.kind == reassembly_outcome::held);
            } else {
                REQUIRE(step.reason == drop_reason::fragment_duplicate);
            }
            if (o == outcome::drop_datagram || step.kind == reassembly_outcome::complete) {
                expected = {};
            }
        }
        cache->expire(instant::never(), [](auto&&) {});
        REQUIRE(pool->available() == 128);
    }
    CHECK(completed > 30);
}

TEST_CASE(
    "a rule is asked about what is left of a piece, in order of place, and once more to act") {
    struct recorded {
        static std::vector<byte_range>& asked() {
            static std::vector<byte_range> all;
            return all;
        }
        static overlap_answer settle(byte_range held, byte_range) noexcept {
            asked().push_back(held);
            return overlap_answer::keep_incoming;
        }
    };
    using pool_type = fixed_pool<512, 16>;
    pool_type pool;
    bounded_cache<1, recorded, 8>::model<pool_type::packet_type> cache{secret};
    for (const u32 start : {0u, 32u, 16u}) {
        CHECK(feed(cache, pool, {.start = start, .length = 16}).kind == reassembly_outcome::held);
    }
    CHECK(recorded::asked().empty());
    CHECK(feed(cache, pool, {.start = 8, .length = 32}).pieces_dropped == 1);
    const std::vector<byte_range> three{{0, 16}, {16, 32}, {32, 48}};
    std::vector<byte_range> twice = three;
    twice.insert(twice.end(), three.begin(), three.end());
    CHECK(recorded::asked() == twice);
    recorded::asked().clear();
    CHECK(feed(cache, pool, {.start = 0, .length = 16}).pieces_dropped == 1);
    CHECK(recorded::asked() == std::vector<byte_range>{{0, 8}, {8, 40}, {0, 8}, {8, 40}});
}

TEST_CASE("a fragment that is dropped changes nothing, not even what its first overlap allowed") {
    struct first_only {
        static constexpr overlap_answer settle(byte_range held, byte_range) noexcept {
            return held.start == 0 ? overlap_answer::keep_incoming : overlap_answer::drop_fragment;
        }
    };
    using pool_type = fixed_pool<512, 16>;
    pool_type pool;
    bounded_cache<1, first_only, 8>::model<pool_type::packet_type> cache{secret};
    static_cast<void>(feed(cache, pool, {.start = 0, .length = 16}));
    static_cast<void>(feed(cache, pool, {.start = 16, .length = 16}));
    const auto refused = feed(cache, pool, {.start = 8, .length = 16, .flavour = 1});
    CHECK(refused.reason == drop_reason::fragment_overlap);
    CHECK(cache.held() == 2);
    auto whole = feed(cache, pool, {.start = 32, .length = 4, .more = false});
    REQUIRE(whole.kind == reassembly_outcome::complete);
    CHECK(is_whole(whole.packet, 36));
}

TEST_CASE("what is no rule, or two, is none") {
    struct both : overlap::keep_first, overlap::reject_datagram {};
    struct may_throw {
        static overlap_answer settle(byte_range, byte_range) { return overlap_answer::keep_held; }
    };
    CHECK(overlap_policy<overlap::keep_last>);
    CHECK(overlap_policy<overlap::reject_fragment>);
    CHECK_FALSE(overlap_policy<both>);
    CHECK_FALSE(overlap_policy<may_throw>);
    CHECK_FALSE(overlap_policy<int>);
}

}  // namespace conformance_overlap
