// held_fragments: the fragments that a fragment_cache holds, by datagram, and what they cost.
//
// It finds and begins datagrams, counts what they hold, makes room where a bound is reached, and
// ends them. fragment_cache decides what a fragment means.
//
// Expects: memory_parts whose arrays are in their default state, do not move and outlive it.
// Never:   allocates, joins packets, reads their bytes.
// Cost:    for a fragment at most two lines of the index and two of counters, a record of two
//          lines, and two neighbours in the order of deadlines. Only if a source has a share or a
//          bound: a record of the source, found by SipHash for a datagram that begins.
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
          sources_(in.sources, in.source_lines, in.source_numbers, siphash_),
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
        return has_settled() ? entries_.find(hash.hash(), hash.key()) : nullptr;
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

    // Whether no bound is so near that make_room() must look at it.
    [[nodiscard, gnu::always_inline]] constexpr bool
    holds_freely(const Packet& packet, const reassembly_limits& limits) const noexcept {
        return charged_ < limits.high_threshold && held_ < freely_held_ && !packet.is_shared() &&
               has_usual_memory(packet) && may_wait(packet, 2);
    }
    // Makes room for a fragment of a datagram (nullptr: of a new one), whose packet it makes
    // unshared and no list. Returns the packet's memory; 0: there is no room.
    [[nodiscard]] constexpr u32 make_room(Packet& packet, const slot_key& key, const entry* own,
                                          const reassembly_limits& limits, step& result) noexcept {
        if (!packet.is_segmented() && (own != nullptr || !entries_.full()) &&
            holds_freely(packet, limits)) [[likely]] {
            return static_cast<u32>(memory_kept(packet));
        }
        if (limits.high_threshold == 0 || !make_own(packet) ||
            (lone_ != nullptr && !settle(result))) {
            return 0;
        }
        const u64 memory = memory_kept(packet);
        const bool has_room =
            fits_bounds(own, memory) &&
            (!needs_sources() || make_source_room(key, own, memory, limits, result)) &&
            make_room_of_all(own, memory, limits, result) && leaves_buffers(packet, own, result) &&
            (own != nullptr || !entries_.full() || evict_oldest(nullptr, result));
        return has_room ? static_cast<u32>(memory) : 0;
    }
    // Begins a datagram, without pieces yet. nullptr: all are in use.
    [[nodiscard, gnu::always_inline]] constexpr entry*
    begin(const fragment_hash& hash, instant now, const reassembly_limits& limits) noexcept {
        if (entries_.full()) [[unlikely]] {
            return nullptr;
        }
        entry* const e = &entries_.claim();
        e->key = hash.key();
        e->counter = fragment_counters::none;
        e->mark = 1;
        e->deadline = now + limits.timeout;
        recent_ = e;
        return e;
    }
    // Holds it, with its first piece, which holds_freely(). False: the index has no place for it,
    // and it is dropped.
    [[nodiscard, gnu::always_inline]] constexpr bool
    hold_freely(entry& e, const fragment_hash& hash, const reassembly_limits& limits) noexcept {
        if (needs_sources()) {
            __builtin_unreachable();  // the constructor set freely_held_ to 0
        }
        return hold(e, hash, limits);
    }
    // The same for any piece that make_room() made room for.
    [[nodiscard, gnu::always_inline]] constexpr bool
    hold(entry& e, const fragment_hash& hash, const reassembly_limits& limits) noexcept {
        charged_ += datagram_charge + e.pieces.charge();
        memory_ += e.pieces.memory();
        held_ += 1;
        if (!interleave_ && !needs_sources()) {
            lone_ = &e;
            lone_hash_ = hash.hash();
            counts_distance_ = limits.max_distance != 0;
            return true;
        }
        if (place(e, hash.key(), hash.hash(), limits.max_distance != 0)) [[likely]] {
            return true;
        }
        drop_unplaced(e);
        return false;
    }
    // Counts a fragment that begins no datagram.
    constexpr void count_refused(const slot_key& key, u32 max_distance) noexcept {
        if (has_settled() && max_distance != 0) {
            counters_.count(source_of(key), 1);
        }
    }
    // Counts a further fragment. False, and it is not counted: it is too far from the last one of
    // its datagram. Identifications wrap around: when more than max_distance other fragments of the
    // source came since the last one of this datagram, the new fragment belongs to another
    // datagram. RFC 4963 section 5; Linux ip_frag_too_far.
    [[nodiscard, gnu::always_inline]] constexpr bool count_near(entry& e,
                                                                u32 max_distance) noexcept {
        if (max_distance == 0) {
            return true;
        }
        if (!fragment_counters::is_counter(e.counter)) {
            ++e.mark;  // the lone one counts its own
            return true;
        }
        u32& fragments = counters_.fragments(e.counter);
        if (fragments + 1 - e.mark > max_distance) [[unlikely]] {
            return false;
        }
        e.mark = ++fragments;
        return true;
    }
    // Counts one that is too far.
    constexpr void count_far(entry& e) noexcept { e.mark = ++counters_.fragments(e.counter); }
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
    // Counts one more fragment that holds_freely().
    [[gnu::always_inline]] constexpr void count_fragment(u32 charge, u32 memory) noexcept {
        charged_ += charge;
        memory_ += memory;
        ++held_;
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
    // Stops counting a datagram with all its pieces, which then end_freely(): no source has bounds.
    [[gnu::always_inline]] constexpr void uncount(const entry& e) noexcept {
        charged_ -= datagram_charge + e.pieces.charge();
        memory_ -= e.pieces.memory();
        held_ -= e.pieces.count();
    }
    // Ends a datagram that has no pieces any more.
    constexpr void end(entry& e) noexcept {
        charged_ -= datagram_charge;
        if (needs_sources()) {
            sources_.leave(e);
        }
        end_freely(e);
    }
    [[gnu::always_inline]] constexpr void end_freely(entry& e) noexcept {
        if (&e == lone_) {
            lone_ = nullptr;
            if (has_settled() && counts_distance_) {
                counters_.count(source_of(e.key), e.mark);
            }
            return entries_.unclaim(e);
        }
        counters_.leave(e.counter);
        due_.remove(e);
        if (&e == recent_) {
            interleave_ = false;
        }
        entries_.release(e);
    }
    // Ends what is held of a datagram and begins another one with the same key. Returns the number
    // of packets that were dropped. Deviation: Linux keeps the sizes of the dropped fragments.
    [[gnu::noinline]] constexpr u16 start_over(entry& e, instant now,
                                               const reassembly_limits& limits) noexcept {
        const u16 dropped = drop_pieces(e);
        e.facts = {};
        e.next = {};
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
    // hashes, in steps: each reads what the one before it fetched. Of few records, only the index:
    // the rest is in a processor's second cache anyway.
    [[gnu::always_inline]] void prefetch(std::span<const fragment_hash> batch) const noexcept {
        if (!has_settled()) {
            return;
        }
        for (const fragment_hash& h : batch) {
            entries_.fetch_line(h.hash());
        }
        if (datagrams_ > fits_cache) {
            prefetch_records(batch);
        }
    }

private:
    // Always inlined: g++ omits calls of functions that only fetch.
    [[gnu::always_inline]] void
    prefetch_records(std::span<const fragment_hash> batch) const noexcept {
        u32 begun = 0;
        for (const fragment_hash& h : batch) {
            bool may_be_here = false;
            entries_.each_candidate(h.hash(), [&](const entry& e) __attribute__((always_inline)) {
                fetch_lines(e);
                may_be_here = true;
            });
            if (!may_be_here) {
                counters_.fetch(source_of(h.key()));
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

    [[nodiscard]] constexpr bool has_settled() const noexcept { return !due_.empty(); }
    // Gives a datagram what it needs beside others: a place in the index, in the order of deadlines
    // and among its source's. False: there is no room.
    [[nodiscard, gnu::always_inline]] constexpr bool place(entry& e, const slot_key& key, u32 hash,
                                                           bool counts_distance) noexcept {
        if (!entries_.index(hash, e)) [[unlikely]] {
            return false;
        }
        if (needs_sources() && !sources_.join(e)) [[unlikely]] {
            entries_.unindex(e);
            return false;
        }
        if (counts_distance) {
            e.counter = counters_.join(source_of(key), e.mark);
        }
        due_.add(e);
        return true;
    }
    // Places the lone datagram beside others. False: there was no room, and it is dropped.
    [[gnu::noinline]] constexpr bool settle(step& result) noexcept {
        entry& e = *std::exchange(lone_, nullptr);
        interleave_ = true;
        if (place(e, e.key, lone_hash_, counts_distance_)) [[likely]] {
            return true;
        }
        result.evicted_pieces += e.pieces.count();
        ++result.evicted_datagrams;
        drop_unplaced(e);
        return false;
    }
    [[gnu::noinline]] constexpr void drop_unplaced(entry& e) noexcept {
        uncount(e);
        e.pieces.drain(free_, [](piece_type&) {});
        entries_.unclaim(e);
    }

    // Records of so many datagrams are in a processor's second cache anyway.
    static constexpr u32 fits_cache = 512;
    template <class T>
    [[gnu::always_inline]] static void fetch_lines(const T& of) noexcept {
        for (std::size_t at = 0; at < 128; at += 64) {
            __builtin_prefetch(reinterpret_cast<const char*>(&of) + at, 1);
        }
    }
    // A packet of a list must not itself be a list, nor shared.
    [[nodiscard]] static constexpr bool make_own(Packet& p) noexcept {
        return p.unshare() && (!p.has_packet_list() || p.may_pull(p.size()));
    }
    // Most bytes of a datagram's buffers when a larger packet is added: with 8,192 of usual memory,
    // they are less than 2^32.
    static constexpr u64 most_memory = u64{1} << 31;
    [[nodiscard]] static constexpr bool has_usual_memory(const Packet& packet) noexcept {
        if constexpr (requires { requires Packet::storage::has_small_blocks; }) {
            return true;
        } else {
            return Packet::storage::capacity(packet.storage_block()) < (1u << 18);
        }
    }
    // Whether the datagram fits the bounds when nothing else is held.
    [[nodiscard]] constexpr bool fits_bounds(const entry* own, u64 memory) const noexcept {
        if ((own != nullptr ? own->pieces.memory() : 0) + memory > most_memory) {
            return false;
        }
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
        return first != nullptr && first == spared ? due_.behind(*first) : first;
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
        if (own == nullptr) {
            sources_.look_for(source_of(key));
        }
        const auto find = [&]() -> const sender* {
            return own != nullptr ? own->source : sources_.found();
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
    fragment_siphash siphash_;
    fragment_hasher hasher_;
    reassembly_memory bounds_;
    keyed_slots<entry, fragment_siphash> entries_;
    fragment_sources<entry> sources_;
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
