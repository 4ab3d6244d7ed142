// learn_path_mtu, quotes_sent_segment: what path MTU discovery decides about an ICMP error: whether
// a TCP connection sent the segment that it quotes, and which MTU to keep.
//
// A stack asks both (pipeline/learn.hpp, believes() of a protocol_handler). A program without a
// stack keeps the path MTUs of its own sockets with them:
//
//     bounded_exceptions<8> paths{secret};                // route/bounded_exceptions.hpp
//     // On fragmentation needed; it compares addresses and ports with the connection's itself.
//     const icmp::const_view error{message.data()};
//     if (pipeline::quotes_sent_segment(message.subspan(8), {unacknowledged, next})) {
//         const auto lesson = pipeline::learn_path_mtu(error[icmp::rest_of_header] & 0xffff,
//                                                      {.current = mtu, .least = 552});
//         if (lesson.mtu != 0) {
//             paths.learn({peer}, {.mtu = lesson.mtu, .mtu_locked = lesson.locked,
//                                  .expires = now + 600_s}, now);
//         }
//     }
//     // Before a send: nullptr is the MTU of the link.
//     const route_exception* known = paths.find({peer}, now);
//
// Never:   look a connection up, keep state.
// Cost:    a few loads and compares.
// Source:  RFC 1191 section 6.3, RFC 5927 section 4.1; Linux __ip_rt_update_pmtu, tcp_v4_err.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/wire/ipv4.hpp>

namespace sluice::pipeline {

// mtu: in bytes; 0: nothing to learn.
struct path_mtu_lesson {
    u16 mtu = 0;
    bool locked = false;
};

struct known_path_mtu {
    u32 current = 0;      // the MTU in use
    bool locked = false;  // no message lowers it any more
    u32 least = 0;        // the smallest MTU to accept (route_min_pmtu)
};

// reported: the MTU that the message names. A message may only lower the path MTU (RFC 1191 section
// 3). A value below known.least is clamped to it, and DF is no longer set. So is 0, which routers
// older than RFC 1191 send.
// Deviation: RFC 1191 section 5 would search a table of plateaus; Linux does not.
[[nodiscard]] constexpr path_mtu_lesson learn_path_mtu(u32 reported,
                                                       const known_path_mtu& known) noexcept {
    if (known.locked || known.current < reported) {
        return {};
    }
    if (reported >= known.least) {
        return {static_cast<u16>(reported), false};
    }
    return {static_cast<u16>(known.least < known.current ? known.least : known.current), true};
}

struct sent_sequence {
    u32 unacknowledged = 0;  // SND.UNA
    u32 next = 0;            // SND.NXT
};

// Whether the quoted bytes, from the IPv4 header on (icmp_error_notice::quoted), begin a TCP
// segment whose acknowledgment may be missing. Whoever does not see the connection has to guess its
// sequence number. SND.NXT itself counts too: segments without data carry it.
[[nodiscard]] constexpr bool quotes_sent_segment(const_bytes quoted,
                                                 const sent_sequence& sent) noexcept {
    constexpr std::size_t least = 8;  // ports and sequence number
    if (quoted.size() < ipv4::min_header_length) {
        return false;
    }
    const ipv4::const_view ip{quoted.data()};
    const std::size_t header = ipv4::header_length(ip);
    if (header < ipv4::min_header_length || quoted.size() < header + least ||
        ip[ipv4::protocol] != ipv4::protocols::tcp || !ipv4::is_first_fragment(ip)) {
        return false;
    }
    const u32 sequence = load_be<u32>(quoted.data() + header + 4);
    return sequence - sent.unacknowledged <= sent.next - sent.unacknowledged;
}

}  // namespace sluice::pipeline
