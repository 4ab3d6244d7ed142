// neighbour_table<Packet, N, Held>: the link addresses of at most N next hops, keyed by interface
// and IPv4 address.
//
// Expects: a secret key, the caller's time, poll() at the deadlines it gives. Does: the neighbour
// states of Linux: asks, asks again, gives up, confirms by itself what is in use, forgets what is
// not. Never: sends (the caller does what poll() says), allocates, grows: a new entry takes the
// place of the one that matters least. A scan of a network displaces its own unanswered entries
// first; senders that only announce themselves never displace what is in use. Cost: a keyed hash
// and a short chain for a look-up; poll() looks at all N, at most once in 4 ms. RFC 1122 section
// 2.3.2.1 (validation), RFC 1812 section 3.3.2.
#pragma once

#include <sluice/base/siphash.hpp>
#include <sluice/link/neighbour.hpp>

#include <cstddef>

namespace sluice {

template <class Packet, std::size_t N, std::size_t Held = 4>
class neighbour_table {
    static_assert(N >= 1 && N < 0xffff, "sluice: neighbour_table holds 1 to 65534 neighbours");

public:
    using entry = neighbour<Packet, Held>;

    constexpr explicit neighbour_table(hash_key key, const neighbour_times& times = {}) noexcept
        : key_{key}, times_{times} {
        for (u16& head : buckets_) {
            head = nobody;
        }
        for (std::size_t i = N; i-- > 0;) {
            put_on_shelf(free_shelf, static_cast<u16>(i));
        }
    }
    neighbour_table(const neighbour_table&) = delete;
    neighbour_table& operator=(const neighbour_table&) = delete;

    [[nodiscard]] constexpr const neighbour_times& times() const noexcept { return times_; }
    constexpr void set_times(const neighbour_times& times) noexcept { times_ = times; }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
    // Packets that waited in an entry that was displaced, erased or flushed.
    [[nodiscard]] constexpr u64 abandoned() const noexcept { return abandoned_; }

    // The entry, or nullptr. It stays valid until the next call that changes the table.
    [[nodiscard]] constexpr const entry* find(u16 interface, ipv4::address address) const noexcept {
        const u16 i = look_up(interface, address);
        return i == nobody ? nullptr : &entries_[i];
    }

    struct use {
        entry* neighbour = nullptr;  // nullptr: every entry is permanent
        bool ask = false;            // send a request, once the packet is held
    };
    // The entry to send to: usable, or incomplete with the packet to be held in it.
    [[nodiscard]] constexpr use use_for_output(u16 interface, ipv4::address address,
                                               instant now) noexcept {
        u16 i = look_up(interface, address);
        if (i == nobody) {
            i = make(interface, address, waiting_shelf);
            if (i == nobody) {
                return {};
            }
        }
        entry& e = entries_[i];
        if (e.state == neighbour_state::none || e.state == neighbour_state::failed) {
            e.requests = 1;
            enter(i, neighbour_state::incomplete, now + times_.retransmit);
            return {&e, true};
        }
        if (e.state == neighbour_state::reachable && now >= e.deadline) {
            enter(i, neighbour_state::stale, now + times_.forget);
        }
        if (e.state == neighbour_state::stale) {
            e.requests = 0;
            enter(i, neighbour_state::probing, now + times_.first_probe);
        }
        return {&e, false};
    }

    // What ARP said about a neighbour. `solicited`: a reply sent to us alone, so it is reachable.
    // `forced`: believed even soon after another address (a request to us, an announcement).
    // `may_create`: a new entry is made for it where one is free or unused. Returns the entry when
    // it is usable now (its held packets are then the caller's to send).
    [[nodiscard]] constexpr entry* learn(u16 interface, ipv4::address address,
                                         ethernet::address hardware, instant now, bool solicited,
                                         bool forced, bool may_create) noexcept {
        u16 i = look_up(interface, address);
        if (i == nobody) {
            i = may_create ? make(interface, address, idle_shelf) : nobody;
            if (i == nobody) {
                return nullptr;
            }
        }
        entry& e = entries_[i];
        if (e.state == neighbour_state::permanent) {
            return nullptr;
        }
        const bool known = e.is_usable();
        const bool same = known && e.hardware == hardware;
        if (known && !same && !forced && now < e.updated + times_.lock) {
            return nullptr;
        }
        if (same && !solicited) {
            return &e;  // says nothing new, and confirms nothing
        }
        e.hardware = hardware;
        e.updated = now;
        if (solicited) {
            enter(i, neighbour_state::reachable, now + times_.reachable);
        } else {
            enter(i, neighbour_state::stale, now + times_.forget);
        }
        return &e;
    }

    // A layer above has had an answer from the neighbour (Linux neigh_confirm).
    constexpr void confirm(u16 interface, ipv4::address address, instant now) noexcept {
        const u16 i = look_up(interface, address);
        if (i != nobody && entries_[i].is_usable() &&
            entries_[i].state != neighbour_state::permanent) {
            entries_[i].updated = now;
            enter(i, neighbour_state::reachable, now + times_.reachable);
        }
    }

    // By the operator. nullptr when every entry is permanent. Packets that waited are the caller's
    // to send.
    [[nodiscard]] constexpr entry* set_permanent(u16 interface, ipv4::address address,
                                                 ethernet::address hardware) noexcept {
        u16 i = look_up(interface, address);
        if (i == nobody) {
            i = make(interface, address, waiting_shelf);
            if (i == nobody) {
                return nullptr;
            }
        }
        entries_[i].hardware = hardware;
        enter(i, neighbour_state::permanent, instant::never());
        return &entries_[i];
    }

    constexpr void erase(u16 interface, ipv4::address address) noexcept {
        const u16 i = look_up(interface, address);
        if (i != nobody) {
            release(i);
        }
    }
    // All of an interface that went down, permanent ones too; held packets are given back unsent.
    constexpr void flush(u16 interface) noexcept {
        for (std::size_t i = 0; i < N; ++i) {
            if (entries_[i].state != neighbour_state::none && entries_[i].interface == interface) {
                release(static_cast<u16>(i));
            }
        }
    }

    // Does what is due. Calls ask(entry) where a request is to be sent (to all for an incomplete
    // entry, to entry.hardware for a probing one) and fail(entry) where the neighbour has not
    // answered: its held packets are then the caller's, and what he leaves is dropped. Neither may
    // call the table. Returns the next deadline.
    template <class Ask, class Fail>
    constexpr instant poll(instant now, Ask&& ask, Fail&& fail) noexcept {
        if (now < deadline_) {
            return deadline_;
        }
        deadline_ = instant::never();
        for (std::size_t i = 0; i < N; ++i) {
            entry& e = entries_[i];
            if (e.state == neighbour_state::none) {
                continue;
            }
            if (now >= e.deadline) {
                expire(static_cast<u16>(i), now, ask, fail);
            }
            wake_at(e.deadline);
        }
        return deadline_;
    }

private:
    static constexpr u16 nobody = 0xffff;
    static constexpr std::size_t bucket_count = [] {
        std::size_t n = 1;
        while (n < N) {
            n *= 2;
        }
        return n;
    }();
    // Deadlines are rounded up to this, so that a flood of questions does not make poll() look at
    // each by itself.
    static constexpr i64 grain = 4'000'000;

    // Entries of equal worth, the oldest first. What is displaced: from waiting, else idle, else
    // live.
    enum shelf_name : u8 { free_shelf, waiting_shelf, idle_shelf, live_shelf, permanent_shelf };
    struct shelf {
        u16 oldest = nobody;
        u16 newest = nobody;
    };

    static constexpr shelf_name shelf_of(neighbour_state s) noexcept {
        switch (s) {
        case neighbour_state::none:
            return free_shelf;
        case neighbour_state::incomplete:
            return waiting_shelf;
        case neighbour_state::stale:
        case neighbour_state::failed:
            return idle_shelf;
        case neighbour_state::reachable:
        case neighbour_state::probing:
            return live_shelf;
        default:
            return permanent_shelf;
        }
    }
    constexpr void put_on_shelf(shelf_name name, u16 i) noexcept {
        shelf& s = shelves_[name];
        entries_[i].older = s.newest;
        entries_[i].newer = nobody;
        (s.newest == nobody ? s.oldest : entries_[s.newest].newer) = i;
        s.newest = i;
    }
    constexpr void take_off_shelf(shelf_name name, u16 i) noexcept {
        shelf& s = shelves_[name];
        const entry& e = entries_[i];
        (e.older == nobody ? s.oldest : entries_[e.older].newer) = e.newer;
        (e.newer == nobody ? s.newest : entries_[e.newer].older) = e.older;
    }

    [[nodiscard]] constexpr u16& bucket_of(u16 interface, ipv4::address address) noexcept {
        return buckets_[siphash(key_, address.value, interface) & (bucket_count - 1)];
    }
    [[nodiscard]] constexpr u16 look_up(u16 interface, ipv4::address address) const noexcept {
        u16 i = buckets_[siphash(key_, address.value, interface) & (bucket_count - 1)];
        while (i != nobody &&
               (entries_[i].address != address || entries_[i].interface != interface)) {
            i = entries_[i].next_of_bucket;
        }
        return i;
    }

    // An entry on its way to a state: still `none`. For the idle shelf only what is free or idle is
    // displaced.
    [[nodiscard]] constexpr u16 make(u16 interface, ipv4::address address, shelf_name to) noexcept {
        u16 i = shelves_[free_shelf].oldest;
        if (i == nobody && to == waiting_shelf) {
            i = shelves_[waiting_shelf].oldest;
        }
        if (i == nobody) {
            i = shelves_[idle_shelf].oldest;
        }
        if (i == nobody && to == waiting_shelf) {
            i = shelves_[live_shelf].oldest;
        }
        if (i == nobody) {
            return nobody;
        }
        release(i);
        entry& e = entries_[i];
        e.address = address;
        e.interface = interface;
        u16& head = bucket_of(interface, address);
        e.next_of_bucket = head;
        head = i;
        ++size_;
        return i;
    }
    constexpr void enter(u16 i, neighbour_state state, instant deadline) noexcept {
        entry& e = entries_[i];
        take_off_shelf(shelf_of(e.state), i);
        e.state = state;
        e.deadline = deadline;
        put_on_shelf(shelf_of(state), i);
        wake_at(deadline);
    }
    constexpr void release(u16 i) noexcept {
        entry& e = entries_[i];
        if (e.state == neighbour_state::none) {
            return;
        }
        u16* link = &bucket_of(e.interface, e.address);
        while (*link != i) {
            link = &entries_[*link].next_of_bucket;
        }
        *link = e.next_of_bucket;
        while (!e.held.empty()) {
            static_cast<void>(e.held.pop());
            ++abandoned_;
        }
        enter(i, neighbour_state::none, instant::never());
        --size_;
    }

    template <class Ask, class Fail>
    constexpr void expire(u16 i, instant now, Ask& ask, Fail& fail) noexcept {
        entry& e = entries_[i];
        switch (e.state) {
        case neighbour_state::incomplete:
        case neighbour_state::probing: {
            const u8 most = e.state == neighbour_state::incomplete ? times_.broadcast_requests
                                                                   : times_.unicast_requests;
            if (e.requests < most) {
                ++e.requests;
                e.deadline = now + times_.retransmit;
                ask(e);
                return;
            }
            enter(i, neighbour_state::failed, now + times_.forget);
            fail(e);
            while (!e.held.empty()) {
                static_cast<void>(e.held.pop());
            }
            return;
        }
        case neighbour_state::reachable:
            enter(i, neighbour_state::stale, now + times_.forget);
            return;
        default:
            release(i);
        }
    }
    constexpr void wake_at(instant t) noexcept {
        if (t == instant::never()) {
            return;
        }
        const instant rounded{(t.nanoseconds + grain - 1) / grain * grain};
        deadline_ = rounded < deadline_ ? rounded : deadline_;
    }

    hash_key key_;
    neighbour_times times_;
    instant deadline_ = instant::never();
    std::size_t size_ = 0;
    u64 abandoned_ = 0;
    shelf shelves_[5];
    u16 buckets_[bucket_count];
    entry entries_[N];
};

}  // namespace sluice
