// bounded_cache<Datagrams, Overlap, Fragments, OnFull, Share>: reassembly as Linux does it, in
// memory fixed at compile time.
//
// It holds up to Datagrams incomplete datagrams of up to Fragments packets in all. It returns the
// whole as one packet: the head is the fragment with offset 0, the other fragments follow as a list
// without their headers.
//
// It is full when Datagrams, Fragments or the threshold are reached, or when the packets' source
// has fewer than two of its margins left (packet/bounded_packet_queue.hpp). Then on_full::refuse
// refuses new fragments, as Linux does: an attacker who fills the memory stops all reassembly until
// the timeout. on_full::evict_oldest drops the datagram that began first: a flood ends only the
// datagrams that take longest.
// With Share 1 one source may use all of the memory, as in Linux; with Share n, an nth of the
// datagrams, the fragments and the threshold. For a source over its share, OnFull applies only to
// the source's own datagrams.
//
// Expects: fragments as verified datagrams; a secret key; a call of expire(now, sink) before
//          insert(..., now, ...) once next_deadline() is over, because insert ends no datagram for
//          its age; packets that can be put in a list (append).
// Never:   copies payload under the default rule, allocates, writes into payload.
// Cost:    O(log n) for the n runs of a datagram, O(1) in order; about 64 bytes a fragment and 250
//          a datagram.
// Source:  RFC 791 section 3.2, RFC 815, RFC 1122 section 3.3.2, RFC 3168 section 5.3; Linux
//          ip_fragment.c.
#pragma once

#include <sluice/base/random.hpp>
#include <sluice/packet/bounded_packet_queue.hpp>
#include <sluice/reassembly/concept.hpp>
#include <sluice/reassembly/deadline_list.hpp>
#include <sluice/reassembly/partial_datagram.hpp>

#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace sluice {

// The cache counts the total length of each held fragment and these charges against
// reassembly_limits::high_threshold. They are about what Linux counts on 64-bit machines for the
// structures of a buffer (struct sk_buff and skb_shared_info) and of a queue (struct ipq). They do
// not depend on the buffers in use, so a threshold means the same everywhere.
inline constexpr u32 fragment_charge = 576;
inline constexpr u32 datagram_charge = 208;

template <class Packet>
concept can_form_list = requires(Packet& p, Packet&& tail) {
    { p.append(std::move(tail)) } noexcept -> std::same_as<bool>;
    { p.has_packet_list() } noexcept -> std::same_as<bool>;
};

// Enough fragments for the largest datagram over the smallest MTU, and two a datagram.
[[nodiscard]] consteval std::size_t default_fragments(std::size_t datagrams) noexcept {
    return datagrams > 1024 ? 2 * datagrams : 2048;
}

// What to do with a fragment when the memory, or the share of its source, is full.
enum class on_full : u8 { refuse, evict_oldest };

namespace detail {

// Each mistake is reported once.
template <std::size_t Datagrams, class Overlap, std::size_t Fragments, u32 Share>
consteval bool are_cache_parameters() {
    static_assert(Datagrams > 0, "sluice: bounded_cache<0>: use no_reassembly to refuse fragments");
    static_assert(Fragments >= 2, "sluice: bounded_cache: a datagram has at least two fragments");
    static_assert(
        Datagrams == 0 || (Share >= 1 && Share <= Datagrams && 2 * Share <= Fragments),
        "sluice: bounded_cache: Share is the part of it that one source may have, 1 (all) "
        "or 1/Share: at least a datagram of two fragments");
    // A name of its own: the compiler repeats the concept, and the sentence says it all.
    constexpr bool is_rule = overlap_policy<Overlap>;
    static_assert(is_rule, "sluice: bounded_cache<N, Overlap>: Overlap must have either static "
                           "overlap_answer settle(byte_range held, byte_range incoming) "
                           "noexcept or static run_answer refuse(byte_range run, byte_range "
                           "incoming) noexcept (reassembly/overlap.hpp: overlap_policy)");
    return true;
}

}  // namespace detail

template <std::size_t Datagrams, class Overlap = overlap::reject_datagram,
          std::size_t Fragments = default_fragments(Datagrams), on_full OnFull = on_full::refuse,
          u32 Share = 1>
struct bounded_cache {
    static_assert(detail::are_cache_parameters<Datagrams, Overlap, Fragments, Share>());

    template <class Packet>
    class model;
};

template <std::size_t Datagrams, class Overlap, std::size_t Fragments, on_full OnFull, u32 Share>
template <class Packet>
class bounded_cache<Datagrams, Overlap, Fragments, OnFull, Share>::model {
    // The default replaces a rule that was reported, so that no other error follows.
    using rule = std::conditional_t<overlap_policy<Overlap>, Overlap, overlap::reject_datagram>;
    using entry = detail::partial_datagram<Packet, rule>;
    using piece = detail::piece<Packet>;
    using fields = detail::fragment_fields;
    using step = reassembly_step<Packet>;
    using entry_table = detail::keyed_slots<entry, Datagrams>;
    using sender = detail::fragment_source<entry>;
    using source_table = detail::keyed_slots<sender, Datagrams>;

public:
    static constexpr std::size_t memory_limit =
        sizeof(entry_table) + sizeof(source_table) + sizeof(piece) * Fragments;
    static constexpr std::size_t fragment_limit = Fragments;

    constexpr explicit model(hash_key secret) noexcept
        : entries_(secret), sources_(secret), free_(pieces_, static_cast<u32>(Fragments)),
          random_({secret.high, ~secret.low}) {}
    model(const model&) = delete;
    model& operator=(const model&) = delete;

    [[nodiscard]] constexpr step insert(unsummed_datagram<Packet>&& d, reassembly_user user,
                                        u16 domain, instant now,
                                        const reassembly_limits& limits) noexcept {
        static_assert(can_form_list<Packet>,
                      "sluice: bounded_cache: the packet type cannot form a list "
                      "(append): use a packet over a pool or external storage");
        const fields f = fields::of(std::as_const(d).header());
        const detail::slot_key source = source_key(std::as_const(d).header(), domain);
        const detail::slot_key key = datagram_key(std::as_const(d).header(), user, domain);
        Packet packet = std::move(d).release();
        if (limits.high_threshold == 0 || !make_own(packet)) {
            return step::refuse(drop_reason::fragment_limit);
        }
        step result;
        entry* e = entries_.find(key);
        if (!make_share(source, e, limits, result) || !make_room(e, limits, result) ||
            !leaves_buffers(packet, e, result)) {
            result.refuse_for(drop_reason::fragment_limit);
            return result;
        }
        if (e == nullptr) {
            e = begin(key, source, now, limits);
        }
        if (e == nullptr && evict_oldest(e, result)) {
            e = begin(key, source, now, limits);
        }
        if (e == nullptr) {
            result.refuse_for(drop_reason::fragment_limit);
            return result;
        }
        if (is_too_far(*e, limits)) {
            result.too_far = true;
            result.pieces_dropped = start_over(*e, now, limits);
        }
        take(*e, std::move(packet), f, result);
        return result;
    }

    // Ends the datagrams whose deadline is over at now; calls sink(expired_datagram<Packet>&&) for
    // each, in order of their deadlines.
    template <class Sink>
    constexpr void expire(instant now, Sink&& sink) noexcept {
        for (entry* e = due_.first(); e != nullptr && e->deadline <= now; e = due_.first()) {
            expired_datagram<Packet> expired;
            expired.pieces = static_cast<u16>(e->pieces.count());
            expired.user = static_cast<reassembly_user>(e->key.low >> 24 & 0xff);
            drain(*e, [&expired](piece& p) {
                if (p.start == 0) {
                    expired.first = std::move(p.packet);
                }
            });
            end(*e);
            sink(std::move(expired));
        }
    }
    [[nodiscard]] constexpr instant next_deadline() const noexcept {
        return due_.first() != nullptr ? due_.first()->deadline : instant::never();
    }
    // Packets held now.
    [[nodiscard]] constexpr std::size_t held() const noexcept { return Fragments - free_.size(); }
    // Bytes counted now against limits.high_threshold.
    [[nodiscard]] constexpr u64 charged() const noexcept { return charged_; }

private:
    // Source, destination, identification and protocol (RFC 791 section 3.2), user and domain.
    [[nodiscard]] static constexpr detail::slot_key
    datagram_key(ipv4::const_view ip, reassembly_user user, u16 domain) noexcept {
        return {(u64{ip[ipv4::source].value} << 32) | ip[ipv4::destination].value,
                u64{ip[ipv4::identification]} | (u64{ip[ipv4::protocol]} << 16) |
                    (u64{static_cast<u8>(user)} << 24) | (u64{domain} << 32)};
    }
    [[nodiscard]] static constexpr detail::slot_key source_key(ipv4::const_view ip,
                                                               u16 domain) noexcept {
        return {ip[ipv4::source].value, domain};
    }
    // A packet of a list must not itself be a list, nor shared.
    [[nodiscard]] static constexpr bool make_own(Packet& p) noexcept {
        return p.unshare() && (!p.has_packet_list() || p.may_pull(p.size()));
    }

    // Makes room for one more fragment, without evicting its own datagram. False: no room.
    [[nodiscard]] constexpr bool make_room(const entry* own, const reassembly_limits& limits,
                                           step& result) noexcept {
        while (charged_ > limits.high_threshold || free_.empty()) {
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
    // Makes room for one more fragment within the share of its source. False: no room.
    [[nodiscard]] constexpr bool make_share([[maybe_unused]] detail::slot_key source,
                                            [[maybe_unused]] const entry* own,
                                            [[maybe_unused]] const reassembly_limits& limits,
                                            [[maybe_unused]] step& result) noexcept {
        if constexpr (Share > 1) {
            for (const sender* s = sources_.find(source);
                 s != nullptr && ((own == nullptr && s->datagrams >= Datagrams / Share) ||
                                  has_its_share(*s, limits));
                 s = sources_.find(source)) {
                if (OnFull == on_full::refuse ||
                    !evict(s->oldest == own ? s->oldest->of_source_later : s->oldest, result)) {
                    return false;
                }
            }
        }
        return true;
    }
    [[nodiscard]] static constexpr bool has_its_share(const sender& s,
                                                      const reassembly_limits& limits) noexcept {
        return s.pieces >= Fragments / Share || s.byte_count > limits.high_threshold / Share;
    }
    constexpr void count_held(entry& e, u64 byte_count, u32 pieces) noexcept {  // wraps round
        charged_ += byte_count;
        if (e.source != nullptr) {
            e.source->byte_count += byte_count;
            e.source->pieces += pieces;
        }
    }
    [[nodiscard]] constexpr entry* begin(detail::slot_key key, detail::slot_key source, instant now,
                                         const reassembly_limits& limits) noexcept {
        entry* e = entries_.take(key);
        if (e == nullptr) {
            return nullptr;
        }
        if (Share > 1 || limits.max_distance != 0) {
            e->source = sources_.find(source);
            if (e->source == nullptr) {
                e->source = sources_.take(source);
            }
            if (e->source != nullptr) {
                e->source->add(*e);
            } else if (Share > 1) {
                entries_.release(*e);
                return nullptr;
            }
        }
        e->deadline = now + limits.timeout;
        due_.add(*e);
        count_held(*e, datagram_charge, 0);
        return e;
    }
    // Frees a datagram that has no pieces any more.
    constexpr void end(entry& e) noexcept {
        count_held(e, u64{} - datagram_charge, 0);
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
        count_held(e, u64{} - e.pieces.charge(), 0u - e.pieces.count());
        e.pieces.drain(free_, f);
    }
    // Drops the pieces. Returns their number.
    constexpr u16 drop_pieces(entry& e) noexcept {
        const u16 count = static_cast<u16>(e.pieces.count());
        drain(e, [](piece&) {});
        return count;
    }

    // Identifications wrap around: when more than max_distance other fragments of the source came
    // since the last one of this datagram, the new fragment belongs to another datagram. RFC 4963
    // section 5; Linux ip_frag_too_far.
    [[nodiscard]] static constexpr bool is_too_far(entry& e,
                                                   const reassembly_limits& limits) noexcept {
        if (e.source == nullptr || limits.max_distance == 0) {
            return false;
        }
        const u32 before = std::exchange(e.source_mark, ++e.source->fragments);
        return e.pieces.count() != 0 && e.source_mark - before > limits.max_distance;
    }
    constexpr u16 start_over(entry& e, instant now, const reassembly_limits& limits) noexcept {
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
    constexpr void take(entry& e, Packet&& packet, const fields& f, step& result) noexcept {
        const detail::datagram_end end_before = e.end;
        const duration received_at = std::as_const(packet).metadata().received_at;
        if (!e.end.accept(f)) {
            return give_up(e, drop_reason::fragment_invalid, result);
        }
        piece& p = make_piece(std::move(packet), f);
        if (p.start != 0 && !p.cut_header()) {
            free_.give(p);
            return give_up(e, drop_reason::fragment_limit, result);
        }
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
    // Inserts the piece; if the set does not take it, frees it and its packet.
    [[nodiscard]] constexpr detail::insertion place(entry& e, piece& p, step& result) noexcept {
        const u32 count = e.pieces.count();
        const u32 charge = e.pieces.charge();
        const auto priority = static_cast<u32>(random_.next() >> 32);
        const detail::insertion inserted = e.pieces.insert(p, priority, free_);
        const u32 taken = inserted == detail::insertion::taken ? 1 : 0;
        result.pieces_dropped =
            static_cast<u16>(result.pieces_dropped + count + taken - e.pieces.count());
        count_held(e, u64{e.pieces.charge()} - charge, e.pieces.count() - count);
        if (taken == 0) {
            free_.give(p);
        }
        return inserted;
    }
    [[nodiscard]] constexpr piece& make_piece(Packet&& packet, const fields& f) noexcept {
        piece& p = free_.take();
        p.packet = std::move(packet);
        p.charge = fragment_charge + p.packet.size();
        p.start = f.start;
        p.end = f.end;
        p.header = f.header;
        p.cut_back(f.end);
        return p;
    }
    constexpr void give_up(entry& e, drop_reason why, step& result) noexcept {
        result.pieces_dropped = static_cast<u16>(result.pieces_dropped + drop_pieces(e));
        end(e);
        result.refuse_for(why);
    }

    // All bytes are there: joins them into one packet. Linux ip_frag_reasm.
    constexpr void finish(entry& e, step& result) noexcept {
        const u16 pieces = static_cast<u16>(e.pieces.count());
        Packet whole;
        u32 header = 0;
        bool joined = true;
        drain(e, [&](piece& p) {
            if (p.start == 0) {
                whole = std::move(p.packet);
                header = p.header;
            } else if constexpr (can_form_list<Packet>) {
                joined = whole.append(std::move(p.packet)) && joined;
            }
        });
        const u32 length = header + e.end.length;
        if (e.ecn.contradicts() || length > ipv4::max_total_length || !joined) {
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
        const ipv4::view ip{whole.writable()};
        ip.set(ipv4::total_length, static_cast<u16>(length));
        ip.set(ipv4::tos, static_cast<u8>(ip[ipv4::tos] | e.ecn.bits()));
        ip.set(ipv4::flags_and_offset, keep_df ? ipv4::words::dont_fragment : u16{0});
        ipv4::set_checksum(ip);
        metadata& known = whole.writable_metadata();
        known.checksum = checksum_state::unknown;
        known.largest_fragment = static_cast<u16>(e.largest);
        known.fragment_df = keep_df;
        known.received_at = e.received_at;
        result.kind = reassembly_result::complete;
        result.pieces = pieces;
        result.packet = std::move(whole);
        end(e);
    }

    entry_table entries_;
    source_table sources_;
    detail::deadline_list<entry> due_;
    detail::piece_pool<Packet> free_;
    piece pieces_[Fragments]{};
    keyed_random random_;
    u64 charged_ = 0;
};

}  // namespace sluice
