// alert: delivers copies of datagrams with a router alert, which this host would forward, to the
// endpoints that registered for them.
//
// It reassembles fragments first.
//
// Expects: a datagram with the option.
// Never:   forwards.
// Cost:    a scan of the listeners.
// Source:  RFC 2113 section 2.1; Linux ip_call_ra_chain.
#pragma once

#include <sluice/pipeline/delivery_info.hpp>
#include <sluice/stack/reassemble.hpp>

#include <utility>

namespace sluice::acts {

// Returns the datagram if no endpoint listens: it is to be forwarded. Else returns the fate:
// absorbed, or that of a fragment. A datagram that listeners take counts only as received.
template <class Core>
[[nodiscard]] constexpr result<unsummed_datagram<typename Core::packet_type>, fate>
pass_listeners(Core& c, unsummed_datagram<typename Core::packet_type>&& alerted,
               const interface& in) noexcept {
    unsummed_datagram<typename Core::packet_type> d = std::move(alerted);
    if (!c.local.delivery.has_alert_listener(d.header()[ipv4::protocol], in.index)) {
        return d;
    }
    if (ipv4::is_fragment(d.header())) {
        auto whole = reassemble(c, std::move(d), reassembly_user::router_alert, in);
        if (!whole.has_value()) {
            return failure{whole.error()};
        }
        d = std::move(*whole);
    }
    delivery_info info =
        pipeline::delivery_info_of(c.tables.look_up(), d, in.index, route_type::unicast);
    info.broadcast_or_multicast = false;
    const delivery_count n = c.local.delivery.alert(d, info);
    c.books.tally(balance::copied, n.taken + u64{n.full});
    c.books.tally(balance::delivered, n.taken);
    c.books.count_drops(drop_reason::tap_full, n.full);
    c.books.tally(balance::absorbed);
    static_cast<void>(std::move(d).release());
    return failure{fate::absorbed};
}

}  // namespace sluice::acts
