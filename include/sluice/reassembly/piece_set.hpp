// piece_set: the fragments that came of one datagram, in order, and what a new one means to them.
// Expects: pieces of at least one octet, whose packets nobody shares.
// Does: under the rejecting rules keeps runs as Linux does: a fragment that continues the last run
// makes it longer, every other one is a run of its own; under the keeping rules trims or fills so
// that no octet is held twice.
// Never: writes bookkeeping into packets; copies bytes only under the keeping rules, where one
// piece lies inside another.
// Cost: expected O(log n) a fragment for n runs; O(1) in order.
// RFC 791 section 3.2, RFC 5722 section 4; Linux inet_frag_queue_insert.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>
#include <sluice/base/treap.hpp>
#include <sluice/reassembly/overlap.hpp>
#include <sluice/reassembly/piece.hpp>

namespace sluice::detail {

enum class insertion : u8 {
    taken,
    merged,     // its octets were written into a piece; the packet is to be dropped
    duplicate,  // nothing new
    overlap,
    refused,  // the packets could not be made contiguous
};

template <class Packet, overlap_policy Overlap>
class piece_set {
public:
    using piece_type = piece<Packet>;
    using pool = piece_pool<Packet>;

    [[nodiscard]] constexpr u32 octets() const noexcept { return octets_; }
    [[nodiscard]] constexpr u32 charge() const noexcept { return charge_; }
    [[nodiscard]] constexpr u32 count() const noexcept { return count_; }

    // Takes p in, or says why not; then p stays the caller's. Pieces that it makes needless go back
    // to the pool.
    [[nodiscard]] constexpr insertion insert(piece_type& p, u32 priority,
                                             [[maybe_unused]] pool& free) noexcept {
        p.run_end = p.end;
        insertion result = insertion::taken;
        if constexpr (Overlap::rule == overlap_rule::keep_first) {
            result = insert_below(p, priority, free);
        } else if constexpr (Overlap::rule == overlap_rule::keep_last) {
            result = insert_above(p, priority, free);
        } else {
            result = insert_run(p, priority);
        }
        if (result == insertion::taken) {
            octets_ += p.size();
            charge_ += p.charge;
            ++count_;
        }
        return result;
    }

    // Calls f(piece&) in order; each goes back to the pool afterwards, with its packet unless f
    // took that. Then empty.
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

    // Linux's runs, exactly: a duplicate is what lies inside one run.
    [[nodiscard]] constexpr insertion insert_run(piece_type& p, u32 priority) noexcept {
        if (last_ == nullptr || last_->end < p.end) {
            if (last_ != nullptr && p.start < last_->end) {
                return insertion::overlap;
            }
            if (last_ != nullptr && p.start == last_->end) {
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
        return p.start >= hit->start && p.end <= hit->run_end ? insertion::duplicate
                                                              : insertion::overlap;
    }

    // What is held wins: p is cut to what is new; pieces inside p are written into it.
    [[nodiscard]] constexpr insertion insert_below(piece_type& p, u32 priority,
                                                   pool& free) noexcept {
        for (piece_type* held = overlapped_by(p); held != nullptr; held = overlapped_by(p)) {
            if (held->start <= p.start) {
                if (held->end >= p.end) {
                    return insertion::duplicate;
                }
                if (!p.cut_front(held->end)) {
                    return insertion::refused;
                }
            } else if (held->end >= p.end) {
                p.cut_back(held->start);
            } else {
                if (!p.make_contiguous() || !held->make_contiguous()) {
                    return insertion::refused;
                }
                copy_bytes(p.at(held->start), held->at(held->start), held->size());
                drop(*held, free);
            }
        }
        runs_.insert(p, priority);
        return insertion::taken;
    }

    // p wins: what is held is cut back to its sides, or written over where p lies inside one piece.
    [[nodiscard]] constexpr insertion insert_above(piece_type& p, u32 priority,
                                                   pool& free) noexcept {
        piece_type* held = first_beyond(p.start);
        if (held != nullptr && held->start < p.start) {
            if (held->end > p.end) {
                return write_over(*held, p);
            }
            octets_ -= held->end - p.start;
            held->cut_back(p.start);
        }
        for (held = overlapped_by(p); held != nullptr; held = overlapped_by(p)) {
            const u32 size = held->size();
            if (held->end > p.end && held->cut_front(p.end)) {
                octets_ -= size - held->size();
                break;
            }
            drop(*held, free);
        }
        runs_.insert(p, priority);
        return insertion::taken;
    }
    [[nodiscard]] static constexpr insertion write_over(piece_type& held, piece_type& p) noexcept {
        if (!p.make_contiguous() || !held.make_contiguous()) {
            return insertion::refused;
        }
        copy_bytes(held.at(p.start), p.at(p.start), p.size());
        return insertion::merged;
    }

    // The first piece that ends beyond a place.
    [[nodiscard]] constexpr piece_type* first_beyond(u32 place) const noexcept {
        return runs_.first_after([place](const piece_type& q) { return q.end <= place; });
    }
    [[nodiscard]] constexpr piece_type* overlapped_by(const piece_type& p) const noexcept {
        piece_type* q = first_beyond(p.start);
        return q != nullptr && q->start < p.end ? q : nullptr;
    }
    constexpr void drop(piece_type& q, pool& free) noexcept {
        runs_.erase(q);
        octets_ -= q.size();
        charge_ -= q.charge;
        --count_;
        free.give(q);
    }

    treap<piece_type, order> runs_;
    piece_type* last_ = nullptr;      // the piece that ends last; rejecting rules
    piece_type* last_run_ = nullptr;  // the first of its run
    u32 octets_ = 0;
    u32 charge_ = 0;
    u32 count_ = 0;
};

}  // namespace sluice::detail
