// igmp_change: changes of membership: groups joined and left, filters merged, interfaces up and
// down.
//
// The filters of all listeners become one filter of the interface. Each change of that filter is
// noted with the number of reports that shall name it.
//
// Expects: igmp_state with the time of the change.
// Cost:    one look at each source of the group for a change of its filter.
// Source:  RFC 3376 section 3.2 and 5.1; Linux ip_mc_inc_group, ip_mc_dec_group, ip_mc_add_src,
//          ip_mc_del_src, ip_mc_up, ip_mc_down.
#pragma once

#include <sluice/multicast/igmp_state.hpp>

#include <span>

namespace sluice::detail {

using source_span = std::span<const ipv4::address>;

// Notes which sources the filter names before a change. Linux sf_markstate.
template <class State>
constexpr void mark_sources(State& s, const multicast_group& g) noexcept {
    for_each_source(s, g.sources, [&](u32 i) { s.sources[i].was_active = g.names(s.sources[i]); });
}

// The report of a new mode names all sources, so that single changes need no report any more. An
// answer about some sources, which waits, becomes one about all.
template <class State>
constexpr void mode_changed(State& s, igmp_interface& in, multicast_group& g) noexcept {
    g.changes_left = in.robustness;
    g.asked = false;
    s.sources.clear(g.removed);
    for_each_source(s, g.sources, [&](u32 i) { s.sources[i].changes_left = 0; });
    s.changed(in);
}

// Notes what a change did to the sources that the filter names. false: nothing. Where the removed
// sources have no room, a report of the whole filter takes the place of single changes. Linux
// sf_setstate, which then reports nothing.
template <class State>
constexpr bool note_sources(State& s, igmp_interface& in, u32 group) noexcept {
    multicast_group& g = s.groups[group];
    bool any = false;
    bool fits = true;
    for_each_source(s, g.sources, [&](u32 i) {
        multicast_source& source = s.sources[i];
        const bool active = g.names(source);
        if (active == source.was_active) {
            return;
        }
        any = true;
        u32 removed = s.sources.find(group, source_kind::removed, source.address);
        if (active) {
            if (removed != no_entry) {
                s.sources.erase(g.removed, removed);
            }
            source.changes_left = in.robustness;
            return;
        }
        source.changes_left = 0;
        if (removed == no_entry) {
            removed = s.sources.add(g.removed, group, source_kind::removed, source.address);
        }
        if (removed != no_entry) {
            s.sources[removed].changes_left = in.robustness;
        }
        fits = fits && removed != no_entry;
    });
    if (!fits) {
        mode_changed(s, in, g);
    }
    return any;
}

// Takes one listener from a source. true: its removal is to be reported. Linux ip_mc_del1_src.
template <class State>
constexpr bool remove_source(State& s, const igmp_interface& in, u32 group, filter_mode mode,
                             ipv4::address a) noexcept {
    multicast_group& g = s.groups[group];
    const u32 i = s.sources.find(group, source_kind::present, a);
    if (i == no_entry || s.sources[i].count(mode) == 0) {
        return false;
    }
    multicast_source& source = s.sources[i];
    --source.count(mode);
    if (source.count(filter_mode::include) != 0 || source.count(filter_mode::exclude) != 0) {
        return false;
    }
    const bool told = source.was_active && s.version(in) == 3;
    if (!told) {
        s.sources.erase(g.sources, i);
        return false;
    }
    if (const u32 old = s.sources.find(group, source_kind::removed, a); old != no_entry) {
        s.sources.erase(g.removed, old);
    }
    source.changes_left = in.robustness;
    s.sources.retire(g.sources, g.removed, i);
    return true;
}

// Adds a listener's sources to the filter of the interface, and the listener too if it is new or
// has changed its mode. false: no room for the sources; nothing changed. Linux ip_mc_add_src.
template <class State>
constexpr bool add_sources(State& s, igmp_interface& in, u32 group, filter_mode mode,
                           source_span added, bool new_listener) noexcept {
    multicast_group& g = s.groups[group];
    mark_sources(s, g);
    const bool excluded = g.mode == filter_mode::exclude;
    g.count(mode) += new_listener ? 1 : 0;
    for (std::size_t n = 0; n < added.size(); ++n) {
        u32 i = s.sources.find(group, source_kind::present, added[n]);
        if (i == no_entry) {
            i = s.sources.add(g.sources, group, source_kind::present, added[n]);
        }
        if (i == no_entry) {
            g.count(mode) -= new_listener ? 1 : 0;
            for (const ipv4::address a : added.first(n)) {
                static_cast<void>(remove_source(s, in, group, mode, a));
            }
            return false;
        }
        ++s.sources[i].count(mode);
    }
    const bool excludes = g.count(filter_mode::exclude) != 0;
    if (excluded != excludes) {
        g.mode = excludes                             ? filter_mode::exclude
                 : g.count(filter_mode::include) != 0 ? filter_mode::include
                                                      : g.mode;
        mode_changed(s, in, g);
    } else if (note_sources(s, in, group)) {
        s.changed(in);
    }
    return true;
}

// The reverse. Linux ip_mc_del_src.
template <class State>
constexpr void remove_sources(State& s, igmp_interface& in, u32 group, filter_mode mode,
                              source_span removed, bool old_listener) noexcept {
    multicast_group& g = s.groups[group];
    if (old_listener && g.count(mode) == 0) {
        return;
    }
    mark_sources(s, g);
    g.count(mode) -= old_listener ? 1 : 0;
    bool any = false;
    for (const ipv4::address a : removed) {
        any |= remove_source(s, in, group, mode, a);
    }
    if (g.mode == filter_mode::exclude && g.count(filter_mode::exclude) == 0 &&
        g.count(filter_mode::include) != 0) {
        g.mode = filter_mode::include;
        mode_changed(s, in, g);
        return;
    }
    any |= note_sources(s, in, group);
    if (any) {
        s.changed(in);
    }
}

// Linux igmp_group_added.
template <class State>
constexpr void group_added(State& s, igmp_interface& in, u32 group) noexcept {
    multicast_group& g = s.groups[group];
    if (s.is_silent(in, g.address)) {
        return;
    }
    g.unsolicited_left = in.terms.robustness;
    if (s.version(in) < 3) {
        s.start_timer(in, group, 1);
        return;
    }
    if (g.mode == filter_mode::exclude) {
        g.changes_left = in.robustness;
    }
    s.changed(in);
}

// Room for a new group, at the cost of the report of a group that was left.
template <class State>
[[nodiscard]] constexpr u32 room_for_group(State& s, u16 interface, ipv4::address a) noexcept {
    u32 found = s.groups.add(interface, a);
    for (auto& in : s.interfaces) {
        if (found == no_entry && in.left != no_entry) {
            const u32 oldest = in.left;
            s.groups.remove(in.left, oldest);
            s.erase_group(oldest);
            found = s.groups.add(interface, a);
        }
    }
    return found;
}

// The entry of a group that is joined for the first time. It takes over what is still to be
// reported from its former life: removed sources, and that the filter no longer excludes, which
// Linux forgets (igmpv3_del_delrec).
template <class State>
[[nodiscard]] constexpr u32 begin_group(State& s, igmp_interface& in, ipv4::address a,
                                        filter_mode mode) noexcept {
    u32 group = s.groups.find(in.index, a);
    bool excluded = false;
    if (group == no_entry) {
        group = room_for_group(s, in.index, a);
        if (group == no_entry) {
            return no_entry;
        }
    } else if (s.groups[group].state == group_state::left) {
        s.groups.remove(in.left, group);
        excluded = s.groups[group].mode == filter_mode::exclude;
    }
    s.groups.stop(group);
    multicast_group& g = s.groups[group];
    if (mode == filter_mode::exclude) {
        s.sources.clear(g.sources);
        s.sources.clear(g.removed);
    }
    for_each_source(s, g.sources, [&](u32 i) { s.sources[i].changes_left = in.robustness; });
    g.state = group_state::live;
    g.mode = mode;
    g.users = 1;
    g.count(mode) = 1;
    g.count(opposite(mode)) = 0;
    g.changes_left = excluded ? in.robustness : u8{0};
    g.reporter = false;
    g.asked = false;
    s.groups.push(in.live, group);
    ++in.group_count;
    group_added(s, in, group);
    return group;
}

// Joins a group once more, with an empty filter. false: no room. Linux __ip_mc_inc_group.
template <class State>
constexpr bool enter_group(State& s, igmp_interface& in, ipv4::address a,
                           filter_mode mode) noexcept {
    ++s.edits;
    const u32 group = s.groups.find(in.index, a);
    if (group != no_entry && s.groups[group].state == group_state::live) {
        ++s.groups[group].users;
        return add_sources(s, in, group, mode, {}, true);
    }
    return begin_group(s, in, a, mode) != no_entry;
}

// Linux igmp_group_dropped, for a group without users. If routers may still believe that it
// excludes, the report says that it does no longer; Linux then reports removed sources alone.
template <class State>
constexpr void end_group(State& s, igmp_interface& in, u32 group) noexcept {
    multicast_group& g = s.groups[group];
    const bool reported = g.reporter && in.up;
    const unsigned version = s.version(in);
    g.mode = g.changes_left != 0 ? filter_mode::exclude : g.mode;
    s.groups.remove(in.live, group);
    --in.group_count;
    s.stop_timer(group);
    if (s.is_silent(in, g.address) || version == 1 || (version == 2 && !reported)) {
        s.erase_group(group);
        return;
    }
    if (version == 2 || g.mode == filter_mode::exclude) {
        s.sources.clear(g.sources);
        s.sources.clear(g.removed);
    }
    if (version == 2) {
        g.state = group_state::leaving;
        s.groups.start(group, s.now);
        return;
    }
    for_each_source(s, g.sources, [&](u32 i) { s.sources[i].changes_left = in.robustness; });
    g.state = group_state::left;
    g.changes_left = in.robustness;
    s.groups.push(in.left, group);
    s.changed(in);
}

// Leaves a group once. Its listener's filter was removed before. Linux ip_mc_dec_group.
template <class State>
constexpr void leave_group(State& s, igmp_interface& in, u32 group) noexcept {
    ++s.edits;
    if (--s.groups[group].users == 0) {
        end_group(s, in, group);
    }
}

// The interface comes up: it reports its groups again. Linux ip_mc_up.
template <class State>
constexpr void interface_up(State& s, igmp_interface& in) noexcept {
    in.up = true;
    in.robustness = in.terms.robustness;
    in.query_interval = igmp_query_interval;
    in.response_interval = igmp_query_response_interval;
    static_cast<void>(enter_group(s, in, ipv4::all_systems, filter_mode::exclude));
    for_each_group(s, in.live, [&](u32 group) {
        for_each_source(s, s.groups[group].sources, [&](u32 i) {
            if (s.groups[group].mode == filter_mode::include) {
                s.sources[i].changes_left = in.robustness;
            }
        });
        group_added(s, in, group);
    });
    if (in.left != no_entry) {
        s.changed(in);
    }
}

// Linux ip_mc_down.
template <class State>
constexpr void interface_down(State& s, igmp_interface& in) noexcept {
    for_each_group(s, in.live, [&](u32 group) { s.stop_timer(group); });
    in.up = false;
    in.changes_left = 0;
    in.answer_due = instant::never();
    in.change_due = instant::never();
    const u32 all = s.groups.find(in.index, ipv4::all_systems);
    if (all != no_entry) {
        remove_sources(s, in, all, filter_mode::exclude, {}, true);
        leave_group(s, in, all);
    }
}

// Forgets what is to be reported of the past. Linux igmpv3_clear_delrec.
template <class State>
constexpr void forget_removed(State& s, igmp_interface& in) noexcept {
    for_each_group(s, in.left, [&](u32 group) { s.erase_group(group); });
    in.left = no_entry;
    for_each_group(s, in.live, [&](u32 group) { s.sources.clear(s.groups[group].removed); });
}

}  // namespace sluice::detail
