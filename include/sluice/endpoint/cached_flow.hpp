// cached_flow<Stack>: the way of one flow, kept as long as it holds. Expects: the same stack with
// each call. Does: asks the stack for route and source, and again once routes, interfaces,
// addresses, switches or what was learned of paths changed, or a learned path expired. Never: holds
// what another flow is given. Cost: a comparison while the way holds; a lookup otherwise. Linux
// sk_dst_check, ip_queue_xmit.
#pragma once

#include <sluice/base/time.hpp>
#include <sluice/route/exceptions.hpp>
#include <sluice/routing/output_route.hpp>

namespace sluice {

template <class Stack>
class cached_flow {
public:
    using route_result = result<routing::output_route, routing::send_error>;

    [[nodiscard]] route_result route(Stack& s, const routing::flow& wanted, moment now) noexcept {
        if (known_ && wanted == wanted_ && version_ == s.route_generation() && now.now < expires_) {
            return route_;
        }
        const route_result found = s.route(wanted, now);
        known_ = found.has_value();
        if (known_) {
            wanted_ = wanted;
            route_ = *found;
            version_ = s.route_generation();
            expires_ = expiry(s, now);
            ++lookups_;
        }
        return found;
    }
    // How often the stack was asked and gave a way.
    [[nodiscard]] u64 lookups() const noexcept { return lookups_; }

private:
    [[nodiscard]] instant expiry(const Stack& s, moment now) const noexcept {
        if (route_.route == next_hop::none || !s.exceptions().any()) {
            return instant::never();
        }
        const route_exception* learned =
            s.exceptions().find(key_of(route_.destination, s.routes().at(route_.route)), now.now);
        return learned != nullptr ? learned->expires : instant::never();
    }

    routing::flow wanted_{};
    routing::output_route route_{};
    instant expires_{};
    u64 lookups_ = 0;
    u32 version_ = 0;
    bool known_ = false;
};

}  // namespace sluice
