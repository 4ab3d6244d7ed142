// # delivery_policy and protocol_handler
//
// Delivers datagrams for this host: first copies of the whole datagram to raw taps, then the
// datagram to the handler of its protocol.
//
// `tap(datagram, info)` offers a copy to each matching raw endpoint and returns their number.
// `handler(protocol)` returns the registered handler of a protocol number, or nullptr.
// `udp(datagram, info)` delivers a UDP or UDP-Lite datagram with a verified checksum: to one
// endpoint if it is unicast, to all that match if it is broadcast or multicast. It returns their
// number.
//
// A **protocol_handler** is registered at run time and may be replaced or wrapped. `receive(packet,
// info, services)` takes the packet, whose bounds begin at the IPv4 header. It answers one of
// `handler_result`: `taken()`; `ignored()`; `unreachable()` (the stack sends protocol unreachable);
// `built_in()` (left to the stack, by a handler that wraps a built-in one); or `again(protocol)`
// (a tunnel). `error(...)` receives an ICMP error about a packet of this protocol.
//
// `report(notice)` passes an ICMP error to the raw endpoints that match the quoted datagram, and to
// the UDP endpoint if it quotes UDP; it returns false if it quotes UDP of no endpoint.
// `believes(notice)` returns whether one of them recognizes the quoted datagram as its own, so that
// the stack learns a path MTU or a gateway from it. `has_alert_listener(protocol, interface)`
// returns whether an endpoint asked for forwarded packets with a router alert (RFC 2113 section
// 2.1); `alert(datagram, info)` offers a copy to each of these.
//
// A datagram may come with the endpoint that a hook or its handler chose before it was routed
// (`info.chosen`): `udp` delivers it there if that endpoint still exists, whatever its filter. A
// handler numbers its endpoints itself.
//
// Optional (`knows_flows`): `flow_of(info)` returns the place that caches the route of an
// established UDP flow (both addresses and both ports match), or nullptr; `has_flows()` returns
// whether there is one, or a handler that chooses early.
//
// Optional (`knows_listeners`): `has_listener(protocol)` returns whether a raw endpoint or a
// handler may get datagrams of a protocol. It may return true without one, but returns false while
// none is registered for any protocol. Without it every echo request takes the full path.
//
// Optional: a model that can be made from a `hash_key` gets a secret of its own from the stack.
//
// Optional (`answers_pings`): `ping(packet, info)` delivers an echo reply or an extended one, from
// its ICMP header on, to the endpoint whose identifier is `info.destination_port`. Without it these
// replies reach raw taps only.
//
// Exemplar:
//
//     struct tag {
//         template <class Packet> struct model {
//             delivery_count tap(const unsummed_datagram<Packet>& d,
//                                const delivery_info& info) noexcept;
//             protocol_handler<Packet>* handler(u8 protocol) noexcept;
//             delivery_count udp(Packet&& packet, const delivery_info& info) noexcept;
//             bool report(const icmp_error_notice& notice) noexcept;
//             bool believes(const icmp_error_notice& notice) const noexcept;
//             bool has_alert_listener(u8 protocol, u16 interface) const noexcept;
//             delivery_count alert(const unsummed_datagram<Packet>& d,
//                                  const delivery_info& info) noexcept;
//         };
//     };
//
// Models: `registered_endpoints<Handlers, Endpoints>`, `no_delivery` (a pure router: it serves only
// ICMP).
#pragma once

#include <sluice/base/time.hpp>
#include <sluice/packet/datagram.hpp>
#include <sluice/packet/decision.hpp>
#include <sluice/packet/metadata.hpp>
#include <sluice/packet/next_hop.hpp>
#include <sluice/wire/icmp.hpp>
#include <sluice/wire/ipv4.hpp>

#include <concepts>
#include <utility>

namespace sluice {

// UDP or UDP-Lite.
[[nodiscard]] constexpr bool is_udp(u8 protocol) noexcept {
    return protocol == ipv4::protocols::udp || protocol == ipv4::protocols::udp_lite;
}

// The properties of a datagram that an endpoint gets with its bytes (Linux IP_PKTINFO).
struct delivery_info {
    ipv4::address source{};
    ipv4::address destination{};  // the header's
    ipv4::address local{};        // the local address for replies
    u16 interface = 0;            // ingress
    u16 source_port = 0;          // UDP
    u16 destination_port = 0;     // UDP; of an echo reply: its identifier
    u8 protocol = 0;
    bool broadcast_or_multicast = false;
    // Bytes of headers in front of the packet that an endpoint gets: unpull() restores them.
    u8 headers = 0;
    u16 coverage = 0;  // UDP-Lite: bytes that the checksum covers, with the header; 0: all
    u8 ttl = 0;        // the header's
    u8 tos = 0;
    chosen_endpoint chosen{};  // metadata.endpoint
};

// The number of endpoints that matched a datagram: those that took it, those without room, and
// those that refused its checksum coverage.
struct delivery_count {
    u16 taken = 0;
    u16 full = 0;
    u16 refused = 0;

    [[nodiscard]] constexpr bool any() const noexcept {
        return taken != 0 || full != 0 || refused != 0;
    }
};

// The services of the stack for a handler that handles a packet. Packets that it sends wait in the
// work queue, so that no call recurses.
template <class Packet>
class local_services {
public:
    // Sends a packet that begins with a complete IPv4 header. false: it has no route or the work
    // queue is full; the stack then drops and counts it.
    constexpr virtual bool send_later(Packet&& packet) noexcept = 0;
    // Answers a received datagram: `packet` begins with its header, as the handler got it, and the
    // answer follows. It goes to info.source, from info.local, with the received options reversed.
    // Answer requests only, never answers, and look at info.broadcast_or_multicast first: two
    // hosts that answer everything never stop. false: the sender is 0.0.0.0, a broadcast or
    // multicast address, or as for send_later().
    constexpr virtual bool reply(Packet&& packet, const delivery_info& info) noexcept = 0;
    // An empty packet; an empty handle when no buffer is free.
    [[nodiscard]] constexpr virtual Packet buffer() noexcept = 0;
    [[nodiscard]] constexpr virtual moment now() const noexcept = 0;

protected:
    constexpr ~local_services() = default;
};

struct handler_result {
    enum class kind : u8 { taken, ignored, unreachable, again, built_in } what = kind::taken;
    u8 protocol = 0;  // kind `again`: the protocol as which the packet is delivered again
    drop_reason why = drop_reason::ignored_by_handler;  // kind `ignored`: the drop reason

    [[nodiscard]] static constexpr handler_result taken() noexcept { return {}; }
    [[nodiscard]] static constexpr handler_result
    ignored(drop_reason why = drop_reason::ignored_by_handler) noexcept {
        return {kind::ignored, 0, why};
    }
    [[nodiscard]] static constexpr handler_result unreachable() noexcept {
        return {kind::unreachable, 0};
    }
    [[nodiscard]] static constexpr handler_result again(u8 protocol) noexcept {
        return {kind::again, protocol};
    }
    // The stack handles `packet` by its built-in handler of the protocol. For a handler that wraps
    // the built-in one (set_handler returned nullptr).
    [[nodiscard]] static constexpr handler_result built_in() noexcept { return {kind::built_in}; }
};

// A received ICMP error that quotes a packet of this host. RFC 1122 section 3.2.2.
struct icmp_error_notice {
    u8 type = 0;
    u8 code = 0;
    u32 info = 0;  // MTU, pointer or gateway, by type
    ipv4::address offender{};
    ipv4::address source{};  // the quoted header's
    ipv4::address destination{};
    u16 source_port = 0;  // quoted UDP port, or the identifier of a quoted echo request
    u16 destination_port = 0;
    u16 interface = 0;  // ingress
    u8 protocol = 0;
    duration received_at{};  // metadata.received_at of the message
    instant now{};           // of the call in which it was received
    const_bytes quoted{};    // the quoted datagram from its IPv4 header, as far as it is quoted
    // The extension structure right behind the quoted datagram, from its own header on. Empty: none
    // is there or it is malformed. RFC 4884 section 4; wire/icmp_extensions.hpp walks its objects.
    const_bytes extension{};
};

// Whether the error quotes an echo request, plain or extended; `source_port` is then its
// identifier. Linux ping_supported.
[[nodiscard]] constexpr bool quotes_echo_request(const icmp_error_notice& n) noexcept {
    if (n.protocol != ipv4::protocols::icmp || n.quoted.size() < ipv4::min_header_length) {
        return false;
    }
    const std::size_t header = ipv4::header_length(ipv4::const_view{n.quoted.data()});
    if (n.quoted.size() < header + icmp::header_length) {
        return false;
    }
    const icmp::const_view message{n.quoted.data() + header};
    return message[icmp::code] == 0 && (message[icmp::type] == icmp::types::echo_request ||
                                        message[icmp::type] == icmp::types::extended_echo_request);
}

// The route of an established flow. While `version` is the route generation, the flow's datagrams
// are delivered without a lookup or a check of their source. Linux sk_rx_dst.
struct early_route {
    u32 version = 0;
    u16 interface = 0;  // ingress; 0: no route is cached yet

    friend constexpr bool operator==(const early_route&, const early_route&) noexcept = default;
};

// A handler's choice before a packet is routed: its endpoint, and where the route of its flow is
// kept; nullptr: the packet is routed.
struct early_choice {
    chosen_endpoint endpoint{};
    early_route* route = nullptr;
};

template <class Packet>
class protocol_handler {
public:
    // packet.data() is the verified IPv4 header. A handler that moves from `packet` takes it: it
    // counts as taken unless the answer is `ignored`. If the handler leaves it, the stack does what
    // the answer says. Taps may share its bytes: unshare() it before changing them.
    [[nodiscard]] constexpr virtual handler_result
    receive(Packet& packet, const delivery_info& info,
            local_services<Packet>& services) noexcept = 0;
    // false: the error quotes no packet that this protocol sent, and is counted as an ICMP error.
    [[nodiscard]] constexpr virtual bool error(const icmp_error_notice&) noexcept { return true; }
    // Whether this protocol did send the quoted packet, so that the stack learns the path MTU or
    // the gateway in the error. The stack asks before it calls error(). RFC 5927 section 4: guessed
    // quotations must fail.
    [[nodiscard]] constexpr virtual bool believes(const icmp_error_notice&) const noexcept {
        return false;
    }
    // Early demultiplexing, for a handler whose chooses_early() is always true: chooses the
    // endpoint of a packet that the link addressed to this host, before it is routed. packet.data()
    // is the verified IPv4 header; fragments and packets with an endpoint are not asked about. The
    // choice counts only if the route leads to this host. Switches: ip_early_demux, and
    // tcp_early_demux for TCP. Linux tcp_v4_early_demux.
    [[nodiscard]] constexpr virtual bool chooses_early() const noexcept { return false; }
    [[nodiscard]] constexpr virtual early_choice choose(const Packet&) noexcept { return {}; }
    // Whether the handler also receives packets that the security policy drops, because it checks
    // or unwraps them itself. Linux net_protocol::no_policy.
    [[nodiscard]] constexpr virtual bool needs_no_policy() const noexcept { return false; }

protected:
    constexpr ~protocol_handler() = default;
};

// An endpoint's state, for tables of endpoints (endpoint/print.hpp).
struct endpoint_state {
    ipv4::address peer{};
    u16 peer_port = 0;
    bool connected = false;
    u64 to_send = 0;  // bytes of a corked datagram
    u64 waiting = 0;  // bytes of the blocks of queued packets
    u64 drops = 0;    // datagrams that the endpoint refused
};

// Receives the packets of an endpoint. take() moves from the packet and returns true, or leaves it
// and returns false.
template <class Packet>
class packet_sink {
public:
    [[nodiscard]] constexpr virtual bool take(Packet& packet,
                                              const delivery_info& info) noexcept = 0;
    // Whether it takes a UDP-Lite datagram whose checksum covers only so many bytes. Asked before
    // take(). RFC 3828 section 3.3.
    [[nodiscard]] constexpr virtual bool accepts_coverage(u16) noexcept { return true; }
    // Whether it wants a broadcast or multicast datagram that matches. A UDP endpoint that does not
    // counts as no match.
    [[nodiscard]] constexpr virtual bool hears(const delivery_info&) const noexcept { return true; }
    [[nodiscard]] constexpr virtual endpoint_state state() const noexcept { return {}; }
    // Receives an ICMP error about a packet that this endpoint may have sent.
    constexpr virtual void error(const icmp_error_notice&) noexcept {}
    // Whether the stack learns the path MTU or gateway in this error, for all senders. (Linux
    // learns no path MTU for sockets with IP_PMTUDISC_INTERFACE or IP_PMTUDISC_OMIT.) The stack
    // asks before it calls error().
    [[nodiscard]] constexpr virtual bool believes(const icmp_error_notice&) const noexcept {
        return true;
    }

protected:
    constexpr ~packet_sink() = default;
};

template <class D, class Packet>
concept has_taps = requires(D& d, const unsummed_datagram<Packet>& g, const delivery_info& info) {
    { d.tap(g, info) } noexcept -> std::same_as<delivery_count>;
};

template <class D, class Packet>
concept has_alert_listeners = requires(D& d, const unsummed_datagram<Packet>& g,
                                       const delivery_info& info, u8 protocol, u16 index) {
    { d.has_alert_listener(protocol, index) } noexcept -> std::same_as<bool>;
    { d.alert(g, info) } noexcept -> std::same_as<delivery_count>;
};

template <class D>
concept takes_reports = requires(D& d, const D& c, const icmp_error_notice& n) {
    { d.report(n) } noexcept -> std::same_as<bool>;
    { c.believes(n) } noexcept -> std::same_as<bool>;
};

template <class D, class Packet>
concept has_handlers = requires(D& d, Packet&& p, const delivery_info& info, u8 protocol) {
    { d.handler(protocol) } noexcept -> std::same_as<protocol_handler<Packet>*>;
    { d.udp(std::move(p), info) } noexcept -> std::same_as<delivery_count>;
};

template <class D, class Packet>
concept answers_pings = requires(D& d, Packet&& p, const delivery_info& info) {
    { d.ping(std::move(p), info) } noexcept -> std::same_as<delivery_count>;
};

// Whether the policy has connected endpoints, whose routes it can cache.
template <class D>
concept knows_flows = requires(D& d, const D& c, const delivery_info& info) {
    { c.has_flows() } noexcept -> std::same_as<bool>;
    { d.flow_of(info) } noexcept -> std::same_as<early_route*>;
};

// Whether the policy knows if only the stack sees the datagrams of a protocol.
template <class D>
concept knows_listeners = requires(const D& d, u8 protocol) {
    { d.has_listener(protocol) } noexcept -> std::same_as<bool>;
};

// An optional function of another form would never be called: it is an error.
template <class D, class Packet>
concept may_have_optional_functions =
    (!requires { &D::has_listener; } || knows_listeners<D>) &&
    (!(
         requires { &D::flow_of; } || requires { &D::has_flows; }) ||
     knows_flows<D>) &&
    (!requires { &D::ping; } || answers_pings<D, Packet>);

template <class T, class Packet>
concept delivery_policy = has_taps<typename T::template model<Packet>, Packet> &&
                          has_handlers<typename T::template model<Packet>, Packet> &&
                          has_alert_listeners<typename T::template model<Packet>, Packet> &&
                          takes_reports<typename T::template model<Packet>> &&
                          may_have_optional_functions<typename T::template model<Packet>, Packet>;

}  // namespace sluice
