// egress: the last steps of a packet that is sent: postrouting hook, segments, fragments,
// checksums, the device.
//
// It carries out what the stages decided. Packets to this host itself go to the work queue.
//
// Expects: a datagram whose route is known.
// Never:   sends an ICMP error: a packet that does not fit stays with the caller.
// Cost:    that of the stages.
// Source:  RFC 1812 section 5.2.6; Linux ip_output, ip_finish_output, validate_xmit_skb.
#pragma once

#include <sluice/pipeline/fit.hpp>
#include <sluice/rewrite/finish_checksum.hpp>
#include <sluice/rewrite/fragment.hpp>
#include <sluice/rewrite/segment.hpp>
#include <sluice/stack/gates.hpp>
#include <sluice/stack/route_lookup.hpp>
#include <sluice/stack/work.hpp>

#include <utility>

namespace sluice::acts {

[[nodiscard]] constexpr link_destination link_kind(route_type type) noexcept {
    return type == route_type::broadcast   ? link_destination::broadcast
           : type == route_type::multicast ? link_destination::multicast
                                           : link_destination::unicast;
}

template <class Tables>
[[nodiscard]] constexpr bool is_joined(const Tables& t, const routing::output_route& r) noexcept {
    return t.groups.is_member(r.interface, r.destination, r.source);
}

// Whether the multicast routes decide about packets of this group on the interface. Linux
// IN_DEV_MFORWARD.
template <class Packet>
[[nodiscard]] constexpr bool routes_multicast(const interface& i, const Packet& packet) noexcept {
    return i.in_force.mc_forwarding &&
           !ipv4::const_view{packet.data()}[ipv4::destination].is_link_local_multicast();
}

template <class Tables>
[[nodiscard, gnu::always_inline]] constexpr egress_plan
plan_for(const Tables& t, const routing::output_route& r) noexcept {
    return {{r.interface, link_kind(r.type), r.neighbour},
            r.type,
            routing::egress_mtu(t, r.interface, r.mtu),
            r.address_interface,
            r.type == route_type::multicast && !is_joined(t, r)
                ? decision::drop(drop_reason::no_multicast_member)
                : decision::deliver()};
}

// Queues a packet that this host sent to itself. It is received by the given interface, with the
// route by which it was sent.
template <class Core>
[[gnu::noinline]] constexpr void come_back(Core& c, typename Core::packet_type&& packet,
                                           route_type type, u16 ingress,
                                           const decision& back) noexcept {
    c.books.tally(balance::received);
    static_cast<void>(put_off(c, {.packet = std::move(packet),
                                  .route = {.type = type, .interface = ingress},
                                  .back = back,
                                  .number = c.tables.route_generation(),
                                  .kind = work_kind::receive_own}));
}

namespace detail {

// The function that is called for each segment.
template <class Core>
using segment_step = fate (*)(Core&, typename Core::packet_type&&, const egress_plan&) noexcept;

// Cuts a packet into segments by its metadata. A dropped segment does not stop the others, but the
// fate is then `dropped`.
template <class Core>
constexpr fate for_each_segment(Core& c, typename Core::packet_type&& packet,
                                const egress_plan& plan, segment_step<Core> step) noexcept {
    using packet_type = typename Core::packet_type;
    rewrite::segmenter<Core::device_type::output_type::takes_segmented, packet_type> cut{
        std::move(packet)};
    fate all = fate::forwarded;
    while (packet_type piece = cut.next(c.device.buffers)) {
        c.books.tally(balance::copied);
        const fate one = step(c, std::move(piece), plan);
        all = one == fate::dropped ? one : all;
    }
    if (!cut.is_complete()) {
        return dropped(c.books, drop_reason::offload_failed);
    }
    c.books.tally(balance::absorbed);
    return all;
}

template <class Core>
[[gnu::always_inline]] constexpr fate to_device(Core& c, typename Core::packet_type&& packet,
                                                const egress_plan& plan) noexcept;

template <class Core>
[[gnu::always_inline]] constexpr fate transmit(Core& c, typename Core::packet_type&& packet,
                                               const egress_plan& plan) noexcept {
    const interface* out = c.tables.running(plan.to.interface);
    if (out == nullptr) {  // a hook may have changed it
        return drop(c.books, std::move(packet), drop_reason::interface_down);
    }
    const u32 byte_count = packet.size();
    if (plan.type == route_type::multicast) {
        c.books.count(mib::ipext_out_mcast_pkts);
        c.books.count(mib::ipext_out_mcast_octets, byte_count);
    } else if (plan.type == route_type::broadcast) {
        c.books.count(mib::ipext_out_bcast_pkts);
        c.books.count(mib::ipext_out_bcast_octets, byte_count);
    }
    c.books.count(mib::ip_out_transmits);
    c.books.count(mib::ipext_out_octets, byte_count);
    if (out->loopback) {
        c.books.tally(balance::transmitted);
        packet.set_interface(plan.local_interface != 0 ? plan.local_interface : plan.to.interface);
        packet.set_addressing(sluice::link_addressing::host);
        come_back(c, std::move(packet), plan.type, plan.to.interface, plan.back);
        return fate::forwarded;
    }
    return to_device(c, std::move(packet), plan);
}

// Sends a packet that exceeds the MTU, or that arrived as fragments, in fragments.
template <class Core>
[[gnu::noinline]] constexpr fate transmit_fragments(Core& c, typename Core::packet_type&& packet,
                                                    const egress_plan& plan) noexcept {
    using packet_type = typename Core::packet_type;
    if (!rewrite::finish_checksum(packet)) {
        return drop(c.books, std::move(packet), drop_reason::fragmentation_failed);
    }
    const u16 largest = std::as_const(packet).metadata().largest_fragment;
    const u32 mtu = largest != 0 && largest < plan.mtu ? largest : plan.mtu;
    bool refused = false;
    const auto result = rewrite::fragment<Core::device_type::output_type::takes_segmented>(
        std::move(packet), mtu, c.device.buffers, [&](packet_type&& piece) {
            c.books.tally(balance::copied);
            refused = transmit(c, std::move(piece), plan) == fate::dropped;
            return !refused;
        });
    c.books.trace(stage::fragment, result.complete ? decision_kind::forward : decision_kind::drop,
                  result.complete ? drop_reason::none : drop_reason::fragmentation_failed,
                  plan.to.interface, result.created);
    c.books.count(mib::ip_frag_creates, result.created);
    // The packet was fragmented: it ends here in both cases.
    if (!result.complete) {
        return dropped(c.books, drop_reason::fragmentation_failed);
    }
    c.books.count(mib::ip_frag_oks);
    c.books.tally(balance::absorbed);
    return fate::forwarded;
}

template <class Core>
[[gnu::always_inline]] constexpr fate hand_over(Core& c, typename Core::packet_type&& packet,
                                                const egress_plan& plan) noexcept {
    if constexpr (!Core::device_type::output_type::takes_segmented) {
        if (packet.is_segmented()) {
            packet = std::as_const(packet).copy();
            if (!packet) {
                return drop(c.books, std::move(packet), drop_reason::no_buffer);
            }
        }
    }
    c.books.trace(stage::output, decision_kind::forward, drop_reason::none, plan.to.interface,
                  packet.size());
    if (!c.device.output.transmit(packet, plan.to, c.calls.now.now)) {
        return drop(c.books, std::move(packet), drop_reason::output_refused);
    }
    c.books.tally(balance::transmitted);
    return fate::forwarded;
}

// Does what the output does not do itself: segments, a pending checksum. Linux validate_xmit_skb.
template <class Core>
[[gnu::noinline]] constexpr fate finish_for_device(Core& c, typename Core::packet_type&& packet,
                                                   const egress_plan& plan) noexcept {
    using output_type = typename Core::device_type::output_type;
    const metadata& known = std::as_const(packet).metadata();
    const bool taken = offloads_of(c.device.output, plan.to).takes(known) &&
                       pipeline::is_plain_to_device(packet) &&
                       (output_type::takes_segmented || !packet.is_segmented());
    if (!taken && known.segmentation != segmentation_kind::none) {
        return for_each_segment(c, std::move(packet), plan, to_device<Core>);
    }
    if (!taken && !rewrite::finish_checksum(packet)) {
        return drop(c.books, std::move(packet), drop_reason::offload_failed);
    }
    return hand_over(c, std::move(packet), plan);
}

template <class Core>
[[gnu::always_inline]] constexpr fate to_device(Core& c, typename Core::packet_type&& packet,
                                                const egress_plan& plan) noexcept {
    return packet.has_metadata() ? finish_for_device(c, std::move(packet), plan)
                                 : hand_over(c, std::move(packet), plan);
}

}  // namespace detail

// The fate of a packet; or the decision why it cannot be sent, and the packet stays with the
// caller.
struct departure {
    fate what = fate::dropped;
    decision refused = decision::proceed();

    [[nodiscard]] constexpr bool has_left() const noexcept { return refused.proceeds(); }
};

// Sends a packet behind the postrouting hook.
template <class Core>
[[nodiscard, gnu::always_inline]] constexpr departure
depart_rest(Core& c, typename Core::packet_type& packet, const egress_plan& plan) noexcept {
    switch (pipeline::fit(std::as_const(packet), plan.mtu)) {
    case pipeline::fitting::whole:
        return {detail::transmit(c, std::move(packet), plan)};
    case pipeline::fitting::segments:  // each is fragmented, as in Linux ip_finish_output_gso
        return {
            detail::for_each_segment(c, std::move(packet), plan, detail::transmit_fragments<Core>)};
    case pipeline::fitting::fragments:
        return {detail::transmit_fragments(c, std::move(packet), plan)};
    case pipeline::fitting::too_big:
        break;
    }
    const decision refused = pipeline::too_big(plan.mtu);
    c.books.trace(stage::fragment, refused, plan.to.interface);
    return {.refused = refused};
}

template <class Core>
[[nodiscard, gnu::always_inline]] constexpr departure
depart(Core& c, typename Core::packet_type& packet, const egress_plan& plan) noexcept {
    const auto for_later = [&c, &plan]() noexcept {
        return behind_hooks{.plan = plan, .since = c.calls.now.now};
    };
    if (const passage p = pass_hook(c.gates, c.books, hook_point::postrouting, packet,
                                    packet.interface(), plan.to.interface, for_later);
        !p) {
        return {p.ended_as};
    }
    return depart_rest(c, packet, plan);
}

}  // namespace sluice::acts
