// af_packet::sender: the output of an AF_PACKET device: it gathers frames and sends a burst by one
// system call.
//
// Pending checksums and packets larger than the MTU with segmentation metadata go to the kernel
// unchanged; it finishes and cuts them. Pieces are gathered, not copied.
//
// Expects: whole frames (send_frame) on Ethernet, packets (transmit) on interfaces without a link
//          header; flush() at the end of each burst.
// Never:   blocks; keeps a packet beyond flush().
// Errors:  the kernel may refuse a packet after it was taken (a full queue, a frame too long): it
//          counts as lost.
// Cost:    a system call for up to 32 frames.
#pragma once

#include <sluice/base/time.hpp>
#include <sluice/packet/next_hop.hpp>
#include <sluice/port/af_packet_socket.hpp>
#include <sluice/port/failure_kind.hpp>
#include <sluice/port/virtio_net.hpp>
#include <sluice/port/write.hpp>

#include <array>
#include <cerrno>
#include <cstddef>
#include <utility>

#include <sys/socket.h>
#include <sys/uio.h>

namespace sluice::port::af_packet {

// A packet socket and the properties of its interface.
struct send_target {
    int fd = -1;
    int index = 0;
    link_header link = link_header::ethernet;
};

// Refuses metadata that a virtio-net header cannot hold: segmentation without a pending checksum.
struct sender {
    send_target to;

    template <class Packet>
    class model {
    public:
        static constexpr bool takes_segmented = true;
        static constexpr bool takes_gso = true;

        constexpr model() noexcept = default;
        constexpr model(const sender& from) noexcept : to_{from.to} {}
        // Sends the waiting frames of both first.
        model(model&& other) noexcept { *this = std::move(other); }
        model& operator=(model&& other) noexcept {
            flush();
            other.flush();
            to_ = other.to_;
            counters_ = other.counters_;
            return *this;
        }

        [[nodiscard]] bool transmit(Packet& packet, const egress&, instant) noexcept {
            return take(packet);
        }
        [[nodiscard]] bool send_frame(Packet& frame, u16, instant) noexcept { return take(frame); }
        void flush() noexcept {
            for (std::size_t done = 0; done < waiting_;) {
                done += send_some(done);
            }
            for (std::size_t i = 0; i < waiting_; ++i) {
                packets_[i].reset();
            }
            waiting_ = 0;
        }

        [[nodiscard]] const send_counters& counters() const noexcept { return counters_; }

    private:
        static constexpr std::size_t burst = 32;
        static constexpr std::size_t most_vectors = 256;
        using header_bytes = std::array<std::byte, virtio_net::header_size>;

        struct gathered {
            std::array<mmsghdr, burst> messages{};
            std::array<iovec, most_vectors> vectors;
            std::size_t count = 0;
            std::size_t used = 0;
        };

        bool take(Packet& packet) noexcept {
            if (waiting_ == burst) {
                flush();
            }
            if (!packet || !virtio_net::write_header(headers_[waiting_].data(), packet, to_.link)) {
                return counters_.settle(packet, EINVAL);
            }
            packets_[waiting_++] = std::move(packet);
            return true;
        }

        // Adds packet i. False: there is no room for all of its pieces.
        bool gather(gathered& g, std::size_t i) noexcept {
            std::size_t at = g.used;
            const auto add = [&](std::byte* data, std::size_t size) {
                if (at < most_vectors) {
                    g.vectors[at] = {data, size};
                }
                ++at;
            };
            add(headers_[i].data(), headers_[i].size());
            // sendmmsg takes void*, but reads only.
            packets_[i].for_each_piece([&](const_bytes piece) {
                add(const_cast<std::byte*>(piece.data()), piece.size());
            });
            if (at > most_vectors) {
                return false;
            }
            msghdr& m = g.messages[g.count++].msg_hdr;
            m.msg_iov = &g.vectors[g.used];
            m.msg_iovlen = static_cast<decltype(m.msg_iovlen)>(at - g.used);
            g.used = at;
            return true;
        }

        // Sends packets from `first` on. Returns how many were sent or lost.
        std::size_t send_some(std::size_t first) noexcept {
            gathered g;
            abi::link_address address = address_of();
            while (first + g.count < waiting_ && gather(g, first + g.count)) {
                g.messages[g.count - 1].msg_hdr.msg_name = &address;
                g.messages[g.count - 1].msg_hdr.msg_namelen = sizeof address;
            }
            if (g.count == 0) {
                return send_copied(first);
            }
            const int n =
                ::sendmmsg(to_.fd, g.messages.data(), static_cast<unsigned>(g.count), MSG_DONTWAIT);
            if (n > 0) {
                counters_.sent += static_cast<u64>(n);
                return static_cast<std::size_t>(n);
            }
            counters_.last_error = errno;
            // A full socket or an interface that is down fails the rest of the burst. Other reasons
            // concern one frame.
            const failure_kind why = kind_of(errno);
            const bool is_of_one = why == failure_kind::packet || why == failure_kind::shortage ||
                                   why == failure_kind::interrupted;
            const std::size_t lost_now = is_of_one ? 1 : waiting_ - first;
            counters_.lost += lost_now;
            return lost_now;
        }

        // Copies a packet of very many pieces into one piece and sends it.
        std::size_t send_copied(std::size_t i) noexcept {
            std::byte flat[port::detail::largest_packet];
            std::size_t used = headers_[i].size();
            if (packets_[i].size() > sizeof flat - used) {
                counters_.last_error = EMSGSIZE;
                ++counters_.lost;
                return 1;
            }
            copy_bytes(flat, headers_[i].data(), used);
            packets_[i].copy_to(flat + used);
            used += packets_[i].size();
            const abi::link_address address = address_of();
            if (::sendto(to_.fd, flat, used, MSG_DONTWAIT,
                         reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
                counters_.last_error = errno;
                ++counters_.lost;
            } else {
                ++counters_.sent;
            }
            return 1;
        }

        // Without an address frames have the socket's protocol: those of a socket for ARP would not
        // be IPv4.
        [[nodiscard]] abi::link_address address_of() const noexcept {
            return detail::address_of(
                to_.index, to_.link == link_header::none ? ethernet::types::ipv4 : u16{0});
        }

        send_target to_{};
        send_counters counters_;
        std::size_t waiting_ = 0;
        std::array<Packet, burst> packets_{};
        std::array<header_bytes, burst> headers_{};
    };
};

}  // namespace sluice::port::af_packet
