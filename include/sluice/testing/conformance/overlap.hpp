// conformance::overlap_rule: tests whether a cache keeps the bytes that your overlap rule chooses.
//
//     const auto found = testing::conformance::overlap_rule<my_rule>();  // prints faults
//     return found.passed() ? 0 : 1;
//
// It feeds a bounded_cache with the rule the published patterns (overlap_patterns.hpp), and then
// 3,000 datagrams, cut three times each at different places and with different bytes, in random
// order. A byte-by-byte model applies the same rule, and both must agree. The rule must return
// equal answers to equal questions.
#pragma once

#include <sluice/base/random.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/reassembly/bounded_cache.hpp>
#include <sluice/testing/checker.hpp>
#include <sluice/testing/fixed_seed.hpp>
#include <sluice/testing/fragments.hpp>
#include <sluice/testing/overlap_patterns.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

namespace sluice::testing::conformance {

namespace detail {

enum class overlap_result : u8 { taken, duplicate, ignored, drop_fragment, drop_datagram };

// The model: for each byte of a datagram, which cut it came from (flavour) and the piece that holds
// it.
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
    // In the order of their places.
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
    overlap_result insert(byte_range incoming, u8 flavour) {
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
            constexpr overlap_result by_answer[] = {
                overlap_result::ignored, overlap_result::duplicate, overlap_result::drop_fragment,
                overlap_result::drop_datagram};
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
        return overlap_result::taken;
    }

    template <settles_overlaps Rule>
    overlap_result insert(byte_range incoming, u8 flavour) {
        const auto overlapped = pieces_within(incoming);
        for (const unsigned held : overlapped) {
            const auto answer = Rule::settle(range_of(held), incoming);
            if (answer == overlap_answer::drop_fragment) {
                return overlap_result::drop_fragment;
            }
            if (answer == overlap_answer::drop_datagram) {
                return overlap_result::drop_datagram;
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
        return anything_new ? overlap_result::taken : overlap_result::duplicate;
    }
};

// The datagram that the cache should hold.
struct expected_datagram {
    byte_map map;
    u32 length = 0;
    bool known = false;

    [[nodiscard]] bool is_whole() const { return known && map.bytes.size() == length; }
    [[nodiscard]] bool end_fits(const fragment_fields& s) {
        const u32 end = s.start + s.length;
        if (s.more ? (known && end > length) : (end < length || (known && end != length))) {
            return false;
        }
        known = known || !s.more;
        length = std::max(length, end);
        return true;
    }
};

// Cuts a datagram of 1 to 400 bytes three times, at other places and with other bytes each time.
inline std::vector<fragment_fields> three_cuts(keyed_random& random, u16 id) {
    std::vector<fragment_fields> all;
    const u32 length = 1 + random.below(400);
    for (u8 flavour = 0; flavour < 3; ++flavour) {
        for (u32 at = 0; at < length;) {
            const u32 size = std::min(8 * (1 + random.below(10)), length - at);
            if (random.below(3) != 0) {
                all.push_back({.start = at,
                               .length = size,
                               .more = at + size < length,
                               .id = id,
                               .flavour = static_cast<u8>(flavour + 1)});
            }
            at += size;
        }
    }
    for (std::size_t i = all.size(); i > 1; --i) {
        std::swap(all[i - 1], all[random.below(static_cast<u32>(i))]);
    }
    return all;
}

template <class Packet>
bool same_bytes(const Packet& whole, const byte_map& map) {
    const byte_vector all = content_of(whole);
    return all.size() == 20 + map.bytes.size() &&
           std::all_of(map.bytes.begin(), map.bytes.end(), [&all](const auto& b) {
               return all[20 + b.first] == fragment_byte(b.first, b.second.flavour);
           });
}

template <class Rule>
class overlap_suite {
public:
    explicit overlap_suite(checker& check) : check_{check} {}

    void run() {
        same_answers();
        const auto pool = std::make_unique<pool_type>();
        const auto cache = std::make_unique<cache_type>(fixed_seed);
        check_.begin("a published pattern has the bytes that the rule prefers");
        u16 id = 0;
        for (const overlap_pattern& p : overlap_patterns) {
            check_.given("pattern", id);
            static_cast<void>(one_datagram(*cache, *pool, fragments_of(p, id++)));
        }
        check_.clear_given();
        check_.begin("a datagram has the bytes that the rule prefers");
        u64 completed = 0;
        for (id = 0; id < 3000; ++id) {
            check_.given("datagram", id);
            completed += one_datagram(*cache, *pool, three_cuts(random_, id)) ? 1u : 0u;
        }
        check_.clear_given();
        check_.holds(completed > 30, "more than 30 datagrams become complete");
    }

private:
    static constexpr std::size_t buffers = 128;
    using pool_type = fixed_pool<512, buffers>;
    using cache_type =
        typename bounded_cache<4, Rule, 96>::template model<typename pool_type::packet_type>;

    [[nodiscard]] static auto answer_of(byte_range held, byte_range incoming) {
        if constexpr (settles_overlaps<Rule>) {
            return Rule::settle(held, incoming);
        } else {
            return Rule::refuse(held, incoming);
        }
    }
    void same_answers() {
        check_.begin("the rule depends only on the two ranges");
        const byte_range ranges[] = {{0, 8},   {0, 24},    {8, 16}, {8, 24},
                                     {16, 20}, {16, 1480}, {24, 32}};
        std::vector<decltype(answer_of({}, {}))> answers;
        for (const int round : {1, 2}) {
            std::size_t n = 0;
            for (const byte_range held : ranges) {
                for (const byte_range incoming : ranges) {
                    const auto answer = answer_of(held, incoming);
                    if (round == 1) {
                        answers.push_back(answer);
                    } else {
                        check_.equal(answer, answers[n++],
                                     "the rule repeats its answer for the same ranges");
                    }
                }
            }
        }
    }

    // Whether the datagram became whole.
    [[nodiscard]] bool one_datagram(cache_type& cache, pool_type& pool,
                                    const std::vector<fragment_fields>& fragments) {
        const bool became_whole = feed_all(cache, pool, fragments);
        cache.expire(instant::never(), [](auto&&) {});
        check_.equal(pool.available(), buffers, "all buffers are back in the pool");
        return became_whole;
    }
    [[nodiscard]] bool feed_all(cache_type& cache, pool_type& pool,
                                const std::vector<fragment_fields>& fragments) {
        bool became_whole = false;
        expected_datagram expected;
        for (const fragment_fields& f : fragments) {
            const expected_datagram before = expected;
            auto step = feed_fragment(cache, pool, f, {}, {.max_distance = 0});
            if (!check_.holds(expected.end_fits(f), "all cuts end at the same byte")) {
                return became_whole;
            }
            const overlap_result o =
                expected.map.template insert<Rule>({f.start, f.start + f.length}, f.flavour);
            if (o == overlap_result::drop_fragment) {
                expected = before;
            }
            if (!is_as_expected(step, o, expected)) {
                return became_whole;
            }
            became_whole = became_whole || step.kind == reassembly_result::complete;
            if (o == overlap_result::drop_datagram || step.kind == reassembly_result::complete) {
                expected = {};
            }
        }
        return became_whole;
    }
    template <class Step>
    [[nodiscard]] bool is_as_expected(Step& step, overlap_result o,
                                      const expected_datagram& expected) {
        if (o == overlap_result::drop_fragment || o == overlap_result::drop_datagram) {
            return check_.equal(
                step.reason, drop_reason::fragment_overlap,
                "a fragment that the rule drops has the drop reason fragment_overlap");
        }
        if (o != overlap_result::ignored && expected.is_whole()) {
            return check_.equal(step.kind, reassembly_result::complete,
                                "the last missing byte completes the datagram") &&
                   check_.holds(same_bytes(step.packet, expected.map),
                                "each byte comes from the fragment that the rule prefers");
        }
        if (o == overlap_result::taken) {
            return check_.equal(step.kind, reassembly_result::held,
                                "a fragment with new bytes is held");
        }
        return check_.equal(step.reason, drop_reason::fragment_duplicate,
                            "a fragment without new bytes has the drop reason fragment_duplicate");
    }

    checker& check_;
    keyed_random random_{hash_key{17, 17}};
};

}  // namespace detail

template <overlap_policy Rule>
suite_result overlap_rule(const reporter& report = print_broken) {
    checker check{"overlap_rule", report};
    detail::overlap_suite<Rule>{check}.run();
    return check.result();
}

}  // namespace sluice::testing::conformance
