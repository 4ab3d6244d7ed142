// raw_socket::device: receives and sends IPv4 packets of one protocol through the kernel's stack.
//
// Reads do not block. They return whole datagrams with their IPv4 header, as the kernel delivers
// them (reassembled, to an address of this host). Packets of any number of pieces are sent. With
// header inclusion the packet's header is kept, except for the fields that the kernel fills in:
// total length, checksum, a source of 0.0.0.0, an identification of 0; a packet longer than the MTU
// is refused. Without it the kernel makes the header from the packet's destination, TTL, type of
// service and source, and fragments. The kernel chooses the route. Packets with segmentation
// metadata are refused.
//
// Expects: CAP_NET_RAW. The device outlives its senders, which keep the descriptor's number.
// Never:   blocks, allocates.
// Cost:    a system call a packet.
// Source:  raw(7), ip(7).
#pragma once

#include <sluice/base/result.hpp>
#include <sluice/base/time.hpp>
#include <sluice/packet/next_hop.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/port/arrival_time.hpp>
#include <sluice/port/concept.hpp>
#include <sluice/port/descriptor.hpp>
#include <sluice/port/error.hpp>
#include <sluice/port/failure_kind.hpp>
#include <sluice/port/namespace.hpp>
#include <sluice/port/receive_batch.hpp>
#include <sluice/port/steady_clock.hpp>
#include <sluice/port/write.hpp>
#include <sluice/rewrite/finish_checksum.hpp>
#include <sluice/wire/ipv4.hpp>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

#include <sys/socket.h>
#include <sys/uio.h>

namespace sluice::port::raw_socket {

struct options {
    u8 protocol = ipv4::protocols::icmp;  // to receive; 255: receives none, sends all
    bool include_header = true;
    u16 interface = 1;                // set in each received packet
    u16 headroom = default_headroom;  // bytes left free in front of each packet
    std::string_view device = {};     // only of this interface; empty: of all
    bool timestamps = false;          // sets metadata.received_at, by the kernel's clock
};

struct counters {
    u64 received = 0;
    u64 received_bytes = 0;
    u64 too_long = 0;
    u64 no_buffer = 0;
    u64 kernel_drops = 0;  // the socket was full
};

namespace detail {

// From <linux/sock_diag.h>, and from <netinet/in.h> and <linux/in.h>, which exclude each other.
namespace abi {

inline constexpr int ip_level = 0;
inline constexpr int type_of_service = 1;
inline constexpr int time_to_live = 2;
inline constexpr int include_header = 3;
inline constexpr int packet_info = 8;

// struct sockaddr_in, in network byte order.
struct address {
    u16 family = AF_INET;
    u16 port = 0;
    std::byte host[4] = {};
    std::byte zero[8] = {};
};
// struct in_pktinfo.
struct packet_information {
    int interface = 0;
    std::byte source[4] = {};
    std::byte destination[4] = {};
};
// The count of numbers of SO_MEMINFO, and the index of the drops.
inline constexpr std::size_t memory_counts = 9;
inline constexpr std::size_t drops = 8;

}  // namespace abi

// A destination, and the fields of the header that the kernel makes.
struct addressed {
    abi::address to;
    alignas(cmsghdr) std::byte
        control[CMSG_SPACE(sizeof(int)) * 2 + CMSG_SPACE(sizeof(abi::packet_information))] = {};

    explicit addressed(ipv4::const_view ip) noexcept {
        store_be<u32>(to.host, ip[ipv4::destination].value);
    }
    void choose_header(msghdr& message, ipv4::const_view ip) noexcept {
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        abi::packet_information from;
        store_be<u32>(from.source, ip[ipv4::source].value);
        cmsghdr* at = CMSG_FIRSTHDR(&message);
        at = put(message, at, abi::time_to_live, int{ip[ipv4::ttl]});
        at = put(message, at, abi::type_of_service, int{ip[ipv4::tos]});
        static_cast<void>(put(message, at, abi::packet_info, from));
    }

private:
    template <class T>
    static cmsghdr* put(msghdr& message, cmsghdr* at, int type, const T& value) noexcept {
        at->cmsg_level = abi::ip_level;
        at->cmsg_type = type;
        at->cmsg_len = CMSG_LEN(sizeof value);
        std::memcpy(CMSG_DATA(at), &value, sizeof value);
        return CMSG_NXTHDR(&message, at);
    }
};

// Sends a packet of any number of pieces, at most 65,535 bytes, from `skip` bytes on. Returns 0 or
// the errno of a refusal.
template <class Packet>
[[nodiscard]] int send_pieces(int fd, msghdr& message, const Packet& packet, u32 skip) noexcept {
    port::detail::gathered_pieces pieces;
    packet_reader<Packet> reader{packet};
    reader.skip(skip);
    reader.read(packet.size() - skip, [&](const_bytes piece) { pieces.add(piece); });
    std::byte flat[ipv4::max_total_length];
    if (!pieces.are_all()) {
        packet.copy_to(flat);
        pieces.count = 0;
        pieces.add(const_bytes{flat}.first(packet.size()).subspan(skip));
    }
    message.msg_iov = pieces.at;
    message.msg_iovlen = static_cast<decltype(message.msg_iovlen)>(pieces.count);
    return ::sendmsg(fd, &message, MSG_DONTWAIT) < 0 ? errno : 0;
}

}  // namespace detail

// The output; device::sender() returns one.
struct sender {
    int fd = -1;
    bool include_header = true;

    template <class Packet>
    class model {
    public:
        static constexpr bool takes_segmented = true;
        static constexpr bool takes_gso = false;

        constexpr model() noexcept = default;
        constexpr model(const sender& from) noexcept
            : fd_{from.fd}, include_header_{from.include_header} {}

        // Transmits a packet that begins with a valid IPv4 header, without options if the kernel
        // makes the header.
        [[nodiscard]] bool transmit(Packet& packet, const egress&, instant) noexcept {
            return counters_.settle(packet, send(packet));
        }
        void flush() noexcept {}

        [[nodiscard]] const send_counters& counters() const noexcept { return counters_; }

    private:
        int send(Packet& packet) noexcept {
            if (packet.size() > ipv4::max_total_length ||
                packet.head_size() < ipv4::min_header_length ||
                std::as_const(packet).metadata().segmentation != segmentation_kind::none ||
                !rewrite::finish_checksum(packet)) {
                return EINVAL;
            }
            const ipv4::const_view ip{std::as_const(packet).data()};
            detail::addressed at{ip};
            msghdr message{};
            message.msg_name = &at.to;
            message.msg_namelen = sizeof at.to;
            if (include_header_) {
                return detail::send_pieces(fd_, message, packet, 0);
            }
            if (ipv4::header_length(ip) != ipv4::min_header_length) {
                return EINVAL;
            }
            at.choose_header(message, ip);
            return detail::send_pieces(fd_, message, packet, u32{ipv4::min_header_length});
        }

        int fd_ = -1;
        bool include_header_ = true;
        send_counters counters_{};
    };
};

class device {
public:
    device(descriptor fd, const options& how) noexcept
        : fd_{std::move(fd)}, interface_{how.interface}, headroom_{how.headroom},
          include_header_{how.include_header} {}

    // Returns the next datagram, with the interface and headroom of the options, or why there is
    // none.
    template <buffer_source Source>
    [[nodiscard]] result<typename Source::packet_type, read_status> receive(Source& from) noexcept {
        auto packet = from.take(headroom_);
        if (!packet) {
            ++counters_.no_buffer;
            return failure{read_status::no_buffer};
        }
        const u32 room = packet.tailroom();
        // With MSG_TRUNC the length is the datagram's, even if it does not fit.
        iovec all{packet.put(room), room};
        alignas(cmsghdr) std::byte control[arrival_time::control_size];
        msghdr message{};
        message.msg_iov = &all;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        const ssize_t n = ::recvmsg(fd_.get(), &message, MSG_DONTWAIT | MSG_TRUNC);
        if (n < 0) {
            return failure{status_of(errno)};
        }
        if (static_cast<std::size_t>(n) > room) {
            ++counters_.too_long;
            return failure{read_status::thrown_away};
        }
        packet.trim(static_cast<u32>(n));
        packet.set_interface(interface_);
        packet.set_addressing(addressing_of(packet));
        const cmsghdr* const time = CMSG_FIRSTHDR(&message);
        if (time != nullptr && arrival_time::is_time(*time)) {
            packet.writable_metadata().received_at = arrival_time::of(*time);
        }
        ++counters_.received;
        counters_.received_bytes += static_cast<u64>(n);
        return packet;
    }

    using sender_type = raw_socket::sender;
    using batch = receive_batch;
    // Fills the span from the front until no datagram waits or the span is full.
    template <buffer_source Source>
    [[nodiscard]] batch receive(Source& from,
                                std::span<typename Source::packet_type> packets) noexcept {
        return port::detail::receive_each(*this, from, packets);
    }

    [[nodiscard]] raw_socket::sender sender() const noexcept {
        return {fd_.get(), include_header_};
    }
    // For poll(2): readable when a datagram waits.
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    [[nodiscard]] static constexpr link_header link() noexcept { return link_header::none; }
    // Always up: the socket belongs to no interface.
    [[nodiscard]] static constexpr device_state state() noexcept { return device_state::up; }
    // Includes the kernel's drops until now. Costs a system call.
    [[nodiscard]] const raw_socket::counters& counters() noexcept {
        u32 memory[detail::abi::memory_counts] = {};
        socklen_t size = sizeof memory;
        if (::getsockopt(fd(), SOL_SOCKET, SO_MEMINFO, memory, &size) == 0) {
            counters_.kernel_drops = memory[detail::abi::drops];
        }
        return counters_;
    }
    [[nodiscard]] static moment now() noexcept { return steady_clock::now(); }

private:
    // The kernel does not report the link addressing; the destination approximates it.
    template <class Packet>
    [[nodiscard]] static link_addressing addressing_of(const Packet& packet) noexcept {
        const ipv4::const_view ip{packet.data()};
        if (packet.size() < ipv4::min_header_length || !ip[ipv4::destination].is_multicast()) {
            return link_addressing::host;
        }
        return link_addressing::multicast;
    }

    descriptor fd_;
    u16 interface_;
    u16 headroom_;
    bool include_header_;
    raw_socket::counters counters_;
};

[[nodiscard]] inline result<device, port_error> open(const options& how = {}) noexcept {
    descriptor fd{::socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, how.protocol)};
    if (!fd) {
        return failure{
            port_error::last("open raw socket", "", errno == EPERM ? "needs CAP_NET_RAW" : "")};
    }
    const int include = how.include_header ? 1 : 0;
    if (::setsockopt(fd.get(), detail::abi::ip_level, detail::abi::include_header, &include,
                     sizeof include) < 0) {
        return failure{port_error::last("include header", "raw socket")};
    }
    if (how.timestamps && !arrival_time::ask(fd.get())) {
        return failure{port_error::last("ask for timestamps", "raw socket")};
    }
    if (!how.device.empty() &&
        ::setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, how.device.data(),
                     static_cast<socklen_t>(how.device.size())) < 0) {
        return failure{port_error::last("bind to", how.device)};
    }
    return device{std::move(fd), how};
}

// Opens it inside another network namespace; needs CAP_SYS_ADMIN. See in_namespace().
[[nodiscard]] inline result<device, port_error>
open_in_namespace(std::string_view path, const options& how = {}) noexcept {
    return in_namespace(path, [&] { return open(how); });
}

}  // namespace sluice::port::raw_socket
