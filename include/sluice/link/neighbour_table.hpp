// neighbour_table<Packet, N, Held, Bytes>: the link addresses of at most N next hops, keyed by
// interface and IPv4 address.
//
// Expects: a secret key, the caller's time, poll() at the deadlines it gives. Does: the neighbour
// states of Linux: asks, asks again, gives up, confirms by itself what is in use, forgets what is
// not. Never: sends (the caller does what poll() says), allocates, grows: a new entry takes the
// place of the one that matters least (link/neighbour_shelves.hpp). A scan of silent hosts
// displaces its own questions, senders that name themselves displace each other, and neither
// displaces what is in use; where all is in use, a new next hop is refused. Remembers of a
// neighbour that failed no more than that: as in Linux the next packet asks again, so that a silent
// one costs a request each `retransmit`, not one each packet. Cost: a keyed hash and a short chain
// for a look-up; poll() looks at all N, at most once in 4 ms. RFC 1122 section 2.3.2.1
// (validation), RFC 1812 section 3.3.2.
#pragma once

#include <sluice/base/siphash.hpp>
#include <sluice/link/neighbour.hpp>
#include <sluice/link/neighbour_shelves.hpp>
#include <sluice/link/neighbour_times.hpp>

#include <cstddef>
#include <utility>

namespace sluice {

// What ARP said about a neighbour.
struct neighbour_claim {
    u16 interface = 0;
    ipv4::address address;
    ethernet::address hardware;
    bool solicited = false;   // a reply to us alone: it is reachable
    bool forced = false;      // believed even soon after another: a request to us, an announcement
    bool may_create = false;  // an entry is made for it where one is free or worth less
};

template <class Packet, std::size_t N, std::size_t Held = 4, u32 Bytes = waiting_bytes_for(N)>
class neighbour_table {
    static_assert(N >= 1 && N < 0xffff, "sluice: neighbour_table holds 1 to 65534 neighbours");

public:
    using entry = neighbour<Packet, Held>;

    // Packets that wait in all entries together, and the bytes of their blocks: a scan cannot hold
    // more of the buffers.
    static constexpr std::size_t most_held = N < Held ? Held : N;
    static constexpr u32 most_held_bytes = Bytes;
    // Below so many entries none is forgotten for its age alone. Linux gc_thresh1.
    static constexpr std::size_t aged_from = N / 2 < 128 ? N / 2 : 128;

    constexpr explicit neighbour_table(hash_key key, const neighbour_times& times = {}) noexcept
        : key_{key}, clocks_{{key.high, ~key.low}, times} {
        for (u16& head : buckets_) {
            head = nobody;
        }
        for (std::size_t i = N; i-- > 0;) {
            shelves_.put(worth::free, entries_, static_cast<u16>(i));
        }
    }
    neighbour_table(const neighbour_table&) = delete;
    neighbour_table& operator=(const neighbour_table&) = delete;

    [[nodiscard]] constexpr const neighbour_times& times() const noexcept {
        return clocks_.general();
    }
    [[nodiscard]] constexpr const neighbour_times& times(u16 interface) const noexcept {
        return clocks_.of(interface);
    }
    // Of all interfaces without times of their own; what already runs keeps its deadline.
    constexpr void set_times(const neighbour_times& times) noexcept { clocks_.set(times); }
    // Of one interface. False: neighbour_clocks::most_own others have their own.
    [[nodiscard]] constexpr bool set_times(u16 interface, const neighbour_times& times) noexcept {
        return clocks_.set(interface, times);
    }

    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
    // Packets that wait now, and the bytes of their blocks.
    [[nodiscard]] constexpr std::size_t held() const noexcept { return held_; }
    [[nodiscard]] constexpr u64 held_bytes() const noexcept { return held_bytes_; }
    // Packets that waited in an entry that was displaced, erased or flushed.
    [[nodiscard]] constexpr u64 abandoned() const noexcept { return abandoned_; }
    // Neighbours that found no place, because all that is there matters more.
    [[nodiscard]] constexpr u64 overflows() const noexcept { return overflows_; }

    // visit(const entry&) for each, in no order: address, interface, state (name() is its word),
    // hardware where is_usable(), and `updated`, from which its age counts. Must not change the
    // table.
    template <class Visit>
    constexpr void for_each(Visit&& visit) const {
        for (const entry& e : entries_) {
            if (e.state != neighbour_state::none) {
                visit(e);
            }
        }
    }
    // The entry, or nullptr. It stays valid until the next call that changes the table.
    [[nodiscard]] constexpr const entry* find(u16 interface, ipv4::address address) const noexcept {
        const u16 i = look_up(interface, address);
        return i == nobody ? nullptr : &entries_[i];
    }

    struct use {
        entry* neighbour = nullptr;  // nullptr: there is no place, or nobody may be asked
        bool ask = false;            // send a request to all, once the packet is held
    };
    // The entry to send to: usable, or incomplete with the packet to be held in it.
    [[nodiscard]] constexpr use use_for_output(u16 interface, ipv4::address address,
                                               instant now) noexcept {
        u16 i = look_up(interface, address);
        const bool is_question = i == nobody || entries_[i].state == neighbour_state::failed;
        if (is_question) {
            const neighbour_times& times = clocks_.of(interface);
            if (times.broadcast_requests == 0) {
                return {};
            }
            if (i == nobody && (i = make(interface, address, purpose::question)) == nobody) {
                return {};
            }
            entries_[i].requests = 1;
            enter(i, neighbour_state::incomplete, now, now + times.retransmit);
            return {&entries_[i], true};
        }
        entry& e = entries_[i];
        if (e.state == neighbour_state::reachable && now >= e.deadline) {
            enter(i, neighbour_state::stale, now, now + clocks_.of(interface).forget);
        }
        if (e.state == neighbour_state::stale) {
            enter(i, neighbour_state::delayed, now, now + clocks_.of(interface).first_probe);
        }
        return {&e, false};
    }

    // Keeps the packet in an incomplete entry until the address is known. Says how many were
    // dropped for it: the oldest of those held there, or itself when it is larger than all that may
    // wait for one neighbour, or its source cannot miss it. `from`: its source, for the request.
    // The oldest questions of the table go where too much waits.
    [[nodiscard]] constexpr u32 hold(entry& e, Packet&& packet, ipv4::address from) noexcept {
        const u32 own = clocks_.of(e.interface).held_bytes;
        const u32 most = own < Bytes ? own : Bytes;
        const u64 more = memory_kept(packet);
        e.source = from;
        if (!may_wait(packet)) {
            packet.reset();
            return 1;
        }
        u32 dropped = 0;
        for (; !e.held.empty() && !e.held.has_room(packet, most); ++dropped) {
            static_cast<void>(take_held(e));
        }
        if (more > most) {
            packet.reset();
            return dropped + 1;
        }
        if (!has_room(more)) {
            const auto i = static_cast<u16>(&e - entries_);
            shelves_.take(worth::doubtful, entries_, i);
            shelves_.put(worth::doubtful, entries_, i);  // this one is the newest
            while (!has_room(more)) {
                release(shelves_.oldest(worth::doubtful));
            }
        }
        if (Packet* const place = e.held.claim(packet, most)) {
            *place = std::move(packet);
            ++held_;
            held_bytes_ += more;
        }
        return dropped;
    }
    // The oldest packet that waits there; empty when none does.
    [[nodiscard]] constexpr Packet take_held(entry& e) noexcept {
        const u64 before = e.held.byte_count();
        held_ -= std::size_t{!e.held.empty()};
        Packet oldest = e.held.pop();
        held_bytes_ -= before - e.held.byte_count();
        return oldest;
    }

    // Returns the entry when it is usable now (take_held() then gives the packets to send).
    // Linux neigh_update.
    [[nodiscard]] constexpr entry* learn(const neighbour_claim& c, instant now) noexcept {
        u16 i = look_up(c.interface, c.address);
        if (i == nobody && c.may_create) {
            i = make(c.interface, c.address, purpose::hearsay);
        }
        if (i == nobody || entries_[i].state == neighbour_state::permanent) {
            return nullptr;
        }
        entry& e = entries_[i];
        const neighbour_times& times = clocks_.of(c.interface);
        const bool known = e.is_usable();
        const bool same = known && e.hardware == c.hardware;
        if (known && !same && !c.forced && now < e.updated + times.lock) {
            return nullptr;
        }
        if (same && !c.solicited) {
            return &e;  // says nothing new, and confirms nothing
        }
        if (!same) {
            e.hardware = c.hardware;
            e.updated = now;
        }
        if (c.solicited) {
            reached(i, now);
        } else {
            enter(i, neighbour_state::stale, now, now + times.forget);
        }
        return &e;
    }

    // A layer above has had an answer from the neighbour (Linux neigh_confirm).
    constexpr void confirm(u16 interface, ipv4::address address, instant now) noexcept {
        const u16 i = look_up(interface, address);
        if (i != nobody && entries_[i].is_usable() &&
            entries_[i].state != neighbour_state::permanent) {
            reached(i, now);
        }
    }

    // By the operator; displaces anything but its like. nullptr when every entry is permanent.
    // Packets that waited are the caller's to send.
    [[nodiscard]] constexpr entry* set_permanent(u16 interface, ipv4::address address,
                                                 ethernet::address hardware, instant now) noexcept {
        u16 i = look_up(interface, address);
        if (i == nobody && (i = make(interface, address, purpose::order)) == nobody) {
            return nullptr;
        }
        entries_[i].hardware = hardware;
        enter(i, neighbour_state::permanent, now, instant::never());
        return &entries_[i];
    }

    constexpr void erase(u16 interface, ipv4::address address) noexcept {
        const u16 i = look_up(interface, address);
        if (i != nobody) {
            release(i);
        }
    }
    // All of an interface that went down or has another link address now, permanent ones too; what
    // waited is dropped.
    constexpr void flush(u16 interface) noexcept {
        for (std::size_t i = 0; i < N; ++i) {
            if (entries_[i].state != neighbour_state::none && entries_[i].interface == interface) {
                release(static_cast<u16>(i));
            }
        }
    }

    // Does what is due. Calls ask(const entry&, ethernet::address to) where a request is to be
    // sent, and fail(Packet&&) for each packet whose neighbour has not answered. Neither may call
    // the table. Returns the next deadline.
    template <class Ask, class Fail>
    constexpr instant poll(instant now, Ask&& ask, Fail&& fail) noexcept {
        if (now < deadline_) {
            return deadline_;
        }
        clocks_.renew(now);
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
    using worth = detail::worth;
    using purpose = detail::purpose;
    static constexpr u16 nobody = detail::neighbour_shelves::nobody;
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

    [[nodiscard]] constexpr bool has_room(u64 more) const noexcept {
        return held_ < most_held && held_bytes_ + more <= Bytes;
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

    // An entry on its way to a state: still `none`.
    [[nodiscard]] constexpr u16 make(u16 interface, ipv4::address address, purpose p) noexcept {
        const u16 i = shelves_.place_for(p, N);
        if (i == nobody) {
            ++overflows_;
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
    constexpr void enter(u16 i, neighbour_state state, instant now, instant deadline) noexcept {
        entry& e = entries_[i];
        shelves_.take(detail::worth_of(e), entries_, i);
        if (e.state != state) {
            e.state = state;
            e.updated = now;
        }
        e.was_confirmed =
            state == neighbour_state::reachable ||
            (e.was_confirmed && state != neighbour_state::none && state != neighbour_state::failed);
        e.deadline = deadline;
        shelves_.put(detail::worth_of(e), entries_, i);
        wake_at(deadline);
    }
    constexpr void reached(u16 i, instant now) noexcept {
        enter(i, neighbour_state::reachable, now, now + clocks_.reachable(entries_[i].interface));
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
            static_cast<void>(take_held(e));
            ++abandoned_;
        }
        enter(i, neighbour_state::none, e.updated, instant::never());
        --size_;
    }

    // Linux neigh_timer_handler; for what is not used, neigh_periodic_work.
    template <class Ask, class Fail>
    constexpr void expire(u16 i, instant now, Ask& ask, Fail& fail) noexcept {
        entry& e = entries_[i];
        const neighbour_times& times = clocks_.of(e.interface);
        switch (e.state) {
        case neighbour_state::delayed:
            e.requests = 0;
            enter(i, neighbour_state::probing, now, instant::never());
            [[fallthrough]];
        case neighbour_state::incomplete:
        case neighbour_state::probing:
            ask_again(i, now, times, ask, fail);
            return;
        case neighbour_state::reachable:
            enter(i, neighbour_state::stale, now, now + times.forget);
            return;
        default:
            if (size_ < aged_from) {
                e.deadline = now + times.forget;
            } else {
                release(i);
            }
        }
    }
    template <class Ask, class Fail>
    constexpr void ask_again(u16 i, instant now, const neighbour_times& times, Ask& ask,
                             Fail& fail) noexcept {
        entry& e = entries_[i];
        const bool alone = e.state == neighbour_state::probing;
        const unsigned most = alone ? unsigned{times.unicast_requests} + times.broadcast_probes
                                    : unsigned{times.broadcast_requests};
        if (e.requests < most) {
            ++e.requests;
            e.deadline = now + times.retransmit;
            const bool to_all = !alone || e.requests > times.unicast_requests;
            ask(std::as_const(e), to_all ? ethernet::broadcast : e.hardware);
            return;
        }
        enter(i, neighbour_state::failed, now, now + times.forget);
        while (!e.held.empty()) {
            fail(take_held(e));
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
    neighbour_clocks clocks_;
    instant deadline_ = instant::never();
    std::size_t size_ = 0;
    std::size_t held_ = 0;
    u64 held_bytes_ = 0;
    u64 abandoned_ = 0;
    u64 overflows_ = 0;
    detail::neighbour_shelves shelves_;
    u16 buckets_[bucket_count];
    entry entries_[N];
};

}  // namespace sluice
