// prefixes: a synthetic routing table of the size and shape of the internet's.
//
// Prefixes fall only into 24,000 blocks of 16 bits drawn at random, so that those of 24 bits
// cluster as in a real table. Lengths have their real shares (60 % of 24 bits, 22 % of 22 and 23,
// 0.3 % longer), next hops are random. No prefix occurs twice. The table is the same in every run.
#pragma once

#include "world.hpp"

#include <unordered_set>

namespace peers {

namespace detail {

struct share {
    std::uint8_t length;
    std::uint32_t in_100_000;
};
inline constexpr share shares[]{{24, 60000}, {22, 12000}, {23, 10000}, {21, 5000}, {20, 4300},
                                {19, 2700},  {16, 1450},  {18, 1400},  {17, 900},  {15, 220},
                                {14, 120},   {25, 80},    {26, 60},    {13, 60},   {27, 40},
                                {28, 30},    {29, 30},    {12, 30},    {32, 30},   {30, 20},
                                {31, 10},    {11, 10},    {10, 5},     {8, 3},     {9, 2}};

inline std::vector<address> blocks(random_numbers& random) {
    std::unordered_set<address> seen;
    std::vector<address> all;
    while (all.size() < 24'000) {
        const address block = random.below(65536);
        const address top = block >> 8;
        const bool special = top == 0 || top == 10 || top == 127 || top > 223;
        if (!special && seen.insert(block).second) {
            all.push_back(block << 16);
        }
    }
    return all;
}

inline std::uint8_t length(random_numbers& random) {
    std::uint32_t total = 0;
    for (const share& s : shares) {
        total += s.in_100_000;
    }
    std::uint32_t at = random.below(total);
    for (const share& s : shares) {
        if (at < s.in_100_000) {
            return s.length;
        }
        at -= s.in_100_000;
    }
    return 24;
}

}  // namespace detail

inline std::vector<route> synthetic_prefixes(std::size_t n) {
    random_numbers random{42};
    const std::vector<address> blocks = detail::blocks(random);
    std::unordered_set<std::uint64_t> seen;
    seen.reserve(n);
    std::vector<route> all;
    while (all.size() < n) {
        const std::uint8_t length = detail::length(random);
        const address block = blocks[random.below(static_cast<std::uint32_t>(blocks.size()))];
        const address base = (block | random.below(65536)) & mask_of(length);
        if (seen.insert(std::uint64_t{base} << 8 | length).second) {
            all.push_back({base, length, static_cast<std::uint16_t>(random.below(hops))});
        }
    }
    return all;
}

}  // namespace peers
