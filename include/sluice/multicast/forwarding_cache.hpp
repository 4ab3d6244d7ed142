// forwarding_cache<...>: the tables of multicast routing, as Linux's multicast forwarding cache:
// VIFs, entries with wildcards, and packets that wait for an entry.
//
// A routing program changes VIFs and entries through the stack (stack/multicast_routes.hpp), so
// that forwarding is on only where VIFs are, and waiting packets leave when their entry comes.
// Router: a class with upcall(event, packet), which hears what the tables do not decide;
// no_multicast_router hears nothing, so packets without an entry wait for `multicast_patience`.
//
// Expects: a secret key; expire() at next_deadline().
// Never:   allocates or grows; forgets an entry by itself (forget_idle does, for programs).
// Cost:    for a packet the hash of its entry, then one step for each outgoing VIF.
// Source:  Linux ipmr.c, ipmr_base.c.
#pragma once

#include <sluice/base/result.hpp>
#include <sluice/multicast/entry_table.hpp>
#include <sluice/multicast/pending_flows.hpp>
#include <sluice/multicast/vif_table.hpp>
#include <sluice/wire/ipv4.hpp>

#include <bit>
#include <utility>

namespace sluice {

struct no_multicast_router {
    template <class Packet>
    [[nodiscard]] constexpr bool upcall(const multicast_event&, const Packet&) noexcept {
        return true;
    }
};

// The most bytes that all packets of flows without an entry keep.
inline constexpr u32 multicast_waiting_bytes = 256 * 1024;

template <std::size_t Entries = 256, class Router = no_multicast_router, std::size_t Flows = 32,
          std::size_t Held = 4, u32 Bytes = multicast_waiting_bytes>
struct forwarding_cache {
    template <class Packet>
    class model {
        static_assert(multicast_router<Router, Packet>,
                      "sluice: forwarding_cache<N, Router>: Router must have bool upcall(const "
                      "multicast_event&, const Packet&) noexcept (multicast/route_concept.hpp)");

    public:
        static constexpr bool never_routes = false;
        static constexpr std::size_t held_limit = Flows * Held;
        // At most one report of a wrong interface for an entry in this time. Linux
        // MFC_ASSERT_THRESH.
        static constexpr duration report_interval = duration::from_seconds(3);

        using slot = typename entry_table<Entries>::slot;

        Router router{};
        // Whether packets that came by an outgoing VIF of their entry are reported (Linux
        // MRT_ASSERT), or by any VIF (Linux MRT_PIM).
        bool reports_outgoing = false;
        bool reports_any = false;
        // The packets too. Linux MRT_PIM with the value IGMPMSG_WRVIFWHOLE.
        bool reports_packets = false;
        bool is_open = false;  // a routing program holds the tables; the stack sets it

        constexpr explicit model(hash_key key) noexcept : entries_{key} {}
        model(const model&) = delete;
        model& operator=(const model&) = delete;

        // -- what the stack asks --
        [[nodiscard]] constexpr multicast_route find(ipv4::address source, ipv4::address group,
                                                     u16 interface, u8 ttl) const noexcept {
            multicast_route r{.ingress = vifs_.of_interface(interface)};
            r.entry = entries_.find(source, group);
            if (!r.is_known() && r.ingress != no_vif) {
                r.entry = entries_.find_wildcard(group, r.ingress);
            }
            if (r.is_known()) {
                judge(entries_.at(r.entry), interface, ttl, r);
            }
            return r;
        }
        [[nodiscard]] constexpr u8 find_vif(u16 interface) const noexcept {
            return vifs_.of_interface(interface);
        }
        [[nodiscard]] constexpr const virtual_interface* vif(u8 number) const noexcept {
            return vifs_.find(number);
        }
        constexpr void count_entry(const multicast_route& r, u32 size, instant now) noexcept {
            entry_traffic& seen = entries_.at(r.entry).seen;
            add(seen.all, size);
            if (r.is_accepted) {
                seen.last = now;
                if (vifs_.has(r.upstream)) {
                    add(vifs_.traffic_of(r.upstream).in, size);
                }
            }
        }
        constexpr void count_out(u8 number, u32 size) noexcept {
            add(vifs_.traffic_of(number).out, size);
        }
        // Linux ip_mr_forward.
        [[nodiscard]] constexpr multicast_report count_wrong_interface(const multicast_route& r,
                                                                       instant now) noexcept {
            slot& s = entries_.at(r.entry);
            ++s.seen.wrong_interface;
            const bool concerns =
                r.ingress != no_vif &&
                (reports_any || (reports_outgoing && (s.outgoing >> r.ingress & 1) != 0));
            if (!concerns || (s.was_reported && now <= s.reported + report_interval)) {
                return multicast_report::none;
            }
            s.was_reported = true;
            s.reported = now;
            return reports_packets ? multicast_report::event_and_packet : multicast_report::event;
        }
        [[nodiscard]] constexpr bool upcall(const multicast_event& e,
                                            const Packet& packet) noexcept {
            return router.upcall(e, packet);
        }
        [[nodiscard]] constexpr waiting await(ipv4::address source,
                                              ipv4::address group) const noexcept {
            return pending_.has(source, group) ? waiting::yes
                   : pending_.full()           ? waiting::table_full
                                               : waiting::no;
        }
        [[nodiscard]] constexpr bool hold(Packet&& packet, instant now) noexcept {
            const ipv4::const_view ip{std::as_const(packet).data()};
            const ipv4::address source = ip[ipv4::source];
            const ipv4::address group = ip[ipv4::destination];
            return pending_.hold(std::move(packet), source, group, now);
        }
        [[nodiscard]] constexpr Packet take_held(ipv4::address source,
                                                 ipv4::address group) noexcept {
            return pending_.take(source, group);
        }
        [[nodiscard]] constexpr std::size_t held() const noexcept { return pending_.held(); }
        constexpr u32 expire(instant now) noexcept { return pending_.expire(now); }
        [[nodiscard]] constexpr instant next_deadline() const noexcept {
            return pending_.next_deadline();
        }

        // -- what a routing program changes, through the stack --
        constexpr result<void, multicast_error> add_vif(u8 number,
                                                        const virtual_interface& v) noexcept {
            if (number >= max_vifs) {
                return failure{multicast_error::out_of_range};
            }
            const bool second = v.kind == vif_kind::pim_register && vifs_.register_vif() != no_vif;
            if (vifs_.has(number) || second) {
                return failure{multicast_error::in_use};
            }
            vifs_.put(number, v);
            return {};
        }
        constexpr result<void, multicast_error> remove_vif(u8 number) noexcept {
            if (number >= max_vifs) {
                return failure{multicast_error::out_of_range};
            }
            if (!vifs_.has(number)) {
                return failure{multicast_error::not_found};
            }
            vifs_.erase(number);
            return {};
        }
        // Replaces the entry that it stands for, if there is one. VIFs that do not exist now are
        // left out, as in Linux.
        constexpr result<void, multicast_error>
        add(const multicast_entry& e, entry_match match = entry_match::any_upstream) noexcept {
            if (e.upstream >= max_vifs) {
                return failure{multicast_error::out_of_range};
            }
            if (!e.group.is_multicast() && !e.group.is_unspecified()) {
                return failure{multicast_error::invalid};
            }
            u16 i = look_up(e, match);
            if (i == no_multicast_entry) {
                i = entries_.add(e);
            }
            if (i == no_multicast_entry) {
                return failure{multicast_error::full};
            }
            slot& s = entries_.at(i);
            s.stated = e;
            s.outgoing = 0;
            for (u8 n = 0; n < max_vifs; ++n) {
                const u8 least = e.thresholds[n];
                const bool used = vifs_.has(n) && least != 0 && least < 255;
                s.outgoing |= used ? vif_mask{1} << n : 0;
            }
            return {};
        }
        constexpr result<void, multicast_error>
        remove(const multicast_entry& e, entry_match match = entry_match::any_upstream) noexcept {
            const u16 i = look_up(e, match);
            if (i == no_multicast_entry) {
                return failure{multicast_error::not_found};
            }
            entries_.erase(i);
            return {};
        }
        // Removes entries. Without `entries`, waiting packets stay. Returns the packets dropped.
        constexpr u32 flush(multicast_flush which) noexcept {
            entries_.erase_if([which](const slot& s) {
                return s.stated.is_static ? which.static_entries : which.entries;
            });
            return which.entries ? pending_.clear() : 0;
        }
        // Removes entries, but static ones, that carried no packet since `since`. Returns their
        // number.
        constexpr u32 forget_idle(instant since) noexcept {
            return entries_.erase_if(
                [since](const slot& s) { return !s.stated.is_static && s.seen.last < since; });
        }

        // -- lists and counters --
        [[nodiscard]] constexpr const vif_table& vifs() const noexcept { return vifs_; }
        [[nodiscard]] constexpr std::size_t size() const noexcept { return entries_.size(); }
        // nullptr: there is none. Linux SIOCGETSGCNT.
        [[nodiscard]] constexpr const slot* entry(ipv4::address source,
                                                  ipv4::address group) const noexcept {
            const u16 i = entries_.find(source, group);
            return i == no_multicast_entry ? nullptr : &entries_.at(i);
        }
        // Calls f(const slot&) for each entry.
        template <class F>
        constexpr void for_each(F&& f) const {
            entries_.for_each(f);
        }
        // Calls f(source, group, packets) for each flow that waits for an entry.
        template <class F>
        constexpr void for_each_waiting(F&& f) const {
            pending_.for_each(f);
        }

    private:
        static constexpr void add(packet_count& to, u32 size) noexcept {
            ++to.packets;
            to.bytes += size;
        }
        [[nodiscard]] constexpr u16 look_up(const multicast_entry& e,
                                            entry_match match) const noexcept {
            return match == entry_match::any_upstream
                       ? entries_.find(e.source, e.group)
                       : entries_.find(e.source, e.group, e.upstream);
        }
        constexpr void judge(const slot& s, u16 interface, u8 ttl,
                             multicast_route& r) const noexcept {
            const multicast_entry& e = s.stated;
            const bool any_source = e.source.is_unspecified();
            r.upstream = e.upstream;
            const virtual_interface* expected = vifs_.find(e.upstream);
            r.is_accepted =
                (expected != nullptr && expected->interface == interface) ||
                (any_source && r.ingress != no_vif && entries_.hangs_on(e.upstream, r.ingress));
            if (!r.is_accepted) {
                return;
            }
            vif_mask candidates = s.outgoing;
            if (any_source && e.group.is_unspecified()) {
                // Upstream only: nothing goes down by such an entry.
                candidates &=
                    r.ingress != no_vif && r.ingress != e.upstream ? vif_mask{1} << e.upstream : 0;
            } else if (any_source && r.ingress != no_vif) {
                candidates &= ~(vif_mask{1} << r.ingress);
            }
            for (; candidates != 0; candidates &= candidates - 1) {
                const auto n = static_cast<u8>(std::countr_zero(candidates));
                r.egress |= ttl > e.thresholds[n] ? vif_mask{1} << n : 0;
            }
        }

        vif_table vifs_{};
        entry_table<Entries> entries_;
        pending_flows<Packet, Flows, Held, Bytes> pending_{};
    };
};

}  // namespace sluice
