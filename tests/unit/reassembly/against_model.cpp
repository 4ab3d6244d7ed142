// Random and hostile fragments against a naive model: a byte map with the rule applied byte by
// byte. Results, bytes, header and the place of every buffer are compared after each fragment.
#include "fragments.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <type_traits>

namespace reassembly_against_model {
using namespace reassembly_test;

namespace {

enum class insertion { complete, held, duplicate, overlap, invalid };

struct run {
    u32 start, end;
};

// One datagram in the naive model.
struct naive {
    std::map<u32, u8> flavours;  // place to flavour
    std::vector<run> runs;
    u32 length = 0;
    bool known = false;

    bool is_whole() const { return known && flavours.size() == length; }
    bool end_fits(const fragment_fields& s, u32 end) {
        if (!s.more) {
            if (end < length || (known && end != length)) {
                return false;
            }
            known = true;
            length = end;
        } else if (end > length) {
            if (known) {
                return false;
            }
            length = end;
        }
        return end != s.start;
    }
    // Linux: a new run unless it continues the one that ends last.
    std::optional<insertion> place_run(u32 start, u32 end) {
        for (const run& r : runs) {
            if (start < r.end && r.start < end) {
                return start >= r.start && end <= r.end ? insertion::duplicate : insertion::overlap;
            }
        }
        const auto last = std::max_element(
            runs.begin(), runs.end(), [](const run& a, const run& b) { return a.end < b.end; });
        if (last != runs.end() && last->end == start) {
            last->end = end;
        } else {
            runs.push_back({start, end});
        }
        return {};
    }
    template <class Rule>
    insertion insert(const fragment_fields& s) {
        constexpr bool drops_fragment = std::is_same_v<Rule, overlap::reject_fragment>;
        constexpr bool keeps_last = std::is_same_v<Rule, overlap::keep_last>;
        const naive before = *this;
        const u32 end = s.more ? (s.start + s.length) & ~7u : s.start + s.length;
        if (!end_fits(s, end)) {
            return insertion::invalid;
        }
        bool anything_new = keeps_last;
        if (drops_fragment || std::is_same_v<Rule, overlap::reject_datagram>) {
            anything_new = true;
            const auto refused = place_run(s.start, end);
            if (refused == insertion::overlap && drops_fragment) {
                *this = before;
            }
            if (refused == insertion::duplicate && drops_fragment && is_whole()) {
                return insertion::complete;
            }
            if (refused) {
                return *refused;
            }
        }
        for (u32 at = s.start; at < end; ++at) {
            anything_new = flavours.count(at) == 0 || anything_new;
            if (std::is_same_v<Rule, overlap::keep_first>) {
                flavours.emplace(at, s.flavour);
            } else {
                flavours[at] = s.flavour;
            }
        }
        if (is_whole()) {
            return insertion::complete;
        }
        return anything_new ? insertion::held : insertion::duplicate;
    }
};

template <class Packet>
insertion insertion_of(const reassembly_step<Packet>& step) {
    if (step.kind == reassembly_result::complete) {
        return insertion::complete;
    }
    switch (step.reason) {
    case drop_reason::none:
        return insertion::held;
    case drop_reason::fragment_duplicate:
        return insertion::duplicate;
    case drop_reason::fragment_overlap:
        return insertion::overlap;
    default:
        return insertion::invalid;
    }
}

// A datagram in fragments, with duplicates, overlaps, lies about the end and empty ones among them.
std::vector<fragment_fields> stream(std::mt19937& random, u16 id, bool hostile) {
    const auto below = [&random](u32 n) { return static_cast<u32>(random() % n); };
    std::vector<fragment_fields> all;
    const u32 length = 1 + below(400);
    for (u32 at = 0; at < length;) {
        const u32 size = std::min(8 * (1 + below(10)), length - at);
        all.push_back({.start = at, .length = size, .more = at + size < length, .id = id});
        at += size;
    }
    const u32 extra = below(4);
    for (u32 i = 0; i < extra; ++i) {
        fragment_fields s = all[below(static_cast<u32>(all.size()))];
        if (hostile && below(2) == 0) {
            s.start = 8 * below(length / 8 + 2);
            s.length = below(100);
            s.more = below(8) != 0;
        }
        s.flavour = static_cast<u8>(1 + below(60));
        s.tos = static_cast<u8>(s.flavour * 4);
        all.push_back(s);
    }
    if (below(4) != 0) {
        std::shuffle(all.begin(), all.end(), random);
    }
    return all;
}

bool same_bytes(const std::vector<std::byte>& whole, const naive& model) {
    if (whole.size() != 20 + model.length || whole[1] != std::byte(model.flavours.at(0) * 4)) {
        return false;
    }
    return std::all_of(model.flavours.begin(), model.flavours.end(), [&whole](const auto& byte) {
        return whole[20 + byte.first] == fragment_byte(byte.first, byte.second);
    });
}

template <class Rule>
void compare(unsigned seed, unsigned rounds, bool hostile) {
    using pool_type = fixed_pool<512, 512>;
    const auto pool = std::make_unique<pool_type>();
    using cache_type =
        typename bounded_cache<64, Rule, 512>::template model<typename pool_type::packet_type>;
    const auto cache = std::make_unique<cache_type>(secret);
    std::mt19937 random{seed};
    std::map<insertion, unsigned> seen;
    for (unsigned round = 0; round < rounds; ++round) {
        std::vector<fragment_fields> mixed;  // three datagrams at a time
        std::map<u16, naive> models;
        for (u16 id = 1; id <= 3; ++id) {
            const auto one = stream(random, id, hostile);
            mixed.insert(mixed.end(), one.begin(), one.end());
        }
        std::shuffle(mixed.begin(), mixed.end(), random);
        const instant now = instant{} + duration::from_seconds(100 * round);
        for (const fragment_fields& s : mixed) {
            const std::size_t held = cache->held();
            auto step = feed_fragment(*cache, *pool, s, now, {.max_distance = 0});
            const insertion expected = models[s.id].template insert<Rule>(s);
            REQUIRE(insertion_of(step) == expected);
            ++seen[expected];
            const bool refused = step.kind == reassembly_result::refused;
            REQUIRE(cache->held() + step.pieces_dropped + step.pieces == held + (refused ? 0 : 1));
            REQUIRE(pool->available() + cache->held() + step.pieces == 512);
            if (expected == insertion::complete) {
                REQUIRE(same_bytes(content_of(step.packet), models[s.id]));
            }
            if (expected == insertion::complete || expected == insertion::invalid ||
                (expected == insertion::overlap &&
                 std::is_same_v<Rule, overlap::reject_datagram>)) {
                models.erase(s.id);
            }
        }
        cache->expire(now + 30_s, [](auto&&) {});
        REQUIRE(cache->held() == 0);
        REQUIRE(cache->charged() == 0);
        REQUIRE(pool->available() == 512);
    }
    CHECK(seen[insertion::complete] > rounds);
    CHECK((seen[insertion::duplicate] > rounds / 8 || std::is_same_v<Rule, overlap::keep_last>));
    CHECK((!hostile || seen[insertion::invalid] > rounds / 8));
}

}  // namespace

TEST_CASE_TEMPLATE("1,200 honest and 1,200 hostile datagrams", Rule, overlap::reject_datagram,
                   overlap::reject_fragment, overlap::keep_first, overlap::keep_last) {
    compare<Rule>(1, 400, false);
    compare<Rule>(2, 400, true);
}

}  // namespace reassembly_against_model
