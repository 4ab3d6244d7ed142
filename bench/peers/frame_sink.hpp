// frame_sink: takes the forwarded packets of every side: rewrites the Ethernet header, queues by
// port, passes packets to the device in groups of thirty-two.
//
// The "device" restores TTL and checksum and puts the handle where the next pass takes it. All
// sides share this code; only the handle differs.
//
// Expects: packets as write_packet() makes them, with 14 bytes of room in front.
// Cost:    that of a driver's queue.
#pragma once

#include "contender.hpp"

#include <array>
#include <utility>

namespace peers {

inline constexpr unsigned packet_size = 46;  // 64 with Ethernet's header and checksum
inline constexpr unsigned ethernet = 14;

namespace detail {
inline constexpr unsigned number_at = 28;  // offset of the number, in the payload
inline constexpr unsigned copy_at = 40;    // offset of the copy of TTL, protocol, checksum
}  // namespace detail

inline void write_packet(unsigned char* to, unsigned number, address destination) {
    write_header(to, {.source = ip(10, 1, 1 + number % 200, 2 + number / 200 % 200),
                      .destination = destination,
                      .size = packet_size});
    write_udp(to, 20, packet_size, first_port);
    store(to + detail::number_at, address{number});
    std::memcpy(to + detail::copy_at, to + 8, 4);
}

// Access: bytes(handle) is its IPv4 header; renew(handle) resets it as it was on reception.
template <class Handle, class Access>
class frame_sink {
public:
    frame_sink() {
        for (unsigned i = 0; i < hops; ++i) {
            neighbours_[i] = {2, 0, 0, 0, 1, static_cast<unsigned char>(i)};
        }
        for (unsigned i = 0; i < ports; ++i) {
            own_[i] = {2, 0, 0, 0, 0, static_cast<unsigned char>(i)};
        }
    }

    [[gnu::always_inline]] void send(Handle&& packet, unsigned port, address gateway) {
        unsigned char* frame = Access::bytes(packet) - ethernet;
        std::memcpy(frame, neighbours_[hop_of(gateway)].data(), 6);
        std::memcpy(frame + 6, own_[port].data(), 6);
        queue& q = queues_[port];
        q.packets[q.waiting] = std::move(packet);
        if (++q.waiting == depth) {
            flush(q, port);
        }
    }

    // Handles go back to `to`, one after the other. With `record`, copies of the frames go into it.
    void begin(Handle* to, std::vector<sent>* record) {
        back_ = to;
        record_ = record;
    }
    void flush_all() {
        for (unsigned i = 0; i < ports; ++i) {
            flush(queues_[i], i);
        }
    }

private:
    static constexpr unsigned depth = 32;
    struct queue {
        unsigned waiting = 0;
        Handle packets[depth]{};
    };

    [[gnu::noinline]] void flush(queue& q, unsigned port) {
        for (unsigned i = 0; i < q.waiting; ++i) {
            Handle packet = std::move(q.packets[i]);
            unsigned char* ip = Access::bytes(packet);
            if (record_ != nullptr) {
                const unsigned char* frame = ip - ethernet;
                (*record_)[load(ip + detail::number_at)] = {
                    port, {frame, frame + ethernet + packet_size}};
            }
            std::memcpy(ip + 8, ip + detail::copy_at, 4);
            Access::renew(packet);
            *back_++ = std::move(packet);
        }
        q.waiting = 0;
    }

    std::array<queue, ports> queues_{};
    std::array<std::array<unsigned char, 6>, hops> neighbours_{};
    std::array<std::array<unsigned char, 6>, ports> own_{};
    Handle* back_ = nullptr;
    std::vector<sent>* record_ = nullptr;
};

}  // namespace peers
