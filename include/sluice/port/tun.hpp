// tun::device: a TUN or TAP device of Linux: packets (or Ethernet frames) that a network interface
// of the kernel passes to a program.
//
// Reads do not block, into buffers of the caller's source. Plain and segmented packets are written
// without a copy (writev). A TUN device returns IPv4 only; `not_ipv4` counts the packets thrown
// away. With `offload` either side may leave checksums to the other, and packets of up to 64 KB
// with segmentation metadata pass in both directions, described by a virtio-net header; a received
// one takes as many buffers as it needs. Without it the sender finishes checksums first, and no
// packet exceeds the MTU.
//
// Expects: /dev/net/tun and CAP_NET_ADMIN, or a persistent device that belongs to the caller; the
//          caller brings the interface up and sets its address (ip link, ip address). The device
//          outlives its senders, which keep the descriptor's number.
// Never:   blocks, allocates, throws, spins.
// Cost:    one system call for each packet.
// Source:  Linux Documentation/networking/tuntap.rst; Linux tun_get_user for the version.
// Deviation: the IP version decides the protocol of a packet, since no protocol field stands in
//          front of it; Linux does the same with packets that a program writes without one.
#pragma once

#include <sluice/base/result.hpp>
#include <sluice/output/concept.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/port/arrival_time.hpp>
#include <sluice/port/concept.hpp>
#include <sluice/port/descriptor.hpp>
#include <sluice/port/error.hpp>
#include <sluice/port/failure_kind.hpp>
#include <sluice/port/interface_request.hpp>
#include <sluice/port/namespace.hpp>
#include <sluice/port/receive_batch.hpp>
#include <sluice/port/steady_clock.hpp>
#include <sluice/port/virtio_net.hpp>
#include <sluice/port/write.hpp>

#include <cerrno>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

namespace sluice::port::tun {

namespace detail {

// From <linux/if_tun.h>, which includes headers that exclude others of the C library.
namespace requests {
inline constexpr auto set_interface = static_cast<ioctl_number>(_IOW('T', 202, int));
inline constexpr auto get_interface = static_cast<ioctl_number>(_IOR('T', 210, unsigned int));
inline constexpr auto set_offload = static_cast<ioctl_number>(_IOW('T', 208, unsigned int));
inline constexpr auto set_header_size = static_cast<ioctl_number>(_IOW('T', 216, int));
}  // namespace requests
namespace flags {
inline constexpr u16 tun = 0x0001;
inline constexpr u16 tap = 0x0002;
inline constexpr u16 multi_queue = 0x0100;
inline constexpr u16 plain = 0x1000;  // no protocol information in front of packets
inline constexpr u16 virtio_header = 0x4000;
}  // namespace flags
namespace offloads {
inline constexpr unsigned checksum = 0x01;
inline constexpr unsigned tcp_ipv4 = 0x02;
inline constexpr unsigned tcp_ecn = 0x08;
inline constexpr unsigned udp = 0x20 | 0x40;  // IPv4 and IPv6: the kernel accepts both or neither
}  // namespace offloads

}  // namespace detail

enum class kind : u8 { tun, tap };

struct options {
    tun::kind kind = tun::kind::tun;
    u16 interface = 1;                // set in each received packet
    u16 headroom = default_headroom;  // bytes left free in front of each packet
    bool multi_queue = false;         // one device opened several times, each a queue
    bool offload = false;             // pending checksums and segmentation, see above
    bool timestamps = false;          // sets metadata.received_at: the time of reading
};

struct counters {
    u64 received = 0;
    u64 received_bytes = 0;
    u64 not_ipv4 = 0;  // thrown away: empty, or of a TUN device and not version 4
    u64 too_long = 0;
    u64 no_buffer = 0;
    u64 refused = 0;  // thrown away: metadata that IPv4 cannot have
};

// The device to write to, and the work that it does.
struct send_target {
    int fd = -1;
    link_header link = link_header::none;  // Ethernet: TAP
    bool has_header = false;               // a virtio-net header precedes each packet
    output_offloads can{};
};

// The output; device::sender() returns one, from which the stack's model is made. It refuses a
// packet when the device's queue is full or the interface is down; the stack then counts it.
struct sender {
    send_target to;

    template <class Packet>
    class model {
    public:
        static constexpr bool takes_segmented = true;
        static constexpr bool takes_gso = true;  // if offloads() allows it

        constexpr model() noexcept = default;
        constexpr model(const tun::sender& from) noexcept : to_{from.to} {}

        [[nodiscard]] constexpr output_offloads offloads(const egress&) const noexcept {
            return to_.can;
        }
        // Refuses packets whose metadata needs more than the offloads.
        [[nodiscard]] bool transmit(Packet& packet, const egress&, instant) noexcept {
            return counters_.settle(packet, write(packet));
        }
        // Sends a whole frame by a TAP device: link/ calls it (link/concept.hpp).
        [[nodiscard]] bool send_frame(Packet& frame, u16, instant) noexcept {
            return counters_.settle(frame, write(frame));
        }
        void flush() noexcept {}

        [[nodiscard]] const send_counters& counters() const noexcept { return counters_; }

    private:
        int write(Packet& packet) noexcept {
            std::byte header[virtio_net::header_size];
            if (!packet || !to_.can.takes(std::as_const(packet).metadata()) ||
                (to_.has_header && !virtio_net::write_header(header, packet, to_.link))) {
                return EINVAL;
            }
            return write_packet(to_.fd, packet,
                                to_.has_header ? const_bytes{header} : const_bytes{});
        }

        send_target to_{};
        send_counters counters_{};
    };
};

class device {
public:
    device(descriptor fd, const char (&name)[interface_name_size], const options& how,
           output_offloads can) noexcept
        : fd_{std::move(fd)}, options_{how}, can_{can} {
        std::memcpy(name_, name, sizeof name_);
    }

    // Returns the next packet or frame, with the interface and headroom of the options, or why
    // there is none.
    template <buffer_source Source>
    [[nodiscard]] result<typename Source::packet_type, read_status> receive(Source& from) noexcept {
        auto packet = from.take(options_.headroom);
        if (!packet) {
            ++counters_.no_buffer;
            return failure{read_status::no_buffer};
        }
        const u32 room = packet.tailroom();
        std::byte* to = packet.put(room);
        std::byte header[virtio_net::header_size];
        std::byte excess[port::detail::largest_packet];
        // The kernel cuts silently; one byte more than fits shows it.
        const iovec pieces[3] = {
            {header, sizeof header}, {to, room}, {excess, options_.offload ? sizeof excess : 1}};
        const int without = options_.offload ? 0 : 1;
        const ssize_t n = ::readv(fd_.get(), pieces + without, 3 - without);
        const ssize_t in_front = options_.offload ? ssize_t{sizeof header} : 0;
        if (n < in_front) {
            return failure{n < 0 ? status_of(errno) : read_status::refused};
        }
        const u32 size = static_cast<u32>(n - in_front);
        if (size == 0 || (options_.kind == kind::tun && !is_ipv4(room != 0 ? *to : excess[0]))) {
            ++counters_.not_ipv4;
            return failure{read_status::thrown_away};
        }
        const const_bytes beyond{excess, size > room ? size - room : 0};
        if (!beyond.empty() &&
            !(options_.offload && port::detail::append_bytes(packet, from, beyond))) {
            ++counters_.too_long;
            return failure{read_status::thrown_away};
        }
        packet.trim(size);
        packet.set_interface(options_.interface);
        if (options_.offload &&
            !virtio_net::set_metadata(packet, virtio_net::load(header), link())) {
            ++counters_.refused;
            return failure{read_status::thrown_away};
        }
        if (options_.timestamps) {
            packet.writable_metadata().received_at = arrival_time::now();
        }
        ++counters_.received;
        counters_.received_bytes += size;
        return packet;
    }

    using sender_type = tun::sender;
    using batch = receive_batch;
    // Fills the span from the front until no packet waits or the span is full.
    template <buffer_source Source>
    [[nodiscard]] batch receive(Source& from,
                                std::span<typename Source::packet_type> packets) noexcept {
        return port::detail::receive_each(*this, from, packets);
    }

    [[nodiscard]] tun::sender sender() const noexcept {
        return {{fd_.get(), link(), options_.offload, can_}};
    }
    // For poll(2): readable when a packet waits.
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    // Whether the interface still exists: it may be deleted while the descriptor is open.
    [[nodiscard]] bool is_attached() const noexcept {
        interface_request current;
        return current.ask(fd_.get(), detail::requests::get_interface) ||
               kind_of(errno) != failure_kind::descriptor;
    }
    // up while the interface exists, else closed.
    [[nodiscard]] device_state state() const noexcept {
        return is_attached() ? device_state::up : device_state::closed;
    }
    [[nodiscard]] link_header link() const noexcept {
        return options_.kind == kind::tap ? link_header::ethernet : link_header::none;
    }
    // The kernel chose the name if it was opened as a pattern ("tun%d") or without one.
    [[nodiscard]] std::string_view name() const noexcept { return name_; }
    [[nodiscard]] const tun::counters& counters() const noexcept { return counters_; }
    [[nodiscard]] static moment now() noexcept { return steady_clock::now(); }

private:
    [[nodiscard]] static constexpr bool is_ipv4(std::byte first) noexcept {
        return (first >> 4) == std::byte{4};
    }

    descriptor fd_;
    options options_;
    output_offloads can_;
    tun::counters counters_;
    char name_[interface_name_size] = {};
};

namespace detail {

// Announces the offloads of the port to the kernel, and sets `can` to those of the kernel: UDP
// segments since Linux 6.2.
[[nodiscard]] inline bool set_offload(int fd, output_offloads& can) noexcept {
    constexpr unsigned always = offloads::checksum | offloads::tcp_ipv4 | offloads::tcp_ecn;
    const int header = virtio_net::header_size;
    if (::ioctl(fd, requests::set_header_size, &header) < 0) {
        return false;
    }
    const bool cuts_udp = ::ioctl(fd, requests::set_offload, always | offloads::udp) == 0;
    can = {true, true, cuts_udp};
    return cuts_udp || ::ioctl(fd, requests::set_offload, always) == 0;
}

}  // namespace detail

// Opens the device of the name, or creates it. Unless persistent, it ends with its last descriptor.
[[nodiscard]] inline result<device, port_error> open(std::string_view name,
                                                     const options& how = {}) noexcept {
    if (name.size() >= interface_name_size) {
        return failure{port_error::make("open", name, ENAMETOOLONG, "at most 15 characters")};
    }
    descriptor fd{::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC)};
    if (!fd) {
        return failure{
            port_error::last("open", "/dev/net/tun", errno == ENOENT ? "load the module tun" : "")};
    }
    auto request = interface_request::of(name);
    request.set_flags(
        static_cast<u16>((how.kind == kind::tap ? detail::flags::tap : detail::flags::tun) |
                         detail::flags::plain | (how.multi_queue ? detail::flags::multi_queue : 0) |
                         (how.offload ? detail::flags::virtio_header : 0)));
    if (!request.ask(fd.get(), detail::requests::set_interface)) {
        const char* advice = errno == EPERM    ? "needs CAP_NET_ADMIN"
                             : errno == EBUSY  ? "another program has it"
                             : errno != EINVAL ? ""
                             : how.multi_queue ? "exists without multi_queue, or is of another kind"
                                               : "exists with multi_queue, or is of another kind";
        return failure{port_error::last("open", name, advice)};
    }
    output_offloads can{};
    if (how.offload && !detail::set_offload(fd.get(), can)) {
        return failure{port_error::last("set offload of", name)};
    }
    return device{std::move(fd), request.name, how, can};
}

// Opens it inside another network namespace (namespace.hpp).
[[nodiscard]] inline result<device, port_error>
open_in_namespace(std::string_view path, std::string_view name, const options& how = {}) noexcept {
    return in_namespace(path, [&] { return open(name, how); });
}

}  // namespace sluice::port::tun
