// fragment_cache: the engine of reassembly, in memory that its owner gives it.
//
// bounded_cache has the memory inside of it, sized_cache takes it from the program.
//
// Expects: memory_parts whose arrays are in their default state, do not move and outlive it.
// Never:   allocates, writes into payload, copies it under the default rule; draws random numbers.
// Cost:    a SipHash of five rounds for a fragment and four more for the first one of a datagram;
//          at most two lines of the index and 16 pieces (keyed_slots.hpp, piece_set.hpp).
// Source:  RFC 791 section 3.2, RFC 815, RFC 1122 section 3.3.2, RFC 3168 section 5.3; Linux
//          ip_fragment.c.
#pragma once

#include <sluice/packet/bounded_packet_queue.hpp>
#include <sluice/reassembly/cache_bounds.hpp>
#include <sluice/reassembly/concept.hpp>
#include <sluice/reassembly/deadline_list.hpp>
#include <sluice/reassembly/fragment_hash.hpp>
#include <sluice/reassembly/partial_datagram.hpp>

#include <concepts>
#include <cstddef>
#include <span>
#include <utility>

namespace sluice {

template <class Packet>
concept can_form_list = requires(Packet& p, Packet&& tail) {
    { p.append(std::move(tail)) } noexcept -> std::same_as<bool>;
    { p.append_list(std::move(tail)) } noexcept -> std::same_as<bool>;
    { p.has_packet_list() } noexcept -> std::same_as<bool>;
};

template <class Packet, class Rule, on_full OnFull, u32 Share>
class fragment_cache {
    using entry = detail::partial_datagram<Packet, Rule>;
    using piece = detail::piece<Packet>;
    using piece_memory = typename detail::piece_set<Packet, Rule>::pool;
    using fields = detail::fragment_fields;
    using step = reassembly_step<Packet>;
    using sender = detail::fragment_source<entry>;
    using slot_key = detail::slot_key;

public:
    using entry_type = entry;
    using piece_type = piece;
    using sender_type = sender;

    struct memory_parts {
        std::span<entry> entries;
        std::span<sender> sources;  // as many as entries
        detail::slot_line* entry_lines;
        detail::slot_line* source_lines;
        u32* entry_numbers;  // of as many elements as entries
        u32* source_numbers;
        std::span<piece> pieces;
        std::span<detail::piece_map> maps;  // map_pool::maps_for() the pieces
    };

    constexpr fragment_cache(hash_key secret, const memory_parts& in,
                             const reassembly_memory& bounds) noexcept
        : hasher_(secret), bounds_(bounds),
          entries_(in.entries.data(), in.entries.size(), in.entry_lines, in.entry_numbers),
          sources_(in.sources.data(), in.sources.size(), in.source_lines, in.source_numbers),
          free_{{in.pieces.data(), static_cast<u32>(in.pieces.size())},
                {in.maps.data(), static_cast<u32>(in.maps.size())}},
          bounds_sources_(bounds.source != reassembly_memory::unbounded),
          datagrams_(static_cast<u32>(in.entries.size())),
          fragments_(static_cast<u32>(in.pieces.size())) {}
    fragment_cache(const fragment_cache&) = delete;
    fragment_cache& operator=(const fragment_cache&) = delete;

    [[nodiscard]] constexpr step insert(unsummed_datagram<Packet>&& d, reassembly_user user,
                                        u16 domain, instant now,
                                        const reassembly_limits& limits) noexcept {
        const fragment_hash hash = hash_of(std::as_const(d).header(), user, domain);
        return insert(std::move(d), now, limits, hash);
    }
    // The same with the hash of the fragment, computed before.
    [[nodiscard]] constexpr step insert(unsummed_datagram<Packet>&& d, instant now,
                                        const reassembly_limits& limits,
                                        const fragment_hash& hash) noexcept {
        static_assert(can_form_list<Packet>,
                      "sluice: bounded_cache: the packet type cannot form a list "
                      "(append): use a packet over a pool or external storage");
        const ipv4::const_view ip = std::as_const(d).header();
        const fields f = fields::of(ip);
        step result;
        piece p;
        p.packet = std::move(d).release();
        if (limits.high_threshold == 0 || !make_own(p.packet)) {
            result.refuse_for(drop_reason::fragment_limit);
            return result;
        }
        const u64 memory = memory_kept(p.packet);
        entry* e = entries_.find(hash.datagram(), hash.key());
        if (!make_share(hash, e, memory, limits, result) || !make_room(e, memory, limits, result) ||
            !leaves_buffers(p.packet, e, result)) {
            result.refuse_for(drop_reason::fragment_limit);
            return result;
        }
        if (e == nullptr) {
            e = begin(hash, now, limits);
            if (e == nullptr && evict_oldest(e, result)) {
                e = begin(hash, now, limits);
            }
            if (e == nullptr) {
                result.refuse_for(drop_reason::fragment_limit);
                return result;
            }
        }
        if (e->is_too_far(limits.max_distance)) {
            result.too_far = true;
            result.pieces_dropped = start_over(*e, now, limits);
        }
        if constexpr (can_form_list<Packet>) {  // else the assertion alone is reported
            take(*e, p, f, memory, result);
        }
        return result;
    }

    // The hash of a fragment with this header.
    [[nodiscard]] constexpr fragment_hash hash_of(ipv4::const_view ip, reassembly_user user,
                                                  u16 domain) noexcept {
        return hasher_.hash_of(ip, user, domain);
    }
    // Fetches into the cache of the processor what insert() will read for fragments with these
    // hashes: for a batch of some ten fragments before the first of them is inserted.
    [[gnu::always_inline]] void prefetch(std::span<const fragment_hash> batch) const noexcept {
        if (datagrams_ <= fits_cache) {
            return;
        }
        u32 begins = 0;
        for (const fragment_hash& h : batch) {
            entries_.fetch_line(h.datagram());
            if (h.begins()) {
                sources_.fetch_line(h.source());
                entries_.next_free(begins, [](const entry& e)
                                               __attribute__((always_inline)) { fetch_lines(e); });
                sources_.next_free(begins, [](const sender& s)
                                               __attribute__((always_inline)) { fetch_lines(s); });
                ++begins;
            }
        }
        for (const fragment_hash& h : batch) {
            entries_.each_candidate(h.datagram(),
                                    [](const entry& e)
                                        __attribute__((always_inline)) { fetch_lines(e); });
        }
        for (const fragment_hash& h : batch) {
            entries_.each_candidate(
                h.datagram(), [](const entry& e) __attribute__((always_inline)) {
                    if (e.source != nullptr) {
                        fetch_lines(*e.source);
                    }
                    if (const piece* first = e.pieces.first(); first != nullptr) {
                        const auto& block = first->packet.storage_block();
                        __builtin_prefetch(&block, 1);
                        __builtin_prefetch(&block.metadata, 1);
                        __builtin_prefetch(first->packet.data(), 1);
                    }
                });
        }
    }

    // Ends the datagrams whose deadline is over at now; calls sink(expired_datagram<Packet>&&) for
    // each, in order of their deadlines.
    template <class Sink>
    constexpr void expire(instant now, Sink&& sink) noexcept {
        for (entry* e = due_.first(); e != nullptr && e->deadline <= now; e = due_.first()) {
            expired_datagram<Packet> expired;
            expired.pieces = static_cast<u16>(e->pieces.count());
            expired.user = static_cast<reassembly_user>(e->key.low >> 56);
            drain(*e, [&expired](piece& p) {
                if (p.start == 0) {
                    expired.first = std::move(p.packet);
                }
            });
            end(*e);
            if (expired.first) {  // without the fragments that continue it
                const ipv4::const_view ip{std::as_const(expired.first).data()};
                expired.first.trim(fields::of(ip).size());
            }
            sink(std::move(expired));
        }
    }
    [[nodiscard]] constexpr instant next_deadline() const noexcept {
        return due_.first() != nullptr ? due_.first()->deadline : instant::never();
    }
    // Packets held now.
    [[nodiscard]] constexpr std::size_t held() const noexcept { return held_; }
    // Bytes counted now against limits.high_threshold.
    [[nodiscard]] constexpr u64 charged() const noexcept { return charged_; }
    // Bytes of buffers that the held packets keep.
    [[nodiscard]] constexpr u64 memory_held() const noexcept { return memory_; }

private:
    // Records of this number of datagrams are in a processor's second cache anyway.
    static constexpr u32 fits_cache = 512;
    // Always inlined: g++ omits calls of functions that only fetch.
    template <class T>
    [[gnu::always_inline]] static void fetch_lines(const T& of) noexcept {
        for (std::size_t at = 0; at < sizeof(T); at += 64) {
            __builtin_prefetch(reinterpret_cast<const char*>(&of) + at, 1);
        }
    }
    // A packet of a list must not itself be a list, nor shared.
    [[nodiscard]] static constexpr bool make_own(Packet& p) noexcept {
        return p.unshare() && (!p.has_packet_list() || p.may_pull(p.size()));
    }

    // Makes room for one more fragment, without evicting its own datagram. False: no room.
    [[nodiscard]] constexpr bool make_room(const entry* own, u64 memory,
                                           const reassembly_limits& limits, step& result) noexcept {
        if ((own != nullptr ? own->pieces.memory() : 0) + memory > bounds_.datagram) {
            return false;
        }
        while (charged_ > limits.high_threshold || held_ == fragments_ ||
               memory_ + memory > bounds_.all) {
            if (!evict_oldest(own, result)) {
                return false;
            }
        }
        return true;
    }
    // Whether the packet's source has two margins left: sockets and next hops hold packets too.
    [[nodiscard]] constexpr bool leaves_buffers(const Packet& packet, const entry* own,
                                                step& result) noexcept {
        return may_wait(packet, 2) || (evict_oldest(own, result) && may_wait(packet, 2));
    }
    // Evicts the oldest datagram but the spared one. False: there is none, or on_full is refuse.
    [[nodiscard]] constexpr bool evict_oldest(const entry* spared, step& result) noexcept {
        if constexpr (OnFull == on_full::refuse) {
            return false;
        } else {
            entry* const first = due_.first();
            entry* const oldest = first != nullptr && first == spared ? first->later : first;
            return evict(oldest, result);
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
    [[nodiscard]] constexpr bool make_share(const fragment_hash& hash, const entry* own, u64 memory,
                                            const reassembly_limits& limits,
                                            step& result) noexcept {
        return !needs_sources() || make_source_room(hash, own, memory, limits, result);
    }
    [[nodiscard, gnu::noinline]] constexpr bool make_source_room(const fragment_hash& hash,
                                                                 const entry* own, u64 memory,
                                                                 const reassembly_limits& limits,
                                                                 step& result) noexcept {
        const u64 h = own != nullptr ? 0 : hasher_.source_of(hash);
        const auto find = [&]() -> const sender* {
            return own != nullptr ? own->source : sources_.find(h, hash.key().high);
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
        return memory <= bounds_.source;
    }
    [[nodiscard]] constexpr bool has_its_share(const sender& s, u64 memory,
                                               const reassembly_limits& limits) const noexcept {
        return s.memory + memory > bounds_.source ||
               (Share > 1 &&
                (s.pieces >= fragments_ / Share || s.charge > limits.high_threshold / Share));
    }
    // Differences, which wrap round.
    constexpr void count_held(entry& e, u64 charge, u64 memory, u32 pieces) noexcept {
        charged_ += charge;
        memory_ += memory;
        held_ += pieces;
        if (needs_sources() && e.source != nullptr) {
            e.source->charge += charge;
            e.source->memory += memory;
            e.source->pieces += pieces;
        }
    }
    [[nodiscard]] constexpr entry* begin(const fragment_hash& hash, instant now,
                                         const reassembly_limits& limits) noexcept {
        entry* e = entries_.take(hash.datagram(), hash.key());
        if (e == nullptr) {
            return nullptr;
        }
        e->source = nullptr;
        e->source_mark = 0;
        e->restart();
        if (needs_sources() || limits.max_distance != 0) {
            e->source = source_of(hash);
            if (e->source != nullptr) {
                e->source->add(*e);
            } else if (needs_sources()) {
                entries_.release(*e);
                return nullptr;
            }
        }
        e->deadline = now + limits.timeout;
        due_.add(*e);
        count_held(*e, datagram_charge, 0, 0);
        return e;
    }
    // The record of the source; nullptr if there is no room for it.
    [[nodiscard]] constexpr sender* source_of(const fragment_hash& hash) noexcept {
        const u64 h = hasher_.source_of(hash);
        sender* s = sources_.find(h, hash.key().high);
        if (s == nullptr) {
            s = sources_.take(h, hash.key().high);
            if (s != nullptr) {
                s->fragments = s->datagrams = s->pieces = 0;
                s->charge = s->memory = 0;
                s->oldest = s->newest = nullptr;
            }
        }
        return s;
    }
    // Frees a datagram that has no pieces any more.
    constexpr void end(entry& e) noexcept {
        count_held(e, u64{} - datagram_charge, 0, 0);
        if (e.source != nullptr) {
            e.source->remove(e);
            if (e.source->datagrams == 0) {
                sources_.release(*e.source);
            }
        }
        due_.remove(e);
        entries_.release(e);
    }
    template <class F>
    constexpr void drain(entry& e, F&& f) noexcept {
        count_held(e, u64{} - e.pieces.charge(), u64{} - u64{e.pieces.memory()},
                   0u - e.pieces.count());
        e.pieces.drain(free_, f);
    }
    // Drops the pieces. Returns their number.
    constexpr u16 drop_pieces(entry& e) noexcept {
        const u16 count = static_cast<u16>(e.pieces.count());
        drain(e, [](piece&) {});
        return count;
    }

    [[gnu::noinline]] constexpr u16 start_over(entry& e, instant now,
                                               const reassembly_limits& limits) noexcept {
        const u16 dropped = drop_pieces(e);
        e.restart();
        due_.remove(e);
        e.deadline = now + limits.timeout;
        due_.add(e);
        if (e.source != nullptr) {
            e.source->remove(e);
            e.source->add(e);
        }
        return dropped;
    }

    // Adds the fragment to its datagram. Linux ip_frag_queue.
    [[gnu::always_inline]] constexpr void take(entry& e, piece& p, const fields& f, u64 memory,
                                               step& result) noexcept {
        const detail::datagram_end end_before = e.end;
        const duration received_at = std::as_const(p.packet).metadata().received_at;
        if (!e.end.accept(f)) {
            return give_up(e, drop_reason::fragment_invalid, result);
        }
        const u32 charge = fragment_charge + p.packet.size();
        p.packet.trim(f.size());
        if (f.start != 0 && !(p.packet.may_pull(f.header) && p.packet.pull(f.header))) {
            return give_up(e, drop_reason::fragment_limit, result);
        }
        // Last: so the set finds them in registers.
        p.start = f.start;
        p.end = f.end;
        p.header = f.start != 0 ? 0 : f.header;
        p.charge = charge;
        p.memory = static_cast<u32>(memory);
        switch (place(e, p, result)) {
        case detail::insertion::taken:
            e.note(f, received_at);
            break;
        case detail::insertion::merged:
            ++result.pieces_dropped;
            e.note(f, received_at);
            return;
        case detail::insertion::ignored:
            return result.refuse_for(drop_reason::fragment_duplicate);
        case detail::insertion::duplicate:
            if (!e.is_whole()) {
                return result.refuse_for(drop_reason::fragment_duplicate);
            }
            ++result.pieces_dropped;
            break;
        case detail::insertion::drop_fragment:
            e.end = end_before;
            return result.refuse_for(drop_reason::fragment_overlap);
        case detail::insertion::drop_datagram:
            return give_up(e, drop_reason::fragment_overlap, result);
        case detail::insertion::refused:
            e.end = end_before;
            return result.refuse_for(drop_reason::fragment_limit);
        }
        if (e.is_whole()) {
            finish(e, result);
        }
    }
    // Inserts the piece. If the set does not take it, it keeps its packet.
    [[nodiscard, gnu::always_inline]] constexpr detail::insertion place(entry& e, piece& p,
                                                                        step& result) noexcept {
        const u32 charge = p.charge;
        const u32 memory = p.memory;
        const u32 count = e.pieces.count();
        const u32 charge_before = e.pieces.charge();
        const u32 memory_before = e.pieces.memory();
        const detail::insertion inserted = e.pieces.insert(p, free_);
        const bool taken = inserted == detail::insertion::taken;
        if constexpr (refuses_overlaps<Rule>) {
            if (taken) {
                count_held(e, charge, memory, 1);
            }
        } else {
            result.pieces_dropped = static_cast<u16>(result.pieces_dropped + count +
                                                     (taken ? 1 : 0) - e.pieces.count());
            count_held(e, u64{e.pieces.charge()} - charge_before,
                       u64{e.pieces.memory()} - memory_before, e.pieces.count() - count);
        }
        return inserted;
    }
    [[gnu::noinline]] constexpr void give_up(entry& e, drop_reason why, step& result) noexcept {
        result.pieces_dropped = static_cast<u16>(result.pieces_dropped + drop_pieces(e));
        end(e);
        result.refuse_for(why);
    }

    // All bytes are there: joins them into one packet. Linux ip_frag_reasm.
    constexpr void finish(entry& e, step& result) noexcept {
        const u16 pieces = static_cast<u16>(e.pieces.count());
        Packet& whole = result.packet;
        u32 header = 0;
        bool joined = true;
        drain(e, [&](piece& p) {
            if (p.start == 0) {
                whole = std::move(p.packet);
                header = p.header;
            } else if constexpr (can_form_list<Packet>) {
                joined = whole.append_list(std::move(p.packet)) && joined;
            }
        });
        const u32 length = header + e.end.length;
        if (e.ecn.contradicts() || length > ipv4::max_total_length || !joined) {
            whole.reset();
            result.refuse_for(e.ecn.contradicts() ? drop_reason::fragment_ecn
                              : joined            ? drop_reason::reassembled_too_long
                                                  : drop_reason::fragment_limit);
            result.pieces_dropped = static_cast<u16>(result.pieces_dropped + pieces - 1);
            end(e);
            return;
        }
        // The whole has DF only if its largest fragment had it: small fragments with DF do not
        // prove that the path needs it.
        const bool keep_df = e.largest_df == e.largest;
        detail::make_whole_header(ipv4::view{whole.writable()}, static_cast<u16>(length),
                                  e.ecn.bits(), keep_df ? ipv4::words::dont_fragment : u16{0});
        metadata& known = whole.writable_metadata();
        known.checksum = checksum_state::unknown;
        known.largest_fragment = e.largest;
        known.fragment_df = keep_df;
        known.received_at = e.received_at;
        result.kind = reassembly_result::complete;
        result.pieces = pieces;
        end(e);
    }

    detail::fragment_hasher hasher_;
    reassembly_memory bounds_;
    detail::keyed_slots<entry> entries_;
    detail::keyed_slots<sender> sources_;
    detail::deadline_list<entry> due_;
    piece_memory free_;
    bool bounds_sources_;
    u32 held_ = 0;
    u64 charged_ = 0;
    u64 memory_ = 0;
    u32 datagrams_;  // at most
    u32 fragments_;  // at most
};

}  // namespace sluice
