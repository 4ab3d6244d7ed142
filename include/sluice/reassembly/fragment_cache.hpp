// fragment_cache: the engine of reassembly, in memory that its owner gives it.
//
// bounded_cache has the memory inside of it, sized_cache takes it from the program. A fragment that
// continues all that came of its datagram, and is like the one before it, takes a short way: its
// first eight octets are compared with those expected, and nothing else of it is looked at. So does
// the last one behind such fragments. All others take the long way, which comes to the same.
//
// Expects: memory_parts whose arrays are in their default state, do not move and outlive it.
// Never:   allocates, draws random numbers, writes into payload; copies bytes of a packet of one
//          block that is not shared, under a rule that refuses overlaps.
// Cost:    a universal hash of three multiplications for a fragment; at most two lines of the index
//          and the places of 32 runs or a word of a map for each 512 bytes; with a rule that
//          settles overlaps 16 pieces (fragment_hash.hpp, held_fragments.hpp, piece_set.hpp).
// Source:  RFC 791 section 3.2, RFC 815, RFC 1122 section 3.3.2, RFC 3168 section 5.3; Linux
//          ip_fragment.c.
#pragma once

#include <sluice/reassembly/held_fragments.hpp>

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
    using store = detail::held_fragments<Packet, Rule, OnFull, Share>;
    using entry = typename store::entry;
    using piece = typename store::piece_type;
    using fields = detail::fragment_fields;
    using facts = detail::datagram_facts;
    using place = detail::fragment_place;
    using insertion = detail::insertion;
    using step = reassembly_step<Packet>;

public:
    using memory_parts = typename store::memory_parts;
    using entry_type = entry;
    using piece_type = piece;
    using map_type = typename store::map_type;
    using sender_type = typename store::sender;

    constexpr fragment_cache(hash_key secret, const memory_parts& in,
                             const reassembly_memory& bounds) noexcept
        : store_(secret, in, bounds) {}

    [[nodiscard]] constexpr step insert(unsummed_datagram<Packet>&& d, reassembly_user user,
                                        u16 domain, instant now,
                                        const reassembly_limits& limits) noexcept {
        const fragment_hash hash = hash_of(std::as_const(d).header(), user, domain);
        return insert(std::move(d), now, limits, hash);
    }
    // The same with the hash of the fragment, computed before.
    [[nodiscard, gnu::always_inline]] constexpr step insert(unsummed_datagram<Packet>&& d,
                                                            instant now,
                                                            const reassembly_limits& limits,
                                                            const fragment_hash& hash) noexcept {
        static_assert(can_form_list<Packet>,
                      "sluice: bounded_cache: the packet type cannot form a list "
                      "(append): use a packet over a pool or external storage");
        step result;
        if constexpr (can_form_list<Packet>) {  // else the assertion alone is reported
            entry* const e = store_.find(hash, result);
            if (e != nullptr) {
                add(*e, std::move(d), now, limits, result);
            } else {
                begin(std::move(d), now, limits, hash, result);
            }
        }
        return result;
    }

    // The hash of a fragment with this header.
    [[nodiscard, gnu::always_inline]] constexpr fragment_hash
    hash_of(ipv4::const_view ip, reassembly_user user, u16 domain) noexcept {
        return store_.hash_of(ip, user, domain);
    }
    // Fetches into the cache of the processor what insert() will read for fragments with these
    // hashes: for a batch of some ten fragments before the first of them is inserted.
    [[gnu::always_inline]] void prefetch(std::span<const fragment_hash> batch) const noexcept {
        store_.prefetch(batch);
    }

    // Ends the datagrams whose deadline is over at now; calls sink(expired_datagram<Packet>&&) for
    // each, in order of their deadlines.
    template <class Sink>
    constexpr void expire(instant now, Sink&& sink) noexcept {
        for (entry* e = store_.first_due(); e != nullptr && e->deadline <= now;
             e = store_.first_due()) {
            expired_datagram<Packet> expired;
            expired.pieces = static_cast<u16>(e->pieces.count());
            expired.user = detail::user_of(e->key);
            store_.drain(*e, [&expired](piece& p) {
                if (p.start == 0) {
                    expired.first = std::move(p.packet);
                }
            });
            store_.end(*e);
            if (expired.first) {  // without the fragments that continue it
                const ipv4::const_view ip{std::as_const(expired.first).data()};
                expired.first.trim(fields::of(ip).size());
            }
            sink(std::move(expired));
        }
    }
    [[nodiscard]] constexpr instant next_deadline() const noexcept {
        const entry* const first = store_.first_due();
        return first != nullptr ? first->deadline : instant::never();
    }
    // Packets held now.
    [[nodiscard]] constexpr std::size_t held() const noexcept { return store_.held(); }
    // Bytes counted now against limits.high_threshold.
    [[nodiscard]] constexpr u64 charged() const noexcept { return store_.charged(); }
    // Bytes of buffers that the held packets keep.
    [[nodiscard]] constexpr u64 memory_held() const noexcept { return store_.memory_held(); }

private:
    // The first fragment of a datagram that comes. One of offset 0, that meets no bound, takes a
    // short way.
    [[gnu::noinline]] constexpr void begin(unsummed_datagram<Packet>&& d, instant now,
                                           const reassembly_limits& limits,
                                           const fragment_hash& hash, step& result) noexcept {
        const fields f = fields::of(std::as_const(d).header());
        if (f.begins() && is_usual(d.packet(), f) && store_.holds_freely(d.packet(), limits))
            [[likely]] {
            if (entry* const e = store_.begin(hash, now, limits); e != nullptr) [[likely]] {
                Packet packet = std::move(d).release();
                const u32 charge = fragment_charge + packet.size();
                const u32 memory = Packet::storage::capacity(packet.storage_block());
                e->next = f.successor_of_first();
                e->facts.begin(f);
                e->received_at = arrival_of(packet);
                e->pieces.begin(packet, {0, f.data(), charge, memory});
                if (!store_.hold_freely(*e, hash, limits)) [[unlikely]] {
                    result.refuse_for(drop_reason::fragment_limit);
                }
                return;
            }
        }
        begin_apart(std::move(d), now, limits, hash, result);
    }
    [[gnu::noinline]] constexpr void begin_apart(unsummed_datagram<Packet>&& d, instant now,
                                                 const reassembly_limits& limits,
                                                 const fragment_hash& hash, step& result) noexcept {
        const fields f = fields::of(std::as_const(d).header());
        Packet packet = std::move(d).release();
        const u32 memory = store_.make_room(packet, hash.key(), nullptr, limits, result);
        if (memory == 0) {
            return result.refuse_for(drop_reason::fragment_limit);
        }
        const place at = place_of(f, packet, memory);
        facts known;
        if (!known.accept(f) || !remove_header(packet, f)) {
            store_.count_refused(hash.key(), limits.max_distance);
            return result.refuse_for(drop_reason::fragment_invalid);
        }
        entry* const e = store_.begin(hash, now, limits);
        if (e == nullptr) {
            return result.refuse_for(drop_reason::fragment_limit);
        }
        known.note(f);
        e->facts = known;
        e->next = {};
        e->received_at = arrival_of(packet);
        e->pieces.begin(packet, at);
        if (!store_.hold(*e, hash, limits)) {
            return result.refuse_for(drop_reason::fragment_limit);
        }
        e->expect_after(f);
        if (e->is_whole()) {  // not a fragment
            finish(*e, result);
        }
    }
    // A further fragment. Linux ip_frag_queue. One that continues all that came, is like the one
    // before it and meets no bound takes a short way; so does the last one.
    [[gnu::noinline]] constexpr void add(entry& e, unsummed_datagram<Packet>&& d, instant now,
                                         const reassembly_limits& limits, step& result) noexcept {
        if constexpr (refuses_overlaps<Rule>) {
            const fields f = fields::of(std::as_const(d).header());
            if (f == e.next) {
                if (admit(e, d.packet(), f, limits)) [[likely]] {
                    return extend(e, std::move(d).release(), f);
                }
            } else if (f.ends_at(e.next) && admit(e, d.packet(), f, limits)) [[likely]] {
                return close(e, std::move(d).release(), f, result);
            }
        }
        add_apart(e, std::move(d), now, limits, result);
    }
    // Whether a further fragment meets no bound; it is counted for the distance then.
    [[nodiscard, gnu::always_inline]] constexpr bool
    admit(entry& e, const Packet& packet, fields f, const reassembly_limits& limits) noexcept {
        return is_usual(packet, f) && store_.holds_freely(packet, limits) &&
               store_.count_near(e, limits.max_distance);
    }
    // Appends a fragment like the one before it.
    [[gnu::always_inline]] constexpr void extend(entry& e, Packet packet, fields f) noexcept {
        const u32 charge = fragment_charge + packet.size();
        const u32 memory = Packet::storage::capacity(packet.storage_block());
        e.facts.extend(f.data());
        e.next = f.successor();
        e.received_at = arrival_of(packet);
        store_.count_fragment(charge, memory);
        e.pieces.extend(std::move(packet), f.header(), f.data(), charge, memory);
    }
    // Appends the last fragment, which need not be counted.
    [[gnu::always_inline]] constexpr void close(entry& e, Packet packet, fields f,
                                                step& result) noexcept {
        const duration received_at = arrival_of(packet);
        store_.uncount(e);
        facts known = e.facts;
        known.close(f.data());
        Packet whole = e.pieces.take_single();
        whole.append_block(std::move(packet), f.header());
        complete(whole, known, received_at, static_cast<u16>(e.pieces.count() + 1), result);
        store_.end_freely(e);
    }
    // Whether the packet lies in one block of the length that the header says, and can be appended.
    [[nodiscard, gnu::always_inline]] static constexpr bool is_usual(const Packet& packet,
                                                                     fields f) noexcept {
        return packet.is_block_of(f.total_length()) && packet.has_offset(f.header());
    }
    // Before the packet's header is removed.
    [[nodiscard, gnu::always_inline]] static constexpr place
    place_of(fields f, const Packet& packet, u32 memory) noexcept {
        return {f.start(), f.end(), fragment_charge + packet.size(), memory};
    }
    [[nodiscard, gnu::always_inline]] static constexpr duration
    arrival_of(const Packet& packet) noexcept {
        return packet.has_metadata() ? packet.metadata().received_at : duration{};
    }
    // Cuts what lies behind the data, and the header of a fragment that is not the first.
    [[nodiscard, gnu::always_inline]] static constexpr bool remove_header(Packet& packet,
                                                                          fields f) noexcept {
        if (packet.size() != f.size()) [[unlikely]] {
            Packet p = std::move(packet);
            p.trim(f.size());
            packet = std::move(p);
        }
        return f.start() == 0 || packet.pull(f.header());
    }
    // A further fragment that another one may overlap, or that may meet a bound.
    [[gnu::noinline]] constexpr void add_apart(entry& e, unsummed_datagram<Packet>&& d, instant now,
                                               const reassembly_limits& limits,
                                               step& result) noexcept {
        const fields f = fields::of(std::as_const(d).header());
        Packet packet = std::move(d).release();
        const u32 packet_memory = store_.make_room(packet, e.key, &e, limits, result);
        if (packet_memory == 0) {
            return result.refuse_for(drop_reason::fragment_limit);
        }
        if (!store_.count_near(e, limits.max_distance)) {
            store_.count_far(e);
            if (e.pieces.count() != 0) {
                result.too_far = true;
                result.pieces_dropped = store_.start_over(e, now, limits);
            }
        }
        e.next = {};
        const place at = place_of(f, packet, packet_memory);
        const duration received_at = arrival_of(packet);
        facts known = e.facts;
        if (!known.accept(f)) {
            return give_up(e, drop_reason::fragment_invalid, result);
        }
        if (!remove_header(packet, f)) {
            return give_up(e, drop_reason::fragment_limit, result);
        }
        const u32 count = e.pieces.count();
        const u32 charge = e.pieces.charge();
        const u32 memory = e.pieces.memory();
        const insertion inserted = e.pieces.insert(packet, at, store_.free_pieces());
        const u32 taken = inserted == insertion::taken ? 1 : 0;
        result.pieces_dropped =
            static_cast<u16>(result.pieces_dropped + count + taken - e.pieces.count());
        store_.count(e, u64{e.pieces.charge()} - charge, u64{e.pieces.memory()} - memory,
                     e.pieces.count() - count);
        switch (inserted) {
        case insertion::taken:
            break;
        case insertion::merged:
            ++result.pieces_dropped;
            break;
        case insertion::ignored:
            e.facts = known;
            return result.refuse_for(drop_reason::fragment_duplicate);
        case insertion::duplicate:
            e.facts = known;
            if (!e.is_whole()) {
                return result.refuse_for(drop_reason::fragment_duplicate);
            }
            ++result.pieces_dropped;
            return finish(e, result);
        case insertion::drop_fragment:
            return result.refuse_for(drop_reason::fragment_overlap);
        case insertion::drop_datagram:
            return give_up(e, drop_reason::fragment_overlap, result);
        case insertion::refused:
            return result.refuse_for(drop_reason::fragment_limit);
        }
        known.note(f);
        e.facts = known;
        e.received_at = received_at;
        e.expect_after(f);
        if (inserted == insertion::taken && e.is_whole()) {
            finish(e, result);
        }
    }
    [[gnu::noinline]] constexpr void give_up(entry& e, drop_reason why, step& result) noexcept {
        result.pieces_dropped = static_cast<u16>(result.pieces_dropped + store_.drop_pieces(e));
        store_.end(e);
        result.refuse_for(why);
    }

    // All bytes are there, in pieces: joins them into one packet.
    [[gnu::noinline]] constexpr void finish(entry& e, step& result) noexcept {
        const u16 pieces = static_cast<u16>(e.pieces.count());
        bool joined = true;
        Packet whole;
        store_.drain(e, [&](piece& p) {
            if (p.start == 0) {
                whole = std::move(p.packet);
            } else {
                joined = whole.append_list(std::move(p.packet)) && joined;
            }
        });
        if (joined) {
            complete(whole, e.facts, e.received_at, pieces, result);
        } else {
            drop_whole(drop_reason::fragment_limit, pieces, result);
        }
        store_.end(e);
    }
    // Makes the first fragment, which the others follow, the datagram. Linux ip_frag_reasm.
    [[gnu::always_inline]] static constexpr void
    complete(Packet& whole, facts known, duration received_at, u16 pieces, step& result) noexcept {
        const ipv4::view ip{whole.writable()};
        const u32 length = static_cast<u32>(ipv4::header_length(ip)) + known.length();
        if (known.ecn().contradicts()) [[unlikely]] {
            return drop_whole(drop_reason::fragment_ecn, pieces, result);
        }
        if (length > ipv4::max_total_length) [[unlikely]] {
            return drop_whole(drop_reason::reassembled_too_long, pieces, result);
        }
        detail::make_whole_header(ip, static_cast<u16>(length), known.ecn().bits(),
                                  known.keeps_df() ? ipv4::words::dont_fragment : u16{0});
        metadata& m = whole.writable_metadata();
        m.checksum = checksum_state::unknown;
        m.largest_fragment = known.largest();
        m.fragment_df = known.keeps_df();
        m.received_at = received_at;
        SLUICE_ASSERT(!result.packet);
        if (result.packet) {
            __builtin_unreachable();  // so that none is given back
        }
        result.packet = std::move(whole);
        result.kind = reassembly_result::complete;
        result.pieces = pieces;
    }
    [[gnu::noinline]] static constexpr void drop_whole(drop_reason why, u16 pieces,
                                                       step& result) noexcept {
        result.refuse_for(why);
        result.pieces_dropped = static_cast<u16>(result.pieces_dropped + pieces - 1);
    }

    store store_;
};

}  // namespace sluice
