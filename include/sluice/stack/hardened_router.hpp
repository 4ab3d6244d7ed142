// hardened_router: a router that follows the RFCs where Linux does not, and trusts less.
//
// It has strict reverse path (RFC 2827), no source routes (RFC 7126 section 4.3), no redirects in
// or out, no unicast in link-layer multicast (RFC 1122 section 3.3.6), no special addresses outside
// their roles (RFC 6890), no directed broadcasts (RFC 2644), no tiny fragments of TCP (RFC 3128), a
// sixteenth of the fragment memory per source (RFC 1858), and only the options that RFC 7126 does
// not advise to drop.
// No ICMP error changes a route: any host can forge one, and a learned path also counts for
// forwarded packets. So the router learns none, and sends its own datagrams without DF (RFC 1191
// section 6.5 allows a host to do without discovery; RFC 5927 section 7 says why).
//
// Cost:    every packet takes the full path: the accept branch has none of these checks.
#pragma once

#include <sluice/security/all_of.hpp>
#include <sluice/security/directed_broadcasts.hpp>
#include <sluice/security/option_filter.hpp>
#include <sluice/security/special_addresses.hpp>
#include <sluice/security/tiny_fragments.hpp>
#include <sluice/stack/presets.hpp>

namespace sluice {

struct hardened_router
    : policies<based_on<linux_router>, exceptions<no_exceptions>,
               reassembly<bounded_cache<3584, overlap::reject_datagram, 3584, on_full::refuse, 16>>,
               security<all_of<special_addresses, no_directed_broadcasts, tiny_fragments,
                               option_filter>>> {
    [[nodiscard]] static constexpr settings initial_settings() noexcept {
        settings s = settings::of_router();
        s.ip_no_pmtu_disc = 3;
        for (interface_settings* conf : {&s.all, &s.defaults}) {
            conf->rp_filter = 1;
            conf->accept_source_route = false;
            conf->accept_redirects = false;
            conf->send_redirects = false;
            conf->drop_unicast_in_l2_multicast = true;
        }
        return s;
    }
};

}  // namespace sluice
