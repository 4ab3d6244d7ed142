// af_packet::device: receives and sends the frames of a network interface of Linux, beside the
// kernel's own stack.
//
// Reads do not block: up to 32 frames a system call, into buffers of the caller's source. A frame
// larger than a buffer takes several. Pending checksums and segmentation become metadata, so that a
// 64 KB packet of a local sender or a virtual machine stays whole. Link addressing becomes the
// packet's. Frames that this host sends are not received. On an interface without a link header
// only packets that the kernel marks as IPv4 are received.
//
// Expects: CAP_NET_RAW; an interface on which the kernel has no address, so that it does not answer
//          there; an Ethernet header or none in front of packets (is_ethernet()). open() refuses
//          other interfaces. The device outlives its senders, which keep the descriptor's number.
// Never:   blocks, spins, allocates after open().
// Cost:    a system call for up to 32 frames, one copy by the kernel; af_packet_ring.hpp saves
//          both.
// Source:  packet(7).
#pragma once

#include <sluice/packet/packet_buffer.hpp>
#include <sluice/port/af_packet_frame.hpp>
#include <sluice/port/af_packet_send.hpp>
#include <sluice/port/af_packet_socket.hpp>
#include <sluice/port/arrival_time.hpp>
#include <sluice/port/concept.hpp>
#include <sluice/port/namespace.hpp>
#include <sluice/port/receive_batch.hpp>
#include <sluice/port/steady_clock.hpp>

#include <array>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <utility>

#include <sys/socket.h>
#include <sys/uio.h>

namespace sluice::port::af_packet {

namespace detail {

inline constexpr std::size_t most_messages = 32;
// Room for the rest of a frame behind its first buffer: the largest packet of Linux fits
// (GSO_MAX_SIZE).
inline constexpr std::size_t overflow_bytes = 8 * 0x10000;

// The arguments of one recvmmsg.
struct reception {
    struct alignas(cmsghdr) control {
        std::byte room[CMSG_SPACE(sizeof(abi::auxiliary_data)) + arrival_time::control_size];
    };
    std::array<mmsghdr, most_messages> messages{};
    std::array<std::array<iovec, 3>, most_messages> vectors;
    std::array<std::array<std::byte, virtio_net::header_size>, most_messages> offload;
    std::array<abi::link_address, most_messages> from;
    std::array<control, most_messages> controls;

    void prepare(std::size_t i, bytes room, bytes overflow) noexcept {
        vectors[i] = {iovec{offload[i].data(), offload[i].size()}, iovec{room.data(), room.size()},
                      iovec{overflow.data(), overflow.size()}};
        msghdr& m = messages[i].msg_hdr;
        m.msg_name = &from[i];
        m.msg_namelen = sizeof from[i];
        m.msg_iov = vectors[i].data();
        m.msg_iovlen = static_cast<decltype(m.msg_iovlen)>(vectors[i].size());
        m.msg_control = &controls[i];
        m.msg_controllen = sizeof controls[i];
    }
    // Bytes of frame i without its virtio-net header; 0: the frame was cut, or is empty.
    [[nodiscard]] u32 frame_size(std::size_t i) const noexcept {
        const bool whole = (messages[i].msg_hdr.msg_flags & MSG_TRUNC) == 0;
        const u32 n = messages[i].msg_len;
        return whole && n > virtio_net::header_size ? n - u32{virtio_net::header_size} : 0;
    }
    [[nodiscard]] arrival arrival_of(std::size_t i) noexcept {
        arrival seen{.type = from[i].packet_type};
        msghdr& m = messages[i].msg_hdr;
        for (cmsghdr* c = CMSG_FIRSTHDR(&m); c != nullptr; c = CMSG_NXTHDR(&m, c)) {
            if (c->cmsg_level == abi::socket_level &&
                c->cmsg_type == abi::socket_options::auxiliary_data &&
                c->cmsg_len >= CMSG_LEN(sizeof(abi::auxiliary_data))) {
                add(seen, *c);
            } else if (arrival_time::is_time(*c)) {
                seen.time = arrival_time::of(*c);
            }
        }
        return seen;
    }

private:
    static void add(arrival& seen, const cmsghdr& c) noexcept {
        abi::auxiliary_data aux;
        std::memcpy(&aux, CMSG_DATA(&c), sizeof aux);
        seen.status = aux.status;
        seen.tag = aux.tag;
        seen.tag_type = aux.tag_type;
        seen.link_bytes = static_cast<u16>(aux.network_offset - aux.link_offset);
    }
};

}  // namespace detail

class device {
public:
    using overflow_memory = std::unique_ptr<std::byte[]>;
    device(bound_socket socket, overflow_memory overflow, const options& how) noexcept
        : socket_{std::move(socket)}, overflow_{std::move(overflow)}, options_{how} {}

    using sender_type = af_packet::sender;
    using batch = receive_batch;
    // Fills the span from the front until no frame waits or as many were read as it holds. Frames
    // that do not fit are thrown away and counted.
    template <buffer_source Source>
    [[nodiscard]] batch receive(Source& from,
                                std::span<typename Source::packet_type> packets) noexcept {
        batch done;
        for (std::size_t left = packets.size(); left != 0 && done.end == read_status::none;) {
            const std::size_t most = left < detail::most_messages ? left : detail::most_messages;
            left -= most;
            const batch got = receive_some(from, packets.subspan(done.count, most));
            done.count += got.count;
            done.thrown_away += got.thrown_away;
            done.end = got.end;
        }
        return done;
    }

    // Returns the next frame, with the interface and headroom of the options, or why there is none.
    template <buffer_source Source>
    [[nodiscard]] result<typename Source::packet_type, read_status> receive(Source& from) noexcept {
        typename Source::packet_type one[1];
        const batch got = receive_some(from, one);
        if (got.count == 0) {
            return failure{got.thrown_away != 0 ? read_status::thrown_away : got.end};
        }
        return std::move(one[0]);
    }

    [[nodiscard]] af_packet::sender sender() const noexcept {
        return {{socket_.fd.get(), socket_.index, socket_.link}};
    }
    // For poll(2): readable when a frame waits, and once (POLLERR) when the interface goes down or
    // is deleted; receive() then returns which.
    [[nodiscard]] int fd() const noexcept { return socket_.fd.get(); }
    [[nodiscard]] std::string_view name() const noexcept { return socket_.name; }
    [[nodiscard]] link_header link() const noexcept { return socket_.link; }
    [[nodiscard]] device_state state() const noexcept {
        return port::detail::state_of_interface(fd(), name());
    }
    [[nodiscard]] bool is_ethernet() const noexcept { return socket_.is_ethernet(); }
    [[nodiscard]] ethernet::address hardware_address() const noexcept { return socket_.hardware; }
    [[nodiscard]] u32 mtu() const noexcept { return socket_.mtu; }
    // Includes the kernel's drops until now. Costs a system call.
    [[nodiscard]] const af_packet::counters& counters() noexcept {
        detail::add_kernel_counts(fd(), counters_);
        return counters_;
    }
    [[nodiscard]] static moment now() noexcept { return steady_clock::now(); }

private:
    [[nodiscard]] bytes overflow_of(std::size_t i) noexcept {
        return {overflow_.get() + i * detail::overflow_bytes, detail::overflow_bytes};
    }

    // One system call. `end` is none when all requested frames came.
    template <class Source>
    batch receive_some(Source& from, std::span<typename Source::packet_type> packets) noexcept {
        detail::reception r;
        std::size_t asked = 0;
        for (; asked < packets.size(); ++asked) {
            auto& p = packets[asked] = from.take(options_.headroom);
            if (!p) {
                ++counters_.no_buffer;
                break;
            }
            const u32 room = p.tailroom();
            r.prepare(asked, {p.put(room), room}, overflow_of(asked));
        }
        if (asked == 0) {
            return {0, read_status::no_buffer};
        }
        const int n = ::recvmmsg(socket_.fd.get(), r.messages.data(), static_cast<unsigned>(asked),
                                 MSG_DONTWAIT, nullptr);
        const int why = errno;
        const std::size_t received_count = n > 0 ? static_cast<std::size_t>(n) : 0;
        for (std::size_t i = received_count; i < asked; ++i) {
            packets[i].reset();
        }
        if (n < 0) {
            return {0, why_nothing(why)};
        }
        batch done;
        for (std::size_t i = 0; i < received_count; ++i) {
            if (finish(from, r, i, packets[i])) {
                packets[done.count++] = std::move(packets[i]);
            } else {
                packets[i].reset();
                ++done.thrown_away;
            }
        }
        done.end = received_count < asked   ? read_status::would_block
                   : asked < packets.size() ? read_status::no_buffer
                                            : read_status::none;
        return done;
    }

    [[nodiscard]] read_status why_nothing(int error_number) noexcept {
        // The kernel dropped a frame that a virtio-net header cannot describe.
        if (error_number == EINVAL) {
            ++counters_.refused;
            return read_status::refused;
        }
        return detail::status_of(fd(), error_number, counters_);
    }

    // Makes frame i the contents of its packet. False: the frame is thrown away.
    template <class Source>
    bool finish(Source& from, detail::reception& r, std::size_t i,
                typename Source::packet_type& packet) noexcept {
        const u32 size = r.frame_size(i);
        const u32 room = packet.size();
        const detail::arrival how = r.arrival_of(i);
        if (how.type == abi::packet_types::outgoing) {
            return false;
        }
        if (detail::is_of_another_protocol(r.from[i], socket_.link)) {
            ++counters_.not_ipv4;
            return false;
        }
        if (size == 0) {
            ++counters_.too_long;
            return false;
        }
        if (size > room) {
            if (!detail::append_bytes(packet, from, overflow_of(i).first(size - room))) {
                ++(Source::packet_type::storage::is_inline ? counters_.too_long
                                                           : counters_.no_buffer);
                return false;
            }
        } else {
            packet.trim(size);
        }
        if (!detail::set_arrival(packet, virtio_net::load(r.offload[i].data()), how,
                                 socket_.link)) {
            ++counters_.refused;
            return false;
        }
        packet.set_interface(options_.interface);
        ++counters_.received;
        counters_.received_bytes += size;
        return true;
    }

    bound_socket socket_;
    overflow_memory overflow_;  // takes memory when large frames first come
    options options_;
    af_packet::counters counters_;
};

// Opens the interface of the name in the caller's network namespace.
[[nodiscard]] inline result<device, port_error> open(std::string_view name,
                                                     const options& how = {}) noexcept {
    auto socket = detail::make_socket(name);
    if (!socket) {
        return failure{socket.error()};
    }
    device::overflow_memory overflow{new (std::nothrow)
                                         std::byte[detail::most_messages * detail::overflow_bytes]};
    if (!overflow) {
        return failure{port_error::make("open", name, ENOMEM)};
    }
    if (!detail::prepare(*socket, how) ||
        !detail::set_option(socket->fd.get(), abi::socket_options::auxiliary_data, 1) ||
        (how.timestamps && !arrival_time::ask(socket->fd.get()))) {
        return failure{port_error::last("set up", name)};
    }
    if (!detail::bind_to_interface(*socket, how)) {
        return failure{port_error::last("bind to", name,
                                        how.fanout ? "is it up, is the group of one mode?" : "")};
    }
    return device{std::move(*socket), std::move(overflow), how};
}

// Opens it inside another network namespace; needs CAP_SYS_ADMIN. See in_namespace().
[[nodiscard]] inline result<device, port_error>
open_in_namespace(std::string_view path, std::string_view name, const options& how = {}) noexcept {
    return in_namespace(path, [&] { return open(name, how); });
}

}  // namespace sluice::port::af_packet
