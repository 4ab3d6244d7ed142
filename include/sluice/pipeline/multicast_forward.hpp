// multicast_forward: decides by the multicast tables what becomes of a datagram to a group: copies
// to VIFs, a report of the wrong interface, or waiting for an entry.
//
// Expects: a datagram that was classified as routed by the multicast tables; the interface that it
//          came by, or, for one that this host sent, left by.
// Never:   changes the datagram or the tables; sends, counts.
// Cost:    one lookup of the tables.
// Source:  RFC 1812 section 5.3.10; Linux ip_mr_input, ip_mr_forward.
#pragma once

#include <sluice/multicast/route_concept.hpp>
#include <sluice/wire/ipv4.hpp>

namespace sluice::pipeline {

enum class multicast_step : u8 {
    forward,          // to the VIFs of the route, which may be none
    wrong_interface,  // the entry expects another interface
    ignore,           // sent by this host through another interface than the entry expects
    no_entry,         // the packet waits for an entry
    no_vif,           // the interface is no VIF, and there is no entry
};

struct multicast_decision {
    multicast_step step = multicast_step::no_vif;
    multicast_route route{};
};

// sent_here: this host sent the datagram, and the interface is its egress.
template <class Routes>
[[nodiscard]] constexpr multicast_decision multicast_forward(const Routes& routes,
                                                             ipv4::const_view ip, u16 interface,
                                                             bool sent_here) noexcept {
    multicast_decision d{
        .route = routes.find(ip[ipv4::source], ip[ipv4::destination], interface, ip[ipv4::ttl])};
    if (!d.route.is_known()) {
        d.step = d.route.ingress == no_vif ? multicast_step::no_vif : multicast_step::no_entry;
    } else if (d.route.is_accepted) {
        d.step = multicast_step::forward;
    } else {
        d.step = sent_here ? multicast_step::ignore : multicast_step::wrong_interface;
    }
    return d;
}

}  // namespace sluice::pipeline
