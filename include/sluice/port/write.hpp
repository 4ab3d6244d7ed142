// write_packet: writes one packet, of any number of pieces, to a descriptor in one system call.
// send_counters: counts how the packets of a sender ended.
//
// Pieces are gathered with writev. A packet of very many pieces is first copied into one.
//
// Expects: a descriptor on which a write is one packet (TUN, TAP, a packet socket, SOCK_SEQPACKET;
//          for the last, SIGPIPE blocked or ignored if the peer may close).
// Never:   splits a packet; blocks on a non-blocking descriptor; releases the packet: it stays with
//          the caller.
// Cost:    one system call.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>

#include <cerrno>
#include <cstddef>

#include <sys/uio.h>
#include <unistd.h>

namespace sluice::port {

namespace detail {

inline constexpr std::size_t most_pieces = 64;
inline constexpr std::size_t largest_packet = 0xffff + 64;  // a datagram and its link header

// The pieces that one system call sends.
struct gathered_pieces {
    iovec at[most_pieces];
    std::size_t count = 0;

    void add(const_bytes piece) noexcept {
        if (count < most_pieces) {
            // writev and sendmsg take void* but only read.
            at[count] = {const_cast<std::byte*>(piece.data()), piece.size()};
        }
        ++count;
    }
    [[nodiscard]] bool are_all() const noexcept { return count <= most_pieces; }
};

template <class Packet>
[[nodiscard]] int write_copied(int fd, const Packet& packet, const_bytes before) noexcept {
    std::byte flat[largest_packet];
    if (packet.size() > largest_packet - before.size()) {
        return EMSGSIZE;
    }
    copy_bytes(flat, before.data(), before.size());
    packet.copy_to(flat + before.size());
    return ::write(fd, flat, before.size() + packet.size()) < 0 ? errno : 0;
}

}  // namespace detail

struct send_counters {
    u64 sent = 0;
    u64 refused = 0;     // packets that stayed with the caller
    u64 lost = 0;        // taken, then refused by the kernel
    int last_error = 0;  // errno of the last refusal or loss

    // Counts a packet by the result of sending it, 0 or an errno. A sent packet is released.
    // Returns whether it was sent.
    template <class Packet>
    [[nodiscard]] bool settle(Packet& packet, int error_number) noexcept {
        if (error_number != 0) {
            last_error = error_number;
            ++refused;
            return false;
        }
        ++sent;
        packet.reset();
        return true;
    }
};

// Returns 0 or the errno of the refusal. `before`: at most 64 bytes in front of the packet.
template <class Packet>
[[nodiscard]] int write_packet(int fd, const Packet& packet, const_bytes before = {}) noexcept {
    detail::gathered_pieces pieces;
    if (!before.empty()) {
        pieces.add(before);
    }
    packet.for_each_piece([&](const_bytes piece) { pieces.add(piece); });
    if (!pieces.are_all()) {
        return detail::write_copied(fd, packet, before);
    }
    return ::writev(fd, pieces.at, static_cast<int>(pieces.count)) < 0 ? errno : 0;
}

}  // namespace sluice::port
