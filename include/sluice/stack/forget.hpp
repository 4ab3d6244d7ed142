// forget: what was learned goes when what it stands on changes.
// Expects: stack_tables; to be told after the change. Does: drops or mends exceptions. Never: looks
// at packets. Cost: a walk over the exceptions. Linux fib_flush, fib_sync_mtu.
#pragma once

#include <sluice/route/exceptions.hpp>
#include <sluice/stack/tables.hpp>

namespace sluice::acts {

// Linux `ip route flush cache`.
template <class Tables>
constexpr void forget_exceptions(Tables& t) noexcept {
    t.exceptions.keep_if([](const exception_key&, route_exception&) { return false; });
    t.changed();
}

// After a route went: what was learned of its next hop goes, unless another route leads there.
template <class Tables>
constexpr void routes_removed(Tables& t) noexcept {
    t.changed();
    if (t.exceptions.any()) {
        t.exceptions.keep_if([&t](const exception_key& k, route_exception&) {
            const next_hop id = t.routes.lookup(k.destination);
            return id != next_hop::none && key_of(k.destination, t.routes.at(id)) == k;
        });
    }
}

template <class Tables>
constexpr void interface_went_down(Tables& t, u16 index) noexcept {
    t.exceptions.keep_if(
        [index](const exception_key& k, route_exception&) { return k.interface != index; });
}

// Linux fib_nhc_update_mtu. Above the largest datagram an MTU limits nothing.
template <class Tables>
constexpr void interface_mtu_changed(Tables& t, u16 index, u32 mtu, u32 before) noexcept {
    const auto limit = [](u32 m) {
        return static_cast<u16>(m < ipv4::max_total_length ? m : ipv4::max_total_length);
    };
    const u16 fits = limit(mtu);
    const u16 fitted = limit(before);
    t.exceptions.keep_if([=](const exception_key& k, route_exception& e) {
        if (k.interface != index || e.mtu == 0) {
            return true;
        }
        if (e.mtu_locked ? fits <= e.mtu : fits < e.mtu || e.mtu == fitted) {
            e.mtu = fits;
            e.mtu_locked = false;
        }
        return true;
    });
}

}  // namespace sluice::acts
