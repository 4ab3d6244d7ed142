// deliver: delivers a datagram to this host: reassembly, local_in hook, raw taps, then its
// protocol.
//
// ICMP and UDP are built in unless a handler replaces them. An unknown protocol is answered with
// protocol unreachable.
//
// Expects: a datagram that was classified as local.
// Never:   delivers a fragment.
// Cost:    that of the stages.
// Source:  RFC 1122 section 3.2.1 and 3.3.2; Linux ip_local_deliver, ip_protocol_deliver_rcu.
#pragma once

#include <sluice/stack/handle.hpp>
#include <sluice/stack/icmp_receive.hpp>
#include <sluice/stack/igmp_receive.hpp>
#include <sluice/stack/udp_receive.hpp>

#include <utility>

namespace sluice::acts {

namespace detail {

// Properties of a datagram that its protocol needs.
struct local_arrival {
    route_type type = route_type::local;
    bool tapped = false;  // raw endpoints took copies of it
};

template <class Core>
constexpr fate to_no_endpoint(Core& c, typename Core::packet_type&& packet,
                              const local_arrival& arrival) noexcept {
    if (arrival.tapped) {
        c.books.count(mib::ip_in_delivers);
        c.books.tally(balance::absorbed);  // its copies were delivered
        return fate::absorbed;
    }
    return refuse_delivery(
        c, std::move(packet),
        decision::reject(drop_reason::protocol_unknown, icmp_request::protocol_unreachable()),
        arrival.type);
}

// Gives each matching raw endpoint a copy.
template <class Core>
[[nodiscard]] constexpr bool tap(Core& c, const unsummed_datagram<typename Core::packet_type>& d,
                                 const delivery_info& info) noexcept {
    const delivery_count taps = c.local.delivery.tap(d, info);
    c.books.tally(balance::copied, taps.taken + u64{taps.full});
    c.books.tally(balance::delivered, taps.taken);
    c.books.count_drops(drop_reason::tap_full, taps.full);
    return taps.any();
}

template <class Local>
[[nodiscard]] constexpr bool needs_no_policy(Local& local, u8 protocol) noexcept {
    const auto* h = local.delivery.handler(protocol);
    return h != nullptr && h->needs_no_policy();
}

// The stack's built-in handling of a protocol.
template <class Core>
constexpr fate to_built_in(Core& c, unsummed_datagram<typename Core::packet_type>&& d,
                           delivery_info& info, const local_arrival& arrival) noexcept {
    switch (info.protocol) {
    case ipv4::protocols::icmp:
        c.books.count(mib::ip_in_delivers);
        return receive_icmp(c, std::move(d), info, arrival.type);
    case ipv4::protocols::udp:
    case ipv4::protocols::udp_lite:
        c.books.count(mib::ip_in_delivers);
        return receive_udp(c, std::move(d), info, arrival.type);
    case ipv4::protocols::igmp:
        return receive_igmp(c, std::move(d));
    default:
        return to_no_endpoint(c, std::move(d).release(), arrival);
    }
}

// Raw taps, then the handler; repeated, within a limit, when a handler asks for another protocol.
template <class Core>
constexpr fate to_protocol(Core& c, unsummed_datagram<typename Core::packet_type>&& d,
                           delivery_info& info, route_type type) noexcept {
    constexpr unsigned max_resubmissions = 4;
    for (unsigned i = 0; i <= max_resubmissions; ++i) {
        const drop_reason refused = refusal(
            c.gates, security_point::in, d.packet(),
            {info.interface, 0,
             type == route_type::broadcast ? destination_form::broadcast : destination_form::host});
        if (refused != drop_reason::none && !needs_no_policy(c.local, info.protocol)) {
            return drop(c.books, std::move(d).release(), refused);
        }
        const bool tapped = refused == drop_reason::none && tap(c, d, info);
        const handled h = handle(c, d, info, type);
        switch (h.how) {
        case handling::ended:
            return h.what;
        case handling::unwanted:
            return to_no_endpoint(c, std::move(d).release(), {.type = type});
        case handling::built_in:
            return to_built_in(c, std::move(d), info, {.type = type, .tapped = tapped});
        case handling::again:
            break;
        }
    }
    return drop(c.books, std::move(d).release(), drop_reason::protocol_unknown);
}

// The rest of delivery, behind the local_in hook, which may have removed the ingress.
template <class Core>
constexpr fate deliver_rest(Core& c, unsummed_datagram<typename Core::packet_type>&& d,
                            route_type type, u16 ingress) noexcept {
    if (c.tables.running(ingress) == nullptr) {
        return drop(c.books, std::move(d).release(), drop_reason::interface_down);
    }
    delivery_info info = pipeline::delivery_info_of(c.tables.look_up(), d, ingress, type);
    c.books.trace(stage::deliver, decision_kind::deliver, drop_reason::none, ingress,
                  d.packet().size(), info.protocol);
    return to_protocol(c, std::move(d), info, type);
}

}  // namespace detail

template <class Core>
constexpr fate deliver(Core& c, unsummed_datagram<typename Core::packet_type>&& d, route_type type,
                       const interface& in) noexcept {
    if (ipv4::is_fragment(d.header())) {
        auto whole = reassemble(c, std::move(d), reassembly_user::local_delivery, in);
        if (!whole.has_value()) {
            return whole.error();
        }
        d = std::move(*whole);
    }
    const u16 ingress = in.index;
    const auto for_later = [&c, type]() noexcept {
        return behind_hooks{.delivered_as = type, .since = c.calls.now.now};
    };
    if (const passage p =
            pass_hook(c.gates, c.books, hook_point::local_in, d, ingress, 0, for_later);
        !p) {
        return p.ended_as;
    }
    return detail::deliver_rest(c, std::move(d), type, ingress);
}

}  // namespace sluice::acts
