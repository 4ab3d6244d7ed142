// group_entries<N>: the multicast groups of a host by interface and address, with their timers.
//
// An entry is live while the host is a member. After it left, the entry remains until the reports
// of version 3 say so, or the leave message of version 2.
//
// Expects: an address is at most once on an interface.
// Never:   allocates.
// Cost:    one SipHash and a short chain to find a group; a timer costs the logarithm of the number
//          of timers that run; 80 bytes for each group.
// Source:  Linux ip_mc_list.
#pragma once

#include <sluice/base/time.hpp>
#include <sluice/multicast/source_lists.hpp>

#include <utility>

namespace sluice::detail {

enum class group_state : u8 { none, live, left, leaving };

struct multicast_group {
    ipv4::address address{};
    u16 interface = 0;
    group_state state = group_state::none;
    filter_mode mode = filter_mode::exclude;
    u32 next = no_entry;  // in its list; of a free entry: the next free one
    u32 previous = no_entry;
    u32 chain = no_entry;  // the next entry of the bucket
    u32 users = 0;         // joins
    u32 listeners[2]{};    // by the mode of their filter
    u8 changes_left = 0;   // reports that still name the change of the mode
    u8 unsolicited_left = 0;
    bool reporter = false;  // this host was the last to report it (RFC 2236 section 3)
    bool asked = false;     // a query asked about some of its sources
    instant due = instant::never();
    u32 timer = no_entry;  // its place among the timers
    source_list sources{};
    source_list removed{};

    [[nodiscard]] constexpr u32& count(filter_mode m) noexcept {
        return listeners[static_cast<u8>(m)];
    }
    [[nodiscard]] constexpr u32 count(filter_mode m) const noexcept {
        return listeners[static_cast<u8>(m)];
    }
    // Whether the filter of the interface names the source: excluded by all that exclude and
    // included by none; or included. RFC 3376 section 3.2.
    [[nodiscard]] constexpr bool names(const multicast_source& s) const noexcept {
        const u32 excluding = count(filter_mode::exclude);
        return excluding != 0 ? s.count(filter_mode::exclude) == excluding &&
                                    s.count(filter_mode::include) == 0
                              : s.count(filter_mode::include) != 0;
    }
};

template <std::size_t N>
class group_entries {
    static_assert(N >= 1 && N < 0x7fff'ffff, "sluice: a table of multicast groups has room");

public:
    constexpr explicit group_entries(hash_key key) noexcept : key_(key) {
        for (u32& b : buckets_) {
            b = no_entry;
        }
    }

    [[nodiscard]] constexpr multicast_group& operator[](u32 i) noexcept { return entries_[i]; }
    [[nodiscard]] constexpr const multicast_group& operator[](u32 i) const noexcept {
        return entries_[i];
    }

    [[nodiscard]] constexpr u32 find(u16 interface, ipv4::address a) const noexcept {
        u32 i = buckets_[bucket_of(interface, a)];
        while (i != no_entry && !(entries_[i].address == a && entries_[i].interface == interface)) {
            i = entries_[i].chain;
        }
        return i;
    }
    // A new entry in state `none`, in no list. no_entry: no room.
    [[nodiscard]] constexpr u32 add(u16 interface, ipv4::address a) noexcept {
        u32 i = free_;
        if (i != no_entry) {
            free_ = entries_[i].next;
        } else if (fresh_ < N) {
            i = fresh_++;
        } else {
            return no_entry;
        }
        entries_[i] = {};
        entries_[i].address = a;
        entries_[i].interface = interface;
        u32& bucket = buckets_[bucket_of(interface, a)];
        entries_[i].chain = bucket;
        bucket = i;
        return i;
    }
    // Its lists of sources are empty, it is in no list and its timer does not run.
    constexpr void erase(u32 i) noexcept {
        u32* at = &buckets_[bucket_of(entries_[i].interface, entries_[i].address)];
        while (*at != i) {
            at = &entries_[*at].chain;
        }
        *at = entries_[i].chain;
        entries_[i].state = group_state::none;
        entries_[i].next = free_;
        free_ = i;
    }

    // The lists of an interface: new entries come first, as in Linux.
    constexpr void push(u32& first, u32 i) noexcept {
        entries_[i].next = first;
        entries_[i].previous = no_entry;
        if (first != no_entry) {
            entries_[first].previous = i;
        }
        first = i;
    }
    constexpr void remove(u32& first, u32 i) noexcept {
        const multicast_group& g = entries_[i];
        if (g.next != no_entry) {
            entries_[g.next].previous = g.previous;
        }
        (g.previous != no_entry ? entries_[g.previous].next : first) = g.next;
    }

    // The timers: a binary heap of group numbers.
    constexpr void start(u32 i, instant due) noexcept {
        if (entries_[i].timer == no_entry) {
            entries_[i].timer = running_;
            timers_[running_++] = i;
        }
        entries_[i].due = due;
        settle(entries_[i].timer);
    }
    constexpr void stop(u32 i) noexcept {
        const u32 at = std::exchange(entries_[i].timer, no_entry);
        entries_[i].due = instant::never();
        if (at == no_entry) {
            return;
        }
        const u32 last = timers_[--running_];
        if (last != i) {
            put(at, last);
            settle(at);
        }
    }
    [[nodiscard]] constexpr bool runs(u32 i) const noexcept {
        return entries_[i].timer != no_entry;
    }
    // The group whose timer is due first; no_entry: none runs.
    [[nodiscard]] constexpr u32 first_due() const noexcept {
        return running_ != 0 ? timers_[0] : no_entry;
    }

private:
    static constexpr std::size_t bucket_count = std::bit_ceil(N);

    [[nodiscard]] constexpr std::size_t bucket_of(u16 interface, ipv4::address a) const noexcept {
        return siphash(key_, u64{interface} << 32 | a.value) & (bucket_count - 1);
    }
    constexpr void put(u32 at, u32 group) noexcept {
        timers_[at] = group;
        entries_[group].timer = at;
    }
    [[nodiscard]] constexpr instant due_at(u32 at) const noexcept {
        return entries_[timers_[at]].due;
    }
    // Moves the timer at this place up or down to where it belongs.
    constexpr void settle(u32 at) noexcept {
        const u32 group = timers_[at];
        while (at != 0 && entries_[group].due < due_at((at - 1) / 2)) {
            put(at, timers_[(at - 1) / 2]);
            at = (at - 1) / 2;
        }
        for (;;) {
            u32 child = 2 * at + 1;
            if (child + 1 < running_ && due_at(child + 1) < due_at(child)) {
                ++child;
            }
            if (child >= running_ || !(due_at(child) < entries_[group].due)) {
                break;
            }
            put(at, timers_[child]);
            at = child;
        }
        put(at, group);
    }

    hash_key key_;
    std::array<multicast_group, N> entries_{};
    std::array<u32, bucket_count> buckets_{};
    std::array<u32, N> timers_{};
    u32 running_ = 0;
    u32 free_ = no_entry;
    u32 fresh_ = 0;
};

}  // namespace sluice::detail
