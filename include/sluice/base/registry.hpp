// registry<T, N>: up to N registrations in order of rank, which may come and go during a visit.
//
// Use it for objects that call code of the program: hooks, endpoints. A visit meets each value once
// that was registered when the visit began and still is when its turn comes. It does not meet
// values added or removed meanwhile. Visits may nest.
//
// Never: allocates.
// Cost:  sizeof(T) and 16 bytes for each place. Adding and removing move the values behind the
//        place. A step of a visit looks at one place, or at all places when the value met last has
//        moved.
#pragma once

#include <sluice/base/bounded_vector.hpp>

#include <cstddef>
#include <utility>

namespace sluice {

// The order of registrations that have equal ranks.
enum class registry_order : u8 { oldest_first, latest_first };

// Where a registration stands in its registry. It names no other registration, also later.
struct registry_place {
    i32 rank = 0;
    u64 number = 0;  // counts registrations, from 1
};

template <class T, std::size_t N, registry_order Order = registry_order::oldest_first>
class registry {
    struct place {
        registry_place at{};
        T value{};
    };

    // Lower ranks stand first; no two places are equal.
    [[nodiscard]] static constexpr bool is_before(const registry_place& one,
                                                  const registry_place& other) noexcept {
        if (one.rank != other.rank) {
            return one.rank < other.rank;
        }
        return Order == registry_order::oldest_first ? one.number < other.number
                                                     : one.number > other.number;
    }

public:
    // Visits the values in order: for (visit v{registry}; const T* value = v.next();)
    class visit {
    public:
        constexpr explicit visit(const registry& of) noexcept
            : of_(of), newest_(of.registrations_) {}
        // A visit of the values behind a place, whose registration may be gone.
        constexpr visit(const registry& of, const registry_place& behind) noexcept
            : of_(of), newest_(of.registrations_), last_(behind), behind_(N + 1) {}

        // The next value; nullptr after the last one. The value may move once code of the program
        // runs.
        [[nodiscard]] constexpr const T* next() noexcept {
            const auto& all = of_.places_;
            const bool moved = behind_ != 0 && (behind_ > all.size() || !is_last(behind_ - 1));
            for (std::size_t i = moved ? 0 : behind_; i < all.size(); ++i) {
                const registry_place& at = all[i].at;
                if (at.number <= newest_ && (!moved || is_before(last_, at))) {
                    last_ = at;
                    behind_ = i + 1;
                    return &all[i].value;
                }
            }
            behind_ = all.size();
            return nullptr;
        }
        // The place of the value that next() returned last.
        [[nodiscard]] constexpr const registry_place& at() const noexcept { return last_; }
        // The value that next() returned last, or at the place behind which the visit began;
        // nullptr: it is not registered any more.
        [[nodiscard]] constexpr const T* last() const noexcept {
            for (std::size_t i = 0; i < of_.places_.size(); ++i) {
                if (is_last(i)) {
                    return &of_.places_[i].value;
                }
            }
            return nullptr;
        }
        [[nodiscard]] constexpr bool is_there() const noexcept { return last() != nullptr; }

    private:
        [[nodiscard]] constexpr bool is_last(std::size_t i) const noexcept {
            return of_.places_[i].at.number == last_.number;
        }

        const registry& of_;
        u64 newest_;
        registry_place last_{};
        std::size_t behind_ = 0;  // index of the value met last plus one, unless it moved
    };

    [[nodiscard]] constexpr std::size_t size() const noexcept { return places_.size(); }
    [[nodiscard]] constexpr bool full() const noexcept { return places_.full(); }
    constexpr T& operator[](std::size_t i) noexcept { return places_[i].value; }
    constexpr const T& operator[](std::size_t i) const noexcept { return places_[i].value; }

    // False when N values are registered already.
    [[nodiscard]] constexpr bool add(T value, i32 rank = 0) noexcept {
        const registry_place added{rank, registrations_ + 1};
        std::size_t at = 0;
        while (at < places_.size() && is_before(places_[at].at, added)) {
            ++at;
        }
        if (!places_.insert(at, {added, std::move(value)})) {
            return false;
        }
        ++registrations_;
        return true;
    }
    // Removes every value for which goes(value) is true; returns how many it removed.
    template <class F>
    constexpr std::size_t remove_if(F&& goes) noexcept {
        const std::size_t before = places_.size();
        for (std::size_t i = before; i-- > 0;) {
            if (goes(std::as_const(places_[i].value))) {
                places_.erase(i);
            }
        }
        return before - places_.size();
    }

private:
    bounded_vector<place, N> places_;
    u64 registrations_ = 0;
};

}  // namespace sluice
