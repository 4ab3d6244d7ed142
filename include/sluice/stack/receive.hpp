// receive: takes a packet through the stages in Linux's order: validate, prerouting hook, classify,
// options, then deliver or forward.
//
// Expects: a packet that was counted as received.
// Never:   uses a table entry after a hook may have changed the table.
// Cost:    that of the stages.
// Source:  RFC 1812 section 5.2.1; Linux ip_rcv, ip_rcv_finish.
#pragma once

#include <sluice/pipeline/classify.hpp>
#include <sluice/pipeline/validate.hpp>
#include <sluice/rewrite/option_walk.hpp>
#include <sluice/stack/deliver.hpp>
#include <sluice/stack/forward.hpp>
#include <sluice/stack/multicast_forward.hpp>

#include <utility>

namespace sluice::acts {

namespace detail {

template <class Core>
[[nodiscard]] constexpr bool keeps_flows(const Core& c) noexcept {
    if constexpr (knows_flows<typename Core::local_type::delivery_type>) {
        return c.local.delivery.has_flows() && c.tables.switches.ip_early_demux;
    } else {
        return false;
    }
}

// The flow of a datagram, of UDP or of a handler that chooses early. Linux ip_rcv_finish_core up to
// the routing.
template <class Core>
[[nodiscard]] constexpr early_choice
demultiplex(Core& c, unsummed_datagram<typename Core::packet_type>& d) noexcept {
    const u8 protocol = d.header()[ipv4::protocol];
    const settings& switches = c.tables.switches;
    if (d.packet().metadata().endpoint.is_chosen()) {
        return {};
    }
    auto* const h = c.local.delivery.handler(protocol);
    if (h == nullptr || !h->chooses_early()) {
        return {.route = switches.udp_early_demux ? pipeline::early_route_of(c.local.delivery, d)
                                                  : nullptr};
    }
    const bool is_off = (protocol == ipv4::protocols::tcp && !switches.tcp_early_demux) ||
                        (protocol == ipv4::protocols::udp && !switches.udp_early_demux);
    return is_off || ipv4::is_fragment(d.header()) ||
                   d.packet().addressing() != sluice::link_addressing::host
               ? early_choice{}
               : h->choose(d.packet());
}

// Keeps a handler's choice of a datagram to this host, unless no buffer is left for a copy.
template <class Datagram>
constexpr void keep_choice(Datagram& d, const early_choice& choice) noexcept {
    if (choice.endpoint.is_chosen()) {
        static_cast<void>(d.choose(choice.endpoint));
    }
}

// Early demultiplexing: an established flow caches the route of its datagrams until the tables
// change. Linux udp_v4_early_demux.
// Deviation: only for datagrams of the same ingress, which Linux requires for TCP alone. The choice
// of a handler counts only for a route to this host: the accept branch forwards without asking it.
template <class Core>
[[gnu::noinline]] constexpr pipeline::classification
classify_flow(Core& c, unsummed_datagram<typename Core::packet_type>& d,
              const interface& in) noexcept {
    early_choice known;
    if constexpr (knows_flows<typename Core::local_type::delivery_type>) {
        known = demultiplex(c, d);
    }
    const early_route now{c.tables.route_generation(), in.index};
    if (known.route != nullptr && *known.route == now) {
        keep_choice(d, known);
        return {.decided = decision::deliver(), .type = route_type::local};
    }
    const auto found =
        pipeline::classify(c.tables.look_up(), d.header(), d.header()[ipv4::destination], in,
                           routing::mark_for_rules(c.tables, d.packet()));
    if (found.decided.kind() == decision_kind::deliver) {
        keep_choice(d, known);
        if (known.route != nullptr && found.type == route_type::local) {
            *known.route = now;
        }
    }
    return found;
}

// Caches the route of a delivered datagram that was classified without a look at its flow.
template <class Core>
[[gnu::noinline]] constexpr void keep_route(Core& c,
                                            unsummed_datagram<typename Core::packet_type>& d,
                                            const interface& in) noexcept {
    if constexpr (knows_flows<typename Core::local_type::delivery_type>) {
        const early_choice known = demultiplex(c, d);
        keep_choice(d, known);
        if (known.route != nullptr) {
            *known.route = {c.tables.route_generation(), in.index};
        }
    }
}

// Counts a broadcast or multicast, then delivers, forwards, refuses or drops the datagram as
// `found` decides. Linux ip_rcv_finish_core from the options on.
template <class Core>
constexpr fate follow_route(Core& c, unsummed_datagram<typename Core::packet_type>&& d,
                            const pipeline::classification& found, const interface& in) noexcept {
    const u32 byte_count = d.packet().size();
    const sluice::link_addressing seen = d.packet().addressing();
    if (found.type == route_type::multicast) {
        c.books.count(mib::ipext_in_mcast_pkts);
        c.books.count(mib::ipext_in_mcast_octets, byte_count);
        if constexpr (!Core::multicast_type::never_routes) {
            if (found.multicast_routed) {
                return route_multicast(c, std::move(d), found, in);
            }
        }
    } else if (found.type == route_type::broadcast) {
        c.books.count(mib::ipext_in_bcast_pkts);
        c.books.count(mib::ipext_in_bcast_octets, byte_count);
    } else if ((seen == sluice::link_addressing::broadcast ||
                seen == sluice::link_addressing::multicast) &&
               in.in_force.drop_unicast_in_l2_multicast) {
        return drop(c.books, std::move(d).release(), drop_reason::unicast_in_link_multicast);
    }
    switch (found.decided.kind()) {
    case decision_kind::deliver:
        return deliver(c, std::move(d), found.delivered_as(), in);
    case decision_kind::forward:
        return forward(c, std::move(d), found, in);
    case decision_kind::reject:
        // Rejections by the route table have their own limit, by source.
        if (!c.local.icmp_limits.allow_unroutable({d.header()[ipv4::source], in.master},
                                                  c.tables.switches, c.calls.now.now)) {
            return drop(c.books, std::move(d).release(), found.decided.reason());
        }
        return refuse(c, std::move(d).release(), found.decided, found.type);
    default:
        return drop(c.books, std::move(d).release(), found.decided.reason());
    }
}

// Whether the route by which this host sent a packet to itself still holds. A packet to be
// forwarded again is routed anew if the routes have changed since.
template <class Core>
[[nodiscard]] constexpr bool still_holds(const Core& c, const own_arrival* own) noexcept {
    return own != nullptr && (own->back.kind() != decision_kind::forward ||
                              own->version == c.tables.route_generation());
}

// Routes a datagram after the prerouting hook, reads its options, and follows the route. `own`: the
// route of a packet that this host sent to itself; nullptr for others.
template <class Core>
constexpr fate route_and_follow(Core& c, unsummed_datagram<typename Core::packet_type>&& d,
                                const interface& in, const own_arrival* own) noexcept {
    const auto t = c.tables.look_up();
    pipeline::classification found =
        still_holds(c, own) ? pipeline::classification{.decided = own->back,
                                                       .type = own->type,
                                                       .unroutable = true,
                                                       .multicast_routed = own->multicast_routed,
                                                       .sent_here = true}
        : keeps_flows(c)    ? classify_flow(c, d, in)
                            : pipeline::classify(t, d.header(), d.header()[ipv4::destination], in,
                                                 routing::mark_for_rules(c.tables, d.packet()));
    c.books.trace(stage::classify, found.decided, in.index);
    if (found.decided.kind() == decision_kind::drop && !found.unroutable) {
        return drop(c.books, std::move(d).release(), found.decided.reason());
    }
    if (d.has_options()) {
        const decision o = rewrite::option_walk<typename Core::chosen::options>(
            t, d, in, found, c.calls.now.midnight_ms);
        c.books.trace(stage::options, o, in.index);
        if (!o.proceeds()) {
            // A directed broadcast that is forwarded counts as any other forwarded packet.
            const bool passes = found.decided.kind() == decision_kind::forward;
            return refuse(c, std::move(d).release(), o,
                          passes ? route_type::unicast : found.delivered_as());
        }
    }
    return follow_route(c, std::move(d), found, in);
}

// Counts the packet's ECN codepoint, also for a packet that is dropped for a later header field.
template <class Books, class Packet>
constexpr void count_ecn(Books& b, const Packet& packet, drop_reason refused) noexcept {
    if (refused != drop_reason::header_invalid && packet.head_size() >= ipv4::min_header_length) {
        b.count(ecn_counter(ipv4::const_view{packet.data()}[ipv4::ecn]),
                pipeline::segment_count(packet));
    }
}

// The rest of receiving, behind the prerouting hook, which may have removed the ingress.
template <class Core>
constexpr fate receive_rest(Core& c, unsummed_datagram<typename Core::packet_type>&& d, u16 ingress,
                            const own_arrival* own) noexcept {
    const interface* in = c.tables.running(ingress);
    if (in == nullptr) {
        return drop(c.books, std::move(d).release(), drop_reason::interface_down);
    }
    return route_and_follow(c, std::move(d), *in, own);
}

// `own`: the route of a packet that this host sent to itself, which is not classified again;
// nullptr for others. Linux loopback_xmit, dev_loopback_xmit.
template <class Core>
constexpr fate receive_from(Core& c, typename Core::packet_type&& packet, const interface& from,
                            const own_arrival* own) noexcept {
    const u16 ingress = from.index;
    c.books.count(mib::ip_in_receives);
    c.books.count(mib::ipext_in_octets, packet.size());
    if (!packet.unshare() || !rewrite::forget_header(packet)) {
        return drop(c.books, std::move(packet), drop_reason::no_buffer);
    }
    packet.set_looped(from.loopback);
    auto valid = pipeline::validate(packet);
    count_ecn(c.books, valid.has_value() ? std::as_const(*valid).packet() : packet, valid.error());
    c.books.trace(stage::validate, valid.has_value() ? decision_kind::proceed : decision_kind::drop,
                  valid.error(), ingress);
    if (!valid.has_value()) {
        return drop(c.books, std::move(packet), valid.error());
    }
    unsummed_datagram<typename Core::packet_type> d = std::move(*valid);
    const auto for_later = [&c, own]() noexcept {
        return behind_hooks{.arrival = own != nullptr ? *own : own_arrival{},
                            .is_own = own != nullptr,
                            .since = c.calls.now.now};
    };
    if (const passage p =
            pass_hook(c.gates, c.books, hook_point::prerouting, d, ingress, 0, for_later);
        !p) {
        return p.ended_as;
    }
    return receive_rest(c, std::move(d), ingress, own);
}

}  // namespace detail

// Linux ip_rcv_core and the functions behind it.
template <class Core>
constexpr fate receive(Core& c, typename Core::packet_type&& packet) noexcept {
    const interface* in = c.tables.running(packet.interface());
    if (in == nullptr) {
        return drop(c.books, std::move(packet), drop_reason::interface_down);
    }
    c.books.trace(stage::receive, decision_kind::proceed, drop_reason::none, in->index,
                  packet.size());
    if (packet.addressing() == sluice::link_addressing::other_host) {
        return drop(c.books, std::move(packet), drop_reason::other_host);
    }
    return detail::receive_from(c, std::move(packet), *in, nullptr);
}

// Receives a packet that this host sent to itself.
template <class Core>
constexpr fate receive_own(Core& c, work_item<typename Core::packet_type>&& item) noexcept {
    const interface* in = c.tables.running(item.route.interface);
    if (in == nullptr) {
        return drop(c.books, std::move(item.packet), drop_reason::interface_down);
    }
    own_arrival own{.back = item.back, .type = item.route.type, .version = item.number};
    if constexpr (!Core::multicast_type::never_routes) {
        // A forwarded packet that this host hears too is not forwarded again.
        own.multicast_routed = own.type == route_type::multicast &&
                               routes_multicast(*in, item.packet) && !item.packet.is_forwarded();
    }
    return detail::receive_from(c, std::move(item.packet), *in, &own);
}

}  // namespace sluice::acts
