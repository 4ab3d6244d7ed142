// entry_table<N>: the entries of a multicast forwarding cache, by source and group.
//
// It finds (S,G), then wildcards: a (*,G) entry that lists the ingress as an outgoing VIF, or whose
// upstream VIF hangs on a (*,*) entry that lists the ingress; then a (*,*) entry that lists the
// ingress. Of several wildcards with the same key, which differ in their upstream VIF, the newest
// is found first.
//
// Expects: a secret key.
// Never:   allocates or grows; changes an entry when it looks one up.
// Cost:    a keyed hash and a short chain for (S,G), up to three more for wildcards.
// Source:  Linux mr_mfc_find_any, mr_mfc_find_any_parent.
#pragma once

#include <sluice/base/siphash.hpp>
#include <sluice/multicast/route_concept.hpp>

#include <bit>
#include <cstddef>
#include <utility>

namespace sluice {

template <std::size_t N>
class entry_table {
    static_assert(N >= 1 && N < no_multicast_entry,
                  "sluice: entry_table holds 1 to 65534 multicast entries");

public:
    struct slot {
        multicast_entry stated{};
        vif_mask outgoing = 0;  // VIFs with a threshold that a TTL can exceed
        entry_traffic seen{};
        // When a wrong interface was last reported.
        instant reported{};
        bool was_reported = false;
        bool is_used = false;
        u16 next = no_multicast_entry;
    };

    constexpr explicit entry_table(hash_key key) noexcept : key_{key} {
        for (u16& head : heads_) {
            head = no_multicast_entry;
        }
        for (std::size_t i = N; i-- > 0;) {
            slots_[i].next = free_;
            free_ = static_cast<u16>(i);
        }
    }

    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
    [[nodiscard]] constexpr slot& at(u16 i) noexcept { return slots_[i]; }
    [[nodiscard]] constexpr const slot& at(u16 i) const noexcept { return slots_[i]; }

    // The newest entry with this source and group, whatever its upstream VIF.
    [[nodiscard]] constexpr u16 find(ipv4::address source, ipv4::address group) const noexcept {
        return find_if(source, group, [](const slot&) { return true; });
    }
    [[nodiscard]] constexpr u16 find(ipv4::address source, ipv4::address group,
                                     u8 upstream) const noexcept {
        return find_if(source, group,
                       [upstream](const slot& s) { return s.stated.upstream == upstream; });
    }
    // A (*,*) entry that lists the VIF as an outgoing one.
    [[nodiscard]] constexpr u16 find_any(u8 vif) const noexcept {
        return find_if({}, {}, [vif](const slot& s) { return lists(s, vif); });
    }
    // A wildcard for a packet to the group that came by the VIF.
    [[nodiscard]] constexpr u16 find_wildcard(ipv4::address group, u8 vif) const noexcept {
        const u16 of_group = find_if({}, group, [&](const slot& s) {
            return lists(s, vif) || hangs_on(s.stated.upstream, vif);
        });
        return of_group != no_multicast_entry ? of_group : find_any(vif);
    }
    // Whether a (*,*) entry lists the upstream VIF of a (*,G) entry, and also this VIF.
    [[nodiscard]] constexpr bool hangs_on(u8 upstream, u8 vif) const noexcept {
        const u16 i = find_any(upstream);
        return i != no_multicast_entry && lists(slots_[i], vif);
    }

    // no_multicast_entry: full.
    constexpr u16 add(const multicast_entry& e) noexcept {
        const u16 i = free_;
        if (i != no_multicast_entry) {
            free_ = slots_[i].next;
            u16& head = heads_[bucket(e.source, e.group)];
            slots_[i] = {.stated = e, .is_used = true, .next = head};
            head = i;
            ++size_;
        }
        return i;
    }
    // Expects an entry in use.
    constexpr void erase(u16 i) noexcept {
        const multicast_entry& e = slots_[i].stated;
        u16* link = &heads_[bucket(e.source, e.group)];
        while (*link != i) {
            link = &slots_[*link].next;
        }
        *link = slots_[i].next;
        slots_[i] = {.next = free_};
        free_ = i;
        --size_;
    }
    // Erases the entries for which goes(const slot&) is true. Returns their number.
    template <class F>
    constexpr u32 erase_if(F&& goes) noexcept {
        u32 erased = 0;
        for (u16 i = 0; i < N; ++i) {
            if (slots_[i].is_used && goes(std::as_const(slots_[i]))) {
                erase(i);
                ++erased;
            }
        }
        return erased;
    }
    // Calls f(const slot&) for each entry, in no order.
    template <class F>
    constexpr void for_each(F&& f) const {
        for (const slot& s : slots_) {
            if (s.is_used) {
                f(s);
            }
        }
    }

private:
    static constexpr std::size_t bucket_count = std::bit_ceil(N);

    [[nodiscard]] static constexpr bool lists(const slot& s, u8 vif) noexcept {
        return vif < max_vifs && (s.outgoing >> vif & 1) != 0;
    }
    [[nodiscard]] constexpr std::size_t bucket(ipv4::address source,
                                               ipv4::address group) const noexcept {
        return siphash(key_, u64{source.value} << 32 | group.value) & (bucket_count - 1);
    }
    template <class F>
    [[nodiscard]] constexpr u16 find_if(ipv4::address source, ipv4::address group,
                                        F&& fits) const noexcept {
        u16 i = heads_[bucket(source, group)];
        for (; i != no_multicast_entry; i = slots_[i].next) {
            const slot& s = slots_[i];
            if (s.stated.source == source && s.stated.group == group && fits(s)) {
                break;
            }
        }
        return i;
    }

    hash_key key_;
    std::size_t size_ = 0;
    u16 free_ = no_multicast_entry;
    u16 heads_[bucket_count]{};
    slot slots_[N]{};
};

}  // namespace sluice
