// igmp_host<Groups, Sources, Interfaces>: the groups of a host with source filters, and the host's
// side of IGMP versions 1 to 3.
//
// It merges the filters of its listeners to one of each interface, answers queries, reports
// changes, and speaks the version of the oldest querier. Time, randomness and the sending of
// messages come from its owner: a stack with `multicast<igmp_host<>>` does all that.
//
//     igmp_host<> groups{key};
//     groups.set_terms(2, {});
//     groups.set_up(2, true);
//     groups.join(2, "239.1.2.3"_ip);
//     next = groups.poll(now, sink);      // and again when `next` has come
//
// Expects: one clock; poll() at the times that it returns.
// Never:   allocates; answers at once; keeps what does not fit: a call that lacks room is refused.
// Cost:    is_member(): one SipHash and a short chain, and the same again for a group with sources.
//          80 bytes for each group, 36 for each source (rounded up to a power of two for the tables
//          of the hash), 88 for each interface.
// Source:  RFC 1112, RFC 2236, RFC 3376; Linux net/ipv4/igmp.c.
#pragma once

#include <sluice/multicast/concept.hpp>
#include <sluice/multicast/igmp_hear.hpp>
#include <sluice/multicast/igmp_report.hpp>

#include <span>

namespace sluice {

template <std::size_t Groups = 64, std::size_t Sources = 256, std::size_t Interfaces = 32>
class igmp_host {
public:
    static constexpr bool speaks_igmp = true;

    // `key`: a secret; it hashes the tables and draws the delays.
    constexpr explicit igmp_host(hash_key key) noexcept : state_(key) {}

    // Whether datagrams from source to the group are received by this interface. A source of
    // 0.0.0.0 is received if any is. Linux ip_check_mc_rcu.
    [[nodiscard]] constexpr bool is_member(u16 interface, ipv4::address group,
                                           ipv4::address source) const noexcept {
        if (group == ipv4::all_systems) {
            return true;
        }
        const u32 found = live_group(interface, group);
        if (found == detail::no_entry) {
            return false;
        }
        const auto& g = state_.groups[found];
        const u32 excluding = g.count(filter_mode::exclude);
        if (g.sources.empty() || source.is_unspecified()) {
            return source.is_unspecified() || excluding != 0;
        }
        const u32 named = state_.sources.find(found, detail::source_kind::present, source);
        if (named == detail::no_entry) {
            return excluding != 0;
        }
        return state_.sources[named].count(filter_mode::include) != 0 ||
               state_.sources[named].count(filter_mode::exclude) != excluding;
    }
    // Whether any listener of the interface is in the group, from whatever source.
    [[nodiscard]] constexpr bool has_group(u16 interface, ipv4::address group) const noexcept {
        return group == ipv4::all_systems || live_group(interface, group) != detail::no_entry;
    }

    // A listener for all sources.
    [[nodiscard]] constexpr bool join(u16 interface, ipv4::address group) noexcept {
        return enter(interface, group, filter_mode::exclude);
    }
    [[nodiscard]] constexpr bool leave(u16 interface, ipv4::address group) noexcept {
        return leave(interface, group, filter_mode::exclude, {});
    }
    // A listener with an empty filter of this mode. false: no group, or no room.
    [[nodiscard]] constexpr bool enter(u16 interface, ipv4::address group,
                                       filter_mode mode) noexcept {
        if (!group.is_multicast()) {
            return false;
        }
        detail::igmp_interface* in = state_.obtain(interface);
        return in != nullptr && detail::enter_group(state_, *in, group, mode);
    }
    // The listener leaves that has this filter. false: nobody joined the group.
    [[nodiscard]] constexpr bool leave(u16 interface, ipv4::address group, filter_mode mode,
                                       std::span<const ipv4::address> sources) noexcept {
        const found_group f = find(interface, group);
        // 224.0.0.1 is the interface's own.
        if (f.in == nullptr ||
            (group == ipv4::all_systems && f.in->up && state_.groups[f.group].users == 1)) {
            return false;
        }
        detail::remove_sources(state_, *f.in, f.group, mode, sources, true);
        detail::leave_group(state_, *f.in, f.group);
        return true;
    }
    // Changes a listener's filter by these sources. false: no room for them, nothing changed.
    [[nodiscard]] constexpr bool add_sources(u16 interface, ipv4::address group, filter_mode mode,
                                             std::span<const ipv4::address> sources) noexcept {
        return change(interface, group, [&](auto& in, u32 g) {
            return detail::add_sources(state_, in, g, mode, sources, false);
        });
    }
    constexpr void remove_sources(u16 interface, ipv4::address group, filter_mode mode,
                                  std::span<const ipv4::address> sources) noexcept {
        static_cast<void>(change(interface, group, [&](auto& in, u32 g) {
            detail::remove_sources(state_, in, g, mode, sources, false);
            return true;
        }));
    }
    // A listener takes another filter: add the new one, then drop the old one. So what both ask for
    // is received all the time. false: no room, nothing changed.
    [[nodiscard]] constexpr bool add_filter(u16 interface, ipv4::address group, filter_mode mode,
                                            std::span<const ipv4::address> sources) noexcept {
        return change(interface, group, [&](auto& in, u32 g) {
            return detail::add_sources(state_, in, g, mode, sources, true);
        });
    }
    constexpr void drop_filter(u16 interface, ipv4::address group, filter_mode mode,
                               std::span<const ipv4::address> sources) noexcept {
        static_cast<void>(change(interface, group, [&](auto& in, u32 g) {
            detail::remove_sources(state_, in, g, mode, sources, true);
            return true;
        }));
    }

    // The switches of an interface. The first call makes it known. false: no room.
    constexpr bool set_terms(u16 interface, const igmp_terms& terms) noexcept {
        const bool is_new = state_.find(interface) == nullptr;
        detail::igmp_interface* in = state_.obtain(interface);
        if (in != nullptr) {
            in->terms = terms;
            in->robustness = is_new ? terms.robustness : in->robustness;
        }
        return in != nullptr;
    }
    constexpr void set_up(u16 interface, bool up) noexcept {
        detail::igmp_interface* in = state_.obtain(interface);
        if (in != nullptr && in->up != up) {
            ++state_.edits;
            up ? detail::interface_up(state_, *in) : detail::interface_down(state_, *in);
        }
    }
    // The interface is gone, and its groups with it. Linux ip_mc_destroy_dev.
    constexpr void forget(u16 interface) noexcept {
        ++state_.edits;
        for (std::size_t n = 0; n < state_.interfaces.size(); ++n) {
            detail::igmp_interface& in = state_.interfaces[n];
            if (in.index == interface) {
                detail::forget_removed(state_, in);
                detail::for_each_group(state_, in.live, [&](u32 g) { state_.erase_group(g); });
                state_.interfaces.erase(n);
                return;
            }
        }
    }

    // Time for the calls that have none. It does not go back.
    constexpr void set_time(instant now) noexcept {
        state_.now = now < state_.now ? state_.now : now;
    }
    // Takes an IGMP message that came in by the interface. `heard_by_all`: in a multicast or
    // broadcast frame of another host. false: a host has no use for it (Linux drops it).
    constexpr bool receive(u16 interface, const_bytes message, bool heard_by_all) noexcept {
        detail::igmp_interface* in = state_.find(interface);
        if (in == nullptr || message.size() < igmp::layout::size || !igmp::checksum_ok(message)) {
            return false;
        }
        const igmp::const_view head{message.data()};
        switch (head[igmp::type]) {
        case igmp::types::query:
            return detail::hear_query(state_, *in, message);
        case igmp::types::v1_report:
        case igmp::types::v2_report:
            if (heard_by_all) {
                detail::hear_report(state_, *in, head[igmp::group]);
            }
            return heard_by_all;
        default:
            return false;
        }
    }
    // Sends what is due. Returns when it is to be called again.
    template <igmp_sink Sink>
    constexpr instant poll(instant now, Sink& sink) noexcept {
        set_time(now);
        // A hook that joins and leaves for each message sent must not hold the caller for ever.
        std::size_t most = Groups + 2 * Interfaces;
        while (most-- != 0 && next_deadline() <= state_.now) {
            step(sink);
        }
        return next_deadline();
    }
    [[nodiscard]] constexpr instant next_deadline() const noexcept {
        const u32 first = state_.groups.first_due();
        instant next = first != detail::no_entry ? state_.groups[first].due : instant::never();
        for (const auto& in : state_.interfaces) {
            next = in.answer_due < next ? in.answer_due : next;
            next = in.change_due < next ? in.change_due : next;
        }
        return next;
    }

    // For listings. f(const interface&, unsigned version), where the interface has index and
    // group_count.
    template <class F>
    constexpr void for_each_interface(F&& f) const {
        for (const auto& in : state_.interfaces) {
            f(in, state_.version(in));
        }
    }
    // f(const group&), the latest first.
    template <class F>
    constexpr void for_each_group(u16 interface, F&& f) const {
        for (const auto& in : state_.interfaces) {
            for (u32 g = in.index == interface ? in.live : detail::no_entry; g != detail::no_entry;
                 g = state_.groups[g].next) {
                f(state_.groups[g]);
            }
        }
    }
    // f(const source&): its address and its listeners by mode.
    template <class Group, class F>
    constexpr void for_each_source(const Group& g, F&& f) const {
        detail::for_each_source(state_, g.sources, [&](u32 i) { f(state_.sources[i]); });
    }
    [[nodiscard]] constexpr instant now() const noexcept { return state_.now; }

private:
    struct found_group {
        detail::igmp_interface* in = nullptr;
        u32 group = detail::no_entry;
    };

    [[nodiscard]] constexpr u32 live_group(u16 interface, ipv4::address group) const noexcept {
        const u32 found = state_.groups.find(interface, group);
        const bool live =
            found != detail::no_entry && state_.groups[found].state == detail::group_state::live;
        return live ? found : detail::no_entry;
    }
    [[nodiscard]] constexpr found_group find(u16 interface, ipv4::address group) noexcept {
        const u32 g = live_group(interface, group);
        return g != detail::no_entry ? found_group{state_.find(interface), g} : found_group{};
    }
    template <class F>
    constexpr bool change(u16 interface, ipv4::address group, F&& f) noexcept {
        const found_group found = find(interface, group);
        if (found.in == nullptr) {
            return false;
        }
        ++state_.edits;
        return f(*found.in, found.group);
    }
    template <class Sink>
    constexpr void step(Sink& sink) noexcept {
        for (const auto& in : state_.interfaces) {
            if (in.answer_due <= state_.now || in.change_due <= state_.now) {
                static_cast<void>(detail::interface_due(state_, sink, in.index));
                return;
            }
        }
        const u32 first = state_.groups.first_due();
        if (first != detail::no_entry && state_.groups[first].due <= state_.now) {
            detail::group_due(state_, sink, first);
        }
    }

    detail::igmp_state<Groups, Sources, Interfaces> state_;
};
static_assert(multicast_policy<igmp_host<>>);

}  // namespace sluice
