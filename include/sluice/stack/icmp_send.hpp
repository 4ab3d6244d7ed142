// icmp_send: sends packets of this host, and ICMP errors to the senders of packets that it refuses.
//
// A packet of this host passes the security policy and the local_out hook; broadcasts and
// multicasts to joined groups are looped back; then it goes to the output.
//
// Expects: a packet with its complete header and its route; or an offending packet.
// Never:   sends an error about an error.
// Cost:    that of the stages.
// Source:  RFC 1122 section 3.2.2, RFC 1812 section 4.3; Linux ip_local_out, icmp_send.
#pragma once

#include <sluice/pipeline/icmp_error.hpp>
#include <sluice/rewrite/icmp_error.hpp>
#include <sluice/rewrite/icmp_extension.hpp>
#include <sluice/rewrite/originate.hpp>
#include <sluice/routing/source_address.hpp>
#include <sluice/stack/egress.hpp>
#include <sluice/stack/icmp_terms.hpp>

#include <utility>

namespace sluice::acts {

// TOS, counted type and options of a message, and its final destination: the sender of the packet
// that it answers.
struct icmp_envelope {
    u8 tos;
    u8 counted_type;
    const ip_options::outgoing& with;
    ipv4::address final_destination{};
};

// Refuses a packet: sends an error to its sender if allowed, then drops it. `type` is the type of
// the packet's route. Rare, so it is not inlined.
template <class Core>
constexpr fate refuse(Core& c, typename Core::packet_type&& packet, const decision& d,
                      route_type type) noexcept;

// Sends a packet, or refuses it.
template <class Core>
[[gnu::always_inline]] constexpr fate
transmit_or_refuse(Core& c, typename Core::packet_type&& packet, const egress_plan& plan) noexcept {
    const departure d = depart(c, packet, plan);
    return d.has_left() ? d.what : refuse(c, std::move(packet), d.refused, route_type::unicast);
}

namespace detail {

// Receives the copy of a broadcast or multicast of this host again. Linux dev_loopback_xmit.
template <class Core>
constexpr void receive_copy(Core& c, typename Core::packet_type&& copy, route_type type, u16 out,
                            const decision& back) noexcept {
    // Linux dev_loopback_xmit trusts a copy; loopback_xmit, for lo, trusts nothing.
    if (std::as_const(copy).metadata().checksum == checksum_state::unknown) {
        if (!copy.unshare()) {
            static_cast<void>(drop(c.books, std::move(copy), drop_reason::no_buffer));
            return;
        }
        copy.writable_metadata().checksum = checksum_state::verified;
    }
    c.books.tally(balance::absorbed);  // it is received again, as another packet
    copy.set_interface(out);
    copy.set_addressing(sluice::link_addressing::loopback);
    come_back(c, std::move(copy), type, out, back);
}

// Loops back broadcasts, and multicasts to joined groups. RFC 1112 section 6.1.
template <class Core>
[[gnu::noinline]] constexpr void loop_back(Core& c, const typename Core::packet_type& packet,
                                           route_type type, u16 out,
                                           const decision& back = decision::deliver()) noexcept {
    typename Core::packet_type copy = packet.clone();
    if (!copy) {
        return;
    }
    c.books.tally(balance::copied);
    const auto for_later = [&c, type, out, &back]() noexcept {
        return behind_hooks{
            .plan = {.to = {.interface = out}, .type = type, .back = back},
            .loops_back = true,
            .since = c.calls.now.now,
        };
    };
    if (const passage p =
            pass_hook(c.gates, c.books, hook_point::postrouting, copy, 0, out, for_later);
        !p) {
        return;
    }
    receive_copy(c, std::move(copy), type, out, back);
}

// The rest of sending, behind the local_out hook.
template <class Core>
[[gnu::always_inline]] constexpr fate local_out_rest(Core& c, typename Core::packet_type&& packet,
                                                     const routing::output_route& route) noexcept {
    const egress_plan plan = plan_for(c.tables, route);
    const interface* out = c.tables.running(route.interface);
    if (out == nullptr) {
        return drop(c.books, std::move(packet), drop_reason::interface_down);
    }
    const bool joined =
        route.type == route_type::multicast && !out->loopback && is_joined(c.tables, route);
    if (joined ? route.loops_back : route.type == route_type::broadcast && !out->loopback) {
        loop_back(c, packet, route.type, out->index);
    } else if constexpr (!Core::multicast_type::never_routes) {
        // The multicast routes forward it from there.
        if (route.type == route_type::multicast && !joined && route.loops_back &&
            routes_multicast(*out, packet)) {
            loop_back(c, packet, route.type, out->index, plan.back);
        }
    }
    // TTL 0: it was for this host alone. RFC 1112 section 6.1.
    // Linux sends it if no local group member exists.
    if (joined && ipv4::const_view{packet.data()}[ipv4::ttl] == 0) {
        static_cast<void>(drop(c.books, std::move(packet), drop_reason::host_only));
        return fate::absorbed;  // no error for its sender
    }
    return transmit_or_refuse(c, std::move(packet), plan);
}

}  // namespace detail

// Sends a packet of this host with its complete header; the caller has counted it as originated.
template <class Core>
[[gnu::always_inline]] constexpr fate local_out(Core& c, typename Core::packet_type&& packet,
                                                const routing::output_route& route,
                                                const send_counters& counters) noexcept {
    if (counters.request) {
        c.books.count(mib::ip_out_requests);
    }
    packet.set_addressing(sluice::link_addressing::host);
    packet.set_interface(0);
    c.books.trace(stage::originate, decision_kind::forward, drop_reason::none, route.interface,
                  packet.size());
    // Linux asks its policy during routing, before the hook.
    if (const passage p = pass_security(c.gates, c.books, security_point::out, packet,
                                        {.in = 0, .out = route.interface});
        !p) {
        return p.ended_as;
    }
    const auto for_later = [&c, &route]() noexcept {
        return behind_hooks{.route = route, .since = c.calls.now.now};
    };
    if (const passage p = pass_hook(c.gates, c.books, hook_point::local_out, packet, 0,
                                    route.interface, for_later);
        !p) {
        return p.ended_as;
    }
    return detail::local_out_rest(c, std::move(packet), route);
}

// Whether the sender of a packet gets an error. Not for want of room in the queue of the hooks: a
// hook that queues lets the sender go on (Linux nf_queue returns 0).
template <class Books>
[[nodiscard]] constexpr bool failed(const Books& b, fate of_packet) noexcept {
    return of_packet == fate::dropped && b.last_drop != drop_reason::hook_queue_full;
}

// Counts an ICMP message for which no buffer was free. Linux icmp_push_reply, __ip_append_data.
template <class Books>
constexpr void icmp_unsent(Books& b) noexcept {
    b.count(mib::icmp_out_errors);
    b.count(mib::ip_out_discards);
}

// Sends the ICMP message in `message`.
template <class Core>
constexpr void send_icmp(Core& c, typename Core::packet_type&& message,
                         const routing::output_route& route, const icmp_envelope& e) noexcept {
    const moment now = c.calls.now;
    const rewrite::header_choice choice{
        .tos = e.tos,
        .ttl = route.type == route_type::multicast ? u8{1} : unicast_ttl(c.tables, route),
        .protocol = ipv4::protocols::icmp,
        .identification = detail::identification_for(c, route, ipv4::protocols::icmp),
        .dont_fragment = false};
    if (!rewrite::originate(message, route, choice, e.with, e.final_destination, now.midnight_ms)) {
        return icmp_unsent(c.books);
    }
    detail::count_icmp(c.books, e.counted_type);
    c.books.tally(balance::originated);
    if (failed(c.books, local_out(c, std::move(message), route, {}))) {
        c.books.count(mib::ip_out_discards);
    }
}

namespace detail {

template <class Core>
constexpr void write_and_send_error(Core& c, const typename Core::packet_type& offending,
                                    icmp_request error, routing::output_route route, u8 tos,
                                    const ip_options::outgoing& echoed) noexcept {
    const u16 in = offending.interface();
    const rewrite::error_extension extension = rewrite::extension_of_error(
        error.type(), in, c.tables.interfaces.find(in), c.tables.switches);
    const u32 mtu = routing::egress_mtu(c.tables, route.interface, route.mtu);
    u32 quote = pipeline::quote_size(offending.size(), mtu, echoed.offsets.length);
    constexpr u32 extended = rewrite::extended_quote + rewrite::max_error_extension;
    const bool extends = extension.size != 0 &&
                         pipeline::quote_size(extended, mtu, echoed.offsets.length) == extended;
    if (extends && quote > rewrite::extended_quote) {
        quote = rewrite::extended_quote;
    }
    if (quote == 0) {
        return;  // the packet has no room for an error
    }
    typename Core::packet_type message = take_urgent(c.device.buffers, default_headroom);
    if (!message || !rewrite::write_error(message, offending, error, quote) ||
        (extends && !rewrite::append_extension(message, extension))) {
        return icmp_unsent(c.books);
    }
    if (route.source.is_unspecified()) {
        route.source = pipeline::dummy_address;
    }
    if (const u32 mark = offending.metadata().mark; mark != 0 && c.tables.switches.fwmark_reflect) {
        message.writable_metadata().mark = mark;
    }
    c.books.trace(stage::icmp_error, decision_kind::forward, drop_reason::none, route.interface,
                  error.info(), error.type(), error.code());
    send_icmp(c, std::move(message), route,
              {tos, error.type(), echoed, ipv4::const_view{offending.data()}[ipv4::source]});
}

}  // namespace detail

// `type` is the type of the offending packet's route. Linux icmp_send.
template <class Core>
constexpr void send_error(Core& c, const typename Core::packet_type& offending, icmp_request error,
                          route_type type) noexcept {
    if (!pipeline::may_send_error(offending, type, error)) {
        return;
    }
    const ipv4::const_view ip{offending.data()};
    const interface* in = c.tables.interfaces.find(offending.interface());
    const ipv4::address sender = ip[ipv4::source];
    const u8 tos = pipeline::error_tos(error, ip[ipv4::tos]);
    ipv4::address source{};
    if (type == route_type::local) {
        source = ip[ipv4::destination];
    } else if (c.tables.switches.icmp_errors_use_inbound_ifaddr && in != nullptr) {
        source = routing::select_source(c.tables.look_up(), in->index, sender, scopes::link);
    }
    ip_options::outgoing echoed{};
    if (!echo_options(c, offending, in, type, echoed)) {
        return;
    }
    const auto route = route_back(c.tables, echoed.destination(sender), source, tos,
                                  c.calls.now.now, reflected_mark(c.tables, offending));
    if (!route.has_value()) {
        return;
    }
    if (may_send_icmp(c, {error.type(), error.code(), offending.is_looped()}, *route)) {
        detail::write_and_send_error(c, offending, error, *route, tos, echoed);
    }
}

template <class Core>
[[gnu::noinline]] constexpr fate refuse(Core& c, typename Core::packet_type&& packet,
                                        const decision& d, route_type type) noexcept {
    if (d.kind() == decision_kind::reject) {
        send_error(c, packet, d.error(), type);
    }
    return drop(c.books, std::move(packet), d.reason());
}

}  // namespace sluice::acts
