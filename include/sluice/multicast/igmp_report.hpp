// igmp_report: writes the messages that are due: answers to queries, reports of changes, leaves.
//
// A sink gives the room of a message and sends it. Sending runs foreign code (hooks, outputs),
// which may join and leave groups: then the rest of a report is made anew a little later.
//
// Expects: igmp_state with the time; a sink as igmp_sink says.
// Cost:    each byte of a message is written once and summed once.
// Source:  RFC 3376 section 4.2 and 5; Linux add_grec, igmpv3_send_cr, igmp_timer_expire.
#pragma once

#include <sluice/multicast/igmp_change.hpp>
#include <sluice/wire/igmp.hpp>

#include <concepts>
#include <utility>

namespace sluice {

// Where messages go. begin() returns the room of one message that leaves by `interface` to
// `destination`: contiguous, and at most what fits the MTU behind an IPv4 header of 24 bytes; fewer
// than 8 bytes: nothing can be sent now. end() sends the first `length` bytes of it.
template <class S>
concept igmp_sink = requires(S& s, u16 interface, ipv4::address destination, u32 length) {
    { s.begin(interface, destination) } noexcept -> std::same_as<bytes>;
    { s.end(length) } noexcept;
};

namespace detail {

inline constexpr ipv4::address igmp_all_routers{0xe0000002};  // 224.0.0.2
inline constexpr ipv4::address igmp_v3_routers{0xe0000016};   // 224.0.0.22

// The message that a report of version 3 is written into, and those before it.
template <class State, class Sink>
class report_writer {
public:
    constexpr report_writer(State& s, Sink& sink, u16 interface) noexcept
        : state_(s), sink_(sink), interface_(interface), edits_(s.edits) {}

    // Whether nothing changed while messages were sent, and the sink gave room. If not, the caller
    // gives up.
    [[nodiscard]] constexpr bool good() const noexcept {
        return !starved_ && edits_ == state_.edits;
    }
    [[nodiscard]] constexpr bool was_disturbed() const noexcept { return edits_ != state_.edits; }
    [[nodiscard]] constexpr u32 available() const noexcept {
        return is_open() ? static_cast<u32>(room_.size()) - length_ : 0;
    }
    [[nodiscard]] constexpr bool has_records() const noexcept { return is_open() && records_ != 0; }

    constexpr void send() noexcept {
        if (!is_open()) {
            return;
        }
        const bytes message = std::exchange(room_, bytes{}).first(length_);
        const igmp::v3_report_view head{message.data()};
        head.set(igmp::type, igmp::types::v3_report);
        head.set(igmp::max_response_code, 0);
        head.set(igmp::report_reserved, 0);
        head.set(igmp::record_count, static_cast<u16>(records_));
        igmp::set_checksum(message);
        sink_.end(length_);
    }
    constexpr void open_new() noexcept {
        room_ = sink_.begin(interface_, igmp_v3_routers);
        length_ = igmp::v3_report_layout::size;
        records_ = 0;
        starved_ = room_.size() < igmp::v3_report_layout::size + igmp::record_layout::size + 4;
        if (starved_) {
            room_ = {};
        }
    }
    // Begins a record of no sources.
    constexpr void begin_record(ipv4::address group, u8 type) noexcept {
        if (!is_open()) {
            open_new();
        }
        if (!good()) {
            return;
        }
        const igmp::record_view record{room_.data() + length_};
        record.set(igmp::record_type, type);
        record.set(igmp::auxiliary_words, 0);
        record.set(igmp::record_source_count, 0);
        record.set(igmp::record_group, group);
        record_ = length_;
        length_ += igmp::record_layout::size;
        ++records_;
    }
    constexpr void add_source(ipv4::address a) noexcept {
        store_be<u32>(room_.data() + length_, a.value);
        length_ += 4;
        const igmp::record_view record{room_.data() + record_};
        record.set(igmp::record_source_count,
                   static_cast<u16>(record[igmp::record_source_count] + 1));
    }

private:
    [[nodiscard]] constexpr bool is_open() const noexcept { return !room_.empty(); }

    State& state_;
    Sink& sink_;
    u16 interface_;
    u32 edits_;
    bytes room_{};
    u32 length_ = 0;
    u32 record_ = 0;
    u32 records_ = 0;
    bool starved_ = false;
};

// Whether a record of this type names the source. Linux is_in.
[[nodiscard]] constexpr bool is_in_record(const multicast_group& g, const multicast_source& s,
                                          u8 type) noexcept {
    const bool left = g.state == group_state::left;
    const bool removed = s.kind == source_kind::removed;
    const bool includes = g.mode == filter_mode::include;
    const u32 excluding = g.count(filter_mode::exclude);
    switch (type) {
    case igmp::record_types::mode_is_include:
    case igmp::record_types::mode_is_exclude:
        if (left || removed || (g.asked && !s.asked)) {
            return false;
        }
        if (includes || s.count(filter_mode::include) != 0) {
            return includes || type == igmp::record_types::mode_is_include;
        }
        return excluding == s.count(filter_mode::exclude);
    case igmp::record_types::change_to_include:
        return !left && !removed && s.count(filter_mode::include) != 0;
    case igmp::record_types::change_to_exclude:
        return !left && !removed && excluding != 0 && s.count(filter_mode::include) == 0 &&
               excluding == s.count(filter_mode::exclude);
    case igmp::record_types::allow_new_sources:
        return !left && s.changes_left != 0 && includes != removed;
    case igmp::record_types::block_old_sources:
        if (includes) {
            return left || (s.changes_left != 0 && removed);
        }
        return s.changes_left != 0 && !left && !removed;
    default:
        return false;
    }
}

// Writes the records of one type about the sources of one kind: split over messages, or cut to one
// if a record states what the filter excludes. RFC 3376 section 4.2.16. Linux add_grec.
template <class State, class Sink>
constexpr void write_records(State& s, report_writer<State, Sink>& to, const igmp_interface& in,
                             u32 group, u8 type, source_kind kind) noexcept {
    namespace types = igmp::record_types;
    multicast_group& g = s.groups[group];
    if (s.is_silent(in, g.address)) {
        return;
    }
    const bool left = g.state == group_state::left;
    const bool answers = type == types::mode_is_include || type == types::mode_is_exclude;
    const bool whole = type == types::mode_is_exclude || type == types::change_to_exclude;
    const bool changes = type == types::allow_new_sources || type == types::block_old_sources;
    source_list& list = kind == source_kind::removed ? g.removed : g.sources;
    const auto wanted = [&](u32 i) { return is_in_record(g, s.sources[i], type); };
    if (whole && to.has_records() && !list.empty()) {
        u32 size = igmp::record_layout::size;
        for_each_source(s, list, [&](u32 i) { size += wanted(i) ? 4u : 0u; });
        if (to.available() < size) {
            to.send();
            if (!to.good()) {
                return;
            }
        }
    }
    // A change of the mode says all: RFC 3376 section 5.1.
    const bool mode_tells =
        changes && (left ? g.mode == filter_mode::exclude : g.changes_left != 0);
    bool first = true;
    bool any = false;
    for (u32 i = list.first; i != no_entry;) {
        const u32 at = i;
        multicast_source& source = s.sources[at];
        i = source.next;
        if (!wanted(at)) {
            continue;
        }
        if (!(mode_tells && source.changes_left != 0)) {
            if (to.available() < 4 + (first ? igmp::record_layout::size : 0)) {
                if (whole && !first) {
                    break;
                }
                to.send();
                first = true;
            }
            if (first && to.good()) {
                to.begin_record(g.address, type);
                first = false;
            }
            if (!to.good()) {
                return;
            }
            if (answers) {
                source.asked = false;
            }
            to.add_source(source.address);
            any = true;
        }
        if (changes && source.changes_left != 0) {
            --source.changes_left;
            if ((left || kind == source_kind::removed) && source.changes_left == 0) {
                s.sources.erase(list, at);
            }
        }
    }
    if (!any && !changes && (answers || g.changes_left != 0)) {
        if (to.has_records() && to.available() < igmp::record_layout::size) {
            to.send();
        }
        if (!to.good()) {
            return;
        }
        to.begin_record(g.address, type);
    }
    if (answers) {
        g.asked = false;
    }
}

template <class State, class Sink>
constexpr void write_current_state(State& s, report_writer<State, Sink>& to,
                                   const igmp_interface& in, u32 group) noexcept {
    const bool excludes = s.groups[group].count(filter_mode::exclude) != 0;
    write_records(s, to, in, group,
                  excludes ? igmp::record_types::mode_is_exclude
                           : igmp::record_types::mode_is_include,
                  source_kind::present);
}

// Linux igmpv3_clear_zeros.
template <class State>
constexpr void erase_told(State& s, source_list& list) noexcept {
    for_each_source(s, list, [&](u32 i) {
        if (s.sources[i].changes_left == 0) {
            s.sources.erase(list, i);
        }
    });
}

// The changes of a group that was left.
template <class State, class Sink>
constexpr void write_departure(State& s, report_writer<State, Sink>& to, igmp_interface& in,
                               u32 group) noexcept {
    namespace types = igmp::record_types;
    multicast_group& g = s.groups[group];
    if (g.mode == filter_mode::include) {
        write_records(s, to, in, group, types::block_old_sources, source_kind::present);
        if (to.good()) {
            write_records(s, to, in, group, types::block_old_sources, source_kind::removed);
        }
    } else if (g.changes_left != 0) {
        write_records(s, to, in, group, types::change_to_include, source_kind::present);
    }
    if (to.was_disturbed()) {
        return;
    }
    if (g.changes_left != 0 && --g.changes_left == 0) {
        erase_told(s, g.sources);
        erase_told(s, g.removed);
    }
    if (g.changes_left == 0 && g.sources.empty() && g.removed.empty()) {
        s.groups.remove(in.left, group);
        s.erase_group(group);
    }
}

// The changes of a group that this host is in.
template <class State, class Sink>
constexpr void write_changes(State& s, report_writer<State, Sink>& to, const igmp_interface& in,
                             u32 group) noexcept {
    namespace types = igmp::record_types;
    multicast_group& g = s.groups[group];
    const bool excludes = g.count(filter_mode::exclude) != 0;
    const u8 present = excludes ? types::block_old_sources : types::allow_new_sources;
    const u8 removed = excludes ? types::allow_new_sources : types::block_old_sources;
    write_records(s, to, in, group, present, source_kind::present);
    if (to.good()) {
        write_records(s, to, in, group, removed, source_kind::removed);
    }
    if (g.changes_left != 0 && !to.was_disturbed()) {
        if (to.good()) {
            write_records(s, to, in, group,
                          g.mode == filter_mode::exclude ? types::change_to_exclude
                                                         : types::change_to_include,
                          source_kind::present);
        }
        if (!to.was_disturbed()) {
            --g.changes_left;
        }
    }
}

// false: disturbed before all was written. Linux igmpv3_send_cr.
template <class State, class Sink>
constexpr bool report_changes(State& s, Sink& sink, igmp_interface& in) noexcept {
    report_writer<State, Sink> to{s, sink, in.index};
    const auto each = [&](u32 first, auto&& write) {
        for (u32 g = first; g != no_entry && !to.was_disturbed();) {
            const u32 next = s.groups[g].next;
            write(g);
            g = next;
        }
    };
    each(in.left, [&](u32 group) { write_departure(s, to, in, group); });
    if (!to.was_disturbed()) {
        each(in.live, [&](u32 group) { write_changes(s, to, in, group); });
    }
    const bool complete = !to.was_disturbed();
    to.send();
    return complete;
}

// Answers a general query of version 3: with all sources, also where another query asked about some
// and its answer waits. false: disturbed before all was written.
template <class State, class Sink>
constexpr bool report_all(State& s, Sink& sink, const igmp_interface& in) noexcept {
    report_writer<State, Sink> to{s, sink, in.index};
    for (u32 g = in.live; g != no_entry && to.good(); g = s.groups[g].next) {
        s.groups[g].asked = false;
        write_current_state(s, to, in, g);
    }
    const bool complete = !to.was_disturbed();
    to.send();
    return complete;
}

// Sends a message of 8 bytes about one group.
template <class Sink>
constexpr void send_short(Sink& sink, u16 interface, ipv4::address destination, u8 type,
                          ipv4::address group) noexcept {
    const bytes room = sink.begin(interface, destination);
    if (room.size() < igmp::layout::size) {
        return;
    }
    const igmp::view message{room.data()};
    message.set(igmp::type, type);
    message.set(igmp::max_response_code, 0);
    message.set(igmp::group, group);
    igmp::set_checksum(room.first(igmp::layout::size));
    sink.end(igmp::layout::size);
}

// The timer of a group ended. Linux igmp_timer_expire.
template <class State, class Sink>
constexpr void group_due(State& s, Sink& sink, u32 group) noexcept {
    multicast_group& g = s.groups[group];
    const ipv4::address address = g.address;
    const u16 interface = g.interface;
    const igmp_interface* in = s.find(interface);
    if (g.state == group_state::leaving) {
        s.erase_group(group);
        send_short(sink, interface, igmp_all_routers, igmp::types::leave, address);
        return;
    }
    s.groups.stop(group);
    if (g.unsolicited_left != 0 && --g.unsolicited_left != 0) {
        s.start_timer(*in, group, s.unsolicited_interval(*in));
    }
    g.reporter = true;
    if (const unsigned version = s.version(*in); version < 3) {
        if (!s.is_silent(*in, address)) {
            send_short(sink, interface, address,
                       version == 1 ? igmp::types::v1_report : igmp::types::v2_report, address);
        }
        return;
    }
    report_writer<State, Sink> to{s, sink, interface};
    write_current_state(s, to, *in, group);
    const bool complete = !to.was_disturbed();
    to.send();
    const u32 again = s.groups.find(interface, address);
    if (!complete && again != no_entry && s.groups[again].state == group_state::live) {
        s.groups.start(again, s.within(1));
    }
}

// The timers of an interface that ended. false: none.
template <class State, class Sink>
constexpr bool interface_due(State& s, Sink& sink, u16 index) noexcept {
    igmp_interface* in = s.find(index);
    if (in->answer_due <= s.now) {
        in->answer_due = instant::never();
        const bool complete = report_all(s, sink, *in);
        in = s.find(index);  // sending may have changed it
        if (!complete && in != nullptr && in->up) {
            in->answer_due = s.within(1);
        }
        return true;
    }
    if (in->change_due > s.now) {
        return false;
    }
    in->change_due = instant::never();
    const bool complete = report_changes(s, sink, *in);
    in = s.find(index);
    if (in == nullptr || !in->up) {
        return true;
    }
    if (!complete) {
        in->change_due = s.within(1);
    } else if (in->changes_left != 0 && in->change_due == instant::never()) {
        --in->changes_left;
        in->change_due = s.within(s.unsolicited_interval(*in));
    }
    return true;
}

}  // namespace detail

}  // namespace sluice
