// igmp_state: what igmp_host knows: its groups, their sources, and the querier of each interface.
//
// Expects: set_time() with the caller's clock before each change.
// Never:   sends; igmp_report.hpp does.
// Cost:    a scan of the interfaces for each change and each message, none for a packet.
// Source:  RFC 3376 section 5 and 7; Linux in_device, igmp_start_timer, igmp_ifc_event.
#pragma once

#include <sluice/base/bounded_vector.hpp>
#include <sluice/base/random.hpp>
#include <sluice/multicast/group_entries.hpp>

namespace sluice::detail {

// RFC 3376 section 8.
inline constexpr duration igmp_query_interval = duration::from_seconds(125);
inline constexpr duration igmp_query_response_interval = duration::from_seconds(10);

struct igmp_interface {
    u16 index = 0;
    bool up = false;
    u8 robustness = 2;    // the querier's, or igmp_qrv when the interface came up
    u8 changes_left = 0;  // further reports of changes
    u32 live = no_entry;  // lists of groups, the latest first
    u32 left = no_entry;
    u32 group_count = 0;  // of live
    duration query_interval = igmp_query_interval;
    duration response_interval = igmp_query_response_interval;
    instant v1_until{};  // a querier of this version was heard
    instant v2_until{};
    instant answer_due = instant::never();  // to a general query of version 3
    instant change_due = instant::never();  // the next report of changes
    igmp_terms terms{};
};

template <std::size_t Groups, std::size_t Sources, std::size_t Interfaces>
struct igmp_state {
    constexpr explicit igmp_state(hash_key key) noexcept
        : groups(derive(key, 0)), sources(derive(key, 1)), random(derive(key, 2)) {}

    [[nodiscard]] constexpr igmp_interface* find(u16 index) noexcept {
        for (auto& i : interfaces) {
            if (i.index == index) {
                return &i;
            }
        }
        return nullptr;
    }
    // The interface, added if it is new; nullptr: no room.
    [[nodiscard]] constexpr igmp_interface* obtain(u16 index) noexcept {
        igmp_interface* found = find(index);
        if (found == nullptr && interfaces.push_back({.index = index})) {
            found = find(index);
        }
        return found;
    }
    // The version that the interface speaks. RFC 3376 section 7.2.1.
    [[nodiscard]] constexpr unsigned version(const igmp_interface& i) const noexcept {
        if (i.terms.forced_version == 1 || now < i.v1_until) {
            return 1;
        }
        return i.terms.forced_version == 2 || now < i.v2_until ? 2 : 3;
    }
    // Groups that are never reported. RFC 3376 section 5.
    [[nodiscard]] static constexpr bool is_silent(const igmp_interface& i,
                                                  ipv4::address group) noexcept {
        return group == ipv4::all_systems ||
               (group.is_link_local_multicast() && !i.terms.link_local_reports);
    }
    [[nodiscard]] constexpr u32 unsolicited_interval(const igmp_interface& i) const noexcept {
        const u32 ms = version(i) < 3 ? i.terms.v2_interval_ms : i.terms.v3_interval_ms;
        return ms != 0 ? ms : 1;
    }
    // A random time within the next so many milliseconds, 2 ms at least, as in Linux.
    [[nodiscard]] constexpr instant within(u32 ms) noexcept {
        return now + duration::from_milliseconds(i64{random.below(ms)} + 2);
    }
    constexpr void start_timer(const igmp_interface& i, u32 group, u32 ms) noexcept {
        if (i.up) {
            groups.start(group, within(ms));
        }
    }
    constexpr void stop_timer(u32 group) noexcept {
        groups.stop(group);
        groups[group].reporter = false;
        groups[group].unsolicited_left = 0;
        groups[group].asked = false;
    }
    // Schedules reports of changes. Linux igmp_ifc_event.
    constexpr void changed(igmp_interface& i) noexcept {
        if (version(i) == 3 && i.up) {
            i.changes_left = i.robustness;
            i.change_due = within(1);
        }
    }
    constexpr void erase_group(u32 group) noexcept {
        groups.stop(group);
        sources.clear(groups[group].sources);
        sources.clear(groups[group].removed);
        groups.erase(group);
    }

    group_entries<Groups> groups;
    source_lists<Sources> sources;
    bounded_vector<igmp_interface, Interfaces> interfaces{};
    keyed_random random;
    instant now{};
    u32 edits = 0;  // moves with every change of membership
};

// Calls f(u32 group) for each group of a list; f may take the group out of it.
template <class State, class F>
constexpr void for_each_group(State& s, u32 first, F&& f) noexcept {
    for (u32 g = first; g != no_entry;) {
        const u32 next = s.groups[g].next;
        f(g);
        g = next;
    }
}
// Calls f(u32 source) for each source of a list; f may take the source out of it.
template <class State, class F>
constexpr void for_each_source(State& s, const source_list& list, F&& f) noexcept {
    for (u32 i = list.first; i != no_entry;) {
        const u32 next = s.sources[i].next;
        f(i);
        i = next;
    }
}

}  // namespace sluice::detail
