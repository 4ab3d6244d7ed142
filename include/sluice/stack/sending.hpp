// sending: how a stack's packets leave: output with hooks, segments, fragments and checksums, ICMP
// errors and replies, what it originates. Expects: stack_learning below it. Does: performs what the
// stages decided; packets to ourselves go to the work queue. Never: recurses: an error is never
// about an error, and what comes back to us waits. Cost: see the stages. RFC 1122 section 3.3, RFC
// 1812 section 5.2.1.7. Linux ip_output, ip_finish_output, icmp_send, icmp_reply.
#pragma once

#include <sluice/pipeline/finish_checksum.hpp>
#include <sluice/pipeline/forward.hpp>
#include <sluice/pipeline/fragment.hpp>
#include <sluice/pipeline/icmp_error.hpp>
#include <sluice/pipeline/icmp_extension.hpp>
#include <sluice/pipeline/option_walk.hpp>
#include <sluice/pipeline/originate.hpp>
#include <sluice/pipeline/segment.hpp>
#include <sluice/pipeline/validate.hpp>
#include <sluice/stack/learning.hpp>

#include <utility>

namespace sluice::detail {

template <class Policies>
class stack_sending : public stack_learning<Policies> {
    using base = stack_learning<Policies>;

public:
    using send_result = result<void, pipeline::send_error>;
    using base::base;
    using typename base::output_type;
    using typename base::packet_type;
    using typename base::parts;

protected:
    using base::buffers_;
    using base::count;
    using base::drop;
    using base::interfaces_;
    using base::mtu_of;
    using base::now_;
    using base::switches_;
    using base::tables;
    using base::tally;
    using base::trace;
    using typename base::options_policy_type;

    // Where a packet goes now that its route is known.
    struct leaving {
        egress to{};
        route_type type = route_type::unicast;
        u32 mtu = 1500;
        u16 ours = 0;  // to ourselves: the interface with the address; 0: the one it leaves by
        decision back = decision::deliver();  // by lo: what becomes of it when it has come back
    };

    [[nodiscard]] static constexpr link_destination link_kind(route_type type) noexcept {
        return type == route_type::broadcast   ? link_destination::broadcast
               : type == route_type::multicast ? link_destination::multicast
                                               : link_destination::unicast;
    }
    [[nodiscard]] constexpr leaving by(const pipeline::output_route& r) const noexcept {
        return {{r.interface, link_kind(r.type), r.neighbour},
                r.type,
                mtu_of(r.interface, r.mtu),
                r.address_interface,
                r.type == route_type::multicast && !is_joined(r)
                    ? decision::drop(drop_reason::no_multicast_member)
                    : decision::deliver()};
    }
    [[nodiscard]] constexpr bool is_joined(const pipeline::output_route& r) const noexcept {
        return this->groups_.is_member(r.interface, r.destination, r.source);
    }

    // -- output: postrouting, segments, fragments, device. Linux ip_output --
    constexpr fate leave(packet_type&& packet, const leaving& l) noexcept {
        fate gone{};
        if (!this->passes_hook(hook_point::postrouting, packet, packet.interface(), l.to.interface,
                               gone)) {
            return gone;
        }
        const metadata& known = std::as_const(packet).facts();
        if (known.segmentation == segmentation_kind::none
                ? packet.size() <= l.mtu && known.largest_fragment == 0
                : pipeline::segmented_length(packet) <= l.mtu) {
            return transmit(std::move(packet), l);
        }
        // Deviation: one error for a packet with segmentation facts; Linux sends one a segment.
        if (ipv4::const_view{packet.data()}[ipv4::dont_fragment] &&
            (!known.ignore_df || known.largest_fragment > l.mtu)) {
            const decision refused = decision::reject(
                drop_reason::too_big, icmp_request::fragmentation_needed(static_cast<u16>(l.mtu)));
            trace(stage::fragment, refused, l.to.interface);
            return refuse(std::move(packet), refused, route_type::unicast);
        }
        if (known.segmentation != segmentation_kind::none) {
            return send_segments(std::move(packet), l, true);
        }
        return output_fragments(std::move(packet), l);
    }

    // Cuts a packet by its segmentation facts. Each segment is fragmented, the short one at the end
    // too (Linux ip_finish_output_gso), or goes to the device that does not cut them. What becomes
    // of one does not stop those after it, but is told.
    constexpr fate send_segments(packet_type&& packet, const leaving& l, bool fragmented) noexcept {
        fate all = fate::forwarded;
        const auto result = pipeline::segment<output_type::takes_segmented>(
            std::move(packet), buffers_, [&](packet_type&& piece) {
                tally(balance::copied);
                const fate one = fragmented ? output_fragments(std::move(piece), l)
                                            : to_device(std::move(piece), l);
                all = one == fate::dropped ? one : all;
                return true;
            });
        if (!result.complete) {
            return this->dropped(drop_reason::offload_failed);
        }
        tally(balance::absorbed);
        return all;
    }

    constexpr fate output_fragments(packet_type&& packet, const leaving& l) noexcept {
        if (!pipeline::finish_checksum(packet)) {
            return drop(std::move(packet), drop_reason::fragmentation_failed);
        }
        const u16 largest = std::as_const(packet).facts().largest_fragment;
        const u32 mtu = largest != 0 && largest < l.mtu ? largest : l.mtu;
        bool refused = false;
        const auto result = pipeline::fragment<output_type::takes_segmented>(
            std::move(packet), mtu, buffers_, [&](packet_type&& piece) {
                tally(balance::copied);
                refused = transmit(std::move(piece), l) == fate::dropped;
                return !refused;
            });
        trace(stage::fragment, result.complete ? outcome::forward : outcome::drop,
              result.complete ? drop_reason::none : drop_reason::fragmentation_failed,
              l.to.interface, result.created);
        count(mib::ip_frag_creates, result.created);
        // The whole became its pieces: it ends here either way.
        if (!result.complete) {
            return this->dropped(drop_reason::fragmentation_failed);
        }
        count(mib::ip_frag_oks);
        tally(balance::absorbed);
        return fate::forwarded;
    }

    constexpr fate transmit(packet_type&& packet, const leaving& l) noexcept {
        const interface* out = this->running(l.to.interface);
        if (out == nullptr) {  // since a hook ran
            return drop(std::move(packet), drop_reason::interface_down);
        }
        const u32 octets = packet.size();
        if (l.type == route_type::multicast) {
            count(mib::ipext_out_mcast_pkts);
            count(mib::ipext_out_mcast_octets, octets);
        } else if (l.type == route_type::broadcast) {
            count(mib::ipext_out_bcast_pkts);
            count(mib::ipext_out_bcast_octets, octets);
        }
        count(mib::ip_out_transmits);
        count(mib::ipext_out_octets, octets);
        if (out->loopback) {
            tally(balance::transmitted);
            packet.set_interface(l.ours != 0 ? l.ours : l.to.interface);
            packet.set_type(sluice::packet_type::host);
            come_back(std::move(packet), l.type, l.to.interface, l.back);
            return fate::forwarded;
        }
        return to_device(std::move(packet), l);
    }

    // What the output leaves undone is done here. Linux validate_xmit_skb.
    constexpr fate to_device(packet_type&& packet, const leaving& l) noexcept {
        if (packet.has_facts()) {
            const metadata& known = std::as_const(packet).facts();
            const bool taken = offloads_of(this->output_, l.to).takes(known) &&
                               pipeline::is_plain_to_device(packet) &&
                               (output_type::takes_segmented || !packet.is_segmented());
            if (!taken && known.segmentation != segmentation_kind::none) {
                return send_segments(std::move(packet), l, false);
            }
            if (!taken && !pipeline::finish_checksum(packet)) {
                return drop(std::move(packet), drop_reason::offload_failed);
            }
        }
        if constexpr (!output_type::takes_segmented) {
            if (packet.is_segmented()) {
                packet = std::as_const(packet).copy();
                if (!packet) {
                    return drop(std::move(packet), drop_reason::no_buffer);
                }
            }
        }
        trace(stage::output, outcome::forward, drop_reason::none, l.to.interface, packet.size());
        if (!this->output_.transmit(packet, l.to)) {
            return drop(std::move(packet), drop_reason::output_refused);
        }
        tally(balance::transmitted);
        return fate::forwarded;
    }

    // A packet that we receive after it left, by that interface and with the route that it left
    // by: it waits in the work queue.
    constexpr void come_back(packet_type&& packet, route_type type, u16 by,
                             const decision& back) noexcept {
        tally(balance::received);
        static_cast<void>(this->put_off({.packet = std::move(packet),
                                         .route = {.type = type, .interface = by},
                                         .back = back,
                                         .version = this->way_version(),
                                         .kind = base::work_kind::receive_own}));
    }

    // -- what this host originates, its header complete; the caller counted it as originated. Linux
    // ip_local_out --
    constexpr fate local_out(packet_type&& packet, const pipeline::output_route& route,
                             bool counts_request) noexcept {
        if (counts_request) {
            count(mib::ip_out_requests);
        }
        packet.set_type(sluice::packet_type::host);
        packet.set_interface(0);
        trace(stage::originate, outcome::forward, drop_reason::none, route.interface,
              packet.size());
        fate gone{};
        if (!this->passes_hook(hook_point::local_out, packet, 0, route.interface, gone)) {
            return gone;
        }
        const leaving l = by(route);
        const interface* out = this->running(route.interface);
        if (out == nullptr) {
            return drop(std::move(packet), drop_reason::interface_down);
        }
        const bool joined =
            route.type == route_type::multicast && !out->loopback && is_joined(route);
        if (joined ? route.heard_here : route.type == route_type::broadcast && !out->loopback) {
            hear_ourselves(packet, route.type, out->index);
        }
        // It was for this host alone. RFC 1112 section 6.1.
        // Linux sends it where nobody here has joined.
        if (joined && ipv4::const_view{packet.data()}[ipv4::ttl] == 0) {
            packet.reset();
            tally(balance::absorbed);
            return fate::absorbed;
        }
        return leave(std::move(packet), l);
    }

    // Broadcasts, and multicasts to groups that we joined, are heard by ourselves. RFC 1112
    // section 6.1.
    constexpr void hear_ourselves(const packet_type& packet, route_type type, u16 out) noexcept {
        packet_type copy = packet.clone();
        if (!copy) {
            return;
        }
        tally(balance::copied);
        fate gone{};
        if (!this->passes_hook(hook_point::postrouting, copy, 0, out, gone)) {
            return;
        }
        // Linux dev_loopback_xmit trusts a copy; loopback_xmit, for lo, trusts nothing.
        if (std::as_const(copy).facts().checksum == checksum_state::unknown) {
            if (!copy.unshare()) {
                static_cast<void>(drop(std::move(copy), drop_reason::no_buffer));
                return;
            }
            copy.writable_facts().checksum = checksum_state::verified;
        }
        tally(balance::absorbed);  // it is received again, as another packet
        copy.set_interface(out);
        copy.set_type(sluice::packet_type::loopback);
        come_back(std::move(copy), type, out, decision::deliver());
    }

    // Refuses a packet: tells its sender if that is allowed, then drops it.
    constexpr fate refuse(packet_type&& packet, const decision& d, route_type type) noexcept {
        if (d.kind() == outcome::reject) {
            send_error(packet, d.error(), type);
        }
        return drop(std::move(packet), d.reason());
    }

    // -- ICMP errors. `type` is that of the offending packet's route. Linux icmp_send --
    constexpr void send_error(const packet_type& offending, icmp_request error,
                              route_type type) noexcept {
        if (!pipeline::may_send_error(offending, type, error)) {
            return;
        }
        const auto t = tables();
        const ipv4::const_view ip{offending.data()};
        const interface* in = interfaces_.find(offending.interface());
        pipeline::flow back{.destination = ip[ipv4::source],
                            .tos = pipeline::error_tos(error, ip[ipv4::tos]),
                            .protocol = ipv4::protocols::icmp};
        if (type == route_type::local) {
            back.source = ip[ipv4::destination];
        } else if (switches_.icmp_errors_use_inbound_ifaddr && in != nullptr) {
            back.source = pipeline::select_source(t, in->index, back.destination, scopes::link);
        }
        ip_options::outgoing echoed{};
        if (!echo_options(offending, in, type, echoed)) {
            return;
        }
        if (echoed.offsets.source_route != 0) {
            back.destination = echoed.first_hop;
        }
        const auto route = this->route_to(back);
        // What leads back over lo came by lo, whatever address of ours it was for.
        if (!route.has_value() ||
            !may_send_icmp(
                error.type(), error.code(), *route,
                route->type == route_type::local ? route->interface : offending.interface())) {
            return;
        }
        write_and_send_error(offending, error, *route, back.tos, echoed);
    }

    constexpr void write_and_send_error(const packet_type& offending, icmp_request error,
                                        pipeline::output_route route, u8 tos,
                                        const ip_options::outgoing& echoed) noexcept {
        const u32 mtu = mtu_of(route.interface, route.mtu);
        u32 quote = pipeline::quote_size(offending.size(), mtu, echoed.offsets.length);
        const pipeline::error_extension extension = extension_of(offending, error);
        constexpr u32 extended = pipeline::extended_quote + pipeline::max_error_extension;
        const bool extends = extension.size != 0 &&
                             pipeline::quote_size(extended, mtu, echoed.offsets.length) == extended;
        if (extends && quote > pipeline::extended_quote) {
            quote = pipeline::extended_quote;
        }
        if (quote == 0) {
            return;  // there is no room for one in a packet
        }
        packet_type message = take_urgent(buffers_, default_headroom);
        if (!message || !pipeline::write_error(message, offending, error, quote) ||
            (extends && !pipeline::append_extension(message, extension))) {
            return icmp_unsent();
        }
        if (route.source.is_unspecified()) {
            route.source = pipeline::dummy_address;
        }
        trace(stage::icmp_error, outcome::forward, drop_reason::none, route.interface, error.info(),
              error.type(), error.code());
        send_icmp(std::move(message), route, tos, error.type(), echoed,
                  ipv4::const_view{offending.data()}[ipv4::source]);
    }

    [[nodiscard]] constexpr pipeline::error_extension
    extension_of(const packet_type& offending, icmp_request error) const noexcept {
        const u16 in = offending.interface();
        return pipeline::extension_of_error(error.type(), in, interfaces_.find(in), switches_);
    }

    // The ICMP message in `message` on its way. RFC 1122 section 3.2.2.
    constexpr void send_icmp(packet_type&& message, const pipeline::output_route& route, u8 tos,
                             u8 counted_type, const ip_options::outgoing& with,
                             ipv4::address final_destination) noexcept {
        const pipeline::header_choice choice{
            .tos = tos,
            .ttl = route.type == route_type::multicast ? u8{1} : switches_.ip_default_ttl,
            .protocol = ipv4::protocols::icmp,
            .identification = this->identification_.next(route.source, route.destination,
                                                         ipv4::protocols::icmp, 1, now_.now),
            .dont_fragment = false};
        if (!pipeline::originate(message, route, choice, with, final_destination,
                                 now_.midnight_ms)) {
            return icmp_unsent();
        }
        count(mib::icmp_out_msgs);
        this->stats_.icmp_out(counted_type);
        tally(balance::originated);
        if (local_out(std::move(message), route, true) == fate::dropped) {
            count(mib::ip_out_discards);
        }
    }
    // There was no buffer for the message. Linux icmp_push_reply, __ip_append_data.
    constexpr void icmp_unsent() noexcept {
        count(mib::icmp_out_errors);
        count(mib::ip_out_discards);
    }

    // caused_by: the interface that the cause of an error came by; 0 of an answer to a request,
    // which the limits for all meet over loopback too, as in Linux.
    [[nodiscard]] constexpr bool
    may_send_icmp(u8 type, u8 code, const pipeline::output_route& route, u16 caused_by) noexcept {
        const auto is_loopback = [this](u16 index) {
            const interface* i = interfaces_.find(index);
            return i != nullptr && i->loopback;
        };
        if constexpr (requires { requires !base::chosen::icmp::limits_looped; }) {
            if (is_loopback(caused_by)) {
                return true;
            }
        }
        switch (this->icmp_rules_.allow_error(type, code, route.destination,
                                              is_loopback(route.interface), switches_, now_.now)) {
        case icmp_allowance::allowed:
            return true;
        case icmp_allowance::limited_global:
            count(mib::icmp_out_rate_limit_global);
            return false;
        case icmp_allowance::limited_host:
            count(mib::icmp_out_rate_limit_host);
            return false;
        default:
            return false;
        }
    }

    // The options of an answer to `received`; false: there is to be none.
    [[nodiscard]] constexpr bool echo_options(const packet_type& received, const interface* in,
                                              route_type type, ip_options::outgoing& to) noexcept {
        const option_offsets& found = received.facts().options;
        if (found.length == 0) {
            return true;
        }
        const interface nowhere{};
        const auto t = tables();
        const ipv4::const_view ip{received.data()};
        pipeline::option_environment env{t, ip, in != nullptr ? *in : nowhere,
                                         type == route_type::local, now_.midnight_ms};
        return options_policy_type::echo(ip, found, to, env);
    }
};

}  // namespace sluice::detail
