// neighbour_table<Packet, N, Held, Bytes>: the link addresses of up to N next hops, by interface
// and IPv4 address.
//
// It keeps Linux's neighbour states: it resolves an address with several requests, gives up, probes
// entries in use and frees unused ones. It does not send: poll() names the requests to send. A new
// entry replaces the one of least worth (link/neighbour_shelves.hpp): a scan of silent hosts
// replaces only its own unresolved entries, and ARP senders replace each other; neither replaces an
// entry in use. If all are in use, a new next hop is refused.
// As in Linux, the next packet to a failed neighbour causes a new request: a silent neighbour costs
// one request per `retransmit`, not one per packet.
//
// Expects: a secret key; the caller's time; poll() at the deadlines it returns.
// Never:   allocates or grows.
// Cost:    a keyed hash and a short chain per lookup. poll() looks at all N, at most once in 4 ms.
// Source:  RFC 1122 section 2.3.2.1 (validation), RFC 1812 section 3.3.2; Linux neigh_update.
#pragma once

#include <sluice/base/siphash.hpp>
#include <sluice/link/neighbour.hpp>
#include <sluice/link/neighbour_shelves.hpp>
#include <sluice/link/neighbour_times.hpp>

#include <cstddef>
#include <utility>

namespace sluice {

// An ARP packet's claim about a neighbour.
struct neighbour_claim {
    u16 interface = 0;
    ipv4::address address;
    ethernet::address hardware;
    bool solicited = false;   // a reply to this host alone: the neighbour is reachable
    bool forced = false;      // by a request or an announcement: overrides `lock`
    bool may_create = false;  // may create an entry, if one is free or worth less
};

template <class Packet, std::size_t N, std::size_t Held = 4, u32 Bytes = waiting_bytes_for(N)>
class neighbour_table {
    static_assert(N >= 1 && N < 0xffff, "sluice: neighbour_table holds 1 to 65534 neighbours");

public:
    using entry = neighbour<Packet, Held>;

    // Limits of all held packets together, and of the bytes of their blocks: a scan cannot hold
    // more buffers.
    static constexpr std::size_t most_held = N < Held ? Held : N;
    static constexpr u32 most_held_bytes = Bytes;
    // With fewer entries, none is forgotten for its age alone. Linux gc_thresh1.
    static constexpr std::size_t aged_from = N / 2 < 128 ? N / 2 : 128;

    constexpr explicit neighbour_table(hash_key key, const neighbour_times& times = {}) noexcept
        : key_{key}, clocks_{{key.high, ~key.low}, times} {
        for (u16& head : buckets_) {
            head = no_entry;
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
    // Sets the times of all interfaces without their own. Running deadlines stay.
    constexpr void set_times(const neighbour_times& times) noexcept { clocks_.set(times); }
    // Sets the times of one interface. false: neighbour_clocks::most_own others have their own.
    [[nodiscard]] constexpr bool set_times(u16 interface, const neighbour_times& times) noexcept {
        return clocks_.set(interface, times);
    }

    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
    // Packets held now, and the bytes of their blocks.
    [[nodiscard]] constexpr std::size_t held() const noexcept { return held_; }
    [[nodiscard]] constexpr u64 held_bytes() const noexcept { return held_bytes_; }
    // Packets lost because their entry was replaced, erased or flushed.
    [[nodiscard]] constexpr u64 abandoned() const noexcept { return abandoned_; }
    // Neighbours that found no place, because all entries are worth more.
    [[nodiscard]] constexpr u64 overflows() const noexcept { return overflows_; }

    // Calls visit(const entry&) for each entry, in no order. Useful members: address, interface,
    // state (name() prints it), hardware where is_usable(), and `updated`, the start of its age.
    // visit must not change the table.
    template <class Visit>
    constexpr void for_each(Visit&& visit) const {
        for (const entry& e : entries_) {
            if (e.state != neighbour_state::none) {
                visit(e);
            }
        }
    }
    // The entry, or nullptr. It is valid until the next call that changes the table.
    [[nodiscard]] constexpr const entry* find(u16 interface, ipv4::address address) const noexcept {
        const u16 i = look_up(interface, address);
        return i == no_entry ? nullptr : &entries_[i];
    }

    struct use {
        entry* neighbour = nullptr;  // nullptr: the table is full, or requests are off
        bool ask = false;            // broadcast a request, once the packet is held
    };
    // The entry to send to: usable, or incomplete and ready to hold the packet.
    [[nodiscard]] constexpr use use_for_output(u16 interface, ipv4::address address,
                                               instant now) noexcept {
        u16 i = look_up(interface, address);
        const bool is_question = i == no_entry || entries_[i].state == neighbour_state::failed;
        if (is_question) {
            const neighbour_times& times = clocks_.of(interface);
            if (times.broadcast_requests == 0) {
                return {};
            }
            if (i == no_entry && (i = make(interface, address, purpose::question)) == no_entry) {
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

    // Holds the packet in an incomplete entry until the address is known. Returns how many packets
    // were dropped: the oldest held there; or this one, if it exceeds the limit of one neighbour or
    // its source runs short of buffers. If the table's limit is reached, the oldest unresolved
    // entries are released. `from`: the packet's source, for the request.
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
            shelves_.put(worth::doubtful, entries_, i);  // now the newest
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
    // The oldest packet held there, or an empty handle.
    [[nodiscard]] constexpr Packet take_held(entry& e) noexcept {
        const u64 before = e.held.byte_count();
        held_ -= std::size_t{!e.held.empty()};
        Packet oldest = e.held.pop();
        held_bytes_ -= before - e.held.byte_count();
        return oldest;
    }

    // Returns the entry if it is usable now; take_held() then returns the packets to send. Linux
    // neigh_update.
    [[nodiscard]] constexpr entry* learn(const neighbour_claim& c, instant now) noexcept {
        u16 i = look_up(c.interface, c.address);
        if (i == no_entry && c.may_create) {
            i = make(c.interface, c.address, purpose::hearsay);
        }
        if (i == no_entry || entries_[i].state == neighbour_state::permanent) {
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
            return &e;  // nothing new, and no confirmation
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

    // Confirms a neighbour for a higher layer that received an answer (Linux neigh_confirm).
    constexpr void confirm(u16 interface, ipv4::address address, instant now) noexcept {
        const u16 i = look_up(interface, address);
        if (i != no_entry && entries_[i].is_usable() &&
            entries_[i].state != neighbour_state::permanent) {
            reached(i, now);
        }
    }

    // Sets a link address for the operator. It replaces any entry but a permanent one. nullptr:
    // every entry is permanent. The caller sends the packets that were held.
    [[nodiscard]] constexpr entry* set_permanent(u16 interface, ipv4::address address,
                                                 ethernet::address hardware, instant now) noexcept {
        u16 i = look_up(interface, address);
        if (i == no_entry && (i = make(interface, address, purpose::order)) == no_entry) {
            return nullptr;
        }
        entries_[i].hardware = hardware;
        enter(i, neighbour_state::permanent, now, instant::never());
        return &entries_[i];
    }

    constexpr void erase(u16 interface, ipv4::address address) noexcept {
        const u16 i = look_up(interface, address);
        if (i != no_entry) {
            release(i);
        }
    }
    // Releases all entries of an interface that went down or has a new link address, permanent ones
    // too, and drops the packets held there.
    constexpr void flush(u16 interface) noexcept {
        for (std::size_t i = 0; i < N; ++i) {
            if (entries_[i].state != neighbour_state::none && entries_[i].interface == interface) {
                release(static_cast<u16>(i));
            }
        }
    }

    // Does what is due. Calls ask(const entry&, ethernet::address to) for each request to send, and
    // fail(Packet&&) for each packet whose neighbour did not answer. Neither may call the table.
    // Returns the next deadline.
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
    static constexpr u16 no_entry = detail::neighbour_shelves::no_entry;
    static constexpr std::size_t bucket_count = [] {
        std::size_t n = 1;
        while (n < N) {
            n *= 2;
        }
        return n;
    }();
    // Deadlines are rounded up to this (nanoseconds), so that many unresolved entries do not make
    // poll() run for each one.
    static constexpr i64 grain = 4'000'000;

    [[nodiscard]] constexpr bool has_room(u64 more) const noexcept {
        return held_ < most_held && held_bytes_ + more <= Bytes;
    }
    [[nodiscard]] constexpr u16& bucket_of(u16 interface, ipv4::address address) noexcept {
        return buckets_[siphash(key_, address.value, interface) & (bucket_count - 1)];
    }
    [[nodiscard]] constexpr u16 look_up(u16 interface, ipv4::address address) const noexcept {
        u16 i = buckets_[siphash(key_, address.value, interface) & (bucket_count - 1)];
        while (i != no_entry &&
               (entries_[i].address != address || entries_[i].interface != interface)) {
            i = entries_[i].next_of_bucket;
        }
        return i;
    }

    // A new entry, still in state `none`.
    [[nodiscard]] constexpr u16 make(u16 interface, ipv4::address address, purpose p) noexcept {
        const u16 i = shelves_.place_for(p, N);
        if (i == no_entry) {
            ++overflows_;
            return no_entry;
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

    // Linux neigh_timer_handler; for unused entries neigh_periodic_work.
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
