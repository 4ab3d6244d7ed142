// reassembling: the cells in which fragments become datagrams again, and the interface of each
// side.
//
// A timed pass inserts fragments that lie in buffers of the side and frees each datagram that
// becomes whole. The buffers are filled, and made what the side's function takes, before, not
// timed.
//
// Never:   depends on one of the sides.
#pragma once

#include "contender.hpp"

namespace peers {

struct reassembling {
    unsigned pieces = 0;     // of a datagram
    unsigned in_flight = 0;  // datagrams that are incomplete at the same time
    unsigned piece_bytes = 1480;
    unsigned last_bytes = 1000;  // 375 for 65,515 octets in 45 pieces

    [[nodiscard]] unsigned size() const { return 20 + (pieces - 1) * piece_bytes + last_bytes; }
};

struct fragment_place {
    std::uint32_t datagram;  // a source of its own each
    std::uint16_t piece;
    std::uint16_t round;  // the identification
};

// The most fragments in a pass.
inline constexpr unsigned most_fragments = 256;

class reassembler {
public:
    virtual ~reassembler() = default;
    // False: not enough memory, or this side does not support it.
    virtual bool prepare(const reassembling& what) = 0;
    // Not timed: makes the fragments of the next pass, in order of their arrival.
    virtual void fill(std::span<const fragment_place> fragments, bool with_payload) = 0;
    // Inserts the fragments. Appends datagrams that are whole to `whole`, if it is not nullptr.
    // Returns their number.
    virtual unsigned pass(std::vector<sent>* whole) = 0;
    // Bytes of the side's tables, without buffers; 0: not known.
    [[nodiscard]] virtual std::size_t memory() const { return 0; }
};

inline void write_fragment(unsigned char* to, const reassembling& what, const fragment_place& at,
                           bool with_payload) {
    const bool is_last = at.piece + 1u == what.pieces;
    const unsigned bytes = is_last ? what.last_bytes : what.piece_bytes;
    const unsigned start = at.piece * what.piece_bytes;
    std::memset(to, 0, 20);
    to[0] = 0x45;
    store(to + 2, static_cast<std::uint16_t>(20 + bytes));
    store(to + 4, at.round);
    store(to + 6, static_cast<std::uint16_t>(start / 8 | (is_last ? 0u : 0x2000u)));
    to[8] = 64;
    to[9] = 253;
    store(to + 12, ip(11, 0, 0, 0) + at.datagram);
    store(to + 16, entry_address);
    store(to + 10, sum(to, 20));
    for (unsigned i = 0; with_payload && i < bytes; ++i) {
        to[20 + i] = static_cast<unsigned char>((start + i) * 7 + at.datagram);
    }
}
[[nodiscard]] inline unsigned bytes_of(const reassembling& what, const fragment_place& at) {
    return 20 + (at.piece + 1u == what.pieces ? what.last_bytes : what.piece_bytes);
}

}  // namespace peers
