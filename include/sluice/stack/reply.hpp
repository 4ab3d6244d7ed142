// reply: turns a received datagram into the answer to its sender, for handlers and for ICMP.
//
// The payload stays, the IPv4 header is written anew: to the sender, from the address to which the
// datagram was sent, with its TOS, its IP options reversed, and TTL, DF and identification as this
// host chooses them.
//
// Expects: a datagram whose options were compiled, and the answer behind its header.
// Never:   answers without a route, to 0.0.0.0, a broadcast or multicast address, or with options
//          that may not be echoed.
// Cost:    a route lookup and a header.
// Source:  RFC 1122 section 3.2.1.8 and 3.2.2.6; Linux icmp_push_reply, ip_build_and_send_pkt,
//          __ip_options_echo.
#pragma once

#include <sluice/delivery/concept.hpp>
#include <sluice/rewrite/finish_checksum.hpp>
#include <sluice/stack/icmp_terms.hpp>
#include <sluice/stack/originate.hpp>

#include <utility>

namespace sluice::acts {

// Removes the header and the metadata that belongs to it. keeps_mark: the mark stays. false: no
// memory for a copy of shared bytes, or the bytes are no datagram.
template <packet_buffer Packet>
[[nodiscard]] constexpr bool take_header_off(Packet& packet, bool keeps_mark) noexcept {
    if (!packet.may_pull(ipv4::min_header_length)) {
        return false;
    }
    const auto header =
        static_cast<u32>(ipv4::header_length(ipv4::const_view{std::as_const(packet).data()}));
    // A tap may share the bytes; the answer to a reassembled request is fragmented anew.
    if (header < ipv4::min_header_length || !packet.unshare() ||
        !rewrite::finish_checksum(packet) || !packet.pull(header)) {
        return false;
    }
    if (packet.has_metadata() || packet.has_packet_list()) {
        const u32 mark = keeps_mark ? std::as_const(packet).metadata().mark : 0;
        packet.writable_metadata() = metadata{.cut_anew = packet.has_packet_list(), .mark = mark};
    }
    return true;
}

// Sends what lies behind the received header as the answer.
template <class Core>
[[nodiscard]] constexpr send_result reply(Core& c, typename Core::packet_type&& packet,
                                          const delivery_info& info) noexcept {
    const auto refused = [&](routing::send_error error, drop_reason why) {
        return detail::refuse_send(c.books, std::move(packet), error, why);
    };
    // 0.0.0.0 as a destination means this host: it would get its own answer.
    if (info.source.is_unspecified() || !packet.may_pull(ipv4::min_header_length)) {
        return refused(routing::send_error::invalid, drop_reason::send_invalid);
    }
    ip_options::outgoing echoed{};
    if (packet.has_metadata() &&
        !echo_options(c, packet, c.tables.interfaces.find(info.interface),
                      routing::address_kind(c.tables.look_up(), info.destination), echoed)) {
        return refused(routing::send_error::prohibited, drop_reason::send_refused);
    }
    if (!take_header_off(packet, c.tables.switches.fwmark_reflect)) {
        return refused(routing::send_error::no_buffer, drop_reason::send_invalid);
    }
    const send_request r{.destination = info.source,
                         .source = info.local,
                         .protocol = info.protocol,
                         .tos = info.tos,
                         .prefer_whole = c.tables.switches.ip_no_pmtu_disc == 0,
                         .options = echoed.offsets.length != 0 ? &echoed : nullptr};
    const auto route = route_to(c.tables, flow_of(r), c.calls.now.now);
    // A spoofed source must not turn an answer into a broadcast, which this host receives too.
    if (route.has_value() &&
        (route->type == route_type::broadcast || route->type == route_type::multicast)) {
        return refused(routing::send_error::prohibited, drop_reason::send_refused);
    }
    return route.has_value() ? originate_by(c, std::move(packet), r, *route)
                             : detail::refuse_unroutable(c.books, std::move(packet), route.error());
}

}  // namespace sluice::acts
