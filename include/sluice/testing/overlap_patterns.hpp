// overlap_patterns: overlapping fragments of publications, and what a rule makes of them.
//
//     testing::assembled<overlap::windows>(testing::novak)  // "AAAJBBCCCLLLMEEFFFGGHHIQ"
//
// A pattern is a list of fragments in the order of their arrival; each is filled with a letter of
// its own. The result has a letter for each 8 bytes of the datagram. Each publication states what
// the systems that it tested made of its pattern: compare a rule of yours with your system.
//
// Expects: patterns of at most 16 fragments beyond the first, within 256 bytes.
// Cost:    a cache and a pool on the heap for each call.
// Source:  Ptacek and Newsham, "Insertion, Evasion, and Denial of Service", 1998; Shankar and
//          Paxson, "Active Mapping", 2003; Novak, "Target-Based Fragmentation Reassembly", 2005,
//          and Novak and Sturges, "Target-Based TCP Stream Reassembly", 2007.
#pragma once

#include <sluice/packet/pool_storage.hpp>
#include <sluice/reassembly/bounded_cache.hpp>
#include <sluice/testing/fixed_seed.hpp>
#include <sluice/testing/fragments.hpp>

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace sluice::testing {

// Units of 8 bytes.
struct pattern_fragment {
    char letter;
    u32 start;
    u32 length;
};
using overlap_pattern = std::span<const pattern_fragment>;

namespace detail {

// The new fragment starts before the old one ("forward"), and behind its start ("backward").
inline constexpr pattern_fragment forward[] = {{'O', 2, 2}, {'N', 1, 2}, {'a', 0, 1}, {'z', 4, 1}};
inline constexpr pattern_fragment backward[] = {{'O', 1, 2}, {'N', 2, 2}, {'a', 0, 1}, {'z', 4, 1}};
inline constexpr pattern_fragment active_mapping[] = {{'1', 0, 3}, {'2', 4, 2}, {'3', 6, 3},
                                                      {'4', 1, 4}, {'5', 6, 3}, {'6', 9, 3}};
inline constexpr pattern_fragment novak[] = {
    {'A', 0, 3},  {'B', 4, 2},  {'C', 6, 3},  {'D', 10, 1}, {'E', 13, 2}, {'F', 15, 3},
    {'G', 18, 2}, {'H', 20, 2}, {'I', 22, 1}, {'J', 1, 4},  {'K', 6, 3},  {'L', 9, 3},
    {'M', 12, 3}, {'N', 16, 1}, {'O', 19, 1}, {'P', 20, 1}, {'Q', 22, 2}};

}  // namespace detail

inline constexpr overlap_pattern forward_overlap{detail::forward};
inline constexpr overlap_pattern backward_overlap{detail::backward};
inline constexpr overlap_pattern active_mapping{detail::active_mapping};
inline constexpr overlap_pattern novak{detail::novak};
inline constexpr overlap_pattern overlap_patterns[] = {forward_overlap, backward_overlap,
                                                       active_mapping, novak};

// The fragments of a pattern: the flavour of each is its number, from 1.
inline std::vector<fragment_fields> fragments_of(overlap_pattern pattern, u16 id = 1) {
    u32 whole = 0;
    for (const pattern_fragment& f : pattern) {
        whole = std::max(whole, f.start + f.length);
    }
    std::vector<fragment_fields> all;
    for (const pattern_fragment& f : pattern) {
        all.push_back({.start = 8 * f.start,
                       .length = 8 * f.length,
                       .more = f.start + f.length < whole,
                       .id = id,
                       .flavour = static_cast<u8>(all.size() + 1)});
    }
    return all;
}

// The letters of the datagram; empty: the rule made nothing whole of the fragments. A '?' stands
// for 8 bytes that are not of one fragment.
template <overlap_policy Rule>
std::string assembled(overlap_pattern pattern) {
    using pool_type = fixed_pool<512, 32>;
    using packet = pool_type::packet_type;
    const auto pool = std::make_unique<pool_type>();
    const auto cache =
        std::make_unique<typename bounded_cache<4, Rule, 24>::template model<packet>>(fixed_seed);
    std::string letters;
    for (const fragment_fields& f : fragments_of(pattern)) {
        const auto step = feed_fragment(*cache, *pool, f, {}, {.max_distance = 0});
        if (step.kind != reassembly_result::complete) {
            continue;
        }
        const byte_vector data = content_of(step.packet);
        for (u32 unit = 0; 8 * unit + 20 < data.size(); ++unit) {
            const auto fills = [&](const pattern_fragment& p) {
                const auto flavour = static_cast<u8>(&p - pattern.data() + 1);
                for (u32 at = 8 * unit; at < 8 * unit + 8; ++at) {
                    if (data[20 + at] != fragment_byte(at, flavour)) {
                        return false;
                    }
                }
                return true;
            };
            const auto found = std::find_if(pattern.begin(), pattern.end(), fills);
            letters += found != pattern.end() ? found->letter : '?';
        }
    }
    return letters;
}

}  // namespace sluice::testing
