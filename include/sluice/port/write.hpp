// write_packet: one packet, of however many pieces, to a descriptor in one system call.
// send_counters: what became of the packets that a sender was given.
//
// Expects: a descriptor on which a write is one packet (TUN, TAP, a packet socket, SOCK_SEQPACKET;
// SIGPIPE blocked or ignored where the peer of the last may go).
// Does: gathers pieces with writev; a packet of very many pieces is copied into one piece first.
// Never: splits, blocks on a non-blocking descriptor, gives the packet up: it stays with the
// caller. Cost: one system call.
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
inline constexpr std::size_t largest_packet = 0xffff + 64;  // a datagram and what is in front

// What one system call sends.
struct gathered_pieces {
    iovec at[most_pieces];
    std::size_t count = 0;

    void add(const_bytes piece) noexcept {
        if (count < most_pieces) {
            // writev and sendmsg take void*, but read only.
            at[count] = {const_cast<std::byte*>(piece.data()), piece.size()};
        }
        ++count;
    }
    [[nodiscard]] bool are_all() const noexcept { return count <= most_pieces; }
};

// Copies the packet's pieces one behind the other, as far as there is room. The bytes copied.
template <class Packet>
[[nodiscard]] std::size_t flatten(const Packet& packet, bytes to) noexcept {
    std::size_t used = 0;
    packet.for_each_piece([&](const_bytes piece) {
        const std::size_t room = to.size() - used;
        const std::size_t n = piece.size() < room ? piece.size() : room;
        copy_bytes(to.data() + used, piece.data(), n);
        used += n;
    });
    return used;
}

template <class Packet>
[[nodiscard]] int write_copied(int fd, const Packet& packet, const_bytes before) noexcept {
    std::byte flat[largest_packet];
    if (packet.size() > largest_packet - before.size()) {
        return EMSGSIZE;
    }
    copy_bytes(flat, before.data(), before.size());
    const std::size_t n = before.size() + flatten(packet, bytes{flat}.subspan(before.size()));
    return ::write(fd, flat, n) < 0 ? errno : 0;
}

}  // namespace detail

struct send_counters {
    u64 sent = 0;
    u64 refused = 0;     // they stayed with the caller
    u64 lost = 0;        // taken, but refused by the kernel afterwards
    int last_error = 0;  // errno of the last refusal or loss

    // Counts a packet by how sending it ended: 0 or an errno. One that was sent is given up; says
    // whether it was.
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

// 0, or the errno of the refusal. `before`: at most 64 bytes that go in front of the packet.
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
