// A naive model of RFC 3376: the filters of listeners as sets, merged by the words of section 3.2;
// and a router of section 6.4 that believes every report. Both know nothing of igmp_host.
#pragma once

#include <sluice/multicast/filter.hpp>
#include <sluice/wire/igmp.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace igmp_model {

using namespace sluice;

struct filter {
    filter_mode mode = filter_mode::include;
    std::set<u32> sources;
    bool operator==(const filter&) const = default;

    bool listens() const { return mode == filter_mode::exclude || !sources.empty(); }
    bool passes(u32 source) const {
        return (mode == filter_mode::include) == (sources.count(source) != 0);
    }
};
using place = std::pair<u16, u32>;  // interface and group

// RFC 3376 section 3.2.
inline filter merge(const std::vector<filter>& all) {
    const auto excludes = [](const filter& f) { return f.mode == filter_mode::exclude; };
    const bool any = std::any_of(all.begin(), all.end(), excludes);
    filter merged{any ? filter_mode::exclude : filter_mode::include, {}};
    std::set<u32> named;
    for (const filter& f : all)
        named.insert(f.sources.begin(), f.sources.end());
    for (const u32 source : named) {
        const bool passes =
            std::any_of(all.begin(), all.end(), [&](const filter& f) { return f.passes(source); });
        if (passes != any) merged.sources.insert(source);
    }
    return merged;
}

// What a router of version 3 believes of one interface: the source lists of section 6.4 without
// their timers, as if all hosts but this one were silent.
class router {
public:
    // A general query: what is not confirmed is forgotten.
    void forget() { groups_.clear(); }
    // Whether the message is well formed and names no group that must be silent.
    bool hear(const_bytes message) {
        if (!igmp::checksum_ok(message)) return false;
        igmp::record_cursor at{message};
        while (at.next()) {
            const u32 group = at.record()[igmp::record_group].value;
            if (group == ipv4::all_systems.value) return false;
            std::set<u32> named;
            for (std::size_t i = 0; i < at.sources().size() / 4; ++i)
                named.insert(igmp::source_at(at.sources(), i).value);
            // A long list comes in several records at once. A list that comes later replaces it:
            // the router asks about the sources that are missing, and nobody answers.
            const u8 type = at.record()[igmp::record_type];
            const bool more = type == igmp::record_types::change_to_include &&
                              std::exchange(changed_at_[group], time + 1) == time + 1;
            apply(groups_[group], more ? igmp::record_types::mode_is_include : type, named);
            ++records;
        }
        return !at.malformed();
    }
    filter view(u32 group) const {
        const auto found = groups_.find(group);
        return found == groups_.end() ? filter{} : found->second;
    }
    std::size_t group_count() const {
        return static_cast<std::size_t>(std::count_if(
            groups_.begin(), groups_.end(), [](const auto& g) { return g.second.listens(); }));
    }

    std::size_t records = 0;
    i64 time = 0;

private:
    static void apply(filter& f, u8 type, const std::set<u32>& named) {
        namespace types = igmp::record_types;
        const bool excludes = f.mode == filter_mode::exclude;
        switch (type) {
        case types::mode_is_exclude:
        case types::change_to_exclude:
            f = {filter_mode::exclude, named};
            break;
        case types::change_to_include:
            f = {filter_mode::include, named};
            break;
        case types::mode_is_include:
            if (excludes) f = {};
            f.sources.insert(named.begin(), named.end());
            break;
        case types::allow_new_sources:
        case types::block_old_sources:
            for (const u32 s : named) {
                if (excludes == (type == types::block_old_sources)) {
                    f.sources.insert(s);
                } else {
                    f.sources.erase(s);
                }
            }
            break;
        default:
            break;
        }
    }

    std::map<u32, filter> groups_;
    std::map<u32, i64> changed_at_;
};

// A sink whose messages tell a router for each interface, or are lost.
struct wire {
    bytes begin(u16 index, ipv4::address to) noexcept {
        leaving = index;
        destination = to;
        return bytes{room}.first(mtu - 24);
    }
    void end(u32 length) noexcept {
        const const_bytes message = bytes{room}.first(length);
        ++messages;
        const u8 kind = igmp::const_view{message.data()}[igmp::type];
        last_type = kind;
        ++types[kind];
        const bool right_place = kind == igmp::types::leave ? destination.value == 0xe0000002
                                 : kind == igmp::types::v3_report
                                     ? destination.value == 0xe0000016
                                     : destination == igmp::const_view{message.data()}[igmp::group];
        good = good && right_place && igmp::checksum_ok(message);
        if (kind == igmp::types::v3_report) good = good && routers[leaving].hear(message);
        if (sent) sent();
    }

    std::array<std::byte, 65536> room{};
    u32 mtu = 65535;
    std::function<void()> sent;  // called for each message, as a hook is
    bool good = true;
    u16 leaving = 0;
    ipv4::address destination{};
    std::size_t messages = 0;
    u8 last_type = 0;
    std::map<u8, std::size_t> types;
    std::map<u16, router> routers;
};

inline std::vector<std::byte> query(u32 group, u8 code, u8 robustness, u8 interval,
                                    const std::vector<u32>& sources) {
    std::vector<std::byte> made(12 + 4 * sources.size());
    const igmp::v3_query_view head{made.data()};
    head.set(igmp::type, igmp::types::query);
    head.set(igmp::max_response_code, code);
    head.set(igmp::group, ipv4::address{group});
    head.set(igmp::robustness, robustness);
    head.set(igmp::query_interval_code, interval);
    head.set(igmp::source_count, static_cast<u16>(sources.size()));
    for (std::size_t i = 0; i < sources.size(); ++i)
        store_be<u32>(made.data() + 12 + 4 * i, sources[i]);
    igmp::set_checksum(made);
    return made;
}
inline std::vector<std::byte> short_message(u8 type, u8 code, u32 group) {
    std::vector<std::byte> made(8);
    const igmp::view head{made.data()};
    head.set(igmp::type, type);
    head.set(igmp::max_response_code, code);
    head.set(igmp::group, ipv4::address{group});
    igmp::set_checksum(made);
    return made;
}

}  // namespace igmp_model
