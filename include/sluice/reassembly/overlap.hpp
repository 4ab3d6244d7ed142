// What a fragment does that covers octets which were already received: the rules, each a type with
// static facts.
// Expects: to be named in a reassembly policy: bounded_cache<1024, overlap::reject_datagram>.
// Does: states the rule; the piece set performs it.
// Never: holds state.
// Cost: none at run time beyond the rule itself.
//
//   reject_datagram  Linux, and the default. The datagram is given up; a fragment inside one run of
//                    octets that came in order is a duplicate and ignored. The only rule from which
//                    no sender of overlaps can profit. RFC 5722 section 4.
//   reject_fragment  The fragment is dropped, its datagram stays. For captures that were damaged;
//                    a forger who is first decides what the datagram holds.
//   keep_first       Octets that came first stay, the fragment fills the gaps: to see what a host
//                    of that kind sees.
//   keep_last        Octets that came last win, as in the example procedure of RFC 791 section 3.2:
//                    for the same purpose.
//
// The rules of other systems that mix these by side (BSD, Solaris, Windows) are not here.
// RFC 5722 was written for IPv6; Linux applies it to both. RFC 1858 section 4 tells the attack.
#pragma once

#include <sluice/base/integer.hpp>

#include <concepts>

namespace sluice {

enum class overlap_rule : u8 { reject_datagram, reject_fragment, keep_first, keep_last };

namespace overlap {

struct reject_datagram {
    static constexpr overlap_rule rule = overlap_rule::reject_datagram;
};
struct reject_fragment {
    static constexpr overlap_rule rule = overlap_rule::reject_fragment;
};
struct keep_first {
    static constexpr overlap_rule rule = overlap_rule::keep_first;
};
struct keep_last {
    static constexpr overlap_rule rule = overlap_rule::keep_last;
};

}  // namespace overlap

// An overlap policy names one of the rules.
template <class O>
concept overlap_policy = requires {
    { O::rule } -> std::same_as<const overlap_rule&>;
};

}  // namespace sluice
