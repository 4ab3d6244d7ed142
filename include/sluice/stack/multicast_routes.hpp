// multicast_routes: what a routing program changes in the tables of multicast routing: it opens and
// closes them, adds and removes VIFs and entries.
//
// An interface forwards multicast only while a table is open and it has a VIF in one. Packets that
// waited for a new entry leave at once, or, within a call, when that call is done. `number` names
// the table; a policy with one table knows it by default_multicast_table alone.
//
// Expects: a policy with tables (multicast/forwarding_cache.hpp, multicast/multicast_tables.hpp).
// Cost:    a change of a VIF recompiles the switches of all interfaces.
// Source:  Linux ip_mroute_setsockopt, vif_add, mrtsock_destruct.
#pragma once

#include <sluice/multicast/route_concept.hpp>
#include <sluice/stack/multicast_forward.hpp>
#include <sluice/stack/switches.hpp>

#include <utility>

namespace sluice::acts {

namespace detail {

// The interface forwards multicast if it has a VIF in some table.
template <class Core>
constexpr void refresh_multicast(Core& c, u16 index) noexcept {
    bool on = false;
    for_each_multicast_table(c.multicast, [&](u32, auto& table) noexcept {
        on = on || table.find_vif(index) != no_vif;
    });
    change_switches_of(c.tables, index, [on](interface_settings& s) { s.mc_forwarding = on; });
}

template <class Core>
constexpr void refresh_multicast(Core& c) noexcept {
    bool on = false;
    for_each_multicast_table(c.multicast,
                             [&](u32, auto& table) noexcept { on = on || table.is_open; });
    change_switches(c.tables, [on](settings& s) { s.all.mc_forwarding = on; });
}

// The table that a program opens.
template <class Model>
[[nodiscard]] constexpr auto* made_multicast_table(Model& m, u32 number) noexcept {
    if constexpr (has_multicast_tables<Model>) {
        return m.make_table(number);
    } else {
        return multicast_table(m, number);
    }
}

}  // namespace detail

// Makes the table if it is a new one. Linux MRT_TABLE, MRT_INIT.
template <class Core>
constexpr result<void, multicast_error>
open_multicast_routes(Core& c, u32 number = default_multicast_table) noexcept {
    auto* const table = detail::made_multicast_table(c.multicast, number);
    if (table == nullptr) {
        return failure{multicast_error::full};
    }
    if (std::exchange(table->is_open, true)) {
        return failure{multicast_error::in_use};
    }
    detail::refresh_multicast(c);
    return {};
}

// Linux MRT_ADD_VIF.
// Deviation: a tunnel VIF names an interface that is a tunnel already (link/tunnels.hpp); Linux
// makes the tunnel.
template <class Core>
constexpr result<void, multicast_error> add_vif(Core& c, u8 vif, const virtual_interface& v,
                                                u32 number = default_multicast_table) noexcept {
    auto* const table = multicast_table(c.multicast, number);
    if (table == nullptr || !table->is_open) {
        return failure{multicast_error::not_open};
    }
    const bool is_free = vif < max_vifs && table->vif(vif) == nullptr;
    if (is_free && c.tables.interfaces.find(v.interface) == nullptr) {
        return failure{multicast_error::not_found};
    }
    auto added = table->add_vif(vif, v);
    if (added.has_value()) {
        detail::refresh_multicast(c, v.interface);
    }
    return added;
}

// Linux MRT_DEL_VIF.
template <class Core>
constexpr result<void, multicast_error> remove_vif(Core& c, u8 vif,
                                                   u32 number = default_multicast_table) noexcept {
    auto* const table = multicast_table(c.multicast, number);
    if (table == nullptr) {
        return failure{multicast_error::not_found};
    }
    const virtual_interface* v = table->vif(vif);
    const u16 index = v != nullptr ? v->interface : u16{0};
    auto removed = table->remove_vif(vif);
    if (removed.has_value()) {
        detail::refresh_multicast(c, index);
    }
    return removed;
}

// Removes the VIFs of a removed interface. Linux ipmr_device_event.
template <class Core>
constexpr void forget_vifs_of(Core& c, u16 index) noexcept {
    for_each_multicast_table(c.multicast, [index](u32, auto& table) noexcept {
        for (u8 n = table.find_vif(index); n != no_vif; n = table.find_vif(index)) {
            static_cast<void>(table.remove_vif(n));
        }
    });
}

// Adds or replaces an entry; sends the packets that waited for it. Linux MRT_ADD_MFC.
template <class Core>
constexpr result<void, multicast_error>
add_multicast_route(Core& c, const multicast_entry& e, entry_match match,
                    u32 number = default_multicast_table) noexcept {
    auto* const table = multicast_table(c.multicast, number);
    if (table == nullptr) {
        return failure{multicast_error::not_found};
    }
    auto added = table->add(e, match);
    while (added.has_value()) {
        auto packet = table->take_held(e.source, e.group);
        if (!packet) {
            break;
        }
        if (c.calls.is_nested()) {
            static_cast<void>(put_off(
                c, {.packet = std::move(packet), .number = number, .kind = work_kind::multicast}));
        } else {
            static_cast<void>(resume_multicast(c, *table, std::move(packet)));
        }
    }
    return added;
}

// Linux MRT_DEL_MFC.
template <class Core>
constexpr result<void, multicast_error>
remove_multicast_route(Core& c, const multicast_entry& e, entry_match match, u32 number) noexcept {
    auto* const table = multicast_table(c.multicast, number);
    return table != nullptr ? table->remove(e, match)
                            : result<void, multicast_error>{failure{multicast_error::not_found}};
}

// Linux MRT_FLUSH of entries.
template <class Core>
constexpr void flush_multicast_routes(Core& c, multicast_flush which,
                                      u32 number = default_multicast_table) noexcept {
    if (auto* const table = multicast_table(c.multicast, number)) {
        c.books.count_drops(drop_reason::no_multicast_route, table->flush(which));
    }
}

// Linux MRT_FLUSH of VIFs.
template <class Core>
constexpr void flush_vifs(Core& c, u32 number = default_multicast_table) noexcept {
    for (u8 n = 0; n < max_vifs; ++n) {
        static_cast<void>(remove_vif(c, n, number));
    }
}

// The routing program of a table ends: its VIFs and entries go, static entries stay. Linux
// MRT_DONE.
template <class Core>
constexpr void close_multicast_routes(Core& c, u32 number = default_multicast_table) noexcept {
    auto* const table = multicast_table(c.multicast, number);
    if (table == nullptr) {
        return;
    }
    table->is_open = false;
    detail::refresh_multicast(c);
    flush_vifs(c, number);
    flush_multicast_routes(c, {.entries = true}, number);
}

}  // namespace sluice::acts
