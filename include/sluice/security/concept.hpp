// # security_policy
//
// Decides whether a packet may pass, at the three points where Linux asks its IPsec policy (xfrm):
// `in`, before raw endpoints and the protocol receive a datagram for this host; `forward`, before
// any other step of forwarding; `out`, before a packet of this host leaves, with its header
// complete.
//
// `refusal(point, packet, context)` returns the reason to drop the packet (`security_policy` where
// no other fits), or `drop_reason::none` to let it pass. The packet begins with its IPv4 header,
// which is contiguous. A refusal is silent, except at `out`, where the sending program gets an
// error. A `protocol_handler` with `needs_no_policy()` also receives packets that `in` refuses
// (Linux net_protocol::no_policy): it unwraps the packet, or checks by itself. Fragments for this
// host reach `in` as one datagram; forwarded fragments come one by one.
//
// Constant: `always_permits`: if true, the compiler removes the calls. Otherwise the policy sees
// every forwarded packet, and none takes the accept branch.
//
// Exemplar:
//
//     struct tag {
//         template <class Packet> struct model {
//             using packet_type = Packet;
//             static constexpr bool always_permits = false;
//             drop_reason refusal(security_point p, const Packet& packet,
//                                 const security_context& c) noexcept;
//         };
//     };
//
// Models: `permit_all` (the default: no byte, no branch), `special_addresses` (RFC 6890),
// `no_directed_broadcasts` (RFC 2644), `tiny_fragments` (RFC 3128), `option_filter` (RFC 7126), and
// `all_of<...>` of several.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/packet/drop_reason.hpp>

#include <concepts>

namespace sluice {

enum class security_point : u8 { in, forward, out };

// The kind of the destination by the routes; set at the points `in` and `forward`.
enum class destination_form : u8 {
    host,
    broadcast,  // a directed broadcast of a connected network, or 255.255.255.255
    network     // the lowest address of a connected network. RFC 1812 section 4.2.3.1
};

struct security_context {
    u16 in = 0;   // ingress; 0 at `out`
    u16 out = 0;  // egress; 0 at `in`
    destination_form form = destination_form::host;
};

template <class S>
concept refuses_packets = requires(S& s, security_point p, const typename S::packet_type& packet,
                                   const security_context& c) {
    { s.refusal(p, packet, c) } noexcept -> std::same_as<drop_reason>;
};

template <class S>
concept states_security_constants = requires {
    { S::always_permits } -> std::convertible_to<bool>;
};

template <class T, class Packet>
concept security_policy = refuses_packets<typename T::template model<Packet>> &&
                          states_security_constants<typename T::template model<Packet>>;

}  // namespace sluice
