// overlap_policy: decides what happens when a fragment covers bytes that were received before.
//
// A rule is a type with one static function of two byte ranges: the held one and the incoming one.
// Nine rules are here; write another like this:
//
//     struct longer_wins {
//         static constexpr overlap_answer settle(byte_range held, byte_range incoming) noexcept {
//             return held.size() >= incoming.size() ? overlap_answer::keep_held
//                                                   : overlap_answer::keep_incoming;
//         }
//     };
//     using cache = bounded_cache<1024, longer_wins>;
//
// For hosts and routers, rules that keep nothing in doubt:
//
// reject_datagram  Linux, and the default. Drops the datagram; a fragment inside one run of bytes
//                  that came in order is ignored as a duplicate. The only rule that no sender of
//                  overlaps can exploit. RFC 5722 section 4.
// reject_fragment  Drops the fragment and keeps its datagram. For damaged captures; a forger whose
//                  fragment comes first decides the content.
//
// For programs that must see what another system saw (Shankar and Paxson, "Active Mapping", 2003;
// Novak, "Target-Based Fragmentation Reassembly", 2005, whose names Snort's frag3 uses):
//
// keep_first       Bytes that came first stay: HP-UX 11, older Solaris.
// keep_last        Bytes that came last win: Cisco IOS, and the example procedure of RFC 791
//                  section 3.2.
// bsd              The fragment that starts lower wins; of two with the same start the first. The
//                  BSDs, AIX, HP-UX 10, IRIX.
// bsd_right        The fragment that starts higher wins; of two with the same start the last. HP
//                  JetDirect.
// old_linux        The fragment that starts lower wins; of two with the same start the last. Linux
//                  before 4.19.
// windows          Bytes that came first stay, except where the fragment starts before them and
//                  ends behind them.
// solaris          As windows, also where the fragment ends with them.
//
// Expects: answers that depend on the two ranges alone.
// Never:   holds state.
// Cost:    a call for each overlapping pair.
// Source:  RFC 5722 (written for IPv6; Linux applies it to both), RFC 1858 section 4; the papers
//          above.
#pragma once

#include <sluice/base/integer.hpp>

#include <concepts>

namespace sluice {

// Bytes start .. end - 1 of the datagram's data.
struct byte_range {
    u32 start = 0;
    u32 end = 0;

    [[nodiscard]] constexpr u32 size() const noexcept { return end - start; }
    [[nodiscard]] constexpr bool contains(byte_range other) const noexcept {
        return start <= other.start && other.end <= end;
    }
    friend constexpr bool operator==(byte_range, byte_range) noexcept = default;
};

// Which of two bytes wins, of a held piece and of an incoming fragment.
enum class overlap_answer : u8 {
    keep_held,      // held bytes stay; a fragment without other bytes is a duplicate
    keep_incoming,  // the fragment's bytes replace them
    drop_fragment,  // drop the whole fragment
    drop_datagram,  // drop the fragment and all held fragments of its datagram
};

// The answer about a fragment that overlaps a run: bytes of fragments that came in order.
enum class run_answer : u8 {
    ignore,     // a duplicate; it completes nothing, even if it is the first to show the end
    duplicate,  // a duplicate; only the end of the data is learned from it
    drop_fragment,
    drop_datagram,
};

namespace overlap {

struct reject_datagram {
    [[nodiscard]] static constexpr run_answer refuse(byte_range run, byte_range incoming) noexcept {
        return run.contains(incoming) ? run_answer::ignore : run_answer::drop_datagram;
    }
};
struct reject_fragment {
    [[nodiscard]] static constexpr run_answer refuse(byte_range run, byte_range incoming) noexcept {
        return run.contains(incoming) ? run_answer::duplicate : run_answer::drop_fragment;
    }
};
struct keep_first {
    [[nodiscard]] static constexpr overlap_answer settle(byte_range, byte_range) noexcept {
        return overlap_answer::keep_held;
    }
};
struct keep_last {
    [[nodiscard]] static constexpr overlap_answer settle(byte_range, byte_range) noexcept {
        return overlap_answer::keep_incoming;
    }
};
struct bsd {
    [[nodiscard]] static constexpr overlap_answer settle(byte_range held,
                                                         byte_range incoming) noexcept {
        return incoming.start < held.start ? overlap_answer::keep_incoming
                                           : overlap_answer::keep_held;
    }
};
struct bsd_right {
    [[nodiscard]] static constexpr overlap_answer settle(byte_range held,
                                                         byte_range incoming) noexcept {
        return held.start <= incoming.start ? overlap_answer::keep_incoming
                                            : overlap_answer::keep_held;
    }
};
struct old_linux {
    [[nodiscard]] static constexpr overlap_answer settle(byte_range held,
                                                         byte_range incoming) noexcept {
        return held.start < incoming.start ? overlap_answer::keep_held
                                           : overlap_answer::keep_incoming;
    }
};
struct windows {
    [[nodiscard]] static constexpr overlap_answer settle(byte_range held,
                                                         byte_range incoming) noexcept {
        const bool covered = incoming.start < held.start && held.end < incoming.end;
        return covered ? overlap_answer::keep_incoming : overlap_answer::keep_held;
    }
};
struct solaris {
    [[nodiscard]] static constexpr overlap_answer settle(byte_range held,
                                                         byte_range incoming) noexcept {
        const bool covered = incoming.start < held.start && !(incoming.end < held.end);
        return covered ? overlap_answer::keep_incoming : overlap_answer::keep_held;
    }
};

}  // namespace overlap

// settle(held, incoming) is called for each held piece that the fragment overlaps, in order of
// offset: held is the remaining range of the piece, incoming the whole fragment. If one answer
// drops the fragment, no piece changes.
template <class O>
concept settles_overlaps = requires(byte_range held, byte_range incoming) {
    { O::settle(held, incoming) } noexcept -> std::same_as<overlap_answer>;
};

// refuse(run, incoming) is called once, for the first run that the fragment overlaps. A refusing
// rule never cuts a piece, so fragments that came in order may count as one: Linux's runs.
template <class O>
concept refuses_overlaps = requires(byte_range run, byte_range incoming) {
    { O::refuse(run, incoming) } noexcept -> std::same_as<run_answer>;
};

template <class O>
concept has_one_answer = !(requires { O::settle; } && requires { O::refuse; });

// A rule either settles overlaps or refuses them.
template <class O>
concept overlap_policy = (settles_overlaps<O> || refuses_overlaps<O>) && has_one_answer<O>;

}  // namespace sluice
