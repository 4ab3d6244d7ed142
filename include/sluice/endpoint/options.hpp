// endpoint_options and the other values that endpoints take and return: socket options and control
// messages, each named with its Linux option.
//
// Source: Linux ip(7), udp(7), raw(7).
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/base/time.hpp>
#include <sluice/packet/bounded_packet_queue.hpp>
#include <sluice/packet/priority.hpp>
#include <sluice/wire/address.hpp>

#include <cstddef>

namespace sluice {

enum class endpoint_kind : u8 { udp, raw, ping };

// Linux IP_MTU_DISCOVER.
enum class mtu_discovery : u8 {
    dont,       // no DF; fragments to the known path MTU
    want,       // DF if the datagram fits the path MTU, else fragments
    always,     // DF; refuses more than the known path MTU (IP_PMTUDISC_DO)
    probe,      // DF; ignores the path MTU, refuses more than the interface's MTU
    interface,  // no DF; ignores the path MTU, refuses more than the interface's MTU
    omit        // as interface, but fragments
};

[[nodiscard]] constexpr bool ignores_path_mtu(mtu_discovery how) noexcept {
    using enum mtu_discovery;
    return how == probe || how == interface || how == omit;
}

// Whether datagrams above the MTU are fragmented instead of refused.
[[nodiscard]] constexpr bool may_fragment(mtu_discovery how) noexcept {
    using enum mtu_discovery;
    return how == dont || how == want || how == omit;
}

// UDP-Lite's checksum may cover only the first bytes of a datagram. RFC 3828.
enum class udp_protocol : u8 { udp = 17, lite = 136 };

struct endpoint_options {
    u16 interface = 0;  // SO_BINDTODEVICE; set before bind() and connect(). 0: any
    u8 ttl = 0;         // IP_TTL, for unicast; 0: ip_default_ttl
    u8 tos = 0;         // IP_TOS
    mtu_discovery discovery = mtu_discovery::want;
    u32 mark = 0;  // SO_MARK: of sent packets
    // SO_PRIORITY: of sent packets, for the queues of outputs; below 0: by their TOS (Linux sets it
    // along with IP_TOS). A message with a TOS of its own has its priority by that.
    i32 priority = -1;
    bool may_broadcast = false;   // SO_BROADCAST
    bool receive_errors = false;  // IP_RECVERR
    bool on_link_only = false;    // SO_DONTROUTE
    // Binds to and sends from addresses of other hosts, as a transparent proxy does. IP_TRANSPARENT
    bool transparent = false;
    bool reuse = false;  // SO_REUSEADDR; set before bind(). On by default for ping endpoints
    bool header_included = false;  // IP_HDRINCL, for raw endpoints; not with IP options
    // UDP_CORK: sends accumulate one datagram, until push() or a send after it is false again.
    bool cork = false;
    // UDP-Lite: the bytes that the checksum of sent datagrams covers, with the header, from 8 on. 0
    // or at least the length: all. Linux UDPLITE_SEND_CSCV
    u16 send_coverage = 0xffff;
    // UDP-Lite: the least coverage of received datagrams, from 8 on; 0: only whole ones. Linux
    // UDPLITE_RECV_CSCV
    u16 receive_coverage = 8;
    u8 multicast_ttl = 1;         // IP_MULTICAST_TTL; 0: stays on this host
    bool multicast_loop = true;   // IP_MULTICAST_LOOP
    u16 multicast_interface = 0;  // IP_MULTICAST_IF
    ipv4::address multicast_source{};
    bool multicast_all = true;  // IP_MULTICAST_ALL: also groups that this endpoint did not join
    // SO_RCVBUF, not doubled: bytes in the blocks of queued packets. Linux net.core.rmem_default.
    u32 receive_bytes = default_waiting_bytes;
    // ICMP_FILTER, for raw endpoints of ICMP: bit N drops type N.
    u32 icmp_filter = 0;
};

// Options of one send, instead of the endpoint's. Linux IP_PKTINFO, IP_TTL, IP_TOS as control
// messages.
struct message_options {
    ipv4::address source{};
    u16 interface = 0;
    u8 ttl = 0;                 // 0: the endpoint's
    i16 tos = -1;               // below 0: the endpoint's
    bool on_link_only = false;  // MSG_DONTROUTE
    // The next send continues this datagram; its destination and options do not count. UDP and raw
    // endpoints. MSG_MORE
    bool more = false;
    bool probe = false;  // checks whether the send is possible, and sends nothing. MSG_PROBE
};

// The priority of a message. Linux SO_PRIORITY, __ip_sock_set_tos, ip_cmsg_send.
[[nodiscard]] constexpr u32 priority_of(const message_options& m,
                                        const endpoint_options& o) noexcept {
    if (m.tos >= 0) {
        return priority_of_tos(static_cast<u8>(m.tos));
    }
    return o.priority >= 0 ? static_cast<u32>(o.priority) : priority_of_tos(o.tos);
}

struct endpoint_address {
    ipv4::address host{};
    u16 port = 0;  // ping endpoint: the identifier; raw endpoint: 0

    friend constexpr bool operator==(const endpoint_address&,
                                     const endpoint_address&) noexcept = default;
};

// Capacities of an endpoint: queued packets (each keeps its buffer), queued errors, quoted bytes
// per error; joined groups and the sources of all its filters, on a stack that keeps filters.
struct endpoint_sizes {
    std::size_t queue = 16;  // a power of two
    std::size_t errors = 4;
    std::size_t quote = 576;
    std::size_t groups = 20;
    std::size_t sources = 40;
};

// A received datagram beside its bytes. Linux IP_PKTINFO, IP_RECVTTL, IP_RECVTOS, MSG_TRUNC.
struct received {
    u32 copied = 0;  // bytes copied to the caller
    u32 length = 0;  // bytes of the datagram
    endpoint_address from{};
    ipv4::address destination{};  // the header's
    u16 destination_port = 0;     // Linux IP_RECVORIGDSTADDR; ping: the identifier
    ipv4::address local{};        // the local address for replies
    u16 interface = 0;            // ingress
    u8 ttl = 0;
    u8 tos = 0;
    bool broadcast_or_multicast = false;
    u32 mark = 0;      // the metadata's mark, set by a hook; Linux SO_RCVMARK
    u32 priority = 0;  // likewise; Linux SO_RCVPRIORITY
    // When the device received it, since 1970 UT; of a fragmented datagram, its last fragment. 0:
    // the device was opened without timestamps, or this host sent it. Linux SO_TIMESTAMPNS.
    duration received_at{};
    // Bytes of the largest fragment with its header; 0: not fragmented. Linux IP_RECVFRAGSIZE.
    u16 largest_fragment = 0;
    u16 coverage = 0;  // UDP-Lite: bytes that the checksum covers, with the header; 0: all

    [[nodiscard]] constexpr bool truncated() const noexcept { return copied < length; }
};

}  // namespace sluice
