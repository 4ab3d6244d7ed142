// overlap_policy: what happens when a fragment covers bytes that were already received.
//
// A rule is a type with one static function of two byte ranges: of what is held and of what comes.
// Four rules are here; a rule of your own works the same way:
//
//     struct lower_offset_wins {  // as BSD does it
//         static constexpr overlap_answer settle(byte_range held, byte_range incoming) noexcept {
//             return held.start <= incoming.start ? overlap_answer::keep_held
//                                                 : overlap_answer::keep_incoming;
//         }
//     };
//     using cache = bounded_cache<1024, lower_offset_wins>;
//
// reject_datagram  Linux, and the default. The datagram is given up; a fragment inside one run of
//                  bytes that came in order is a duplicate and ignored. The only rule from which no
//                  sender of overlaps can profit. RFC 5722 section 4.
// reject_fragment  The fragment is dropped, its datagram stays. For captures that were damaged; a
//                  forger who is first decides what the datagram holds.
// keep_first       Bytes that came first stay, the fragment fills the gaps: to see what a host of
//                  that kind sees.
// keep_last        Bytes that came last win, as in the example procedure of RFC 791 section 3.2.
//
// Expects: to be named in a reassembly policy; answers that depend on the two ranges alone.
// Never:   holds state.
// Cost:    a call for each pair that overlaps; none for fragments that do not.
// Source:  RFC 5722 (written for IPv6; Linux applies it to both), RFC 1858 section 4.
#pragma once

#include <sluice/base/integer.hpp>

#include <concepts>

namespace sluice {

// Bytes start .. end - 1 of the datagram's data.
struct byte_range {
    u32 start = 0;
    u32 end = 0;

    [[nodiscard]] constexpr bool contains(byte_range other) const noexcept {
        return start <= other.start && other.end <= end;
    }
    friend constexpr bool operator==(byte_range, byte_range) noexcept = default;
};

// Of bytes that a held piece and a fragment that comes both have.
enum class overlap_answer : u8 {
    keep_held,      // they stay as they are; a fragment without other bytes is a duplicate
    keep_incoming,  // the fragment's replace them
    drop_fragment,  // the fragment is dropped, whatever else it holds
    drop_datagram,  // the fragment is dropped, and all that is held of its datagram
};

// Of a fragment that overlaps a run: bytes that came in order, in one fragment or several.
enum class run_answer : u8 {
    ignore,     // it is a duplicate; it completes nothing, even if it is the first to tell the end
    duplicate,  // it is a duplicate; only where the data end is learned from it
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

}  // namespace overlap

// settle(held, incoming) is asked about each held piece that the fragment overlaps, in order of
// their place: held is what is left of that piece, incoming the whole fragment. A fragment that one
// answer drops changes no piece.
template <class O>
concept settles_overlaps = requires(byte_range held, byte_range incoming) {
    { O::settle(held, incoming) } noexcept -> std::same_as<overlap_answer>;
};

// refuse(run, incoming) is asked once, about the first run that the fragment overlaps. Such a rule
// never cuts a piece, so that fragments which came in order may count as one: Linux's runs.
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
