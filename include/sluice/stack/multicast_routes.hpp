// multicast_routes: what a routing program changes in the tables of multicast routing: it opens and
// closes them, adds and removes VIFs and entries.
//
// An interface forwards multicast only while the tables are open and it has a VIF. Packets that
// waited for a new entry leave at once, or, within a call, when that call is done.
//
// Expects: a policy with tables (multicast/forwarding_cache.hpp).
// Cost:    a change of a VIF recompiles the switches of all interfaces.
// Source:  Linux ip_mroute_setsockopt, vif_add, mrtsock_destruct.
#pragma once

#include <sluice/multicast/route_concept.hpp>
#include <sluice/stack/multicast_forward.hpp>
#include <sluice/stack/switches.hpp>

#include <utility>

namespace sluice::acts {

namespace detail {

// The interface forwards multicast if it has a VIF.
template <class Core>
constexpr void refresh_multicast(Core& c, u16 index) noexcept {
    const bool on = c.multicast.find_vif(index) != no_vif;
    change_switches_of(c.tables, index, [on](interface_settings& s) { s.mc_forwarding = on; });
}

}  // namespace detail

// Linux MRT_INIT.
template <class Core>
constexpr result<void, multicast_error> open_multicast_routes(Core& c) noexcept {
    if (std::exchange(c.multicast.is_open, true)) {
        return failure{multicast_error::in_use};
    }
    change_switches(c.tables, [](settings& s) { s.all.mc_forwarding = true; });
    return {};
}

// Linux MRT_ADD_VIF.
// Deviation: a tunnel VIF names an interface that is a tunnel already (link/tunnels.hpp); Linux
// makes the tunnel.
template <class Core>
constexpr result<void, multicast_error> add_vif(Core& c, u8 number,
                                                const virtual_interface& v) noexcept {
    if (!c.multicast.is_open) {
        return failure{multicast_error::not_open};
    }
    const bool is_free = number < max_vifs && c.multicast.vif(number) == nullptr;
    if (is_free && c.tables.interfaces.find(v.interface) == nullptr) {
        return failure{multicast_error::not_found};
    }
    auto added = c.multicast.add_vif(number, v);
    if (added.has_value()) {
        detail::refresh_multicast(c, v.interface);
    }
    return added;
}

// Linux MRT_DEL_VIF.
template <class Core>
constexpr result<void, multicast_error> remove_vif(Core& c, u8 number) noexcept {
    const virtual_interface* v = c.multicast.vif(number);
    const u16 index = v != nullptr ? v->interface : u16{0};
    auto removed = c.multicast.remove_vif(number);
    if (removed.has_value()) {
        detail::refresh_multicast(c, index);
    }
    return removed;
}

// Removes the VIFs of a removed interface. Linux ipmr_device_event.
template <class Core>
constexpr void forget_vifs_of(Core& c, u16 index) noexcept {
    for (u8 n = c.multicast.find_vif(index); n != no_vif; n = c.multicast.find_vif(index)) {
        static_cast<void>(c.multicast.remove_vif(n));
    }
}

// Adds or replaces an entry; sends the packets that waited for it. Linux MRT_ADD_MFC.
template <class Core>
constexpr result<void, multicast_error> add_multicast_route(Core& c, const multicast_entry& e,
                                                            entry_match match) noexcept {
    auto added = c.multicast.add(e, match);
    while (added.has_value()) {
        auto packet = c.multicast.take_held(e.source, e.group);
        if (!packet) {
            break;
        }
        if (c.calls.is_nested()) {
            static_cast<void>(
                put_off(c, {.packet = std::move(packet), .kind = work_kind::multicast}));
        } else {
            static_cast<void>(resume_multicast(c, std::move(packet)));
        }
    }
    return added;
}

// Linux MRT_FLUSH of entries.
template <class Core>
constexpr void flush_multicast_routes(Core& c, multicast_flush which) noexcept {
    c.books.count_drops(drop_reason::no_multicast_route, c.multicast.flush(which));
}

// Linux MRT_FLUSH of VIFs.
template <class Core>
constexpr void flush_vifs(Core& c) noexcept {
    for (u8 n = 0; n < max_vifs; ++n) {
        static_cast<void>(remove_vif(c, n));
    }
}

// The routing program ends: forwarding stops; VIFs and entries go, static entries stay. Linux
// MRT_DONE.
template <class Core>
constexpr void close_multicast_routes(Core& c) noexcept {
    c.multicast.is_open = false;
    change_switches(c.tables, [](settings& s) { s.all.mc_forwarding = false; });
    flush_vifs(c);
    flush_multicast_routes(c, {.entries = true});
}

}  // namespace sluice::acts
