// endpoint_options and the other values that endpoints are told and tell: what a socket has as
// options and control messages. Expects: nothing. Does: carries values, named by Linux's options.
// Never: acts. Cost: a few words. Linux ip(7), udp(7), raw(7).
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/packet/bounded_packet_queue.hpp>
#include <sluice/wire/address.hpp>

#include <cstddef>

namespace sluice {

enum class endpoint_kind : u8 { udp, raw, ping };

// Linux IP_MTU_DISCOVER.
enum class mtu_discovery : u8 {
    dont,       // no DF; cut to what is known of the path
    want,       // DF where it fits, cut where it does not
    always,     // DF; what is larger than the known path MTU is refused (IP_PMTUDISC_DO)
    probe,      // DF; the path MTU is not looked at, only that of the interface
    interface,  // no DF, no path MTU; what is larger than that of the interface is refused
    omit        // as interface, but cut
};

struct endpoint_options {
    u16 interface = 0;  // SO_BINDTODEVICE; set before bind() and connect(). 0: any
    u8 ttl = 0;         // IP_TTL, for what goes to one host; 0: ip_default_ttl
    u8 tos = 0;         // IP_TOS
    mtu_discovery discovery = mtu_discovery::want;
    bool may_broadcast = false;    // SO_BROADCAST
    bool receive_errors = false;   // IP_RECVERR
    bool on_link_only = false;     // SO_DONTROUTE
    bool reuse = false;            // SO_REUSEADDR; set before bind(). On for ping endpoints
    bool header_included = false;  // IP_HDRINCL, of raw endpoints
    u8 multicast_ttl = 1;          // IP_MULTICAST_TTL; 0: it does not leave this host
    bool multicast_loop = true;    // IP_MULTICAST_LOOP
    u16 multicast_interface = 0;   // IP_MULTICAST_IF
    ipv4::address multicast_source{};
    // SO_RCVBUF, exactly: bytes of the blocks of what waits. Linux net.core.rmem_default.
    u32 receive_bytes = default_waiting_bytes;
    // ICMP_FILTER of raw endpoints for ICMP: bit N set, type N is not received.
    u32 icmp_filter = 0;
};

// Of one send, instead of the endpoint's. Linux IP_PKTINFO, IP_TTL, IP_TOS as control messages.
struct message_options {
    ipv4::address source{};
    u16 interface = 0;
    u8 ttl = 0;                 // 0: the endpoint's
    i16 tos = -1;               // below 0: the endpoint's
    bool on_link_only = false;  // MSG_DONTROUTE
};

struct endpoint_address {
    ipv4::address host{};
    u16 port = 0;  // of a ping endpoint: the identifier; of a raw one: 0

    friend constexpr bool operator==(const endpoint_address&,
                                     const endpoint_address&) noexcept = default;
};

// What an endpoint can hold: packets that wait (each keeps its buffer), errors, bytes of each
// quote.
struct endpoint_sizes {
    std::size_t queue = 16;  // a power of two
    std::size_t errors = 4;
    std::size_t quote = 576;
};

// What came, beside the bytes. Linux IP_PKTINFO, IP_RECVTTL, IP_RECVTOS, MSG_TRUNC.
struct received {
    u32 copied = 0;  // that were copied
    u32 length = 0;  // of the datagram
    endpoint_address from{};
    ipv4::address destination{};  // of the header
    ipv4::address local{};        // our address that would answer
    u16 interface = 0;            // it came in by
    u8 ttl = 0;
    u8 tos = 0;
    bool broadcast_or_multicast = false;
    u32 mark = 0;  // what a hook wrote into the metadata; Linux SO_RCVMARK

    [[nodiscard]] constexpr bool truncated() const noexcept { return copied < length; }
};

}  // namespace sluice
