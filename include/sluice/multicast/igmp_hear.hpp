// igmp_hear: queries and the reports of other hosts.
//
// A query starts timers. A report of version 1 or 2 silences ours for the same group.
//
// Expects: the bytes of one message, contiguous, behind the IPv4 header.
// Never:   answers at once.
// Cost:    for a query of version 1 or 2 to all groups, one look at each group of the interface;
//          for one of version 3 with sources, one hash for each source.
// Source:  RFC 2236 section 3, RFC 3376 section 5.2 and 7.2; Linux igmp_rcv, igmp_heard_query.
#pragma once

#include <sluice/multicast/igmp_change.hpp>
#include <sluice/wire/igmp.hpp>

namespace sluice::detail {

// What a query asks for.
struct igmp_question {
    ipv4::address group{};  // unspecified: all
    u32 longest_ms = 0;     // the answer comes within this time
    const_bytes sources{};  // none: all
};

// Marks the sources that a query of version 3 asks about. false: it asks for none that the filter
// names. Linux igmp_marksources.
template <class State>
constexpr bool mark_asked(State& s, u32 group, const_bytes asked) noexcept {
    multicast_group& g = s.groups[group];
    const bool excludes = g.mode == filter_mode::exclude;
    const std::size_t count = asked.size() / 4;
    std::size_t known = 0;
    for (std::size_t n = 0; n < count; ++n) {
        const u32 i = s.sources.find(group, source_kind::present, igmp::source_at(asked, n));
        if (i == no_entry || (excludes && (s.sources[i].asked || !g.names(s.sources[i])))) {
            continue;
        }
        s.sources[i].asked = true;
        ++known;
    }
    g.asked = !excludes && known != 0;
    if (!excludes) {
        return g.asked;
    }
    for (std::size_t n = 0; n < count; ++n) {
        const u32 i = s.sources.find(group, source_kind::present, igmp::source_at(asked, n));
        if (i != no_entry) {
            s.sources[i].asked = false;
        }
    }
    return known != count;
}

// Starts the timer of a group unless it ends sooner already. Linux igmp_mod_timer.
template <class State>
constexpr void answer_within(State& s, const igmp_interface& in, u32 group, u32 ms) noexcept {
    s.groups[group].unsolicited_left = 0;
    const bool sooner =
        s.groups.runs(group) && s.groups[group].due - s.now < duration::from_milliseconds(ms);
    if (!sooner) {
        s.start_timer(in, group, ms);
    }
}

template <class State>
constexpr void ask_group(State& s, const igmp_interface& in, u32 group,
                         const igmp_question& q) noexcept {
    multicast_group& g = s.groups[group];
    if (s.is_silent(in, g.address)) {
        return;
    }
    const bool some = !q.sources.empty();
    g.asked = some && (g.asked || !s.groups.runs(group));
    if (!g.asked || mark_asked(s, group, q.sources)) {
        answer_within(s, in, group, q.longest_ms);
    }
}

// A query of version 3 while no older querier is present. false: to be ignored.
constexpr bool take_terms(igmp_interface& in, const_bytes message) noexcept {
    const igmp::const_v3_query_view query{message.data()};
    const u32 stated = query[igmp::source_count];
    if (message.size() - igmp::v3_query_layout::size < std::size_t{stated} * 4) {
        return false;
    }
    const u8 robustness = query[igmp::robustness];
    in.robustness = robustness != 0 ? robustness : in.terms.robustness;
    const u32 seconds = igmp::decode_float(query[igmp::query_interval_code]);
    in.query_interval = seconds != 0 ? duration::from_seconds(seconds) : igmp_query_interval;
    if (in.response_interval >= in.query_interval) {
        in.response_interval = in.query_interval - duration::from_seconds(1);
    }
    return query[igmp::group] != ipv4::unspecified || stated == 0;
}

template <class State>
constexpr bool hear_query(State& s, igmp_interface& in, const_bytes message) noexcept {
    const igmp::const_view query{message.data()};
    igmp_question q{.group = query[igmp::group]};
    const u32 code = query[igmp::max_response_code];
    const unsigned version = igmp::query_version(message);
    if (version == 0) {
        return false;
    }
    constexpr u32 v1_response_ms = 10'000;
    if (version < 3) {
        q.longest_ms = version == 1 ? v1_response_ms : code * 100;
        q.group = version == 1 ? ipv4::unspecified : q.group;
        (version == 1 ? in.v1_until : in.v2_until) =
            s.now + in.query_interval * in.robustness + in.response_interval;
        in.changes_left = 0;
        in.change_due = instant::never();
        ++s.edits;
        forget_removed(s, in);
    } else {
        const u32 ms = igmp::decode_float(static_cast<u8>(code)) * 100;
        q.longest_ms = ms != 0 ? ms : 1;
        switch (s.version(in)) {
        case 1:
            q.longest_ms = v1_response_ms;
            q.group = ipv4::unspecified;
            break;
        case 2:
            break;
        default:
            if (!take_terms(in, message)) {
                return false;
            }
            if (q.group.is_unspecified()) {
                const instant due = s.within(q.longest_ms);
                in.answer_due = in.up && due < in.answer_due ? due : in.answer_due;
                return true;
            }
            q.sources = igmp::query_sources(message);
        }
    }
    if (q.group.is_unspecified()) {
        for_each_group(s, in.live, [&](u32 group) { ask_group(s, in, group, q); });
        return true;
    }
    const u32 group = s.groups.find(in.index, q.group);
    if (group != no_entry && s.groups[group].state == group_state::live) {
        ask_group(s, in, group, q);
    }
    return true;
}

// Linux igmp_heard_report.
template <class State>
constexpr void hear_report(State& s, const igmp_interface& in, ipv4::address group) noexcept {
    const u32 found = s.groups.find(in.index, group);
    if (found != no_entry && s.groups[found].state == group_state::live &&
        !s.is_silent(in, group)) {
        s.stop_timer(found);
    }
}

}  // namespace sluice::detail
