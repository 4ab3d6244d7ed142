// fragmenting: the cells in which a datagram is cut into fragments, and the interface of each side.
//
// A timed pass cuts datagrams, each with the header checksum of each fragment, stores the fragments
// of a datagram in an array and frees them. The datagram itself stays, or is a list that ready()
// made and whose buffers are freed with the fragments.
//
// Never:   depends on one of the sides.
#pragma once

#include "contender.hpp"

namespace peers {

enum class cut_by {
    reference,  // a fragment refers to the bytes of the datagram
    list,       // the datagram is a list of packets that fit: each gets a header
    long_list,  // the datagram is a list of packets of 1500 octets
    copying,    // each fragment gets a copy of its bytes
};

struct cutting {
    cut_by by = cut_by::reference;
    unsigned size = 0;  // octets of the datagram, with its header
    unsigned mtu = 0;

    [[nodiscard]] unsigned room() const { return (mtu - 20) / 8 * 8; }
    [[nodiscard]] unsigned pieces() const { return (size - 20 + room() - 1) / room(); }
};
inline constexpr unsigned most_pieces = 128;  // of a datagram

// Cuts datagrams of its own memory.
class cutter {
public:
    virtual ~cutter() = default;
    // False: not enough memory, or this side does not support it.
    virtual bool prepare(const cutting& what, std::span<const unsigned char> datagram) = 0;
    // Not timed: makes the datagrams of the next pass.
    virtual void ready(unsigned datagrams) = 0;
    virtual void pass(unsigned datagrams) = 0;
    // Cuts one datagram; returns its fragments in order.
    virtual std::vector<sent> record() = 0;
};

// The datagram that each side cuts.
inline std::vector<unsigned char> datagram_to_cut(unsigned size) {
    std::vector<unsigned char> d(size);
    random_numbers random{size};
    for (unsigned char& b : d) {
        b = static_cast<unsigned char>(random.next());
    }
    write_header(d.data(), {.source = entry_address,
                            .destination = address_of(1),
                            .size = static_cast<std::uint16_t>(size)});
    return d;
}

}  // namespace peers
