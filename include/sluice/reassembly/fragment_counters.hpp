// fragment_counters: how many fragments came from each source that has held datagrams, for the
// distance rule.
//
// A source has one of four places of its line, or of the line beside it. If others hold all eight,
// it has no counter, and its datagrams are not checked for distance: as in Linux when it has no
// memory for a peer. So a flood of forged sources does not make the fragments of others "too far".
//
// Expects: counters_for() the datagrams that are held at most, aligned to a line; a secret.
// Never:   allocates, searches beyond two lines, counts one source's fragments for another.
// Cost:    16 bytes a counter; mostly one cache line for a datagram that begins, and an addition
//          for each fragment. With all datagrams held, each of another source, one in 100 has none.
// Source:  RFC 4963 section 5; Linux struct inet_peer, ip_frag_too_far.
#pragma once

#include <sluice/base/integer.hpp>

#include <bit>
#include <cstddef>

namespace sluice::detail {

struct fragment_counter {
    u64 source = 0;     // and 1 added; 0: never used
    u32 fragments = 0;  // modulo 2^32
    u32 datagrams = 0;  // held now; 0: the counter is free
};

class fragment_counters {
public:
    static constexpr u32 none = 0xffffffff;
    // Whether a number is not `none`: there are less than 2^31.
    [[nodiscard]] static constexpr bool is_counter(u32 number) noexcept {
        return static_cast<i32>(number) >= 0;
    }

    // Counters for this many datagrams: of a line's four, two are in use on average at most; and
    // of two lines.
    [[nodiscard]] static constexpr std::size_t counters_for(std::size_t datagrams) noexcept {
        return ways * std::bit_ceil((datagrams < 4 ? 4 : datagrams + 1) / 2);
    }
    constexpr fragment_counters(fragment_counter* counters, std::size_t datagrams,
                                u64 secret) noexcept
        : counters_(counters), multiplier_(secret | 1),
          shift_(63 - static_cast<u32>(std::countr_zero(counters_for(datagrams) / ways))) {}

    // Counts the fragments that came of a datagram so far. Returns the number of the source's
    // counter; `none`: there is no room. `count`: the source's fragments with these.
    [[nodiscard, gnu::always_inline]] constexpr u32 join(u64 source, u32& count) noexcept {
        const u32 line = line_of(source);
        const u32 at = place_of(source, line);
        if (counters_[at].source != source + 1) [[unlikely]] {
            return join_anew(source, line, count);
        }
        ++counters_[at].datagrams;
        count = counters_[at].fragments += count;
        return at;
    }
    // Counts fragments of a datagram that did not join.
    constexpr void count(u64 source, u32 fragments) noexcept {
        const u32 line = line_of(source);
        u32 at = place_of(source, line);
        if (counters_[at].source != source + 1) [[unlikely]] {
            at = place_of(source, line ^ ways);
        }
        counters_[at].fragments += counters_[at].source == source + 1 ? fragments : 0;
    }
    // Ends a datagram that joined.
    constexpr void leave(u32 counter) noexcept {
        if (is_counter(counter)) {
            --counters_[counter].datagrams;
        }
    }
    // The fragments of a joined datagram's source.
    [[nodiscard]] constexpr u32& fragments(u32 counter) noexcept {
        return counters_[counter].fragments;
    }

    // For a batch: fetches what join() will read.
    [[gnu::always_inline]] void fetch(u64 source) const noexcept {
        __builtin_prefetch(counters_ + line_of(source), 1);
    }
    [[gnu::always_inline]] void fetch_counter(u32 counter) const noexcept {
        __builtin_prefetch(counters_ + (counter != none ? counter : 0), 1);
    }

private:
    static constexpr u32 ways = 4;

    // A product's high bits, multiplied again so that sources in sequence do not meet: any two
    // sources share a line with a probability of some 2 / lines, whatever an attacker without the
    // secret sends. Weaker than SipHash, because a full line costs no time and refuses nothing.
    [[nodiscard]] constexpr u32 line_of(u64 source) const noexcept {
        const u64 product = source * multiplier_;
        const u64 spread = (product ^ product >> 32) * multiplier_;
        return static_cast<u32>(spread >> 1 >> shift_) * ways;
    }
    // The place of the source's counter, if it has one. Without branches, which no
    // processor could predict.
    [[nodiscard, gnu::always_inline]] constexpr u32 place_of(u64 source, u32 line) const noexcept {
        const fragment_counter* const of = counters_ + line;
        return line + (of[1].source == source + 1 ? 1u : 0u) +
               (of[2].source == source + 1 ? 2u : 0u) + (of[3].source == source + 1 ? 3u : 0u);
    }
    // A source that is not in its own line.
    [[nodiscard, gnu::noinline]] constexpr u32 join_anew(u64 source, u32 line,
                                                         u32& count) noexcept {
        u32 at = place_of(source, line ^ ways);
        if (counters_[at].source != source + 1) {
            at = free_of(line);
            at = at != none ? at : free_of(line ^ ways);
            if (at == none) {
                return none;
            }
            counters_[at].source = source + 1;
        }
        ++counters_[at].datagrams;
        count = counters_[at].fragments += count;
        return at;
    }
    [[nodiscard]] constexpr u32 free_of(u32 line) const noexcept {
        for (u32 i = line; i < line + ways; ++i) {
            if (counters_[i].datagrams == 0) {
                return i;
            }
        }
        return none;
    }

    fragment_counter* counters_;
    u64 multiplier_;
    u32 shift_;
};

}  // namespace sluice::detail
