// write_packet: one packet, of however many pieces, to a descriptor in one system call.
//
// Expects: a descriptor on which a write is one packet (TUN, TAP, a packet socket, SOCK_SEQPACKET).
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
inline constexpr std::size_t largest_packet = 0xffff + 64;  // a whole datagram and link headers

template <class Packet>
[[nodiscard]] int write_copied(int fd, const Packet& packet) noexcept {
    if (packet.size() > largest_packet) {
        return EMSGSIZE;
    }
    std::byte flat[largest_packet];
    std::size_t used = 0;
    packet.for_each_piece([&](const_bytes piece) {
        copy_bytes(flat + used, piece.data(), piece.size());
        used += piece.size();
    });
    return ::write(fd, flat, used) < 0 ? errno : 0;
}

}  // namespace detail

// 0, or the errno of the refusal.
template <class Packet>
[[nodiscard]] int write_packet(int fd, const Packet& packet) noexcept {
    iovec pieces[detail::most_pieces];
    std::size_t count = 0;
    packet.for_each_piece([&](const_bytes piece) {
        if (count < detail::most_pieces) {
            // writev takes void*, but reads only.
            pieces[count] = {const_cast<std::byte*>(piece.data()), piece.size()};
        }
        ++count;
    });
    if (count > detail::most_pieces) {
        return detail::write_copied(fd, packet);
    }
    return ::writev(fd, pieces, static_cast<int>(count)) < 0 ? errno : 0;
}

}  // namespace sluice::port
