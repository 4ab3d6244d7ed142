// A naive model of what a multicast router of version 3 knows about one group: the tables of
// RFC 3376 section 6.4 in sets, with older hosts. It knows nothing of igmp_querier.
// Without doctest, so that fuzz targets can use it.
#pragma once

#include <sluice/base/time.hpp>
#include <sluice/wire/igmp.hpp>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

namespace querier_model {

using namespace sluice;
namespace rt = igmp::record_types;

inline constexpr duration membership = duration::from_seconds(260);  // 2 * 125 s + 10 s
inline constexpr duration last_member = duration::from_seconds(2);

// One group as the tables of section 6.4 have it: sets, and what their actions say.
struct group {
    bool exclude = false;
    bool asks = true;  // this router is the querier
    // Older hosts are there: sections 7.3.2 and 8.13.
    instant v1_until{};
    instant v2_until{};
    instant ends{};
    std::map<u32, instant> timers;  // 0 s: excluded

    using set = std::set<u32>;
    [[nodiscard]] set running(instant now) const {
        set s;
        for (const auto& [a, t] : timers)
            if (now < t) s.insert(a);
        return s;
    }
    [[nodiscard]] set stopped(instant now) const {
        set s;
        for (const auto& [a, t] : timers)
            if (now >= t) s.insert(a);
        return s;
    }
    static set minus(const set& a, const set& b) {
        set s;
        std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::inserter(s, s.end()));
        return s;
    }
    void lower(const set& about, instant now) {
        for (const u32 a : about)
            if (timers.contains(a)) timers[a] = std::min(timers[a], now + last_member);
    }
    void lower(instant now) { ends = std::min(ends, now + last_member); }
    void ask(const set& about, instant now) {  // Send Q(G,S)
        if (asks) lower(about, now);
    }
    void ask(instant now) {  // Send Q(G)
        if (asks) lower(now);
    }
    // A report of version 1 or 2.
    void hear_old(bool v1, instant now) {
        (v1 ? v1_until : v2_until) = now + membership;
        hear(rt::mode_is_exclude, {}, now);
    }
    void hear(u8 type, set b, instant now) {
        const bool v1 = now < v1_until, old = v1 || now < v2_until;
        if ((old && type == rt::block_old_sources) || (v1 && type == rt::change_to_include)) return;
        if (old && type == rt::change_to_exclude) b.clear();
        const set x = running(now), y = exclude ? stopped(now) : set{};
        const instant gmi = now + membership;
        const auto allow = [&] {
            for (const u32 a : b)
                timers[a] = gmi;
        };
        const auto keep = [&](const set& these) {
            for (auto i = timers.begin(); i != timers.end();)
                i = these.contains(i->first) ? std::next(i) : timers.erase(i);
        };
        if (type == rt::mode_is_include || type == rt::allow_new_sources) return allow();
        if (type == rt::block_old_sources) {
            if (!exclude) {
                set both;
                for (const u32 a : b)
                    if (x.contains(a)) both.insert(a);
                return ask(both, now);
            }
            for (const u32 a : minus(minus(b, x), y))
                timers[a] = ends;
            set asked;
            for (const u32 a : minus(b, y))
                if (now < timers[a]) asked.insert(a);
            return ask(asked, now);
        }
        if (type == rt::change_to_include) {
            const set asked = minus(x, b);
            allow();
            ask(asked, now);
            if (exclude) ask(now);
            return;
        }
        if (type != rt::mode_is_exclude && type != rt::change_to_exclude) return;
        keep(b);
        const instant fresh = !exclude ? instant{} : type == rt::mode_is_exclude ? gmi : ends;
        for (const u32 a : b)
            timers.emplace(a, fresh);
        exclude = true;
        ends = gmi;
        if (type == rt::change_to_exclude) ask(running(now), now);
    }
    void pass(instant now) {
        if (exclude && now >= ends) exclude = false;
        if (!exclude)
            for (const u32 a : stopped(now))
                timers.erase(a);
        if (!exclude && timers.empty()) v1_until = v2_until = {};  // no record is left
    }
    [[nodiscard]] bool wants(u32 a, instant now) const {
        const auto found = timers.find(a);
        const bool runs = found != timers.end() && now < found->second;
        return exclude ? found == timers.end() || runs : runs;
    }
};

}  // namespace querier_model
