// multicast_forward: forwards datagrams to groups by the multicast tables, and delivers them to
// this host besides; holds those without an entry.
//
// Of several tables (multicast/multicast_tables.hpp) rules choose one; a datagram that they refuse
// is dropped, also if this host joined its group. An endpoint that was chosen for a datagram gets
// it if this host joined the group; unlike a unicast packet it is forwarded besides.
//
// Each copy passes the security policy, the forward hook and the options as a unicast packet does.
// Copies share the bytes behind the header where blocks are counted and the output takes segmented
// packets. This host hears a group that it joined on an outgoing interface too (RFC 1584).
//
// Expects: a datagram that classification marked as routed by the multicast tables. `table` is the
//          one that the rules chose, a model of one table or an element of multicast_tables.
// Never:   sends an ICMP error; forwards a copy of a forwarded packet again; uses a table entry
//          after a hook, an output or the routing program may have changed the table.
// Cost:    the lookup, then a route and the steps of a packet sent for each copy.
// Source:  RFC 1812 section 5.3.10; Linux ip_mr_input, ip_mr_forward, ipmr_queue_fwd_xmit.
#pragma once

#include <sluice/packet/copy_in_blocks.hpp>
#include <sluice/pipeline/classify.hpp>
#include <sluice/pipeline/multicast_forward.hpp>
#include <sluice/routing/option_environment.hpp>
#include <sluice/stack/alert.hpp>
#include <sluice/stack/deliver.hpp>

#include <bit>
#include <utility>

namespace sluice::acts {

namespace detail {

template <class Core>
using multicast_datagram = unsummed_datagram<typename Core::packet_type>;

template <class Core, class Table>
[[nodiscard]] constexpr bool tell_router(Core& c, Table& table,
                                         const typename Core::packet_type& packet,
                                         multicast_event_kind kind, u8 vif) noexcept {
    const ipv4::const_view ip{packet.data()};
    const bool taken = table.upcall({.kind = kind,
                                     .vif = vif,
                                     .interface = packet.interface(),
                                     .source = ip[ipv4::source],
                                     .group = ip[ipv4::destination],
                                     .now = c.calls.now.now},
                                    packet);
    c.tables.touch();
    return taken;
}

// The most bytes of a packet that is copied whole even where its bytes could be shared: that costs
// less than to count references.
inline constexpr u32 max_copied_whole = 256;

// A packet with a header of its own and the bytes of `of` behind it; where these cannot be shared
// so, a copy or another handle. Empty: no buffer.
template <class Core>
[[nodiscard]] constexpr typename Core::packet_type
copy_behind_header(Core& c, typename Core::packet_type& of) noexcept {
    using packet_type = typename Core::packet_type;
    if constexpr (packet_type::ownership::counts_references && !packet_type::storage::is_inline &&
                  Core::device_type::output_type::takes_segmented) {
        const const_bytes first = std::as_const(of).head();
        const bool whole = first.size() == of.size() && first.size() <= max_copied_whole;
        const auto own = static_cast<u32>(
            whole ? first.size() : ipv4::header_length(ipv4::const_view{first.data()}));
        packet_type made = c.device.buffers.take(default_headroom);
        if (made && made.put(own) != nullptr &&
            (own == of.size() || made.attach(of, own, of.size() - own))) {
            copy_bytes(made.writable(), first.data(), own);
            copy_marks(of, made);
            return made;
        }
    }
    return std::as_const(of).clone();
}

// Where a copy leaves, or why it does not.
struct multicast_departure {
    routing::output_route route{};
    egress_plan plan{};
    drop_reason refused = drop_reason::none;
};

// Linux ipmr_prepare_xmit.
template <class Core, class Table>
[[nodiscard]] constexpr multicast_departure
multicast_departure_of(Core& c, const Table& table, const typename Core::packet_type& packet,
                       u8 number) noexcept {
    multicast_departure d{.refused = drop_reason::no_multicast_route};
    const ipv4::const_view ip{packet.data()};
    const virtual_interface* v = table.vif(number);
    if (v == nullptr || v->kind == vif_kind::pim_register ||
        c.tables.running(v->interface) == nullptr) {
        return d;
    }
    const auto route = route_to(
        c.tables,
        {.destination = ip[ipv4::destination], .interface = v->interface, .tos = ip[ipv4::tos]},
        c.calls.now.now);
    if (!route.has_value()) {
        return d;
    }
    d.route = *route;
    d.plan = plan_for(c.tables, *route);
    d.refused = pipeline::exceeds_mtu(packet, d.plan.mtu) ? drop_reason::multicast_too_big
                                                          : drop_reason::none;
    return d;
}

// Fills in the options: the outgoing route is one of output, so they record the packet's source.
// Linux ip_rt_get_source.
template <class Core>
[[nodiscard]] constexpr bool record_source(Core& c, multicast_datagram<Core>& d,
                                           const interface& from) noexcept {
    const auto t = c.tables.look_up();
    return d.edit_options([&](ipv4::view header, option_offsets& found) noexcept {
        routing::option_environment env{t, header, from, route_type::multicast,
                                        c.calls.now.midnight_ms};
        Core::chosen::options::forward(header, found, env);
    });
}

// The rest of sending one copy, behind the forward hook, which may have removed either interface.
// Linux ipmr_forward_finish.
template <class Core>
constexpr fate send_multicast_rest(Core& c, multicast_datagram<Core>&& d,
                                   const routing::output_route& route,
                                   const egress_plan& plan) noexcept {
    const interface* from = c.tables.running(d.packet().interface());
    const interface* to = c.tables.running(route.interface);
    if (from == nullptr || to == nullptr) {
        return drop(c.books, std::move(d).release(), drop_reason::interface_down);
    }
    c.books.count(mib::ip_forw_datagrams);
    if ((d.packet().metadata().options.length != 0 && !record_source(c, d, *from)) ||
        !d.forget_arrival()) {
        return drop(c.books, std::move(d).release(), drop_reason::no_buffer);
    }
    if (!to->loopback && is_joined(c.tables, route)) {
        loop_back(c, d.packet(), route_type::multicast, route.interface);
    }
    return transmit_or_refuse(c, std::move(d).release(), plan);
}

// Sends one copy, whose TTL is decremented. Linux ipmr_queue_fwd_xmit.
template <class Core>
constexpr fate send_multicast(Core& c, multicast_datagram<Core>&& d,
                              const multicast_departure& to) noexcept {
    const u16 ingress = d.packet().interface();
    const u16 out = to.route.interface;
    if (const passage p =
            pass_security(c.gates, c.books, security_point::forward, d, {ingress, out});
        !p) {
        return p.ended_as;
    }
    const auto for_later = [&c, &to]() noexcept {
        return behind_hooks{
            .is_multicast = true, .route = to.route, .plan = to.plan, .since = c.calls.now.now};
    };
    if (const passage p =
            pass_hook(c.gates, c.books, hook_point::forward, d, ingress, out, for_later);
        !p) {
        return p.ended_as;
    }
    return send_multicast_rest(c, std::move(d), to.route, to.plan);
}

// Gives the packet as it was received to the routing program. Linux ipmr_cache_report.
template <class Core, class Table>
constexpr void pass_up(Core& c, Table& table, const typename Core::packet_type& packet,
                       u8 number) noexcept {
    table.count_out(number, packet.size());
    c.books.tally(balance::copied);
    static_cast<void>(tell_router(c, table, packet, multicast_event_kind::whole_packet, number));
    static_cast<void>(dropped(c.books, drop_reason::passed_to_routing_program));
}

// Sends the packet to each of these VIFs: copies, and to the last one itself if it has no other
// handle. `is_kept`: it is a copy already.
template <class Core, class Table>
constexpr fate to_vifs(Core& c, Table& table, typename Core::packet_type& all, vif_mask to,
                       bool is_kept) noexcept {
    fate what = fate::dropped;
    bool is_left = !is_kept;
    const u16 ingress = all.interface();
    const auto refuse = [&c, ingress](drop_reason why) noexcept {
        c.books.trace(stage::end, decision_kind::drop, why, ingress);
        static_cast<void>(dropped(c.books, why));
    };
    while (to != 0) {
        const auto number = static_cast<u8>(std::bit_width(to) - 1);
        to &= ~(vif_mask{1} << number);
        const bool is_last = to == 0 && !all.is_shared();
        c.books.tally(balance::copied, is_last && is_left ? 0 : 1);
        is_left = is_left && !is_last;
        const auto leaves = multicast_departure_of(c, table, all, number);
        if (leaves.refused != drop_reason::none) {
            refuse(leaves.refused);
            continue;
        }
        auto one = is_last ? std::move(all) : copy_behind_header(c, all);
        auto valid = pipeline::revalidate(one);  // which alone makes datagrams
        if (!valid.has_value() || !valid->decrement_ttl()) {
            refuse(drop_reason::no_buffer);
            continue;
        }
        valid->set_forwarded();
        table.count_out(number, valid->packet().size());
        if (send_multicast(c, std::move(*valid), leaves) != fate::dropped) {
            what = fate::forwarded;
        }
    }
    c.books.tally(balance::absorbed, is_left ? 1 : 0);
    return what;
}

// Forwards a datagram that its entry accepts. If it is kept for local delivery, a copy of it is
// forwarded. Linux ip_mr_forward.
template <class Core, class Table>
constexpr fate forward_multicast(Core& c, Table& table, multicast_datagram<Core>& d, vif_mask to,
                                 bool is_kept) noexcept {
    for (u8 n = 0; n < max_vifs; ++n) {
        const virtual_interface* v = (to >> n & 1) != 0 ? table.vif(n) : nullptr;
        if (v != nullptr && v->kind == vif_kind::pim_register) {
            to &= ~(vif_mask{1} << n);
            pass_up(c, table, d.packet(), n);
            if (to == 0 && !is_kept) {
                c.books.tally(balance::absorbed);
                static_cast<void>(std::move(d).release());
                return fate::absorbed;
            }
        }
    }
    if (to == 0) {
        return is_kept ? fate::absorbed
                       : drop(c.books, std::move(d).release(), drop_reason::no_multicast_route);
    }
    typename Core::packet_type all = is_kept ? d.packet().clone() : std::move(d).release();
    if (!all) {
        c.books.tally(balance::copied);
        return drop(c.books, std::move(all), drop_reason::no_buffer);
    }
    return to_vifs(c, table, all, to, is_kept);
}

// Reports a datagram by the wrong interface, if the program is to hear of it. Linux ip_mr_forward.
template <class Core, class Table>
constexpr void report_wrong_interface(Core& c, Table& table,
                                      const typename Core::packet_type& packet,
                                      const multicast_route& route) noexcept {
    const multicast_report told = table.count_wrong_interface(route, c.calls.now.now);
    if (told == multicast_report::none) {
        return;
    }
    static_cast<void>(
        tell_router(c, table, packet, multicast_event_kind::wrong_interface, route.ingress));
    if (told == multicast_report::event_and_packet) {
        static_cast<void>(tell_router(c, table, packet,
                                      multicast_event_kind::wrong_interface_packet, route.ingress));
    }
}

// Carries out a decision about a datagram with an entry, or without hope of one.
template <class Core, class Table>
constexpr fate follow_entry(Core& c, Table& table, multicast_datagram<Core>& d,
                            const pipeline::multicast_decision& m, bool is_kept) noexcept {
    if (m.route.is_known()) {
        table.count_entry(m.route, d.packet().size(), c.calls.now.now);
    }
    if (m.step == pipeline::multicast_step::forward) {
        return forward_multicast(c, table, d, m.route.egress, is_kept);
    }
    if (m.step == pipeline::multicast_step::wrong_interface) {
        report_wrong_interface(c, table, d.packet(), m.route);
    }
    const bool has_entry = m.route.is_known();
    return is_kept ? fate::absorbed
                   : drop(c.books, std::move(d).release(),
                          has_entry ? drop_reason::wrong_multicast_interface
                                    : drop_reason::no_multicast_route);
}

// Holds a datagram without an entry and tells the routing program about the first of its flow. The
// program may add an entry at once. Linux ipmr_cache_unresolved.
template <class Core, class Table>
constexpr fate await_entry(Core& c, Table& table, multicast_datagram<Core>& d, u8 vif,
                           bool sent_here) noexcept {
    const u16 ingress = d.packet().interface();
    const auto source = d.header()[ipv4::source];
    const auto group = d.header()[ipv4::destination];
    const waiting flow = table.await(source, group);
    if (flow == waiting::no) {
        if (!tell_router(c, table, d.packet(), multicast_event_kind::no_entry, vif)) {
            return drop(c.books, std::move(d).release(), drop_reason::no_multicast_route);
        }
        const auto again = pipeline::multicast_forward(table, d.header(), ingress, sent_here);
        if (again.step != pipeline::multicast_step::no_entry) {
            return follow_entry(c, table, d, again, false);
        }
    }
    if (flow == waiting::table_full || !table.hold(std::move(d).release(), c.calls.now.now)) {
        return dropped(c.books, drop_reason::multicast_queue_full);
    }
    return fate::held;
}

// Whether the datagram, which is not for this host, ended at a listener: a router alert at the
// endpoints that registered for it, an IGMP message at the routing program.
template <class Core, class Table>
[[nodiscard]] constexpr result<multicast_datagram<Core>, fate>
pass_to_listeners(Core& c, Table& table, multicast_datagram<Core>&& d,
                  const interface& in) noexcept {
    if (d.packet().metadata().options.router_alert != 0) {
        return pass_listeners(c, std::move(d), in);
    }
    if (d.header()[ipv4::protocol] == ipv4::protocols::igmp &&
        tell_router(c, table, d.packet(), multicast_event_kind::message,
                    table.find_vif(in.index))) {
        static_cast<void>(std::move(d).release());
        c.books.tally(balance::absorbed);
        return failure{fate::absorbed};
    }
    return std::move(d);
}

// What the rules see. They know an interface with a master by the master; VIFs are the interfaces
// themselves. Linux ipmr_rt_fib_lookup, behind l3mdev_ip_rcv.
template <class Packet>
[[nodiscard]] constexpr rule_key multicast_key(const unsummed_datagram<Packet>& d,
                                               const interface& in, bool sent_here) noexcept {
    const ipv4::const_view ip = d.header();
    const u16 known_as = in.master != 0 ? in.master : in.index;
    return {.source = ip[ipv4::source],
            .destination = ip[ipv4::destination],
            .incoming = sent_here ? routing::loopback_index : known_as,
            .outgoing = sent_here ? known_as : u16{0},
            .tos = ip[ipv4::tos],
            .mark = d.packet().metadata().mark};
}

}  // namespace detail

// Linux ip_mr_input.
template <class Core>
constexpr fate route_multicast(Core& c, unsummed_datagram<typename Core::packet_type>&& given,
                               const pipeline::classification& found,
                               const interface& in) noexcept {
    const u16 ingress = in.index;
    const bool is_local = found.decided.kind() == decision_kind::deliver;
    unsummed_datagram<typename Core::packet_type> d = std::move(given);
    auto* const chosen = multicast_table_for(
        c.multicast, [&]() noexcept { return detail::multicast_key(d, in, found.sent_here); });
    if (chosen == nullptr) {
        return drop(c.books, std::move(d).release(), drop_reason::no_multicast_route);
    }
    auto& table = *chosen;
    if (!is_local) {
        auto on = detail::pass_to_listeners(c, table, std::move(d), in);
        if (!on.has_value()) {
            return on.error();
        }
        d = std::move(*on);
    }
    const auto decided = pipeline::multicast_forward(table, d.header(), ingress, found.sent_here);
    c.books.trace(stage::forward, decision_kind::forward, drop_reason::none, ingress,
                  decided.route.egress, static_cast<u8>(decided.step));
    const bool waits = decided.step == pipeline::multicast_step::no_entry;
    if (!is_local) {
        return waits ? detail::await_entry(c, table, d, decided.route.ingress, found.sent_here)
                     : detail::follow_entry(c, table, d, decided, false);
    }
    if (!waits) {
        static_cast<void>(detail::follow_entry(c, table, d, decided, true));
    } else {
        typename Core::packet_type copy = d.packet().clone();
        auto kept = pipeline::revalidate(copy);
        c.books.tally(balance::copied);
        if (kept.has_value()) {
            static_cast<void>(
                detail::await_entry(c, table, *kept, decided.route.ingress, found.sent_here));
        } else {
            static_cast<void>(dropped(c.books, drop_reason::no_buffer));
        }
    }
    const interface* still = c.tables.running(ingress);  // foreign code ran
    if (still == nullptr) {
        return drop(c.books, std::move(d).release(), drop_reason::interface_down);
    }
    return deliver(c, std::move(d), found.delivered_as(), *still);
}

// Forwards a datagram that waited for its entry. Linux ipmr_cache_resolve.
template <class Core, class Table>
constexpr fate resume_multicast(Core& c, Table& table,
                                typename Core::packet_type&& packet) noexcept {
    auto d = pipeline::revalidate(packet);
    if (!d.has_value()) {
        return drop(c.books, std::move(packet), d.error());
    }
    const auto decided =
        pipeline::multicast_forward(table, d->header(), d->packet().interface(), false);
    return detail::follow_entry(c, table, *d, decided, false);
}

// Gives up the flows that waited for an entry too long.
template <class Core>
constexpr void expire_multicast(Core& c) noexcept {
    c.books.count_drops(drop_reason::no_multicast_route, c.multicast.expire(c.calls.now.now));
}

}  // namespace sluice::acts
