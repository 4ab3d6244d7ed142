// af_packet::transmit_ring: AF_PACKET's transmit ring (TPACKET_V2): frames are copied into memory
// shared with the kernel, and one system call sends a burst.
//
// Checksums are finished during the copy. A full ring refuses packets. A frame that the kernel's
// queue or the other end of a pair does not take counts as lost: it would block the frames behind
// it.
//
// Expects: as af_packet_send.hpp; the ring outlives its senders.
// Never:   blocks; receives; takes packets with segmentation metadata (the stack cuts them before).
// Cost:    a copy of each frame, a system call a burst and one for each lost frame.
// Source:  Linux Documentation/networking/packet_mmap.rst.
#pragma once

#include <sluice/base/time.hpp>
#include <sluice/packet/next_hop.hpp>
#include <sluice/port/af_packet_map.hpp>
#include <sluice/port/af_packet_send.hpp>
#include <sluice/port/af_packet_socket.hpp>
#include <sluice/port/concept.hpp>
#include <sluice/port/failure_kind.hpp>
#include <sluice/port/namespace.hpp>
#include <sluice/rewrite/finish_checksum.hpp>

#include <bit>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

namespace sluice::port::af_packet {

namespace detail {

// Slots of equal size, filled and sent in turn.
class slots {
public:
    slots(bound_socket socket, ring_memory memory, u32 count, u32 slot_bytes) noexcept
        : socket_{std::move(socket)}, memory_{std::move(memory)}, count_{count},
          byte_count_{slot_bytes} {}

    // Room for one frame of `size` bytes. Empty: the frame is too large, or all slots wait.
    [[nodiscard]] bytes next(std::size_t size) noexcept {
        if (size > byte_count_ - data_offset) {
            errno = EMSGSIZE;
            return {};
        }
        if (load_owner(header(at_).status) != abi::status::available) {
            kick();
            if (load_owner(header(at_).status) != abi::status::available) {
                errno = EAGAIN;
                return {};
            }
        }
        return {reinterpret_cast<std::byte*>(&header(at_)) + data_offset, size};
    }
    // Queues the written frame for the next kick().
    void commit(std::size_t size) noexcept {
        header(at_).length = static_cast<u32>(size);
        store_owner(header(at_).status, abi::status::send_request);
        at_ = after(at_);
        ++waiting_;
    }
    // Sends waiting frames. Those without room in the socket's buffer wait for another kick. Each
    // turn but the last loses a frame, so that there are no more turns than frames.
    void kick() noexcept {
        while (waiting_ != 0 && !hand_over()) {
            const int error_number = errno;
            const failure_kind why = kind_of(error_number);
            skip_sent();
            if (waiting_ == 0 || why == failure_kind::again || why == failure_kind::interrupted) {
                return;
            }
            last_error_ = error_number;
            const bool is_of_one = why == failure_kind::packet || why == failure_kind::shortage;
            // If the first frame is void already, the call fails before it looks at frames.
            if (is_of_one && socket_.is_ethernet() && waiting_ > 1 && !is_void(first_)) {
                header(first_).length = 0;
                ++lost_;
            } else {
                take_back();
            }
        }
    }
    [[nodiscard]] u32 waiting() const noexcept { return waiting_; }
    // Frames lost since the last call.
    [[nodiscard]] u32 take_lost() noexcept { return std::exchange(lost_, 0); }
    [[nodiscard]] int last_error() const noexcept { return last_error_; }
    [[nodiscard]] const bound_socket& socket() const noexcept { return socket_; }

private:
    static constexpr std::size_t data_offset = aligned_size<abi::frame_header_2>;

    [[nodiscard]] abi::frame_header_2& header(u32 slot) const noexcept {
        return *reinterpret_cast<abi::frame_header_2*>(memory_.at(slot * std::size_t{byte_count_}));
    }
    [[nodiscard]] u32 after(u32 slot) const noexcept { return slot + 1 == count_ ? 0 : slot + 1; }
    bool hand_over() noexcept {
        const abi::link_address address = socket_.address(ethernet::types::ipv4);
        const auto* to =
            socket_.is_ethernet() ? nullptr : reinterpret_cast<const sockaddr*>(&address);
        if (::sendto(socket_.fd.get(), nullptr, 0, MSG_DONTWAIT, to,
                     to == nullptr ? 0 : sizeof address) < 0) {
            return false;
        }
        first_ = at_;
        waiting_ = 0;
        return true;
    }
    // Skips to the frame at which the kernel stopped.
    void skip_sent() noexcept {
        while (waiting_ != 0 && load_owner(header(first_).status) != abi::status::send_request) {
            first_ = after(first_);
            --waiting_;
        }
    }
    // The kernel tries the first frame again until it is sent or invalid. An Ethernet frame of no
    // bytes is invalid.
    [[nodiscard]] bool is_void(u32 slot) const noexcept { return header(slot).length == 0; }
    // Takes back all waiting frames, which are lost: the kernel is still at the first.
    void take_back() noexcept {
        lost_ += is_void(first_) ? waiting_ - 1 : waiting_;
        for (; waiting_ != 0; --waiting_) {
            at_ = at_ == 0 ? count_ - 1 : at_ - 1;
            store_owner(header(at_).status, abi::status::available);
        }
    }

    bound_socket socket_;
    ring_memory memory_;
    u32 count_;
    u32 byte_count_;
    u32 at_ = 0;
    u32 first_ = 0;    // the first waiting slot
    u32 waiting_ = 0;  // committed, not sent
    u32 lost_ = 0;
    int last_error_ = 0;
};

}  // namespace detail

// The output_policy tag, and the value that transmit_ring::sender() gives.
struct ring_sender {
    detail::slots* to = nullptr;

    template <class Packet>
    class model {
    public:
        static constexpr bool takes_segmented = true;
        static constexpr bool takes_gso = false;

        constexpr model() noexcept = default;
        constexpr model(const ring_sender& from) noexcept : to_{from.to} {}

        [[nodiscard]] bool transmit(Packet& packet, const egress&, instant) noexcept {
            return take(packet);
        }
        [[nodiscard]] bool send_frame(Packet& frame, u16, instant) noexcept { return take(frame); }
        void flush() noexcept {
            if (to_ != nullptr) {
                to_->kick();
                settle();
            }
        }
        // Frames that flush() left in the ring. If there are some, flush again soon.
        [[nodiscard]] u32 waiting() const noexcept { return to_ == nullptr ? 0 : to_->waiting(); }
        // A lost frame is counted by the sender of the ring that notices the loss.
        [[nodiscard]] const send_counters& counters() const noexcept { return counters_; }

    private:
        bool take(Packet& packet) noexcept {
            return counters_.settle(packet, to_ == nullptr ? EBADF : fill(packet));
        }
        int fill(Packet& packet) noexcept {
            if (packet.size() == 0) {
                return EINVAL;
            }
            if (packet.has_metadata()) {
                const u32 network = bytes_of(to_->socket().link, packet);
                if (std::as_const(packet).metadata().segmentation != segmentation_kind::none ||
                    !rewrite::finish_checksum(packet, network)) {
                    return EINVAL;
                }
            }
            const bytes room = to_->next(packet.size());
            const int why = errno;
            settle();
            if (room.empty()) {
                return why;
            }
            packet.copy_to(room.data());
            to_->commit(packet.size());
            return 0;
        }

        void settle() noexcept {
            if (const u64 lost = to_->take_lost(); lost != 0) {
                counters_.lost += lost;
                counters_.sent -= lost < counters_.sent ? lost : counters_.sent;
                counters_.last_error = to_->last_error();
            }
        }

        detail::slots* to_ = nullptr;
        send_counters counters_;
    };
};

class transmit_ring {
public:
    // Room for that many frames of the interface's MTU, rounded up to whole blocks of memory.
    struct options {
        u32 frames = 1024;
        bool bypass_queue = false;
    };
    [[nodiscard]] static result<transmit_ring, port_error> open(std::string_view name) noexcept {
        return open(name, options{});
    }
    [[nodiscard]] static result<transmit_ring, port_error> open(std::string_view name,
                                                                const options& how) noexcept {
        auto socket = detail::make_socket(name);
        if (!socket) {
            return failure{socket.error()};
        }
        const int fd = socket->fd.get();
        // A slot holds its header and a frame of the MTU with two tags; its size is a power of two.
        const u32 slot = std::bit_ceil(socket->mtu + 128 < 2048 ? 2048 : socket->mtu + 128);
        const u32 block = slot < 0x10000 ? 0x10000 : slot;
        const u32 blocks = (how.frames + block / slot - 1) / (block / slot);
        const abi::ring_request request{block, blocks, slot, blocks * (block / slot)};
        namespace names = abi::socket_options;
        // The socket's buffer holds all slots, so that one kick sends all. A bad frame does not
        // stop the others.
        const int room = static_cast<int>(
            request.frames < 0x4000'0000 / slot ? request.frames * slot : 0x4000'0000);
        const abi::link_address nothing_received = socket->address(0);
        if (!detail::set_option(fd, names::version, abi::version_2) ||
            !detail::set_option(fd, names::loss, 1) ||
            (how.bypass_queue && !detail::set_option(fd, names::queue_bypass, 1)) ||
            !detail::set_option(fd, names::transmit_ring, request) ||
            ::bind(fd, reinterpret_cast<const sockaddr*>(&nothing_received),
                   sizeof nothing_received) < 0) {
            return failure{port_error::last("set up ring of", name)};
        }
        if (::setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) < 0) {
            static_cast<void>(::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room));
        }
        ring_memory memory{fd, std::size_t{block} * blocks};
        if (!memory) {
            return failure{port_error::last("map ring of", name)};
        }
        std::unique_ptr<detail::slots> made{new (std::nothrow) detail::slots{
            std::move(*socket), std::move(memory), request.frames, slot}};
        if (!made) {
            return failure{port_error::make("open", name, ENOMEM)};
        }
        return transmit_ring{std::move(made)};
    }

    // The transmitting half of a device (port/concept.hpp).
    using sender_type = ring_sender;
    [[nodiscard]] ring_sender sender() const noexcept { return {slots_.get()}; }
    [[nodiscard]] std::string_view name() const noexcept { return slots_->socket().name; }
    [[nodiscard]] link_header link() const noexcept { return slots_->socket().link; }
    [[nodiscard]] device_state state() const noexcept {
        return port::detail::state_of_interface(fd(), name());
    }
    // For poll(2): writable when a slot is free.
    [[nodiscard]] int fd() const noexcept { return slots_->socket().fd.get(); }

private:
    explicit transmit_ring(std::unique_ptr<detail::slots> s) noexcept : slots_{std::move(s)} {}

    std::unique_ptr<detail::slots> slots_;  // senders point to it
};

}  // namespace sluice::port::af_packet
