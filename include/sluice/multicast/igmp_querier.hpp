// igmp_querier<Groups, Sources>: the router side of IGMP on one network: it elects the querier,
// asks for members, and knows from their reports which sources of which groups are wanted.
//
// It has no stack: give it the IGMP messages of the network by receive() and call poll() at once
// and at the deadlines that it returns; send the messages that poll() writes, with router alert and
// TTL 1. Version 3 also understands hosts of versions 1 and 2; version 2 ignores version 3 reports.
//
// Expects: messages as they arrived, from their IGMP header on; the caller's time.
// Never:   allocates or grows: groups and sources that do not fit are left out and counted; keeps
//          state about link-local groups, which no router forwards.
// Cost:    a scan of the groups for each record.
// Source:  RFC 3376 section 6, RFC 2236 section 3.
#pragma once

#include <sluice/multicast/group_state.hpp>

namespace sluice {

struct querier_settings {
    u8 version = 3;     // 2 or 3
    u8 robustness = 2;  // 1 to 7
    duration query_interval = duration::from_seconds(125);
    duration response_interval = duration::from_seconds(10);  // less than query_interval
    duration last_member_interval = duration::from_seconds(1);
    // A leave ends the membership at once: for networks with one host on each link.
    bool fast_leave = false;
    // The subnets of the interface. Messages of other sources are refused, but not those of
    // 0.0.0.0, a host without an address yet: RFC 3376 section 4.2.13, 9.1, 9.2. Empty: any source,
    // as Linux's bridge.
    bounded_vector<ipv4::prefix, 4> subnets{};
};

struct querier_counters {
    u64 queries_sent = 0;
    u64 reports = 0;   // and leaves, of all versions
    u64 refused = 0;   // messages that are malformed, not for a router, or of another subnet
    u64 left_out = 0;  // groups that found no room
};

template <std::size_t Groups = 64, std::size_t Sources = 16>
class igmp_querier {
public:
    using group_type = group_state<Sources>;
    // The longest message that poll() writes, in bytes.
    static constexpr std::size_t max_message = igmp::v3_query_layout::size + 4 * Sources;

    // own: this router's address on the network.
    constexpr igmp_querier(ipv4::address own, const querier_settings& s, instant now) noexcept
        : own_(own), settings_(s), robustness_(s.robustness), interval_(s.query_interval),
          startup_left_(s.robustness), next_general_(now) {}

    [[nodiscard]] constexpr bool is_querier() const noexcept { return is_querier_; }
    // The querier of the network; this router's own address if it is the querier.
    [[nodiscard]] constexpr ipv4::address querier() const noexcept {
        return is_querier_ ? own_ : other_;
    }
    [[nodiscard]] constexpr const querier_counters& counters() const noexcept { return counters_; }
    // Moves whenever wants() may answer otherwise than before.
    [[nodiscard]] constexpr u32 generation() const noexcept { return generation_; }

    // Whether packets from the source to the group are wanted on this network.
    [[nodiscard]] constexpr bool wants(ipv4::address source, ipv4::address group,
                                       instant now) const noexcept {
        const group_type* g = find(group);
        return g != nullptr && g->wants(source, now);
    }
    [[nodiscard]] constexpr const group_type* find(ipv4::address group) const noexcept {
        for (const group_type& g : groups_) {
            if (g.group == group) {
                return &g;
            }
        }
        return nullptr;
    }
    // Calls f(const group_type&) for each group with members.
    template <class F>
    constexpr void for_each_group(F&& f) const {
        for (const group_type& g : groups_) {
            f(g);
        }
    }

    // Receives an IGMP message. Call poll() afterwards. false: it is malformed or not for a router.
    constexpr bool receive(const_bytes message, ipv4::address from, instant now) noexcept {
        if (!igmp::const_view::fits(message) || !igmp::checksum_ok(message)) {
            ++counters_.refused;
            return false;
        }
        const igmp::const_view m{message.data()};
        if (!is_on_link(from)) {
            return refuse();
        }
        switch (m[igmp::type]) {
        case igmp::types::query:
            return receive_query(message, from, now);
        case igmp::types::v1_report:
            return receive_old(m[igmp::group], now, &group_type::v1_hosts_until);
        case igmp::types::v2_report:
            return receive_old(m[igmp::group], now, &group_type::v2_hosts_until);
        case igmp::types::leave:
            return receive_leave(m[igmp::group], now);
        case igmp::types::v3_report:
            return settings_.version >= 3 ? receive_report(message, now) : refuse();
        default:
            return refuse();
        }
    }

    // Does what is due: ends memberships, and calls send(ipv4::address to, const_bytes message) for
    // each query to send. Returns the next deadline.
    template <class Send>
    constexpr instant poll(instant now, Send&& send) {
        if (!is_querier_ && now >= other_until_) {
            become_querier(now);
        }
        instant next = is_querier_ ? instant::never() : other_until_;
        if (is_querier_) {
            if (now >= next_general_) {
                send_general(now, send);
            }
            next = next_general_;
        }
        for (std::size_t i = groups_.size(); i-- > 0;) {
            group_type& g = groups_[i];
            generation_ += u32{g.expire(now)};
            if (g.is_over(now)) {
                groups_.erase(i);
                ++generation_;
                continue;
            }
            if (is_querier_ && now >= g.next_query) {
                send_specific(g, now, send);
            }
            const instant ends = g.next_end(now);
            next = ends < next ? ends : next;
            next = is_querier_ && g.next_query < next ? g.next_query : next;
        }
        return next;
    }

private:
    [[nodiscard]] constexpr duration membership_interval() const noexcept {
        return interval_ * robustness_ + settings_.response_interval;
    }
    [[nodiscard]] constexpr duration last_member_time() const noexcept {
        return settings_.last_member_interval * robustness_;
    }
    [[nodiscard]] constexpr group_times times() const noexcept {
        return {membership_interval(), last_member_time(), is_querier_ ? robustness_ : u8{0}};
    }
    [[nodiscard]] constexpr group_type* known(ipv4::address group) noexcept {
        return const_cast<group_type*>(static_cast<const igmp_querier&>(*this).find(group));
    }
    constexpr bool refuse() noexcept {
        ++counters_.refused;
        return false;
    }
    [[nodiscard]] constexpr bool is_on_link(ipv4::address from) const noexcept {
        bool is = settings_.subnets.empty() || from.is_unspecified();
        for (const ipv4::prefix& p : settings_.subnets) {
            is = is || p.contains(from);
        }
        return is;
    }
    [[nodiscard]] static constexpr bool is_routable(ipv4::address group) noexcept {
        return group.is_multicast() && !group.is_link_local_multicast();
    }
    // The group, new if there is none. nullptr: no room.
    [[nodiscard]] constexpr group_type* claim(ipv4::address group) noexcept {
        if (group_type* there = known(group)) {
            return there;
        }
        group_type fresh{};
        fresh.group = group;
        if (!groups_.push_back(fresh)) {
            ++counters_.left_out;
            return nullptr;
        }
        return &groups_.back();
    }
    // Applies a record to a group, which may be new or end with it.
    constexpr void apply(ipv4::address group, u8 record_type, const_bytes sources,
                         instant now) noexcept {
        namespace rt = igmp::record_types;
        if (!is_routable(group)) {
            return;
        }
        const bool may_begin = record_type == rt::mode_is_exclude ||
                               record_type == rt::change_to_exclude ||
                               (!sources.empty() && record_type != rt::block_old_sources);
        group_type* g = may_begin ? claim(group) : known(group);
        if (g == nullptr) {
            return;
        }
        g->apply(record_type, sources, times(), now);
        ++generation_;
        if (settings_.fast_leave) {
            leave_fast(*g, record_type, sources, now);
        }
    }
    // Ends at once what the record left, instead of asking. A host of version 1 cannot answer the
    // question whether it is still there, and apply() has ignored the record then.
    constexpr void leave_fast(group_type& g, u8 record_type, const_bytes sources,
                              instant now) noexcept {
        namespace rt = igmp::record_types;
        if (now >= g.v1_hosts_until && record_type == rt::change_to_include && sources.empty()) {
            groups_.erase(static_cast<std::size_t>(&g - groups_.begin()));
        }
    }

    constexpr bool receive_old(ipv4::address group, instant now,
                               instant group_type::* since) noexcept {
        if (!group.is_multicast()) {
            return refuse();
        }
        ++counters_.reports;
        if (is_routable(group)) {
            if (group_type* g = claim(group)) {
                // Older Host Present Interval, section 8.13.
                g->*since = now + membership_interval();
                apply(group, igmp::record_types::mode_is_exclude, {}, now);
            }
        }
        return true;
    }
    constexpr bool receive_leave(ipv4::address group, instant now) noexcept {
        if (!group.is_multicast()) {
            return refuse();
        }
        ++counters_.reports;
        apply(group, igmp::record_types::change_to_include, {}, now);
        return true;
    }
    constexpr bool receive_report(const_bytes message, instant now) noexcept {
        ++counters_.reports;
        igmp::record_cursor records{message};
        while (records.next()) {
            const auto r = records.record();
            apply(r[igmp::record_group], r[igmp::record_type], records.sources(), now);
        }
        return !records.malformed() || refuse();
    }

    // Another router's query: the lower address wins. Sections 6.6.1, 6.6.2.
    constexpr bool receive_query(const_bytes message, ipv4::address from, instant now) noexcept {
        const unsigned version = igmp::query_version(message);
        if (version == 0 || from.is_unspecified() || from == own_) {
            return refuse();
        }
        const igmp::const_view m{message.data()};
        if (from.value < own_.value && (is_querier_ || from.value <= other_.value)) {
            is_querier_ = false;
            other_ = from;
            if (version == 3) {
                adopt(igmp::const_v3_query_view{message.data()});
            }
            other_until_ = now + interval_ * robustness_ +
                           duration{settings_.response_interval.nanoseconds / 2};
        }
        const bool suppressed =
            version == 3 && igmp::const_v3_query_view{message.data()}[igmp::suppress];
        group_type* g = is_querier_ || suppressed ? nullptr : known(m[igmp::group]);
        if (g != nullptr) {
            const const_bytes sources = version == 3 ? igmp::query_sources(message) : const_bytes{};
            for (std::size_t i = 0; i < sources.size() / 4; ++i) {
                g->lower(igmp::source_at(sources, i), times(), now);
            }
            if (sources.empty()) {
                g->lower(times(), now);
            }
        }
        return true;
    }
    // Section 4.1.6, 4.1.7: values of 0 mean nothing.
    constexpr void adopt(igmp::const_v3_query_view q) noexcept {
        const u8 qrv = q[igmp::robustness];
        const u32 seconds = igmp::decode_float(q[igmp::query_interval_code]);
        robustness_ = qrv != 0 ? qrv : settings_.robustness;
        interval_ = seconds != 0 ? duration::from_seconds(seconds) : settings_.query_interval;
    }
    constexpr void become_querier(instant now) noexcept {
        is_querier_ = true;
        robustness_ = settings_.robustness;
        interval_ = settings_.query_interval;
        next_general_ = now;
    }

    template <class Send>
    constexpr void send_general(instant now, Send& send) {
        send_query({}, settings_.response_interval, {}, 0, false, ipv4::all_systems, send);
        const bool starts = startup_left_ > 1;
        startup_left_ = starts ? static_cast<u8>(startup_left_ - 1) : u8{0};
        next_general_ = now + (starts ? duration{settings_.query_interval.nanoseconds / 4}
                                      : settings_.query_interval);
    }
    // Queries about a group and about sources of it. Section 6.6.3.
    template <class Send>
    constexpr void send_specific(group_type& g, instant now, Send& send) {
        const duration wait = settings_.last_member_interval;
        if (g.queries_left != 0) {
            --g.queries_left;
            send_query(g.group, wait, {}, 0, g.ends() > now + last_member_time(), g.group, send);
        }
        if (settings_.version >= 3) {
            for (const bool suppressed : {true, false}) {
                send_about_sources(g, now, suppressed, send);
            }
        }
        g.for_each_queried([](auto& s) { --s.queries_left; });
        g.next_query = g.has_queries() ? now + wait : instant::never();
    }
    template <class Send>
    constexpr void send_about_sources(group_type& g, instant now, bool suppressed, Send& send) {
        std::byte list[4 * Sources]{};
        std::size_t count = 0;
        g.for_each_queried([&](const auto& s) {
            if ((s.ends > now + last_member_time()) == suppressed) {
                store_be<u32>(list + 4 * count++, s.address.value);
            }
        });
        if (count != 0) {
            send_query(g.group, settings_.last_member_interval, list, count, suppressed, g.group,
                       send);
        }
    }
    template <class Send>
    constexpr void send_query(ipv4::address group, duration response, const_bytes sources,
                              std::size_t count, bool suppressed, ipv4::address to, Send& send) {
        const auto tenths = static_cast<u32>(response.milliseconds() / 100);
        std::byte room[max_message]{};
        std::size_t size = igmp::layout::size;
        const igmp::view m{room};
        m.set(igmp::type, igmp::types::query);
        m.set(igmp::group, group);
        if (settings_.version >= 3) {
            size = igmp::v3_query_layout::size + 4 * count;
            m.set(igmp::max_response_code, igmp::encode_float(tenths));
            const igmp::v3_query_view q{room};
            q.set(igmp::suppress, suppressed);
            q.set(igmp::robustness, robustness_ <= 7 ? robustness_ : u8{0});
            q.set(igmp::query_interval_code, igmp::encode_float(static_cast<u32>(
                                                 settings_.query_interval.milliseconds() / 1000)));
            q.set(igmp::source_count, static_cast<u16>(count));
            copy_bytes(room + igmp::v3_query_layout::size, sources.data(), 4 * count);
        } else {
            m.set(igmp::max_response_code, static_cast<u8>(tenths < 255 ? tenths : 255));
        }
        igmp::set_checksum({room, size});
        ++counters_.queries_sent;
        send(to, const_bytes{room, size});
    }

    ipv4::address own_;
    querier_settings settings_;
    u8 robustness_;      // the querier's
    duration interval_;  // the querier's
    bool is_querier_ = true;
    ipv4::address other_{};
    instant other_until_{};
    u8 startup_left_;
    instant next_general_;
    u32 generation_ = 0;
    querier_counters counters_{};
    bounded_vector<group_type, Groups> groups_{};
};

}  // namespace sluice
