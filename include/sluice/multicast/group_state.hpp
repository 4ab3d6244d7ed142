// group_state<Sources>: what a multicast router knows about the members of one group on one
// network, by the reports of RFC 3376: a filter mode, a group timer, and sources with timers.
//
// include: packets of the sources with a running timer are wanted. exclude: all but those of the
// sources whose timer has ended.
//
// Expects: the times of the querier.
// Never:   holds more than Sources sources: what does not fit is left out and counted.
// Cost:    a scan of the sources for each source of a report.
// Source:  RFC 3376 section 6.2 to 6.4.
#pragma once

#include <sluice/base/bounded_vector.hpp>
#include <sluice/base/time.hpp>
#include <sluice/multicast/filter.hpp>
#include <sluice/wire/igmp.hpp>

#include <cstddef>

namespace sluice {

// The times that decide about a group. RFC 3376 section 8.
struct group_times {
    duration membership = duration::from_seconds(260);  // Group Membership Interval
    duration last_member = duration::from_seconds(2);   // Last Member Query Time
    // Last Member Query Count; 0: another router asks, and its queries lower the timers.
    u8 queries = 2;
};

template <std::size_t Sources>
class group_state {
public:
    struct source {
        ipv4::address address{};
        instant ends{};       // of its timer; in the past: excluded
        u8 queries_left = 0;  // queries about it to send
    };

    ipv4::address group{};
    u8 queries_left = 0;  // group-specific queries to send
    instant next_query = instant::never();
    instant v1_hosts_until{};  // older hosts are on the network
    instant v2_hosts_until{};
    u32 left_out = 0;  // sources that did not fit

    [[nodiscard]] constexpr filter_mode mode() const noexcept { return mode_; }
    [[nodiscard]] constexpr instant ends() const noexcept { return ends_; }
    [[nodiscard]] constexpr const auto& sources() const noexcept { return sources_; }
    // Whether no member is left.
    [[nodiscard]] constexpr bool is_over(instant now) const noexcept {
        return mode_ == filter_mode::include && !has_running(now);
    }
    // Whether packets from the source are wanted.
    [[nodiscard]] constexpr bool wants(ipv4::address from, instant now) const noexcept {
        const source* s = find(from);
        return mode_ == filter_mode::include ? s != nullptr && now < s->ends
                                                    : s == nullptr || now < s->ends;
    }

    // Carries out a group record, of the kind `record_type`, as the tables of section 6.4 say.
    // Older hosts make it what their version could say (section 7.3.2).
    constexpr void apply(u8 record_type, const_bytes list, const group_times& t,
                         instant now) noexcept {
        namespace rt = igmp::record_types;
        const bool v1 = now < v1_hosts_until;
        const bool old = v1 || now < v2_hosts_until;
        if (old && record_type == rt::block_old_sources) {
            return;
        }
        if (v1 && record_type == rt::change_to_include) {
            return;
        }
        if (old && record_type == rt::change_to_exclude) {
            list = {};
        }
        switch (record_type) {
        case rt::mode_is_include:
        case rt::allow_new_sources:
            allow(list, t, now);
            break;
        case rt::change_to_include:
            to_include(list, t, now);
            break;
        case rt::mode_is_exclude:
            to_exclude(list, t, now, false);
            break;
        case rt::change_to_exclude:
            to_exclude(list, t, now, true);
            break;
        case rt::block_old_sources:
            block(list, t, now);
            break;
        default:
            break;  // section 4.2.12: unrecognized types are ignored
        }
    }
    // Ends timers that are due; the mode may become include. Returns whether anything changed.
    constexpr bool expire(instant now) noexcept {
        if (mode_ == filter_mode::include) {
            return remove_ended(now);
        }
        bool changed = false;
        for (source& s : sources_) {
            changed |= s.ends <= now && s.ends != ended;
            s.ends = s.ends <= now ? ended : s.ends;
        }
        if (now < ends_) {
            return changed;
        }
        mode_ = filter_mode::include;
        remove_ended(now);
        return true;
    }
    // The next time at which a timer ends.
    [[nodiscard]] constexpr instant next_end(instant now) const noexcept {
        instant next = mode_ == filter_mode::exclude ? ends_ : instant::never();
        for (const source& s : sources_) {
            next = s.ends > now && s.ends < next ? s.ends : next;
        }
        return next;
    }

    // Lowers the group timer, as a query of another router or an own one says. Section 6.6.1.
    constexpr void lower(const group_times& t, instant now) noexcept {
        const instant lowered = now + t.last_member;
        ends_ = lowered < ends_ ? lowered : ends_;
    }
    constexpr void lower(ipv4::address from, const group_times& t, instant now) noexcept {
        const instant lowered = now + t.last_member;
        if (source* s = find(from)) {
            s->ends = lowered < s->ends ? lowered : s->ends;
        }
    }

    // Calls f(source&) for each source with queries to send.
    template <class F>
    constexpr void for_each_queried(F&& f) noexcept {
        for (source& s : sources_) {
            if (s.queries_left != 0) {
                f(s);
            }
        }
    }
    [[nodiscard]] constexpr bool has_queries() const noexcept {
        bool any = queries_left != 0;
        for (const source& s : sources_) {
            any |= s.queries_left != 0;
        }
        return any;
    }

private:
    static constexpr instant ended{};  // a source timer of 0

    [[nodiscard]] constexpr const source* find(ipv4::address a) const noexcept {
        for (const source& s : sources_) {
            if (s.address == a) {
                return &s;
            }
        }
        return nullptr;
    }
    [[nodiscard]] constexpr source* find(ipv4::address a) noexcept {
        return const_cast<source*>(static_cast<const group_state&>(*this).find(a));
    }
    [[nodiscard]] static constexpr bool lists(const_bytes list, ipv4::address a) noexcept {
        for (std::size_t i = 0; i < list.size() / 4; ++i) {
            if (igmp::source_at(list, i) == a) {
                return true;
            }
        }
        return false;
    }
    constexpr bool has_running(instant now) const noexcept {
        for (const source& s : sources_) {
            if (now < s.ends) {
                return true;
            }
        }
        return false;
    }
    constexpr bool remove_ended(instant now) noexcept {
        const std::size_t before = sources_.size();
        for (std::size_t i = sources_.size(); i-- > 0;) {
            if (sources_[i].ends <= now) {
                sources_.erase(i);
            }
        }
        return sources_.size() != before;
    }
    // Sets the timer of a source, new or known.
    constexpr void set(ipv4::address a, instant ends) noexcept {
        if (source* s = find(a)) {
            s->ends = ends;
            s->queries_left = 0;
        } else if (!sources_.push_back({a, ends, 0})) {
            ++left_out;
        }
    }
    template <class F>
    static constexpr void for_each(const_bytes list, F&& f) noexcept {
        for (std::size_t i = 0; i < list.size() / 4; ++i) {
            f(igmp::source_at(list, i));
        }
    }

    constexpr void ask(const group_times& t, instant now) noexcept {
        if (t.queries == 0) {
            return;
        }
        queries_left = t.queries;
        lower(t, now);
        next_query = now;
    }
    // Queries the source if it is not about to end. Section 6.6.3.2.
    constexpr void ask(source& s, const group_times& t, instant now) noexcept {
        if (t.queries != 0 && s.ends > now + t.last_member) {
            s.queries_left = t.queries;
            s.ends = now + t.last_member;
            next_query = now;
        }
    }

    constexpr void allow(const_bytes list, const group_times& t, instant now) noexcept {
        for_each(list, [&](ipv4::address a) { set(a, now + t.membership); });
    }
    constexpr void to_include(const_bytes list, const group_times& t, instant now) noexcept {
        for (source& s : sources_) {
            if (now < s.ends && !lists(list, s.address)) {
                ask(s, t, now);
            }
        }
        allow(list, t, now);
        if (mode_ == filter_mode::exclude) {
            ask(t, now);
        }
    }
    constexpr void to_exclude(const_bytes list, const group_times& t, instant now,
                              bool is_change) noexcept {
        for (std::size_t i = sources_.size(); i-- > 0;) {
            if (!lists(list, sources_[i].address)) {
                sources_.erase(i);
            }
        }
        const instant fresh = mode_ == filter_mode::include ? ended
                              : is_change                          ? ends_
                                                                   : now + t.membership;
        for_each(list, [&](ipv4::address a) {
            if (find(a) == nullptr) {
                set(a, fresh);
            }
        });
        mode_ = filter_mode::exclude;
        ends_ = now + t.membership;
        if (is_change) {
            for (source& s : sources_) {
                if (now < s.ends) {
                    ask(s, t, now);
                }
            }
        }
    }
    constexpr void block(const_bytes list, const group_times& t, instant now) noexcept {
        for_each(list, [&](ipv4::address a) {
            if (mode_ == filter_mode::exclude && find(a) == nullptr) {
                set(a, ends_);
            }
            source* s = find(a);
            if (s != nullptr && now < s->ends) {
                ask(*s, t, now);
            }
        });
    }

    filter_mode mode_ = filter_mode::include;
    instant ends_{};
    bounded_vector<source, Sources> sources_{};
};

}  // namespace sluice
