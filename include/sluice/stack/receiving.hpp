// receiving: a packet's whole way in, in Linux's order. Expects: stack_delivering below it. Does:
// validate, hook, classify, options, then deliver (delivering.hpp) or forward. Never: decides by
// itself what a stage decides; trusts what it found in a table before others' code ran. Cost: the
// stages. RFC 1812 section 5.2.1. Linux ip_rcv, ip_rcv_finish, ip_forward.
#pragma once

#include <sluice/pipeline/classify.hpp>
#include <sluice/pipeline/forward.hpp>
#include <sluice/pipeline/validate.hpp>
#include <sluice/stack/delivering.hpp>

#include <utility>

namespace sluice::detail {

template <class Policies>
class stack_receiving : public stack_delivering<Policies> {
    using base = stack_delivering<Policies>;

public:
    using base::base;
    using typename base::packet_type;

protected:
    using base::count;
    using base::drop;
    using base::interfaces_;
    using base::now_;
    using base::tables;
    using base::tally;
    using base::trace;
    using typename base::leaving;
    using typename base::options_policy_type;

    // The whole way of a packet that was counted as received. Linux ip_rcv_core and on.
    constexpr fate take_in(packet_type&& packet) noexcept {
        const interface* from = this->running(packet.interface());
        if (from == nullptr) {
            return drop(std::move(packet), drop_reason::interface_down);
        }
        const interface& in = *from;
        trace(stage::receive, outcome::proceed, drop_reason::none, in.index, packet.size());
        if (packet.type() == sluice::packet_type::other_host) {
            return drop(std::move(packet), drop_reason::other_host);
        }
        return receive_routed(std::move(packet), in, nullptr);
    }

    // `known`: the route of a packet that came back from ourselves, which is not classified again.
    // Linux loopback_xmit, dev_loopback_xmit.
    constexpr fate receive_routed(packet_type&& packet, const interface& from,
                                  const pipeline::classification* known) noexcept {
        const u16 by = from.index;
        count(mib::ip_in_receives);
        count(mib::ipext_in_octets, packet.size());
        if (!packet.unshare() || !pipeline::forget_header(packet)) {
            return drop(std::move(packet), drop_reason::no_buffer);
        }
        const drop_reason bad = pipeline::validator::check(packet);
        if (bad != drop_reason::header_invalid && packet.head_size() >= ipv4::min_header_length) {
            count(ecn_counter(ipv4::const_view{packet.data()}[ipv4::ecn]),
                  pipeline::segment_count(std::as_const(packet)));
        }
        trace(stage::validate, bad == drop_reason::none ? outcome::proceed : outcome::drop, bad,
              by);
        if (bad != drop_reason::none) {
            return drop(std::move(packet), bad);
        }
        fate gone{};
        if (!this->passes_hook(hook_point::prerouting, packet, by, 0, gone)) {
            return gone;
        }
        const interface* there = this->running(by);  // the hook may have taken it away
        if (there == nullptr) {
            return drop(std::move(packet), drop_reason::interface_down);
        }
        const interface& in = *there;
        // A hook may have changed anything but the sum is not looked at again, as in Linux.
        auto valid = pipeline::revalidate(std::move(packet));
        if (!valid.has_value()) {
            return drop(packet_type{}, valid.error());
        }
        const auto t = tables();
        datagram<packet_type> d = std::move(*valid);
        pipeline::classification c =
            known != nullptr ? *known
            : this->keeps_flows()
                ? classify_flow(d, in)
                : pipeline::classify(t, d.header(), d.header()[ipv4::destination], in);
        trace(stage::classify, c.verdict, in.index);
        if (c.verdict.kind() == outcome::drop && !c.unroutable) {
            return drop(std::move(d).release(), c.verdict.reason());
        }
        if (d.has_options()) {
            const decision o =
                pipeline::option_walk<options_policy_type>(t, d, in, c, now_.midnight_ms);
            trace(stage::options, o, in.index);
            if (!o.proceeds()) {
                // A directed broadcast that is forwarded is like any other packet on its way.
                const bool passes = c.verdict.kind() == outcome::forward;
                return this->refuse(std::move(d).release(), o,
                                    passes ? route_type::unicast : c.delivered_as());
            }
        }
        return act(std::move(d), c, in);
    }

    [[nodiscard]] constexpr bool keeps_flows() const noexcept {
        if constexpr (knows_flows<typename base::delivery_type>) {
            return this->delivery_.has_flows() && this->switches_.ip_early_demux &&
                   this->switches_.udp_early_demux;
        } else {
            return false;
        }
    }
    // Early demultiplexing: an established flow of UDP keeps the route of its datagrams as long as
    // the tables stay as they are. Linux udp_v4_early_demux.
    // Deviation: only for those that come by the same interface, as Linux asks of TCP alone.
    [[gnu::noinline]] constexpr pipeline::classification
    classify_flow(datagram<packet_type>& d, const interface& in) noexcept {
        early_route* known = nullptr;
        if constexpr (knows_flows<typename base::delivery_type>) {
            known = pipeline::early_route_of(this->delivery_, d);
        }
        const early_route now{this->way_version(), in.index};
        if (known != nullptr && *known == now) {
            return {decision::deliver(), route_type::local, false, false};
        }
        const pipeline::classification c =
            pipeline::classify(tables(), d.header(), d.header()[ipv4::destination], in);
        if (known != nullptr && c.verdict.kind() == outcome::deliver &&
            c.type == route_type::local) {
            *known = now;
        }
        return c;
    }

    // Counts what the route tells, then does what it says. Linux ip_rcv_finish_core from the
    // options on.
    constexpr fate act(datagram<packet_type>&& d, const pipeline::classification& c,
                       const interface& in) noexcept {
        const u32 octets = d.packet().size();
        const sluice::packet_type seen = d.packet().type();
        if (c.type == route_type::multicast) {
            count(mib::ipext_in_mcast_pkts);
            count(mib::ipext_in_mcast_octets, octets);
        } else if (c.type == route_type::broadcast) {
            count(mib::ipext_in_bcast_pkts);
            count(mib::ipext_in_bcast_octets, octets);
        } else if ((seen == sluice::packet_type::broadcast ||
                    seen == sluice::packet_type::multicast) &&
                   in.in_force.drop_unicast_in_l2_multicast) {
            return drop(std::move(d).release(), drop_reason::unicast_in_link_multicast);
        }
        switch (c.verdict.kind()) {
        case outcome::deliver:
            return this->deliver(std::move(d), c.delivered_as(), in);
        case outcome::forward:
            return forward(std::move(d), c, in);
        case outcome::reject:
            // The table's refusals have a limit of their own, by source.
            if (!this->icmp_rules_.allow_unroutable(d.header()[ipv4::source], this->switches_,
                                                    now_.now)) {
                return drop(std::move(d).release(), c.verdict.reason());
            }
            return this->refuse(std::move(d).release(), c.verdict, c.type);
        default:
            return drop(std::move(d).release(), c.verdict.reason());
        }
    }

    [[nodiscard]] static constexpr destination_form form_of(const route_entry& r,
                                                            ipv4::address to) noexcept {
        if (r.type == route_type::broadcast) {
            return destination_form::broadcast;
        }
        const bool lowest = !r.has_gateway() && r.prefix.length < 31 && to == r.prefix.base;
        return lowest ? destination_form::network : destination_form::host;
    }

    constexpr fate forward(datagram<packet_type>&& d, const pipeline::classification& c,
                           const interface& in) noexcept {
        // With a source route the datagram goes to the next listed hop, which becomes its
        // destination below.
        const option_offsets& given = std::as_const(d.packet()).facts().options;
        const ipv4::address towards =
            given.route_hit ? given.next_hop : d.header()[ipv4::destination];
        route_entry r = this->routes_.at(c.verdict.hop());
        this->use_exception(r, towards);
        const u16 by = in.index;
        const interface* out = this->running(r.interface);
        if (out == nullptr) {
            return drop(std::move(d).release(), drop_reason::interface_down);
        }
        fate gone{};
        if (!this->passes_security(security_point::forward, d.packet(),
                                   {by, r.interface, form_of(r, towards)}, gone)) {
            return gone;
        }
        if (std::as_const(d.packet()).facts().options.router_alert != 0 &&
            d.packet().type() == sluice::packet_type::host && this->take_alert(d, in, gone)) {
            return gone;
        }
        const u32 mtu = out->mtu;
        const decision verdict = pipeline::forward(d, r, c.verdict.hop(), mtu);
        trace(stage::forward, verdict, r.interface,
              pipeline::neighbour_of(r, d.header()[ipv4::destination]).value);
        if (verdict.kind() == outcome::forward || verdict.reason() == drop_reason::too_big) {
            count(mib::ip_forw_datagrams);
        }
        if (verdict.kind() != outcome::forward) {
            return this->refuse(std::move(d).release(), verdict, route_type::unicast);
        }
        if (!d.packet().unshare()) {
            return drop(std::move(d).release(), drop_reason::no_buffer);
        }
        ipv4::decrement_ttl(d.writable_header());
        d.packet().set_forwarded();
        option_offsets found = std::as_const(d.packet()).facts().options;
        if (c.redirect && found.source_route == 0 &&
            this->icmp_rules_.allow_redirect(d.header()[ipv4::source], this->switches_, now_.now) ==
                redirect_allowance::send) {
            this->send_error(d.packet(),
                             icmp_request::redirect_host(pipeline::neighbour_of(r, towards)),
                             route_type::unicast);
        }
        if (!this->passes_hook(hook_point::forward, d.packet(), by, r.interface, gone)) {
            return gone;
        }
        const interface* from = this->running(by);  // both may have gone since
        if (from == nullptr || this->running(r.interface) == nullptr) {
            return drop(std::move(d).release(), drop_reason::interface_down);
        }
        if (std::as_const(d.packet()).facts().forwarded_in_hardware) {
            tally(balance::absorbed);  // Linux ip_forward_finish, offload_l3_fwd_mark
            return fate::absorbed;
        }
        if (found.length != 0) {
            if (!d.packet().unshare()) {
                return drop(std::move(d).release(), drop_reason::no_buffer);
            }
            const auto t = tables();
            const ipv4::view header = d.writable_header();
            pipeline::option_environment env{t, header, *from, false, now_.midnight_ms};
            env.set_output(r);
            options_policy_type::forward(header, found, env);
            d.packet().writable_facts().options = found;
        }
        const leaving l{{r.interface, this->link_kind(r.type), pipeline::neighbour_of(r, towards)},
                        r.type,
                        pipeline::forwarding_mtu(r, mtu),
                        0,
                        c.verdict};
        return this->leave(std::move(d).release(), l);
    }

    // One of ours that came back, counted as received.
    constexpr fate take_own(typename base::work_item&& item) noexcept {
        const interface* in = this->running(item.route.interface);
        if (in == nullptr) {
            return drop(std::move(item.packet), drop_reason::interface_down);
        }
        const pipeline::classification known{item.back, item.route.type, true, false};
        // What is to be forwarded once more is routed anew when the routes have changed since.
        const bool holds =
            item.back.kind() != outcome::forward || item.version == this->way_version();
        return receive_routed(std::move(item.packet), *in, holds ? &known : nullptr);
    }
};

}  // namespace sluice::detail
