// piece_set: the held fragments of one datagram, in order of their place.
//
// Under a rule that refuses overlaps it keeps runs as Linux does: a fragment that continues the
// last run extends it, every other one is a new run. Under a rule that settles overlaps it cuts
// pieces, so that no byte is held twice.
//
// Expects: pieces of at least one byte, with unshared packets.
// Never:   writes bookkeeping into packets; copies bytes, except where one piece lies inside
//          another and the inner one wins.
// Cost:    expected O(log n) a fragment for n pieces; O(1) in order where runs are kept. A rule
//          that settles is called for each piece that the fragment overlaps.
// Source:  RFC 791 section 3.2, RFC 5722 section 4; Linux inet_frag_queue_insert.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>
#include <sluice/base/treap.hpp>
#include <sluice/reassembly/overlap.hpp>
#include <sluice/reassembly/piece.hpp>

namespace sluice::detail {

enum class insertion : u8 {
    taken,
    merged,     // its bytes were written into a piece; the caller drops the packet
    duplicate,  // no new bytes
    ignored,    // no new bytes; cannot complete the datagram
    drop_fragment,
    drop_datagram,
    refused,  // the packets could not be made contiguous
};

template <class Packet, overlap_policy Overlap>
class piece_set {
public:
    using piece_type = piece<Packet>;
    using pool = piece_pool<Packet>;

    [[nodiscard]] constexpr u32 byte_count() const noexcept { return byte_count_; }
    [[nodiscard]] constexpr u32 charge() const noexcept { return charge_; }
    [[nodiscard]] constexpr u32 count() const noexcept { return count_; }

    // Inserts p. If the result is not `taken`, p stays the caller's. Frees pieces that p replaces.
    [[nodiscard]] constexpr insertion insert(piece_type& p, u32 priority,
                                             [[maybe_unused]] pool& free) noexcept {
        p.run_end = p.end;
        insertion result = insertion::taken;
        if constexpr (refuses_overlaps<Overlap>) {
            result = insert_run(p, priority);
        } else {
            result = insert_settled(p, priority, free);
        }
        if (result == insertion::taken) {
            byte_count_ += p.size();
            charge_ += p.charge;
            ++count_;
        }
        return result;
    }

    // Calls f(piece&) in order, then frees each piece, with its packet unless f took it. The set is
    // empty afterwards.
    template <class F>
    constexpr void drain(pool& free, F&& f) noexcept {
        for (piece_type* p = runs_.pop_first(); p != nullptr; p = runs_.pop_first()) {
            while (p != nullptr) {
                piece_type* next = p->next;
                f(*p);
                free.give(*p);
                p = next;
            }
        }
        *this = piece_set{};
    }

private:
    struct order {
        [[nodiscard]] static constexpr bool before(const piece_type& a,
                                                   const piece_type& b) noexcept {
            return a.start < b.start;
        }
    };

    // Inserts p as Linux does: into the run that it continues, or as a new run.
    [[nodiscard]] constexpr insertion insert_run(piece_type& p, u32 priority) noexcept {
        if (last_ == nullptr || last_->end <= p.start) {
            if (last_ != nullptr && last_->end == p.start) {
                last_->next = &p;
                last_run_->run_end = p.end;
            } else {
                runs_.insert(p, priority);
                last_run_ = &p;
            }
            last_ = &p;
            return insertion::taken;
        }
        const piece_type* hit = runs_.locate([&p](const piece_type& run) {
            return p.end <= run.start ? -1 : (p.start >= run.run_end ? 1 : 0);
        });
        if (hit == nullptr) {
            runs_.insert(p, priority);
            return insertion::taken;
        }
        return refuse(p);
    }
    [[nodiscard]] constexpr insertion refuse(const piece_type& p) const noexcept {
        const piece_type& first =
            *runs_.first_after([&p](const piece_type& run) { return run.run_end <= p.start; });
        switch (Overlap::refuse({first.start, first.run_end}, p.range())) {
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

    [[nodiscard]] constexpr insertion insert_settled(piece_type& p, u32 priority,
                                                     pool& free) noexcept {
        if (const piece_type* held = overlapped_by(p); held != nullptr) {
            const insertion settled = settle(p, held, free);
            if (settled != insertion::taken) {
                return settled;
            }
        }
        runs_.insert(p, priority);
        return insertion::taken;
    }
    // Asks the rule about all overlaps before a byte changes, then again for each. taken: no held
    // piece overlaps p any more.
    [[nodiscard, gnu::noinline]] constexpr insertion settle(piece_type& p, const piece_type* first,
                                                            pool& free) noexcept {
        const byte_range incoming = p.range();
        for (const piece_type* held = first; held != nullptr;
             held = overlapping(held->end, p.end)) {
            const overlap_answer answer = Overlap::settle(held->range(), incoming);
            if (answer == overlap_answer::drop_fragment) {
                return insertion::drop_fragment;
            }
            if (answer == overlap_answer::drop_datagram) {
                return insertion::drop_datagram;
            }
        }
        for (piece_type* held = overlapped_by(p); held != nullptr; held = overlapped_by(p)) {
            const bool held_wins =
                Overlap::settle(held->range(), incoming) == overlap_answer::keep_held;
            const insertion done = held_wins ? yield(p, *held, free) : prevail(p, *held, free);
            if (done != insertion::taken) {
                return done;
            }
        }
        return insertion::taken;
    }
    // The held piece wins: cuts p, or writes a piece inside p into p. taken: continue with p.
    [[nodiscard]] constexpr insertion yield(piece_type& p, piece_type& held, pool& free) noexcept {
        if (held.start <= p.start) {
            if (held.end >= p.end) {
                return insertion::duplicate;
            }
            return p.cut_front(held.end) ? insertion::taken : insertion::refused;
        }
        if (held.end >= p.end) {
            p.cut_back(held.start);
            return insertion::taken;
        }
        if (!p.make_contiguous() || !held.make_contiguous()) {
            return insertion::refused;
        }
        copy_bytes(p.at(held.start), held.at(held.start), held.size());
        drop(held, free);
        return insertion::taken;
    }
    // p wins: cuts or drops the held piece, or writes p over the middle of it. taken: continue with
    // p.
    [[nodiscard]] constexpr insertion prevail(piece_type& p, piece_type& held,
                                              pool& free) noexcept {
        if (held.start < p.start) {
            if (held.end > p.end) {
                return write_over(held, p);
            }
            byte_count_ -= held.end - p.start;
            held.cut_back(p.start);
            return insertion::taken;
        }
        const u32 size = held.size();
        if (held.end > p.end && held.cut_front(p.end)) {
            byte_count_ -= size - held.size();
        } else {
            drop(held, free);
        }
        return insertion::taken;
    }
    [[nodiscard]] static constexpr insertion write_over(piece_type& held, piece_type& p) noexcept {
        if (!p.make_contiguous() || !held.make_contiguous()) {
            return insertion::refused;
        }
        copy_bytes(held.at(p.start), p.at(p.start), p.size());
        return insertion::merged;
    }

    // The first piece with bytes of start .. end - 1.
    [[nodiscard]] constexpr piece_type* overlapping(u32 start, u32 end) const noexcept {
        piece_type* q =
            runs_.first_after([start](const piece_type& held) { return held.end <= start; });
        return q != nullptr && q->start < end ? q : nullptr;
    }
    [[nodiscard]] constexpr piece_type* overlapped_by(const piece_type& p) const noexcept {
        return overlapping(p.start, p.end);
    }
    constexpr void drop(piece_type& q, pool& free) noexcept {
        runs_.erase(q);
        byte_count_ -= q.size();
        charge_ -= q.charge;
        --count_;
        free.give(q);
    }

    treap<piece_type, order> runs_;
    piece_type* last_ = nullptr;      // the piece that ends last; with runs only
    piece_type* last_run_ = nullptr;  // the first piece of the last run
    u32 byte_count_ = 0;
    u32 charge_ = 0;
    u32 count_ = 0;
};

}  // namespace sluice::detail
