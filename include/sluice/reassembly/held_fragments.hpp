// held_fragments: the fragments that a fragment_cache holds, by datagram, and what they cost.
//
// It finds and begins datagrams, counts what they hold, makes room where a bound is reached, and
// ends them. fragment_cache decides what a fragment means.
//
// Expects: memory_parts whose arrays are in their default state, do not move and outlive it.
// Never:   allocates, joins packets, reads their bytes.
// Cost:    for a fragment at most two lines of the index, a line of counters, and two neighbours in
//          the order of deadlines. Only if a source has a share or a bound: a record of the source,
//          found by SipHash, twice for a datagram that begins.
// Source:  Linux struct fqdir, inet_frag_find, inet_frag_kill.
#pragma once

#include <sluice/packet/bounded_packet_queue.hpp>
#include <sluice/reassembly/cache_bounds.hpp>
#include <sluice/reassembly/concept.hpp>
#include <sluice/reassembly/deadline_list.hpp>
#include <sluice/reassembly/fragment_hash.hpp>
#include <sluice/reassembly/partial_datagram.hpp>

#include <cstddef>
#include <span>
#include <utility>

namespace sluice::detail {

template <class Packet, class Rule, on_full OnFull, u32 Share>
class held_fragments {
    using step = reassembly_step<Packet>;

public:
    using entry = partial_datagram<Packet, Rule>;
    using piece_type = typename piece_set<Packet, Rule>::piece_type;
    using piece_memory = typename piece_set<Packet, Rule>::pool;
    using map_type = typename piece_set<Packet, Rule>::map_type;
    using sender = fragment_source<entry>;

    struct memory_parts {
        std::span<entry> entries;
        std::span<sender> sources;  // as many as entries
        slot_line* entry_lines;
        slot_line* source_lines;
        fragment_counter* counters;  // counters_for() the entries
        u32* entry_numbers;          // of as many elements as entries
        u32* source_numbers;
        std::span<piece_type> pieces;
        std::span<map_type> maps;  // map_pool::maps_for() the pieces
    };

    constexpr held_fragments(hash_key secret, const memory_parts& in,
                             const reassembly_memory& bounds) noexcept
        : siphash_(secret), hasher_(siphash_), bounds_(bounds),
          entries_(in.entries.data(), in.entries.size(), in.entry_lines, in.entry_numbers,
                   siphash_),
          sources_(in.sources.data(), in.sources.size(), in.source_lines, in.source_numbers,
                   source_siphash{siphash_}),
          counters_(in.counters, in.entries.size(), siphash_.another_secret(5)),
          free_{{in.pieces.data(), static_cast<u32>(in.pieces.size())},
                {in.maps.data(), static_cast<u32>(in.maps.size())}},
          datagrams_(static_cast<u32>(in.entries.size())),
          fragments_(static_cast<u32>(in.pieces.size())),
          bounds_sources_(bounds.source != reassembly_memory::unbounded),
          freely_held_(needs_sources() || bounds.all != reassembly_memory::unbounded ||
                               bounds.datagram != reassembly_memory::unbounded
                           ? 0
                           : fragments_) {}
    held_fragments(const held_fragments&) = delete;
    held_fragments& operator=(const held_fragments&) = delete;

    [[nodiscard, gnu::always_inline]] constexpr fragment_hash
    hash_of(ipv4::const_view ip, reassembly_user user, u16 domain) const noexcept {
        return hasher_.hash_of(ip, user, domain);
    }
    // The datagram of a fragment; nullptr: none is held. Settles the lone one if it is another.
    [[nodiscard, gnu::always_inline]] constexpr entry* find(const fragment_hash& hash,
                                                            step& result) noexcept {
        if (lone_ != nullptr) {
            if (lone_->key == hash.key()) {
                return lone_;
            }
            static_cast<void>(settle(result));
        }
        return entries_.in_use() != 0 ? entries_.find(hash.hash(), hash.key()) : nullptr;
    }
    // Packets held, bytes counted against the threshold, and bytes of buffers.
    [[nodiscard]] constexpr std::size_t held() const noexcept { return held_; }
    [[nodiscard]] constexpr u64 charged() const noexcept { return charged_; }
    [[nodiscard]] constexpr u64 memory_held() const noexcept { return memory_; }
    // The datagram whose deadline is first.
    [[nodiscard]] constexpr entry* first_due() const noexcept {
        entry* const first = due_.first();
        return lone_ != nullptr && (first == nullptr || lone_->deadline < first->deadline) ? lone_
                                                                                           : first;
    }
    [[nodiscard]] constexpr piece_memory& free_pieces() noexcept { return free_; }

    // Makes room for a fragment of a datagram (nullptr: of a new one), whose packet it makes
    // unshared and no list. Returns the packet's memory; 0: there is no room.
    [[nodiscard, gnu::always_inline]] constexpr u32 make_room(Packet& packet, const slot_key& key,
                                                              const entry* own,
                                                              const reassembly_limits& limits,
                                                              step& result) noexcept {
        if (charged_ <= limits.high_threshold && held_ < freely_held_ &&
            (own != nullptr || limits.high_threshold != 0) && !packet.is_shared() &&
            !packet.is_segmented() && may_wait(packet, 2)) [[likely]] {
            return static_cast<u32>(memory_kept(packet));
        }
        Packet p = std::move(packet);  // so that `packet` can stay in registers
        const u64 memory = make_room_for(p, key, own, limits, result);
        packet = std::move(p);
        return static_cast<u32>(memory);
    }
    // Begins a datagram, as the lone one. nullptr: there is no room, also after evicting one.
    [[nodiscard, gnu::always_inline]] constexpr entry* begin(const fragment_hash& hash, instant now,
                                                             const reassembly_limits& limits,
                                                             step& result) noexcept {
        entry* const e = start(hash, now, limits);
        if (e != nullptr) [[likely]] {
            return e;
        }
        // Evicting does not help where the lines of the key are full.
        return entries_.in_use() == datagrams_ && evict_oldest(nullptr, result)
                   ? start_again(hash, now, limits)
                   : nullptr;
    }
    // Counts a further fragment. True: it is too far from the last one of its datagram.
    // Identifications wrap around: when more than max_distance other fragments of the source came
    // since the last one of this datagram, the new fragment belongs to another datagram. RFC 4963
    // section 5; Linux ip_frag_too_far.
    [[nodiscard, gnu::always_inline]] constexpr bool count_distance(entry& e,
                                                                    u32 max_distance) noexcept {
        if (max_distance == 0) {
            return false;
        }
        if (e.counter == fragment_counters::none) {
            ++e.mark;  // the lone one counts its own
            return false;
        }
        const u32 before = std::exchange(e.mark, counters_.count(e.counter));
        return e.pieces.count() != 0 && e.mark - before > max_distance;
    }
    // Counts what is added to or removed from a datagram: differences, which wrap round.
    [[gnu::always_inline]] constexpr void count(entry& e, u64 charge, u64 memory,
                                                u32 pieces) noexcept {
        charged_ += charge;
        memory_ += memory;
        held_ += pieces;
        if (needs_sources()) {
            e.source->charge += charge;
            e.source->memory += memory;
            e.source->pieces += pieces;
        }
    }
    // Calls f(piece&) for each piece in order, then frees it, with its packet unless f took it.
    template <class F>
    constexpr void drain(entry& e, F&& f) noexcept {
        count(e, u64{} - e.pieces.charge(), u64{} - u64{e.pieces.memory()}, 0u - e.pieces.count());
        e.pieces.drain(free_, f);
    }
    // Frees the pieces. Returns the number of their packets.
    constexpr u16 drop_pieces(entry& e) noexcept {
        const u16 count = static_cast<u16>(e.pieces.count());
        drain(e, [](piece_type&) {});
        return count;
    }
    // Ends a datagram that has no pieces any more, but may be counted with so much.
    [[gnu::always_inline]] constexpr void end(entry& e, u64 charge = 0, u64 memory = 0,
                                              u32 pieces = 0) noexcept {
        charged_ -= datagram_charge + charge;
        memory_ -= memory;
        held_ -= pieces;
        if (needs_sources()) [[unlikely]] {
            leave_source(e, datagram_charge + charge, memory, pieces);
        }
        if (&e == lone_) {
            lone_ = nullptr;
            if (has_settled() && counts_distance_) {
                counters_.count(e.key.high, e.mark);
            }
            return entries_.unclaim(e);
        }
        counters_.leave(e.counter);
        due_.remove(e);
        interleave_ = interleave_ && &e != recent_;
        entries_.release(e);
    }
    // Ends what is held of a datagram and begins another one with the same key. Returns the number
    // of packets that were dropped. Deviation: Linux keeps the sizes of the dropped fragments.
    [[gnu::noinline]] constexpr u16 start_over(entry& e, instant now,
                                               const reassembly_limits& limits) noexcept {
        const u16 dropped = drop_pieces(e);
        e.facts = {};
        due_.remove(e);
        e.deadline = now + limits.timeout;
        due_.add(e);
        if (needs_sources()) {
            e.source->remove(e);
            e.source->add(e);
        }
        return dropped;
    }

    // Fetches into the cache of the processor what insert() will read for fragments with these
    // hashes, in steps: each reads what the one before it fetched.
    [[gnu::always_inline]] void prefetch(std::span<const fragment_hash> batch) const noexcept {
        if (datagrams_ <= fits_cache) {
            return;
        }
        for (const fragment_hash& h : batch) {
            entries_.fetch_line(h.hash());
        }
        u32 begun = 0;
        for (const fragment_hash& h : batch) {
            bool may_be_here = false;
            entries_.each_candidate(h.hash(), [&](const entry& e) __attribute__((always_inline)) {
                fetch_lines(e);
                may_be_here = true;
            });
            if (!may_be_here) {
                counters_.fetch(h.key().high);
                entries_.next_free(begun++, [](const entry& e)
                                                __attribute__((always_inline)) { fetch_lines(e); });
            }
        }
        for (const fragment_hash& h : batch) {
            entries_.each_candidate(
                h.hash(), [this](const entry& e) __attribute__((always_inline)) {
                    counters_.fetch_counter(e.counter);
                    if (const piece_type* last = e.pieces.last(); last != nullptr) {
                        const auto& block = last->packet.storage_block();
                        __builtin_prefetch(&block, 1);
                        __builtin_prefetch(&block.metadata, 1);
                        __builtin_prefetch(last->packet.data(), 1);
                    }
                });
        }
        for (const fragment_hash& h : batch) {
            entries_.each_candidate(h.hash(), [](const entry& e) __attribute__((always_inline)) {
                if (const piece_type* last = e.pieces.last();
                    last != nullptr && last->packet.has_packet_list()) {
                    __builtin_prefetch(last->packet.storage_block().list_tail, 1);
                }
            });
        }
    }

private:
    [[nodiscard]] constexpr bool has_settled() const noexcept { return due_.first() != nullptr; }
    // A datagram without pieces; nullptr if there is no room.
    [[nodiscard, gnu::always_inline]] constexpr entry*
    start(const fragment_hash& hash, instant now, const reassembly_limits& limits) noexcept {
        entry* const e = entries_.claim();
        if (e == nullptr) [[unlikely]] {
            return nullptr;
        }
        e->key = hash.key();
        e->counter = fragment_counters::none;
        e->mark = 1;
        e->deadline = now + limits.timeout;
        lone_hash_ = hash.hash();
        counts_distance_ = limits.max_distance != 0;
        if (!interleave_ && !needs_sources()) {
            lone_ = e;
        } else if (!place(*e)) [[unlikely]] {
            entries_.unclaim(*e);
            return nullptr;
        }
        recent_ = e;
        return e;
    }
    [[nodiscard, gnu::noinline]] constexpr entry*
    start_again(const fragment_hash& hash, instant now, const reassembly_limits& limits) noexcept {
        return start(hash, now, limits);
    }
    // Gives a datagram what it needs beside others: a place in the index, in the order of deadlines
    // and among its source's. False: there is no room.
    [[nodiscard, gnu::always_inline]] constexpr bool place(entry& e) noexcept {
        if (!entries_.index(lone_hash_, e)) [[unlikely]] {
            return false;
        }
        if (needs_sources() && !join_source(e)) [[unlikely]] {
            entries_.unindex(e);
            return false;
        }
        if (counts_distance_) {
            e.counter = counters_.join(e.key.high, e.mark);
        }
        due_.add(e);
        return true;
    }
    // Places the lone datagram beside others. False: there was no room, and it is dropped.
    [[gnu::noinline]] constexpr bool settle(step& result) noexcept {
        entry& e = *std::exchange(lone_, nullptr);
        interleave_ = true;
        if (place(e)) [[likely]] {
            return true;
        }
        result.evicted_pieces += drop_pieces(e);
        ++result.evicted_datagrams;
        count(e, u64{} - datagram_charge, 0, 0);
        entries_.unclaim(e);
        return false;
    }
    [[gnu::noinline]] constexpr void leave_source(entry& e, u64 charge, u64 memory,
                                                  u32 pieces) noexcept {
        e.source->charge -= charge;
        e.source->memory -= memory;
        e.source->pieces -= pieces;
        e.source->remove(e);
        if (e.source->datagrams == 0) {
            sources_.release(*e.source);
        }
    }

    // Records of this number of datagrams are in a processor's second cache anyway.
    static constexpr u32 fits_cache = 512;
    // Always inlined: g++ omits calls of functions that only fetch.
    template <class T>
    [[gnu::always_inline]] static void fetch_lines(const T& of) noexcept {
        for (std::size_t at = 0; at < 128; at += 64) {
            __builtin_prefetch(reinterpret_cast<const char*>(&of) + at, 1);
        }
    }
    // Returns the memory of the packet; 0: no room.
    [[nodiscard, gnu::noinline]] constexpr u64 make_room_for(Packet& p, const slot_key& key,
                                                             const entry* own,
                                                             const reassembly_limits& limits,
                                                             step& result) noexcept {
        if (limits.high_threshold == 0 || !make_own(p) || (lone_ != nullptr && !settle(result))) {
            return 0;
        }
        const u64 memory = memory_kept(p);
        const bool has_room =
            fits_bounds(own, memory) &&
            (!needs_sources() || make_source_room(key, own, memory, limits, result)) &&
            make_room_of_all(own, memory, limits, result) && leaves_buffers(p, own, result);
        return has_room ? memory : 0;
    }
    // A packet of a list must not itself be a list, nor shared.
    [[nodiscard]] static constexpr bool make_own(Packet& p) noexcept {
        return p.unshare() && (!p.has_packet_list() || p.may_pull(p.size()));
    }
    // Whether the datagram fits the bounds when nothing else is held.
    [[nodiscard]] constexpr bool fits_bounds(const entry* own, u64 memory) const noexcept {
        const u64 of_all = bounds_.all < bounds_.source ? bounds_.all : bounds_.source;
        return (own != nullptr ? own->pieces.memory() : 0) + memory <=
               (of_all < bounds_.datagram ? of_all : bounds_.datagram);
    }
    // Makes room for one more fragment, without evicting its own datagram. False: no room.
    [[nodiscard]] constexpr bool make_room_of_all(const entry* own, u64 memory,
                                                  const reassembly_limits& limits,
                                                  step& result) noexcept {
        while (charged_ > limits.high_threshold || held_ == fragments_ ||
               memory_ + memory > bounds_.all) {
            if (!evict_oldest(own, result)) {
                return false;
            }
        }
        return true;
    }
    // Whether the packet's source has two margins left: sockets and next hops hold packets too.
    // Evicts the oldest datagram for it only if its buffers are of the same source.
    [[nodiscard]] constexpr bool leaves_buffers(const Packet& packet, const entry* own,
                                                step& result) noexcept {
        if (may_wait(packet, 2)) {
            return true;
        }
        const entry* const oldest = oldest_but(own);
        return oldest != nullptr && oldest->pieces.last() != nullptr &&
               have_one_source(packet, oldest->pieces.last()->packet) &&
               evict_oldest(own, result) && may_wait(packet, 2);
    }
    [[nodiscard]] static constexpr bool have_one_source(const Packet& a, const Packet& b) noexcept {
        using storage = typename Packet::storage;
        if constexpr (requires {
                          storage::have_one_source(a.storage_block(), b.storage_block());
                      }) {
            return storage::have_one_source(a.storage_block(), b.storage_block());
        } else {
            return true;
        }
    }
    [[nodiscard]] constexpr entry* oldest_but(const entry* spared) const noexcept {
        entry* const first = due_.first();
        return first != nullptr && first == spared ? first->later : first;
    }
    // Evicts the oldest datagram but the spared one. False: there is none, or on_full is refuse.
    [[nodiscard]] constexpr bool evict_oldest(const entry* spared, step& result) noexcept {
        if constexpr (OnFull == on_full::refuse) {
            return false;
        } else {
            return evict(oldest_but(spared), result);
        }
    }
    [[nodiscard]] constexpr bool evict(entry* evicted, step& result) noexcept {
        if (evicted == nullptr) {
            return false;
        }
        result.evicted_pieces += drop_pieces(*evicted);
        ++result.evicted_datagrams;
        end(*evicted);
        return true;
    }
    [[nodiscard]] constexpr bool needs_sources() const noexcept {
        return Share > 1 || bounds_sources_;
    }
    // Makes room for one more fragment within the share of its source. False: no room.
    [[nodiscard]] constexpr bool make_source_room(const slot_key& key, const entry* own, u64 memory,
                                                  const reassembly_limits& limits,
                                                  step& result) noexcept {
        const u32 h = own != nullptr ? 0 : static_cast<u32>(siphash_.of_source(key.high));
        const auto find = [&]() -> const sender* {
            return own != nullptr ? own->source : sources_.find(h, key.high);
        };
        for (const sender* s = find();
             s != nullptr && ((own == nullptr && s->datagrams >= datagrams_ / Share) ||
                              has_its_share(*s, memory, limits));
             s = find()) {
            if (OnFull == on_full::refuse ||
                !evict(s->oldest == own ? s->oldest->of_source_later : s->oldest, result)) {
                return false;
            }
        }
        return true;
    }
    [[nodiscard]] constexpr bool has_its_share(const sender& s, u64 memory,
                                               const reassembly_limits& limits) const noexcept {
        return s.memory + memory > bounds_.source ||
               (Share > 1 &&
                (s.pieces >= fragments_ / Share || s.charge > limits.high_threshold / Share));
    }
    [[nodiscard, gnu::noinline]] constexpr bool join_source(entry& e) noexcept {
        const u32 h = static_cast<u32>(siphash_.of_source(e.key.high));
        sender* s = sources_.find(h, e.key.high);
        if (s == nullptr) {
            s = sources_.take(h, e.key.high);
            if (s == nullptr) {
                return false;
            }
            s->datagrams = s->pieces = 0;
            s->charge = s->memory = 0;
            s->oldest = s->newest = nullptr;
        }
        e.source = s;
        s->add(e);
        return true;
    }

    fragment_siphash siphash_;
    fragment_hasher hasher_;
    reassembly_memory bounds_;
    keyed_slots<entry, fragment_siphash> entries_;
    keyed_slots<sender, source_siphash> sources_;
    fragment_counters counters_;
    deadline_list<entry> due_;
    // The datagram that began last, while no fragment of another one came. Most datagrams become
    // whole as such; it needs no place in the index, order or counter. None with shares.
    entry* lone_ = nullptr;
    u32 lone_hash_ = 0;
    bool counts_distance_ = false;
    // Whether the last lone one did not stay so, and no other would have since.
    bool interleave_ = false;
    const entry* recent_ = nullptr;  // the datagram that began last
    piece_memory free_;
    u32 datagrams_;  // at most
    u32 fragments_;  // at most
    bool bounds_sources_;
    u32 freely_held_;  // so many that no bound needs a look but the threshold; 0 with others
    // Not side by side: g++ would load two at once, which waits for both to be stored.
    u64 charged_ = 0;
    u32 held_ = 0;
    u64 memory_ = 0;
};

}  // namespace sluice::detail
