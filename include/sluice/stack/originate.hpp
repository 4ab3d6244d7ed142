// originate: sends for programs and handlers: a payload as one datagram, a complete packet, or a
// packet whose header is completed.
//
// It looks up the route, refuses packets that cannot be sent, writes or completes the header, and
// sends. Within a call (from a hook, handler or output) it puts the packet into the work queue.
//
// Never:   keeps parts of a datagram for later: endpoint/corked_send.hpp does.
// Cost:    a route lookup and a header.
// Source:  RFC 1122 section 3.4, RFC 6864 section 4.1; Linux raw_sendmsg, ip_make_skb,
//          raw_send_hdrinc.
#pragma once

#include <sluice/options/outgoing.hpp>
#include <sluice/pipeline/send.hpp>
#include <sluice/pipeline/validate.hpp>
#include <sluice/rewrite/new_header.hpp>
#include <sluice/rewrite/originate.hpp>
#include <sluice/stack/icmp_send.hpp>

#include <utility>

namespace sluice {

// The arguments of send() beside the payload.
struct send_request {
    ipv4::address destination{};
    ipv4::address source{};  // unspecified: chosen by the route
    u16 interface = 0;       // 0: chosen by the route
    u8 protocol = 0;
    u8 tos = 0;
    u8 ttl = 0;                  // 0: the route's hop limit or ip_default_ttl; 1 for multicast
    bool dont_fragment = false;  // sets DF; refuses datagrams above the MTU
    // Sets DF if the datagram fits the MTU, fragments it if not (Linux IP_PMTUDISC_WANT).
    bool prefer_whole = false;
    // Identifies also datagrams that are never fragmented (Linux: those of connected sockets).
    bool always_identified = false;
    bool on_link_only = false;  // through no gateway (Linux MSG_DONTROUTE)
    bool any_source = false;    // the source need not be local (Linux IP_TRANSPARENT)
    // Only the MTU of the interface counts, not that of the route or a learned path MTU (Linux
    // IP_PMTUDISC_PROBE, IP_PMTUDISC_INTERFACE, IP_PMTUDISC_OMIT).
    bool ignore_path_mtu = false;
    u8 multicast_ttl = 1;               // for multicast where ttl is 0 (Linux IP_MULTICAST_TTL)
    u32 mark = 0;                       // metadata.mark; 0: the packet's own. Linux SO_MARK
    u32 priority = 0;                   // metadata.priority; 0: the packet's own. Linux SO_PRIORITY
    mib sent_counter = mib::none;       // counter of the transport for a sent datagram
    mib no_buffer_counter = mib::none;  // the same, for a datagram without a buffer
    // Options to send, from options_policy::compile_request; nullptr: none.
    const ip_options::outgoing* options = nullptr;
    // A counter of the sender's that identifies datagrams with DF, which need no other
    // identification (RFC 6864 section 4.1). nullptr: the identification policy. Linux inet_id.
    u16* counter = nullptr;
};

// A complete datagram and its route. make_datagram() makes it, send() sends it.
template <class Packet>
struct made_datagram {
    Packet packet{};
    routing::output_route route{};
    send_counters counters{};
};

// Bytes of the IPv4 header of the request's datagram.
[[nodiscard]] constexpr u32 header_length(const send_request& r) noexcept {
    return u32{ipv4::min_header_length} + (r.options != nullptr ? r.options->offsets.length : 0);
}

// The flow by which the request's route is chosen.
[[nodiscard]] constexpr routing::flow flow_of(const send_request& r) noexcept {
    const bool strict = r.options != nullptr && r.options->offsets.strict_route;
    return {.destination =
                r.options != nullptr ? r.options->destination(r.destination) : r.destination,
            .source = r.source,
            .interface = r.interface,
            .tos = r.tos,
            .protocol = r.protocol,
            .scope = r.on_link_only || strict ? scopes::link : scopes::universe,
            .any_source = r.any_source,
            .mark = r.mark};
}

// The same for a packet with a header of the program's: any source, and no options.
[[nodiscard]] constexpr routing::flow own_header_flow_of(const send_request& r) noexcept {
    return {.destination = r.destination,
            .source = r.source,
            .interface = r.interface,
            .tos = r.tos,
            .protocol = r.protocol,
            .scope = r.on_link_only ? scopes::link : scopes::universe,
            .any_source = true,
            .mark = r.mark};
}

// Bytes of the longest datagram of the request that leaves by the route in one piece.
template <class Tables>
[[nodiscard]] constexpr u32 mtu_of(const Tables& t, const send_request& r,
                                   const routing::output_route& route) noexcept {
    return routing::egress_mtu(t, route.interface, r.ignore_path_mtu ? u16{0} : route.mtu);
}

namespace acts {

using send_result = result<void, routing::send_error>;

namespace detail {

template <class Books>
constexpr void count_if(Books& b, mib counter) noexcept {
    if (counter != mib::none) {
        b.count(counter);
    }
}

template <class Books>
constexpr send_result unsent(Books& b, routing::send_error error,
                             const send_counters& counters) noexcept {
    b.count(mib::ip_out_discards);
    if (error == routing::send_error::no_buffer) {
        count_if(b, counters.no_buffer);
    }
    return failure{error};
}

template <class Books, class Packet>
constexpr send_result refuse_send(Books& b, Packet&& packet, routing::send_error error,
                                  drop_reason why) noexcept {
    b.tally(balance::originated);
    static_cast<void>(drop(b, std::move(packet), why));
    return failure{error};
}

// Refuses a packet for which there is no route.
template <class Books, class Packet>
constexpr send_result refuse_unroutable(Books& b, Packet&& packet,
                                        routing::send_error error) noexcept {
    const bool counted = error == routing::send_error::network_unreachable;
    return refuse_send(b, std::move(packet), error,
                       counted ? drop_reason::send_unroutable : drop_reason::send_refused);
}

// The sender's error for a drop reason. A hook or a policy may have any reason.
[[nodiscard]] constexpr routing::send_error error_of(drop_reason why) noexcept {
    switch (why) {
    case drop_reason::too_big:
        return routing::send_error::too_big;
    case drop_reason::interface_down:
        return routing::send_error::network_unreachable;
    case drop_reason::output_refused:
    case drop_reason::no_buffer:
    case drop_reason::offload_failed:
    case drop_reason::fragmentation_failed:
        return routing::send_error::no_buffer;
    default:
        return routing::send_error::not_permitted;
    }
}

template <class Packet>
constexpr void set_marks(Packet& packet, const send_request& r) noexcept {
    if (r.mark != 0) {
        packet.writable_metadata().mark = r.mark;
    }
    if (r.priority != 0) {
        packet.writable_metadata().priority = r.priority;
    }
}

// The identification of a packet that stands for so many datagrams.
template <class Identification>
[[nodiscard]] constexpr u16
identification_of(Identification& policy, const send_request& r, const routing::output_route& route,
                  const pipeline::send_decision& d, u32 segments, instant now) noexcept {
    if (d.dont_fragment && r.counter != nullptr) {
        return std::exchange(*r.counter, static_cast<u16>(*r.counter + segments));
    }
    return d.identified ? policy.next(route.source, route.destination, r.protocol,
                                      static_cast<u16>(segments), now)
                        : u16{0};
}

// Counts a complete packet if it is an ICMP message of at least so many bytes.
template <class Books, class Packet>
constexpr void count_if_icmp(Books& b, Packet& packet, u32 least) noexcept {
    const ipv4::const_view ip{std::as_const(packet).data()};
    const auto header = static_cast<u32>(ipv4::header_length(ip));
    if (ip[ipv4::protocol] == ipv4::protocols::icmp && packet.may_pull(header + least)) {
        count_icmp(b, static_cast<u8>(packet.data()[header]));
    }
}

template <class Core>
constexpr void complete_header(Core& c, typename Core::packet_type& packet,
                               const routing::output_route& route) noexcept {
    const ipv4::const_view ip{std::as_const(packet).data()};
    const bool wants = ip[ipv4::identification] == 0 && !ip[ipv4::dont_fragment];
    // It identifies the header's datagram, whose addresses may differ from the route's.
    const ipv4::address given = ip[ipv4::source];
    const ipv4::address source = given.is_unspecified() ? route.source : given;
    rewrite::complete_header(
        packet, {.source = source,
                 .identification =
                     wants ? c.local.identification.next(source, ip[ipv4::destination],
                                                         ip[ipv4::protocol], 1, c.calls.now.now)
                           : u16{0}});
    count_if_icmp(c.books, packet, static_cast<u32>(icmp::header_length));
}

}  // namespace detail

// Sends a packet with its complete header by its route and returns the result. Linux ip_send_skb.
template <class Core>
constexpr send_result output_now(Core& c, typename Core::packet_type&& packet,
                                 const routing::output_route& route,
                                 const send_counters& counters) noexcept {
    c.books.last_drop = drop_reason::none;
    if (failed(c.books, local_out(c, std::move(packet), route, counters))) {
        return detail::unsent(c.books, detail::error_of(c.books.last_drop), counters);
    }
    detail::count_if(c.books, counters.sent);
    return {};
}

// Sends the packet at once, or, within a call, puts it into the work queue. The result then states
// only whether the queue had room.
template <class Core>
constexpr send_result to_output(Core& c, typename Core::packet_type&& packet,
                                const routing::output_route& route,
                                const send_counters& counters) noexcept {
    c.books.tally(balance::originated);
    if (!c.calls.is_nested()) {
        return output_now(c, std::move(packet), route, counters);
    }
    const fate f = put_off(c, {.packet = std::move(packet),
                               .route = route,
                               .kind = work_kind::send,
                               .counters = counters});
    return f == fate::held ? send_result{}
                           : detail::unsent(c.books, routing::send_error::no_buffer, counters);
}

// Writes the header of a datagram whose payload is in `packet`, by the route of flow_of(r). Returns
// too_big, no_buffer (no buffer or no headroom), or none. It changes only the packet and the
// identification policy. Linux __ip_make_skb.
template <class Tables, class Identification, class Packet>
[[nodiscard]] constexpr routing::send_error
write_header(const Tables& t, Identification& identification, Packet& packet, const send_request& r,
             const routing::output_route& route, moment now) noexcept {
    const ip_options::outgoing none{};
    const ip_options::outgoing& with = r.options != nullptr ? *r.options : none;
    const pipeline::payload_segments segments =
        pipeline::payload_segments_of(std::as_const(packet), header_length(r));
    const pipeline::send_decision v =
        pipeline::judge_send({.size = u64{segments.longest},
                              .mtu = routing::egress_mtu(t, route.interface, route.mtu),
                              .mtu_locked = route.mtu_locked,
                              .dont_fragment = r.dont_fragment,
                              .prefer_whole = r.prefer_whole,
                              .always_identified = r.always_identified});
    if (v.too_big) {
        return routing::send_error::too_big;
    }
    const u8 default_ttl =
        route.type == route_type::multicast ? r.multicast_ttl : unicast_ttl(t, route);
    const rewrite::header_choice choice{.tos = r.tos,
                                        .ttl = r.ttl != 0 ? r.ttl : default_ttl,
                                        .protocol = r.protocol,
                                        .identification = detail::identification_of(
                                            identification, r, route, v, segments.count, now.now),
                                        .dont_fragment = v.dont_fragment};
    // The packet may be a received one, and its bytes may be shared.
    if (!packet || !rewrite::forget_header(packet) ||
        !rewrite::originate(packet, route, choice, with, r.destination, now.midnight_ms)) {
        return routing::send_error::no_buffer;
    }
    detail::set_marks(packet, r);
    return routing::send_error::none;
}

// Sends the payload in `packet` as one datagram, by the route of flow_of(r).
template <class Core>
[[nodiscard]] constexpr send_result originate_by(Core& c, typename Core::packet_type&& packet,
                                                 const send_request& r,
                                                 routing::output_route route) noexcept {
    if (r.ignore_path_mtu) {
        route.mtu = 0;
    }
    const routing::send_error error =
        write_header(c.tables, c.local.identification, packet, r, route, c.calls.now);
    if (error == routing::send_error::too_big) {
        return detail::refuse_send(c.books, std::move(packet), error, drop_reason::send_refused);
    }
    if (error != routing::send_error::none) {
        detail::count_if(c.books, r.no_buffer_counter);
        return detail::refuse_send(c.books, std::move(packet), error, drop_reason::send_invalid);
    }
    detail::count_if_icmp(c.books, packet, 1);
    return to_output(c, std::move(packet), route,
                     {.sent = r.sent_counter, .no_buffer = r.no_buffer_counter});
}

// Sends the payload in `packet` as one datagram.
template <class Core>
[[nodiscard]] constexpr send_result originate(Core& c, typename Core::packet_type&& packet,
                                              const send_request& r) noexcept {
    const auto route = route_to(c.tables, flow_of(r), c.calls.now.now);
    if (!route.has_value()) {
        return detail::refuse_unroutable(c.books, std::move(packet), route.error());
    }
    return originate_by(c, std::move(packet), r, *route);
}

// Sends a packet that begins with a header of the program's, by the route of
// own_header_flow_of(r). Total length and checksum are always set, source and identification where
// they are 0. The request's destination counts, not the header's. The packet is fragmented only for
// a learned path MTU, and not counted as a request.
template <class Core>
[[nodiscard]] constexpr send_result
send_with_header_by(Core& c, typename Core::packet_type&& packet, const send_request& r,
                    routing::output_route route) noexcept {
    const auto refused = [&](routing::send_error error, drop_reason why) {
        return detail::refuse_send(c.books, std::move(packet), error, why);
    };
    if (!packet) {
        return refused(routing::send_error::no_buffer, drop_reason::send_invalid);
    }
    if (r.ignore_path_mtu) {
        route.mtu = 0;
    }
    const pipeline::own_header_decision v =
        pipeline::judge_own_header(packet, routing::egress_mtu(c.tables, route.interface, 0));
    if (v.error != routing::send_error::none) {
        return refused(v.error, v.reason);
    }
    if (!packet.unshare() || !rewrite::forget_header(packet)) {
        return refused(routing::send_error::no_buffer, drop_reason::send_invalid);
    }
    detail::set_marks(packet, r);
    detail::complete_header(c, packet, route);
    return to_output(c, std::move(packet), route, {.request = false});
}

// The same, with a route lookup.
template <class Core>
[[nodiscard]] constexpr send_result send_with_header(Core& c, typename Core::packet_type&& packet,
                                                     const send_request& r) noexcept {
    const auto route = route_to(c.tables, own_header_flow_of(r), c.calls.now.now);
    if (!route.has_value()) {
        return detail::refuse_send(c.books, std::move(packet), route.error(),
                                   drop_reason::send_refused);
    }
    return send_with_header_by(c, std::move(packet), r, *route);
}

// Sends a datagram that make_datagram() made.
template <class Core>
[[nodiscard]] constexpr send_result
send_made(Core& c, made_datagram<typename Core::packet_type>&& made) noexcept {
    if (!made.packet) {
        return detail::refuse_send(c.books, std::move(made.packet), routing::send_error::invalid,
                                   drop_reason::send_invalid);
    }
    detail::count_if_icmp(c.books, made.packet, 1);
    return to_output(c, std::move(made.packet), made.route, made.counters);
}

// Sends a packet with a complete header to its destination; fragments it if necessary.
template <class Core>
[[nodiscard]] constexpr send_result send_complete(Core& c,
                                                  typename Core::packet_type&& packet) noexcept {
    if (pipeline::validator::check(packet) != drop_reason::none) {
        return detail::refuse_send(c.books, std::move(packet), routing::send_error::invalid,
                                   drop_reason::send_invalid);
    }
    if (!rewrite::forget_header(packet)) {
        return detail::refuse_send(c.books, std::move(packet), routing::send_error::no_buffer,
                                   drop_reason::send_invalid);
    }
    const ipv4::const_view ip{packet.data()};
    const auto route = route_to(c.tables,
                                {.destination = ip[ipv4::destination],
                                 .source = ip[ipv4::source],
                                 .tos = ip[ipv4::tos],
                                 .protocol = ip[ipv4::protocol],
                                 .any_source = true,
                                 .mark = packet.metadata().mark},
                                c.calls.now.now);
    if (!route.has_value()) {
        return detail::refuse_send(c.books, std::move(packet), route.error(),
                                   drop_reason::send_unroutable);
    }
    return to_output(c, std::move(packet), *route, {});
}

}  // namespace acts

}  // namespace sluice
