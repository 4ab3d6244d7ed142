// forward: forwards a datagram: security policy, router alert, TTL, strict routes, MTU, redirect,
// hook, options that record, output.
//
// forward_hooked forwards packets that the accept branch accepted, through the forward hook.
//
// Expects: a datagram that was classified as to be forwarded.
// Never:   changes the TTL before the decision; uses a table entry after a hook or listener may
//          have changed the table.
// Cost:    that of the stages.
// Source:  RFC 1812 section 5.3; Linux ip_forward.
#pragma once

#include <sluice/packet/priority.hpp>
#include <sluice/pipeline/accept_fast.hpp>
#include <sluice/pipeline/classify.hpp>
#include <sluice/pipeline/forward.hpp>
#include <sluice/stack/alert.hpp>

#include <utility>

namespace sluice::acts {

namespace detail {

[[nodiscard]] constexpr destination_form form_of(const route_entry& r, ipv4::address to) noexcept {
    if (r.type == route_type::broadcast) {
        return destination_form::broadcast;
    }
    const bool lowest = !r.has_gateway() && r.prefix.length < 31 && to == r.prefix.base;
    return lowest ? destination_form::network : destination_form::host;
}

// Fills in the options that record the egress. false: no buffer for a writable copy.
template <class Core>
[[nodiscard]] constexpr bool record_options(Core& c,
                                            unsummed_datagram<typename Core::packet_type>& d,
                                            const interface& from, const hop_entry& hop) noexcept {
    const auto t = c.tables.look_up();
    return d.edit_options([&](ipv4::view header, option_offsets& found) noexcept {
        routing::option_environment env{t, header, from, route_type::unicast,
                                        c.calls.now.midnight_ms};
        env.set_output(hop);
        Core::chosen::options::forward(header, found, env);
    });
}

// Decrements the TTL, sends a redirect to a sender that took a detour, sets the priority. false: no
// buffer for a writable copy.
template <class Core>
[[nodiscard]] constexpr bool mark_forwarded(Core& c,
                                            unsummed_datagram<typename Core::packet_type>& d,
                                            const onward_route& onward) noexcept {
    if (!d.decrement_ttl()) {
        return false;
    }
    d.set_forwarded();
    const auto may_redirect = [&] {
        const interface* const link = c.tables.interfaces.find(onward.ingress);
        return c.local.icmp_limits.allow_redirect(
                   {d.header()[ipv4::source], link != nullptr ? link->master : u16{0}},
                   c.tables.switches, c.calls.now.now) == redirect_allowance::send;
    };
    if (onward.is_detour && may_redirect()) {
        send_error(c, d.packet(), icmp_request::redirect_host(onward.neighbour),
                   route_type::unicast);
    }
    return !c.tables.switches.ip_forward_update_priority ||
           d.set_priority(priority_of_tos(d.header()[ipv4::tos]));
}

// The rest of forwarding, behind the forward hook. Linux ip_forward_finish.
template <class Core>
constexpr fate forward_rest(Core& c, unsummed_datagram<typename Core::packet_type>&& d,
                            const onward_route& onward) noexcept {
    const interface* from = c.tables.running(onward.ingress);  // the hook may have removed either
    if (from == nullptr || c.tables.running(onward.hop.interface) == nullptr) {
        return drop(c.books, std::move(d).release(), drop_reason::interface_down);
    }
    const metadata& known = d.packet().metadata();
    if (known.forwarded_in_hardware) {
        c.books.tally(balance::absorbed);  // Linux ip_forward_finish, offload_l3_fwd_mark
        return fate::absorbed;
    }
    if ((known.options.length != 0 && !record_options(c, d, *from, onward.hop)) ||
        !d.forget_arrival()) {
        return drop(c.books, std::move(d).release(), drop_reason::no_buffer);
    }
    return transmit_or_refuse(
        c, std::move(d).release(),
        {.to = {onward.hop.interface, link_kind(onward.hop.type), onward.neighbour},
         .type = onward.hop.type,
         .mtu = routing::forwarding_mtu(onward.hop, onward.mtu),
         .back = onward.back});
}

// Forwards an accepted datagram: TTL, hook, output. Linux ip_forward from ip_decrease_ttl on.
template <class Core>
constexpr fate forward_on(Core& c, unsummed_datagram<typename Core::packet_type>&& d,
                          const onward_route& onward) noexcept {
    if (!mark_forwarded(c, d, onward)) {
        return drop(c.books, std::move(d).release(), drop_reason::no_buffer);
    }
    const auto for_later = [&c, &onward]() noexcept {
        return behind_hooks{.onward = onward, .since = c.calls.now.now};
    };
    if (const passage p = pass_hook(c.gates, c.books, hook_point::forward, d, onward.ingress,
                                    onward.hop.interface, for_later);
        !p) {
        return p.ended_as;
    }
    return forward_rest(c, std::move(d), onward);
}

}  // namespace detail

template <class Core>
constexpr fate forward(Core& c, unsummed_datagram<typename Core::packet_type>&& given,
                       const pipeline::classification& found, const interface& in) noexcept {
    unsummed_datagram<typename Core::packet_type> d = std::move(given);
    if (d.packet().metadata().endpoint.is_chosen()) {
        return drop(c.books, std::move(d).release(), drop_reason::belongs_to_endpoint);
    }
    // With a source route, the next listed address becomes the destination.
    const option_offsets& options = d.packet().metadata().options;
    const ipv4::address towards =
        options.route_hit ? options.next_hop : d.header()[ipv4::destination];
    route_entry r = c.tables.routes.at(found.decided.hop());
    use_exception(c.tables, r, towards, c.calls.now.now);
    const u16 ingress = in.index;
    const interface* out = c.tables.running(r.interface);
    if (out == nullptr) {
        return drop(c.books, std::move(d).release(), drop_reason::interface_down);
    }
    const u32 mtu = out->mtu;
    if (const passage p = pass_security(c.gates, c.books, security_point::forward, d,
                                        {ingress, r.interface, detail::form_of(r, towards)});
        !p) {
        return p.ended_as;
    }
    if (options.router_alert != 0 && d.packet().addressing() == sluice::link_addressing::host) {
        auto on = pass_listeners(c, std::move(d), in);
        if (!on.has_value()) {
            return on.error();
        }
        d = std::move(*on);
    }
    const decision decided = pipeline::forward(d, r, found.decided.hop(), mtu);
    c.books.trace(stage::forward, decided, r.interface,
                  routing::neighbour_of(r, d.header()[ipv4::destination]).value);
    if (decided.kind() == decision_kind::forward || decided.reason() == drop_reason::too_big) {
        c.books.count(mib::ip_forw_datagrams);
    }
    if (decided.kind() != decision_kind::forward) {
        return refuse(c, std::move(d).release(), decided, route_type::unicast);
    }
    const ipv4::address neighbour = routing::neighbour_of(r, towards);
    const bool has_source_route = d.packet().metadata().options.source_route != 0;
    return detail::forward_on(c, std::move(d),
                              {.hop = hop_of(r),
                               .neighbour = neighbour,
                               .ingress = ingress,
                               .mtu = mtu,
                               .is_detour = found.redirect && !has_source_route,
                               .back = found.decided});
}

// Forwards a plain packet that the accept branch accepted, by this hop, through the forward hook.
// The branch accepts no packet with a router alert or above the MTU, and is off with a security
// policy that may drop.
template <class Core>
[[gnu::noinline]] constexpr fate forward_hooked(Core& c, typename Core::packet_type& packet,
                                                const hop_entry& hop) noexcept {
    const u16 ingress = packet.interface();
    c.books.count(mib::ip_in_receives);
    c.books.count(mib::ipext_in_octets, packet.size());
    c.books.count(ecn_counter(ipv4::const_view{std::as_const(packet).data()}[ipv4::ecn]));
    c.books.tally(balance::received);
    c.books.count(mib::ip_forw_datagrams);
    unsummed_datagram<typename Core::packet_type> d = pipeline::acceptor::take(packet);
    return detail::forward_on(
        c, std::move(d),
        {.hop = hop,
         .neighbour = routing::neighbour_of(hop, d.header()[ipv4::destination]),
         .ingress = ingress,
         .mtu = c.tables.interfaces.path_of(hop.interface).output_mtu});
}

}  // namespace sluice::acts
