// registry<T, N>: up to N registrations by rank, which may come and go while they are visited.
//
// Use it for what calls others' code: hooks, endpoints. A visit meets each value that was there
// when it began and is still there when its turn comes, once each; what was added meanwhile waits
// for the next visit, and what was removed is not met any more. Visits may nest.
//
// Never: allocates.
// Cost:  sizeof(T) and 16 bytes for each place; adding and removing move what follows; a step of a
//        visit looks at one place, or at all when the last one met moved.
#pragma once

#include <sluice/base/bounded_vector.hpp>

#include <cstddef>
#include <utility>

namespace sluice {

// Who comes first of equal ranks.
enum class registry_order : u8 { oldest_first, latest_first };

template <class T, std::size_t N, registry_order Order = registry_order::oldest_first>
class registry {
    // Lower ranks stand first; no two keys are equal.
    struct key {
        i32 rank = 0;
        u64 number = 0;  // of the registration, from 1

        [[nodiscard]] constexpr bool is_before(const key& other) const noexcept {
            if (rank != other.rank) {
                return rank < other.rank;
            }
            return Order == registry_order::oldest_first ? number < other.number
                                                         : number > other.number;
        }
    };
    struct place {
        key at{};
        T value{};
    };

public:
    // Meets the values in order: for (visit v{registry}; const T* value = v.next();)
    class visit {
    public:
        constexpr explicit visit(const registry& of) noexcept
            : of_(of), newest_(of.registrations_) {}

        // nullptr: all were met. The value may have moved once others' code was called.
        [[nodiscard]] constexpr const T* next() noexcept {
            const auto& all = of_.places_;
            const bool moved = behind_ != 0 && (behind_ > all.size() || !is_last(behind_ - 1));
            for (std::size_t i = moved ? 0 : behind_; i < all.size(); ++i) {
                const key& at = all[i].at;
                if (at.number <= newest_ && (!moved || last_.is_before(at))) {
                    last_ = at;
                    behind_ = i + 1;
                    return &all[i].value;
                }
            }
            behind_ = all.size();
            return nullptr;
        }
        // Whether the value that next() gave last is still registered.
        [[nodiscard]] constexpr bool is_there() const noexcept {
            for (std::size_t i = 0; i < of_.places_.size(); ++i) {
                if (is_last(i)) {
                    return true;
                }
            }
            return false;
        }

    private:
        [[nodiscard]] constexpr bool is_last(std::size_t i) const noexcept {
            return of_.places_[i].at.number == last_.number;
        }

        const registry& of_;
        u64 newest_;
        key last_{};
        std::size_t behind_ = 0;  // the last one, unless it moved
    };

    [[nodiscard]] constexpr std::size_t size() const noexcept { return places_.size(); }
    [[nodiscard]] constexpr bool full() const noexcept { return places_.full(); }
    constexpr T& operator[](std::size_t i) noexcept { return places_[i].value; }
    constexpr const T& operator[](std::size_t i) const noexcept { return places_[i].value; }

    // false when N are registered.
    [[nodiscard]] constexpr bool add(T value, i32 rank = 0) noexcept {
        const key added{rank, registrations_ + 1};
        std::size_t at = 0;
        while (at < places_.size() && places_[at].at.is_before(added)) {
            ++at;
        }
        if (!places_.insert(at, {added, std::move(value)})) {
            return false;
        }
        ++registrations_;
        return true;
    }
    // Takes all away for which goes(value) says so; how many went.
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
