// igmp_proxy<Interfaces, Querier>: a routing program that forwards by the memberships that the
// queriers of its networks know, with no daemon: an IGMP proxy if it has an upstream VIF, else a
// router between its networks.
//
// It has no stack: give it the IGMP messages of each network by receive(), and call poll() at once
// and at the deadlines that it returns. entry() says how packets of a flow are forwarded;
// renew_entries() brings the entries of a stack up to date after changes. A proxy joins upstream
// what subscribed() says, for each group that for_each_group() names.
//
// Expects: the VIF of each message; the caller's time.
// Never:   forwards to a network where another router is the querier; allocates.
// Cost:    for an entry one look at each network.
// Source:  RFC 4605 section 4.1 to 4.3; RFC 3376 section 3.2.
#pragma once

#include <sluice/multicast/igmp_querier.hpp>
#include <sluice/multicast/route_concept.hpp>

#include <optional>

namespace sluice {

// What a host asks for: the packets of these sources to a group, or of all others.
struct subscription {
    static constexpr std::size_t max_sources = 64;

    filter_mode mode = filter_mode::include;
    bounded_vector<ipv4::address, max_sources> sources{};

    // Whether nothing is asked for.
    [[nodiscard]] constexpr bool is_empty() const noexcept {
        return mode == filter_mode::include && sources.empty();
    }
};

template <std::size_t Interfaces = 8, class Querier = igmp_querier<>>
class igmp_proxy {
    static_assert(Interfaces <= max_vifs, "sluice: igmp_proxy: at most 32 networks");

public:
    // upstream: the VIF of the network without a querier; no_vif, or another that is no VIF: there
    // is none, and packets of a flow are expected by the VIF that brought the first.
    constexpr explicit igmp_proxy(u8 upstream = no_vif) noexcept
        : upstream_(upstream < max_vifs ? upstream : no_vif) {}

    // Adds a network with members. false: the VIF has one already, is the upstream VIF, or there is
    // no room.
    constexpr bool add(u8 vif, ipv4::address own, const querier_settings& s, instant now) noexcept {
        if (vif >= max_vifs || vif == upstream_ || querier(vif) != nullptr) {
            return false;
        }
        for (network& n : networks_) {
            if (!n.querier.has_value()) {
                n.vif = vif;
                n.querier.emplace(own, s, now);
                return true;
            }
        }
        return false;
    }
    // nullptr: the VIF has no network with members.
    [[nodiscard]] constexpr const Querier* querier(u8 vif) const noexcept {
        for (const network& n : networks_) {
            if (n.querier.has_value() && n.vif == vif) {
                return &*n.querier;
            }
        }
        return nullptr;
    }

    // Receives an IGMP message that came by the VIF. false: it says nothing to a router there.
    constexpr bool receive(u8 vif, const_bytes message, ipv4::address from, instant now) noexcept {
        auto* q = const_cast<Querier*>(querier(vif));
        return q != nullptr && q->receive(message, from, now);
    }
    // Calls send(u8 vif, ipv4::address to, const_bytes message) for each query to send. Returns the
    // next deadline.
    template <class Send>
    constexpr instant poll(instant now, Send&& send) {
        instant next = instant::never();
        for (network& n : networks_) {
            if (n.querier.has_value()) {
                const instant own = n.querier->poll(
                    now, [&](ipv4::address to, const_bytes m) { send(n.vif, to, m); });
                next = own < next ? own : next;
            }
        }
        return next;
    }
    // Moves whenever entry() or subscribed() may answer otherwise than before.
    [[nodiscard]] constexpr u32 generation() const noexcept {
        u32 sum = 0;
        for (const network& n : networks_) {
            sum += n.querier.has_value() ? n.querier->generation() : 0;
        }
        return sum;
    }

    // The entry for packets from the source to the group that came by the VIF. Its list of VIFs may
    // be empty: then they are dropped without a further event.
    [[nodiscard]] constexpr multicast_entry entry(ipv4::address source, ipv4::address group,
                                                  u8 ingress, instant now) const noexcept {
        multicast_entry e{.source = source, .group = group, .upstream = ingress};
        for (const network& n : networks_) {
            if (n.querier.has_value() && n.vif != ingress && n.querier->is_querier() &&
                n.querier->wants(source, group, now)) {
                e.thresholds[n.vif] = 1;
            }
        }
        // Section 4.3: what comes from below always goes up.
        if (upstream_ != no_vif && ingress != upstream_) {
            e.thresholds[upstream_] = 1;
        }
        return e;
    }

    // Calls f(ipv4::address group) for each group with members, once for each network with some.
    template <class F>
    constexpr void for_each_group(F&& f) const {
        for (const network& n : networks_) {
            if (n.querier.has_value()) {
                n.querier->for_each_group([&](const auto& g) { f(g.group); });
            }
        }
    }
    // What all networks together ask for: if one excludes, all but the sources that every excluding
    // network excludes and none includes; else the sources of all. If the list is too long, an
    // exclude list leaves sources out and so asks for more; an include list becomes "all".
    [[nodiscard]] constexpr subscription subscribed(ipv4::address group,
                                                    instant now) const noexcept {
        subscription all;
        for (const network& n : networks_) {
            const auto* g = n.querier.has_value() ? n.querier->find(group) : nullptr;
            all.mode =
                g != nullptr && g->mode() == filter_mode::exclude ? filter_mode::exclude : all.mode;
        }
        for (const network& n : networks_) {
            const auto* g = n.querier.has_value() ? n.querier->find(group) : nullptr;
            if (g != nullptr && g->mode() == all.mode && !take_sources(all, *g, now)) {
                return {.mode = filter_mode::exclude};
            }
        }
        return all;
    }

private:
    struct network {
        u8 vif = no_vif;
        std::optional<Querier> querier{};
    };

    [[nodiscard]] static constexpr bool lists(const subscription& s, ipv4::address a) noexcept {
        for (const ipv4::address known : s.sources) {
            if (known == a) {
                return true;
            }
        }
        return false;
    }
    [[nodiscard]] constexpr bool is_wanted(ipv4::address source, ipv4::address group,
                                           instant now) const noexcept {
        for (const network& n : networks_) {
            if (n.querier.has_value() && n.querier->wants(source, group, now)) {
                return true;
            }
        }
        return false;
    }
    // false: a source that is asked for found no room.
    template <class Group>
    [[nodiscard]] constexpr bool take_sources(subscription& all, const Group& g,
                                              instant now) const noexcept {
        for (const auto& s : g.sources()) {
            const bool includes = all.mode == filter_mode::include;
            const bool counts = includes ? now < s.ends : !is_wanted(s.address, g.group, now);
            if (counts && !lists(all, s.address) && !all.sources.push_back(s.address) && includes) {
                return false;
            }
        }
        return true;
    }

    u8 upstream_;
    network networks_[Interfaces]{};
};

// Adds the entry of a flow to the stack when the tables have none: call it in the upcall of a
// router, for multicast_event_kind::no_entry.
template <class Stack, class Proxy>
void add_entry_for(Stack& stack, const Proxy& proxy, const multicast_event& e,
                   u32 midnight_ms = 0) {
    static_cast<void>(stack.add_multicast_route(proxy.entry(e.source, e.group, e.vif, e.now),
                                                {e.now, midnight_ms}));
}

// Brings the entries of the stack, but static ones, up to date.
template <class Stack, class Proxy>
void renew_entries(Stack& stack, const Proxy& proxy, const moment& now) {
    stack.multicast_routes().for_each([&](const auto& slot) {
        const multicast_entry& e = slot.stated;
        if (!e.is_static && !e.source.is_unspecified()) {
            static_cast<void>(stack.add_multicast_route(
                proxy.entry(e.source, e.group, e.upstream, now.now), now));
        }
    });
}

}  // namespace sluice
