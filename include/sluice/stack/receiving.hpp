// receiving: a packet's way in: the accept branch for plain packets, and the whole way in Linux's
// order for all others. Expects: stack_sending below it. Does: validate, hook, classify, options,
// then deliver (delivering.hpp) or forward. Never: decides by itself what a stage decides. Cost:
// the accept branch for what is merely forwarded; the stages otherwise. RFC 1812 section 5.2.1.
// Linux ip_rcv, ip_rcv_finish, ip_forward.
#pragma once

#include <sluice/pipeline/accept_fast.hpp>
#include <sluice/pipeline/classify.hpp>
#include <sluice/pipeline/forward.hpp>
#include <sluice/pipeline/validate.hpp>
#include <sluice/stack/delivering.hpp>

#include <span>
#include <utility>

namespace sluice::detail {

template <class Policies>
class stack_receiving : public stack_delivering<Policies> {
    using base = stack_delivering<Policies>;

public:
    using base::base;
    using typename base::packet_type;

    // One packet that came by packet.interface(), its IPv4 header at data(), its type as the link
    // layer saw it. What became of it; what arose from it has happened too when this returns.
    constexpr fate receive(packet_type&& packet, moment now) noexcept {
        this->now_ = now;
        fast_counts fast;
        pipeline::route_hint hint;
        fate f = fate::forwarded;
        if (!may_go_fast(packet.interface()) || !forward_fast(packet, fast, hint)) {
            f = receive_slow(std::move(packet));
        } else if (fast.refused != 0) {
            f = fate::dropped;
        }
        commit(fast);
        drain();
        this->output_.flush();
        return f;
    }

    // A batch in order of arrival. Equal to receiving each alone, but that outputs are flushed
    // once.
    constexpr void receive(std::span<packet_type> batch, moment now) noexcept {
        this->now_ = now;
        fast_counts fast;
        pipeline::route_hint hint;
        constexpr u16 none = 0xffff;  // no table has that index
        u16 fast_in = none;           // the interface of which may_go_fast() said yes last
        for (packet_type& p : batch) {
            const u16 in = p.interface();
            if (in != fast_in && may_go_fast(in)) {
                fast_in = in;
            }
            if (in == fast_in && forward_fast(p, fast, hint)) {
                continue;
            }
            static_cast<void>(receive_slow(std::move(p)));
            // What a handler or a hook did may have changed the tables.
            drain();
            hint = {};
            fast_in = none;
        }
        commit(fast);
        this->output_.flush();
    }

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

    // What the accept branch counts, gathered in registers and added once a batch.
    struct fast_counts {
        u64 packets = 0;
        u64 refused = 0;  // of them, by the output
        u64 octets = 0;
        u64 ecn[4] = {};
    };

    constexpr void commit(const fast_counts& c) noexcept {
        if (c.packets == 0) {
            return;
        }
        count(mib::ip_in_receives, c.packets);
        count(mib::ipext_in_octets, c.octets);
        for (u8 i = 0; i < 4; ++i) {
            count(ecn_counter(i), c.ecn[i]);
        }
        count(mib::ip_forw_datagrams, c.packets);
        count(mib::ip_out_transmits, c.packets);
        count(mib::ipext_out_octets, c.octets);
        tally(balance::received, c.packets);
        tally(balance::transmitted, c.packets - c.refused);
    }

    // Whether plain packets of that interface take the accept branch: it forwards, and nothing
    // watches or hooks the packets that are merely forwarded.
    [[nodiscard]] constexpr bool may_go_fast(u16 in) const noexcept {
        if constexpr (!base::chosen::observer::never_observes ||
                      !base::security_type::always_permits) {
            return false;
        } else if constexpr (base::hooks_type::never_active) {
            return interfaces_.path_of(in).accept_fast && !this->custom_local_routes_;
        } else {
            return interfaces_.path_of(in).accept_fast && !this->custom_local_routes_ &&
                   !this->hooks_.active(hook_point::prerouting) &&
                   !this->hooks_.active(hook_point::forward) &&
                   !this->hooks_.active(hook_point::postrouting);
        }
    }

    // Whether something was learned about the destination of a plain packet, by that route.
    // Apart from the loop that asks, which runs without it until something is learned.
    [[nodiscard, gnu::noinline]] constexpr bool has_exception(const packet_type& packet,
                                                              const route_entry& r) const noexcept {
        return this->exception_of(ipv4::const_view{packet.data()}[ipv4::destination], r) != nullptr;
    }

    // Forwards a plain packet at once and says so; any other stays with the caller.
    [[gnu::always_inline]] constexpr bool forward_fast(packet_type& packet, fast_counts& fast,
                                                       pipeline::route_hint& hint) noexcept {
        const auto t = tables();
        if (!packet || !pipeline::accept_fast(t, packet, packet.interface(), hint) ||
            (this->exceptions_.any() && has_exception(packet, *hint.entry))) {
            return false;
        }
        const route_entry& r = *hint.entry;
        ++fast.packets;
        fast.octets += packet.size();
        const ipv4::view ip{packet.data()};
        ++fast.ecn[ip[ipv4::ecn]];
        ipv4::decrement_ttl(ip);
        const egress to{r.interface, link_destination::unicast,
                        pipeline::neighbour_of(r, ip[ipv4::destination])};
        if (!this->output_.transmit(packet, to)) {
            ++fast.refused;
            static_cast<void>(drop(std::move(packet), drop_reason::output_refused));
        }
        return true;
    }

    // The whole way. Linux ip_rcv_core and on.
    // Apart from the loop that calls it, whose registers it would take.
    [[gnu::noinline]] constexpr fate receive_slow(packet_type&& packet) noexcept {
        if (!packet) {
            return fate::dropped;  // nothing came
        }
        tally(balance::received);
        const interface* from = interfaces_.find(packet.interface());
        if (from == nullptr || !from->up) {
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
    constexpr fate receive_routed(packet_type&& packet, const interface& in,
                                  const pipeline::classification* known) noexcept {
        count(mib::ip_in_receives);
        count(mib::ipext_in_octets, packet.size());
        if (!packet.unshare()) {
            return drop(std::move(packet), drop_reason::no_buffer);
        }
        const drop_reason bad = pipeline::validator::check(packet);
        if (bad != drop_reason::header_invalid && packet.size() >= ipv4::min_header_length) {
            count(ecn_counter(ipv4::const_view{packet.data()}[ipv4::ecn]),
                  pipeline::segment_count(std::as_const(packet)));
        }
        trace(stage::validate, bad == drop_reason::none ? outcome::proceed : outcome::drop, bad,
              in.index);
        if (bad != drop_reason::none) {
            return drop(std::move(packet), bad);
        }
        fate gone{};
        if (known == nullptr &&
            !this->passes_hook(hook_point::prerouting, packet, in.index, 0, gone)) {
            return gone;
        }
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
                                    passes ? route_type::unicast : c.type);
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
            return this->deliver(std::move(d), c.type, in);
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
        const interface* out = interfaces_.find(r.interface);
        if (out == nullptr || !out->up) {
            return drop(std::move(d).release(), drop_reason::interface_down);
        }
        fate gone{};
        if (!this->passes_security(security_point::forward, d.packet(),
                                   {in.index, r.interface, form_of(r, towards)}, gone)) {
            return gone;
        }
        if (std::as_const(d.packet()).facts().options.router_alert != 0 &&
            d.packet().type() == sluice::packet_type::host && this->take_alert(d, in, gone)) {
            return gone;
        }
        const decision verdict = pipeline::forward(d, r, c.verdict.hop(), out->mtu);
        trace(stage::forward, verdict, r.interface,
              pipeline::neighbour_of(r, d.header()[ipv4::destination]).value);
        if (verdict.kind() == outcome::forward || verdict.reason() == drop_reason::too_big) {
            count(mib::ip_forw_datagrams);
        }
        if (verdict.kind() != outcome::forward) {
            return this->refuse(std::move(d).release(), verdict, route_type::unicast);
        }
        ipv4::decrement_ttl(d.header());
        d.packet().set_forwarded();
        option_offsets found = std::as_const(d.packet()).facts().options;
        if (c.redirect && found.source_route == 0 &&
            this->icmp_rules_.allow_redirect(d.header()[ipv4::source], this->switches_, now_.now) ==
                redirect_allowance::send) {
            this->send_error(d.packet(),
                             icmp_request::redirect_host(pipeline::neighbour_of(r, towards)),
                             route_type::unicast);
        }
        if (!this->passes_hook(hook_point::forward, d.packet(), in.index, r.interface, gone)) {
            return gone;
        }
        if (found.length != 0) {
            const auto t = tables();
            pipeline::option_environment env{t, d.header(), in, false, now_.midnight_ms};
            env.set_output(r);
            options_policy_type::forward(d.header(), found, env);
            d.packet().facts().options = found;
        }
        const leaving l{{r.interface, this->link_kind(r.type), pipeline::neighbour_of(r, towards)},
                        r.type,
                        pipeline::forwarding_mtu(r, out->mtu)};
        return this->leave(std::move(d).release(), l);
    }

    // What arose inside the call: packets that come back to us, and what handlers sent.
    [[gnu::noinline]] constexpr void drain() noexcept {
        // A packet brings few others; the bound is for hooks and handlers that answer answers.
        for (std::size_t budget = 4 * work_queue_size; budget > 0 && !this->work_.empty();
             --budget) {
            work_one(this->work_.pop());
        }
        while (!this->work_.empty()) {
            auto item = this->work_.pop();
            tally(item.is_sent ? balance::originated : balance::received);
            static_cast<void>(drop(std::move(item.packet), drop_reason::work_queue_full));
        }
    }
    constexpr void work_one(typename base::work_item&& item) noexcept {
        if (item.is_sent) {
            static_cast<void>(this->send_complete(std::move(item.packet)));
            return;
        }
        tally(balance::received);
        const interface* in = interfaces_.find(item.by);
        if (in == nullptr) {
            static_cast<void>(drop(std::move(item.packet), drop_reason::interface_down));
            return;
        }
        const pipeline::classification known{decision::deliver(), item.type, false, false};
        static_cast<void>(receive_routed(std::move(item.packet), *in, &known));
    }
};

}  // namespace sluice::detail
