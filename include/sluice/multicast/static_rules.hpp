// static_multicast_rules<N>: a routing program of rules: which packets to groups, by source, group
// and VIF, go to which VIFs. For networks whose receivers are known, with no daemon and no IGMP.
//
// The first rule that matches counts. entry() says how packets of a flow are forwarded: give it to
// a stack when the tables have no entry (add_entry_for, multicast/igmp_proxy.hpp).
//
// Never:   allocates; hears a message.
// Cost:    a scan of the rules for each new flow.
#pragma once

#include <sluice/base/bounded_vector.hpp>
#include <sluice/multicast/route_concept.hpp>

#include <cstddef>

namespace sluice {

struct multicast_rule {
    ipv4::prefix sources{};                             // default: any
    ipv4::prefix groups{ipv4::address{0xe0000000}, 4};  // default: any
    u8 upstream = no_vif;                               // no_vif: any
    // By VIF, as in multicast_entry. The upstream VIF is left out.
    std::array<u8, max_vifs> thresholds{};
};

template <std::size_t N = 32>
class static_multicast_rules {
public:
    // Adds a rule behind the others. false: full, or the groups are no groups.
    [[nodiscard]] constexpr bool add(const multicast_rule& r) noexcept {
        return r.groups.base.is_multicast() && r.groups.length >= 4 && rules_.push_back(r);
    }
    constexpr void clear() noexcept { rules_.clear(); }

    // Without a rule the packets go nowhere.
    [[nodiscard]] constexpr multicast_entry entry(ipv4::address source, ipv4::address group,
                                                  u8 ingress, instant) const noexcept {
        multicast_entry e{.source = source, .group = group, .upstream = ingress};
        for (const multicast_rule& r : rules_) {
            if (r.sources.contains(source) && r.groups.contains(group) &&
                (r.upstream == no_vif || r.upstream == ingress)) {
                e.thresholds = r.thresholds;
                if (ingress < max_vifs) {
                    e.thresholds[ingress] = 0;
                }
                break;
            }
        }
        return e;
    }

private:
    bounded_vector<multicast_rule, N> rules_{};
};

}  // namespace sluice
