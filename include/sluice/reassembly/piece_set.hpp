// piece_set: the held fragments of one datagram, in order of their place.
//
// Under a rule that refuses overlaps it keeps runs as Linux does: a fragment that continues the
// last run extends it, every other one is a new run. The runs are a list as they came, closed_runs
// knows what they cover, and run_order sorts them when the datagram ends. Under a rule that settles
// overlaps it cuts pieces, so that no byte is held twice. They are a list in order; a datagram with
// more than 16 of them gets a map of their places.
//
// Expects: fragments of at least one byte that start at a multiple of 8, with unshared packets.
// Never:   writes bookkeeping into packets; copies bytes, except where one piece lies inside
//          another and the inner one wins.
// Cost:    constant in any order of arrival: for a fragment the last run and what closed_runs reads
//          of a line or a map; with a rule that settles at most 16 pieces and one map. Such a rule
//          is called for each piece that the fragment overlaps. At the end at most three reads of
//          each run.
// Source:  RFC 791 section 3.2, RFC 5722 section 4; Linux inet_frag_queue_insert.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>
#include <sluice/reassembly/closed_runs.hpp>
#include <sluice/reassembly/keyed_slots.hpp>
#include <sluice/reassembly/overlap.hpp>
#include <sluice/reassembly/piece.hpp>
#include <sluice/reassembly/piece_map.hpp>
#include <sluice/reassembly/run_order.hpp>

#include <type_traits>
#include <utility>

namespace sluice::detail {

enum class insertion : u8 {
    taken,
    merged,     // its bytes were written into a piece; the caller drops the packet
    duplicate,  // no new bytes
    ignored,    // no new bytes; cannot complete the datagram
    drop_fragment,
    drop_datagram,
    refused,  // the packets could not be made contiguous, or joined
};

// Where a fragment lies in the data, and what it costs, in bytes.
struct fragment_place {
    u32 start = 0;
    u32 end = 0;
    u32 charge = 0;  // counted against the threshold
    u32 memory = 0;  // of buffers
};

template <class Packet, overlap_policy Overlap, class Probe = no_probe>
class piece_set {
public:
    using piece_type = std::conditional_t<refuses_overlaps<Overlap>, run<Packet>, piece<Packet>>;
    using map_type = std::conditional_t<refuses_overlaps<Overlap>, run_map, piece_map>;
    // Pieces and maps that all sets of one owner share.
    struct pool {
        piece_pool<piece_type> pieces;
        map_pool<map_type> maps;
    };

    [[nodiscard]] constexpr u32 byte_count() const noexcept { return byte_count_; }
    // Bytes counted against the threshold, and bytes of buffers.
    [[nodiscard]] constexpr u32 charge() const noexcept { return charge_; }
    [[nodiscard]] constexpr u32 memory() const noexcept { return memory_; }
    [[nodiscard]] constexpr u32 count() const noexcept { return count_; }
    // The piece that is last in order; nullptr if there is none.
    [[nodiscard]] constexpr const piece_type* last() const noexcept { return last_; }
    // Inserts the first fragment.
    [[gnu::always_inline]] constexpr void begin(Packet& packet, fragment_place at) noexcept {
        SLUICE_ASSERT(!own_.packet);
        if (own_.packet) {
            __builtin_unreachable();  // so that none is given back
        }
        keep(own_, packet, at);
        last_ = &own_;
        if constexpr (!refuses_overlaps<Overlap>) {
            first_ = &own_;
        }
        byte_count_ = at.end - at.start;
        charge_ = at.charge;
        memory_ = at.memory;
        count_ = piece_count_ = 1;
    }
    // Inserts a fragment. If the result is `taken`, the set has its packet; else `packet` keeps it.
    // Frees pieces that it replaces. Precondition: a free piece.
    [[nodiscard, gnu::always_inline]] constexpr insertion
    insert(Packet& packet, const fragment_place& at, pool& free) noexcept {
        insertion result = insertion::taken;
        u32 size = at.end - at.start;
        if constexpr (refuses_overlaps<Overlap>) {
            result = insert_run(packet, at, free);
        } else {
            result = insert_settled(packet, at, free, size);
        }
        if (result == insertion::taken) {
            count(size, at.charge, at.memory);
        }
        return result;
    }
    // Inserts a fragment with so many data into a set that is_single(), which it continues; the
    // caller knows that append_block() can append its packet without the header.
    [[gnu::always_inline]] constexpr void extend(Packet&& packet, u32 header, u32 size, u32 charge,
                                                 u32 memory) noexcept {
        own_.packet.append_block(std::move(packet), header);
        own_.end += size;
        count(size, charge, memory);
    }

    // Calls f(piece&) for each piece in order, then frees it, with its packet unless f took it. The
    // set is empty afterwards.
    template <class F>
    constexpr void drain(pool& free, F&& f) noexcept {
        if constexpr (refuses_overlaps<Overlap>) {
            drain_runs(free, f);
        } else {
            drain_pieces(free, f);
        }
        clear();
    }
    // The packet of a set that has one piece. The set must begin anew afterwards.
    [[nodiscard]] constexpr Packet take_single() noexcept { return std::move(own_.packet); }
    // Whether all fragments are one piece, under a rule that refuses overlaps: the own one.
    [[nodiscard]] constexpr bool is_single() const noexcept { return piece_count_ == 1; }

private:
    constexpr void count(u32 size, u32 charge, u32 memory) noexcept {
        byte_count_ += size;
        charge_ += charge;
        memory_ += memory;
        ++count_;
    }
    constexpr void clear() noexcept {
        first_ = last_ = nullptr;
        byte_count_ = charge_ = memory_ = 0;
        count_ = piece_count_ = 0;
    }
    // Inserts as Linux does: into the run that it continues, or as a new run.
    [[nodiscard]] constexpr insertion insert_run(Packet& packet, const fragment_place& at,
                                                 pool& free) noexcept {
        if (last_ == nullptr) [[unlikely]] {
            keep(own_, packet, at);
            last_ = &own_;
            piece_count_ = 1;
            return insertion::taken;
        }
        if (last_->end == at.start) {
            if (!last_->packet.append_list(std::move(packet))) {
                return insertion::refused;
            }
            last_->end = at.end;
            return insertion::taken;
        }
        const bool is_last = last_->end <= at.start;
        const u32 closed = piece_count_ - 1u;
        if (closed == 1) {  // not before: most datagrams have no third run
            const piece_type& other = last_ == &own_ ? *first_ : own_;
            places_.add(0, units(other.start, other.end), free.maps);
        }
        if (is_last) {
            if (closed != 0) {
                places_.add(closed, units(last_->start, last_->end), free.maps);
            }
        } else if (at.end > last_->start ||
                   (closed != 0 &&
                    !places_.add_if_apart(closed, units(at.start, at.end), free.maps))) {
            return refuse(at);
        }
        piece_type& p = free.pieces.take();
        keep(p, packet, at);
        p.next = piece_count_ == 1 ? &own_ : first_;
        first_ = &p;
        if (is_last) {
            last_ = &p;
        }
        ++piece_count_;
        return insertion::taken;
    }
    [[nodiscard]] static constexpr unit_range units(u32 start, u32 end) noexcept {
        return {start / place_unit, (end + place_unit - 1) / place_unit};
    }
    // The answer about the first run that the fragment overlaps.
    [[nodiscard, gnu::noinline]] constexpr insertion
    refuse(const fragment_place& f) const noexcept {
        const u32 end = f.end < last_->start ? f.end : last_->start;
        const unit_range closed = places_.first_overlapping(piece_count_ - 1u, units(f.start, end));
        const byte_range run = closed.to != 0
                                   ? byte_range{closed.from * place_unit, closed.to * place_unit}
                                   : last_->range();
        switch (Overlap::refuse(run, {f.start, f.end})) {
        case run_answer::ignore:
            return insertion::ignored;
        case run_answer::duplicate:
            return insertion::duplicate;
        case run_answer::drop_fragment:
            return insertion::drop_fragment;
        case run_answer::drop_datagram:
            break;
        }
        return insertion::drop_datagram;
    }
    // The own run came first, so it is the last of the list.
    template <class F>
    constexpr void drain_runs(pool& free, F& f) noexcept {
        const auto take = [&f](piece_type& p) __attribute__((always_inline)) {
            f(p);
            p.packet = Packet{};
        };
        piece_type* last = first_;
        if (piece_count_ > 2) {
            last = drain_many(take);
        } else {
            piece_type* few[2] = {&own_, first_};
            if (piece_count_ == 2 && first_->start < own_.start) {
                std::swap(few[0], few[1]);
            }
            for (u32 i = 0; i < piece_count_; ++i) {
                take(*few[i]);
            }
        }
        if (piece_count_ > 1) {
            free.pieces.give_list(*first_, *last);
            places_.clear(piece_count_ - 1u, free.maps);
        }
    }
    // Returns the last run of the list that is of the pool.
    template <class F>
    [[nodiscard, gnu::noinline]] constexpr piece_type* drain_many(const F& take) noexcept {
        piece_type* last = first_;
        piece_type* p = first_;
        for (; p != &own_ && p->start < p->next->start; p = p->next) {
            last = p;
        }
        if (p == &own_) {  // they came in reversed order, so that the list is in order
            for (p = first_; p != &own_; p = p->next) {
                take(*p);
            }
            take(own_);
            return last;
        }
        run_order<piece_type> order;
        for (p = first_; p != &own_; p = p->next) {
            order.add(*p);
            last = p;
        }
        order.add(own_);
        while ((p = order.next()) != nullptr) {
            take(*p);
        }
        return last;
    }

    // `size`: the bytes that are inserted.
    [[nodiscard]] constexpr insertion insert_settled(Packet& packet, const fragment_place& at,
                                                     pool& free, u32& size) noexcept {
        piece_type* before = last_;
        if (last_ == nullptr || last_->end <= at.start) {
            link(packet, at, before, free);
            return insertion::taken;
        }
        piece_type f;
        keep(f, packet, at);
        before = starts_before(at.start, free);
        const insertion settled = settle(f, before, free);
        packet = std::move(f.packet);
        if (settled == insertion::taken) {
            size = f.size();
            link(packet, {f.start, f.end, at.charge, at.memory}, before, free);
        }
        return settled;
    }
    // Asks the rule about all overlaps before a byte changes, then again for each. taken: no held
    // piece overlaps f any more, and `before` is the last piece that starts before f.
    [[nodiscard, gnu::noinline]] constexpr insertion settle(piece_type& f, piece_type*& before,
                                                            pool& free) noexcept {
        const byte_range incoming = f.range();
        piece_type* held = before != nullptr && before->end > f.start ? before : behind(before);
        for (const piece_type* p = held; p != nullptr && p->start < f.end; p = behind(p)) {
            const overlap_answer answer = Overlap::settle(p->range(), incoming);
            if (answer == overlap_answer::drop_fragment) {
                return insertion::drop_fragment;
            }
            if (answer == overlap_answer::drop_datagram) {
                return insertion::drop_datagram;
            }
        }
        while (held != nullptr && held->start < f.end) {
            piece_type* const next = behind(held);
            const bool held_wins =
                Overlap::settle(held->range(), incoming) == overlap_answer::keep_held;
            const insertion done =
                held_wins ? yield(f, *held, before, free) : prevail(f, *held, before, free);
            if (done != insertion::taken) {
                return done;
            }
            held = next;
        }
        return insertion::taken;
    }
    // The held piece wins: cuts f, or writes a piece inside f into f. taken: continue with f.
    [[nodiscard]] constexpr insertion yield(piece_type& f, piece_type& held, piece_type*& before,
                                            pool& free) noexcept {
        if (held.start <= f.start) {
            if (held.end >= f.end) {
                return insertion::duplicate;
            }
            before = &held;
            return f.cut_front(held.end) ? insertion::taken : insertion::refused;
        }
        if (held.end >= f.end) {
            f.cut_back(held.start);
            return insertion::taken;
        }
        if (!f.make_contiguous() || !held.make_contiguous()) {
            return insertion::refused;
        }
        copy_bytes(f.at(held.start), held.at(held.start), held.size());
        drop(held, before, free);
        return insertion::taken;
    }
    // f wins: cuts or drops the held piece, or writes f over the middle of it. taken: continue with
    // f.
    [[nodiscard]] constexpr insertion prevail(piece_type& f, piece_type& held, piece_type* before,
                                              pool& free) noexcept {
        if (held.start < f.start) {
            if (held.end > f.end) {
                return write_over(held, f);
            }
            byte_count_ -= held.end - f.start;
            held.cut_back(f.start);
            return insertion::taken;
        }
        if (const u32 start = held.start; held.end > f.end && held.cut_front(f.end)) {
            byte_count_ -= held.start - start;
            unmap(held, start, free);
            map(held, before, free);
        } else {
            drop(held, before, free);
        }
        return insertion::taken;
    }
    [[nodiscard]] static constexpr insertion write_over(piece_type& held, piece_type& f) noexcept {
        if (!f.make_contiguous() || !held.make_contiguous()) {
            return insertion::refused;
        }
        copy_bytes(held.at(f.start), f.at(f.start), f.size());
        return insertion::merged;
    }

    // The last piece has no valid `next`.
    [[nodiscard]] constexpr piece_type* behind(const piece_type* before) const noexcept {
        return before == nullptr ? first_ : before == last_ ? nullptr : before->next;
    }
    // The last piece that starts before this place; nullptr if none does.
    [[nodiscard]] constexpr piece_type* starts_before(u32 place, const pool& free) const noexcept {
        piece_type* found = nullptr;
        piece_type* from = first_;
        if (places_ != nullptr && place != 0) {
            u32 region = piece_map::region_of(place - 1);
            if (!places_->has(region) || at(*places_, region, free).start >= place) {
                region = places_->before(region);
            }
            if (region == piece_map::none) {
                return nullptr;
            }
            from = &at(*places_, region, free);
        }
        for (piece_type* p = from; p != nullptr && p->start < place; p = behind(p)) {
            found = p;
            Probe::read();
        }
        return found;
    }

    template <class F>
    constexpr void drain_pieces(pool& free, F& f) noexcept {
        for (piece_type* p = first_; p != nullptr;) {
            piece_type* const next = behind(p);
            f(*p);
            release(*p, free);
            p = next;
        }
        if (places_ != nullptr) {
            free.maps.give(*std::exchange(places_, nullptr));
        }
    }
    // The own piece is not of the pool: most datagrams need no other.
    constexpr void release(piece_type& p, pool& free) noexcept {
        if (&p == &own_) {
            p.packet = Packet{};
        } else {
            free.pieces.give(p);
        }
    }
    static constexpr void keep(piece_type& p, Packet& packet, const fragment_place& at) noexcept {
        p.packet = std::move(packet);
        p.start = at.start;
        p.end = at.end;
        if constexpr (!refuses_overlaps<Overlap>) {
            p.charge = at.charge;
            p.memory = at.memory;
        }
    }
    // Keeps a fragment as a piece of its own behind `before` (nullptr: as the first).
    constexpr void link(Packet& packet, const fragment_place& at, piece_type* before,
                        pool& free) noexcept {
        piece_type& p = own_.packet ? free.pieces.take() : own_;
        keep(p, packet, at);
        p.next = behind(before);
        (before != nullptr ? before->next : first_) = &p;
        if (before == last_) {
            last_ = &p;
        }
        ++piece_count_;
        if (places_ != nullptr) {
            map(p, before, free);
        } else if (piece_count_ > map_type::most_without) {
            make_map(free);
        }
    }
    [[gnu::noinline]] constexpr void make_map(pool& free) noexcept {
        places_ = &free.maps.take();
        const piece_type* before = nullptr;
        for (const piece_type* p = first_; p != nullptr; before = p, p = behind(p)) {
            map(*p, before, free);
        }
    }
    // The own piece has the number behind all others.
    [[nodiscard]] constexpr piece_type& at(const piece_map& map, u32 region,
                                           const pool& free) const noexcept {
        const u32 number = map.first[region];
        return number == piece_map::none ? const_cast<piece_type&>(own_) : free.pieces.at(number);
    }
    constexpr void map(const piece_type& p, const piece_type* before, const pool& free) noexcept {
        const u32 region = piece_map::region_of(p.start);
        if (places_ != nullptr &&
            (before == nullptr || piece_map::region_of(before->start) != region)) {
            places_->set(region, &p == &own_ ? piece_map::none : free.pieces.number_of(p));
        }
    }
    // Removes the piece that started at this place from its region.
    constexpr void unmap(const piece_type& p, u32 start, const pool& free) noexcept {
        const u32 region = piece_map::region_of(start);
        if (places_ == nullptr || &at(*places_, region, free) != &p) {
            return;
        }
        if (const piece_type* const next = behind(&p);
            next != nullptr && piece_map::region_of(next->start) == region) {
            places_->set(region, next == &own_ ? piece_map::none : free.pieces.number_of(*next));
        } else {
            places_->unset(region);
        }
    }
    // `before`: the piece in front of q.
    constexpr void drop(piece_type& q, piece_type* before, pool& free) noexcept {
        unmap(q, q.start, free);
        (before != nullptr ? before->next : first_) = behind(&q);
        if (last_ == &q) {
            last_ = before;
        }
        byte_count_ -= q.size();
        charge_ -= q.charge;
        memory_ -= q.memory;
        --count_;
        --piece_count_;
        release(q, free);
        if (places_ != nullptr && piece_count_ <= map_type::most_without) {
            free.maps.give(*std::exchange(places_, nullptr));
        }
    }

    u32 byte_count_ = 0;
    u32 charge_ = 0;
    u32 memory_ = 0;
    u16 count_ = 0;               // fragments
    u16 piece_count_ = 0;         // runs, or pieces
    piece_type* last_ = nullptr;  // in order
    piece_type own_{};
    // In order; or, under a rule that refuses overlaps, the run that came last of several.
    piece_type* first_ = nullptr;
    // Finds what a fragment overlaps: the map of many pieces, if any; or the runs but the last.
    std::conditional_t<refuses_overlaps<Overlap>, closed_runs<Probe>, piece_map*> places_{};
};

}  // namespace sluice::detail
