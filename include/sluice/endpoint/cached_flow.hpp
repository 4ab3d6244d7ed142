// cached_flow<Stack>: the route and source address of one flow, cached while they are valid.
//
// It asks the stack again when the flow or the route generation changed (routes, interfaces,
// addresses, switches, learned paths), or when a learned path expired.
//
// Expects: the same stack with each call.
// Never:   answers one flow with the route of another.
// Cost:    a comparison while the route is valid; else a lookup.
// Source:  Linux sk_dst_check, ip_queue_xmit.
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
        if (wanted == wanted_ && is_valid(s, now)) {
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
    // Whether the route of the last flow still holds.
    [[nodiscard]] bool is_valid(const Stack& s, moment now) const noexcept {
        return known_ && version_ == s.route_generation() && now.now < expires_;
    }
    // How many lookups found a route.
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
