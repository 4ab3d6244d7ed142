// forget: drops or corrects learned exceptions when their routes or interfaces change.
//
// Expects: stack_tables; a call after each change.
// Cost:    a walk over the exceptions.
// Source:  Linux fib_flush, fib_sync_mtu.
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

// After routes were removed: keeps an exception only if its destination still has the same next
// hop.
template <class Tables>
constexpr void routes_removed(Tables& t) noexcept {
    t.changed();
    if (t.exceptions.any()) {
        t.exceptions.keep_if([&t](const exception_key& k, route_exception&) {
            bool stays = false;
            const auto compare = [&](next_hop id) {
                stays = stays || key_of(k.destination, t.routes.at(id)) == k;
            };
            if constexpr (asks_rules<typename Tables::routes_type>) {
                t.routes.for_each_answer(k.destination, compare);
            } else if (const next_hop id = t.routes.lookup(k.destination); id != next_hop::none) {
                compare(id);
            }
            return stays;
        });
    }
}

template <class Tables>
constexpr void interface_went_down(Tables& t, u16 index) noexcept {
    t.exceptions.keep_if(
        [index](const exception_key& k, route_exception&) { return k.interface != index; });
}

// Linux fib_nhc_update_mtu. An MTU above the largest datagram counts as that.
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
