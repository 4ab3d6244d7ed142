// The common part of the plain device and the rings of AF_PACKET: options, counters, and a packet
// socket bound to one interface, with a virtio-net header in front of each frame.
//
// All options are set before the socket is bound, so that it never receives frames of another
// interface.
//
// Expects: CAP_NET_RAW in the interface's namespace; an Ethernet interface (also a loopback) or one
//          whose packets begin with the IP header (TUN, WireGuard, PPP, tunnels); others are
//          refused.
// Never:   changes the interface (promiscuous reception ends with the socket).
// Source:  packet(7), Linux Documentation/networking/packet_mmap.rst.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/base/result.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/port/af_packet_abi.hpp>
#include <sluice/port/descriptor.hpp>
#include <sluice/port/error.hpp>
#include <sluice/port/failure_kind.hpp>
#include <sluice/port/fanout_program.hpp>
#include <sluice/port/hardware_type.hpp>
#include <sluice/port/interface_request.hpp>
#include <sluice/wire/ethernet.hpp>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string_view>

#include <sys/socket.h>

namespace sluice::port::af_packet {

// How frames are spread over the sockets of one group. hash: by addresses, protocol and ports, with
// the same result for both directions; fragments, also the first, by addresses and protocol, so
// that all fragments of a datagram come to one socket. Frames that are neither IPv4 nor IPv6, such
// as ARP, come to one socket of the group. The kernel's hash is secret and looks into tunnels.
// rule: by the worker_rule, which a program can ask too: worker i is the socket that joined as the
// i-th, counted from 0.
enum class fanout_mode : u16 { hash, round_robin, cpu, rollover, random, queue, rule };

struct fanout {
    u16 group = 0;
    fanout_mode mode = fanout_mode::hash;
    std::optional<worker_rule> rule{};  // the same for all sockets of the group; for this mode only
    bool reassemble = false;            // the kernel reassembles datagrams first
    bool rollover = false;              // a full socket passes frames to another one
};

struct options {
    u16 interface = 1;                          // set in each received packet
    u16 headroom = default_headroom;            // bytes left free in front of each packet
    u16 protocol = 0x0003;                      // EtherType to receive; 0x0003: all. Without
                                                // a link header only IPv4 is received
    bool promiscuous = false;                   // also frames to other link addresses
    bool bypass_queue = false;                  // sent frames skip the queueing discipline
    bool timestamps = false;                    // sets metadata.received_at, by the kernel's clock
    std::optional<af_packet::fanout> fanout{};  // the interface must be up
};

struct counters {
    u64 received = 0;
    u64 received_bytes = 0;
    u64 not_ipv4 = 0;        // thrown away; on interfaces without link header
    u64 too_long = 0;        // fitted neither one buffer nor several
    u64 no_buffer = 0;       // thrown away or left waiting: the source had no buffer
    u64 refused = 0;         // segmentation or checksum that IPv4 cannot have, or a link
                             // header on an interface that should have none
    u64 kernel_drops = 0;    // the socket was full
    u64 kernel_freezes = 0;  // ring only: all blocks were taken
    u64 went_down = 0;       // the interface was taken down
};

namespace detail {

// The address that states the protocol of a frame without link header.
[[nodiscard]] inline abi::link_address address_of(int interface, u16 protocol) noexcept {
    abi::link_address a{.family = AF_PACKET, .interface = interface};
    store_be<u16>(reinterpret_cast<std::byte*>(&a.protocol), protocol);
    return a;
}

}  // namespace detail

// A socket and the properties of its interface.
struct bound_socket {
    descriptor fd;
    int index = 0;
    link_header link = link_header::none;
    ethernet::address hardware{};
    u32 mtu = 0;
    char name[interface_name_size] = {};

    [[nodiscard]] bool is_ethernet() const noexcept { return link == link_header::ethernet; }
    [[nodiscard]] abi::link_address address(u16 protocol) const noexcept {
        return detail::address_of(index, protocol);
    }
};

namespace detail {

template <class T>
[[nodiscard]] bool set_option(int fd, int name, const T& value) noexcept {
    return ::setsockopt(fd, abi::socket_level, name, &value, sizeof value) == 0;
}

// Makes a socket that receives nothing yet, and asks the system for the interface's properties.
[[nodiscard]] inline result<bound_socket, port_error> make_socket(std::string_view name) noexcept {
    bound_socket made;
    if (name.empty() || name.size() >= sizeof made.name) {
        return failure{port_error::make("open", name, ENODEV, "a name has 1 to 15 characters")};
    }
    made.fd = descriptor{::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (!made.fd) {
        return failure{port_error::last("open packet socket", name,
                                        errno == EPERM ? "needs CAP_NET_RAW" : "")};
    }
    name.copy(made.name, name.size());
    auto request = interface_request::of(name);
    if (!request.ask(made.fd.get(), SIOCGIFINDEX)) {
        return failure{port_error::last("find", name)};
    }
    made.index = request.number();
    if (!request.ask(made.fd.get(), SIOCGIFMTU)) {
        return failure{port_error::last("ask MTU of", name)};
    }
    made.mtu = static_cast<u32>(request.number());
    if (!request.ask(made.fd.get(), SIOCGIFHWADDR)) {
        return failure{port_error::last("ask address of", name)};
    }
    const u16 type = request.family();
    std::memcpy(made.hardware.parts.data(), request.address(), 6);
    if (!request.ask(made.fd.get(), SIOCGIFFLAGS)) {
        return failure{port_error::last("ask flags of", name)};
    }
    made.link = link_header_of(type, request.flags());
    if (made.link == link_header::unknown) {
        return failure{unknown_link_header(name, type)};
    }
    if (made.link == link_header::none) {
        made.hardware = {};
    }
    return made;
}

// Sets all options that must precede reception: the virtio-net header, no outgoing frames.
[[nodiscard]] inline bool prepare(const bound_socket& s, const options& how) noexcept {
    const int fd = s.fd.get();
    namespace names = abi::socket_options;
    const abi::membership all{.interface = s.index, .type = abi::promiscuous};
    return set_option(fd, names::virtio_header, 1) && set_option(fd, names::ignore_outgoing, 1) &&
           (!how.bypass_queue || set_option(fd, names::queue_bypass, 1)) &&
           (!how.promiscuous || set_option(fd, names::add_membership, all));
}

// Gives the kernel the program of the rule.
[[nodiscard]] inline bool set_rule(int fd, const fanout& how) noexcept {
    if (how.mode != fanout_mode::rule) {
        return true;
    }
    if (!how.rule) {
        errno = EINVAL;
        return false;
    }
    const fanout_program code{*how.rule};
    return set_option(fd, abi::socket_options::fanout_data, code.program());
}

// Binds the socket: from now on it receives frames.
[[nodiscard]] inline bool bind_to_interface(const bound_socket& s, const options& how) noexcept {
    const abi::link_address at = s.address(how.protocol);
    if (::bind(s.fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) < 0) {
        return false;
    }
    if (!how.fanout) {
        return true;
    }
    const u32 mode = static_cast<u32>(how.fanout->mode) |
                     (how.fanout->reassemble ? abi::fanout_reassemble : 0) |
                     (how.fanout->rollover ? abi::fanout_rollover : 0);
    return set_option(s.fd.get(), abi::socket_options::fanout,
                      u32{how.fanout->group} | mode << 16) &&
           set_rule(s.fd.get(), *how.fanout);
}

// Adds the kernel's counts since the last call.
inline void add_kernel_counts(int fd, counters& to) noexcept {
    abi::ring_statistics seen;
    socklen_t size = sizeof seen;
    if (::getsockopt(fd, abi::socket_level, abi::socket_options::statistics, &seen, &size) == 0) {
        to.kernel_drops += seen.drops;
        to.kernel_freezes += seen.freezes;
    }
}

// Whether the socket's interface still exists, up or down. True also if the kernel does not answer.
[[nodiscard]] inline bool is_bound(int fd) noexcept {
    abi::link_address at;
    socklen_t size = sizeof at;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) < 0) {
        return kind_of(errno) != failure_kind::descriptor;
    }
    return at.interface > 0;
}

// Why nothing was read. A deleted interface is told apart from one that went down, which may come
// back: the kernel does not report the deletion of an interface that is down already.
[[nodiscard]] inline read_status status_of(int fd, int error_number, counters& to) noexcept {
    switch (error_number) {
    case ENETDOWN:
        ++to.went_down;
        return is_bound(fd) ? read_status::would_block : read_status::closed;
    case EAGAIN:
        return to.went_down == 0 || is_bound(fd) ? read_status::would_block : read_status::closed;
    default:
        return port::status_of(error_number);
    }
}

}  // namespace detail

}  // namespace sluice::port::af_packet
