// ring<T, N>: a first-in first-out queue with room for N values inside the object.
//
// Expects: N is a power of two.
// Never:   allocates or overwrites. push() answers false when the ring is full, pop() T{} when it
//          is empty.
// Cost:    sizeof(T) * N; O(1) for each operation.
#pragma once

#include <sluice/base/integer.hpp>

#include <cstddef>
#include <utility>

namespace sluice {

namespace detail {

// A function reports it: clang finds no members in a class whose own assertion fails.
template <std::size_t N>
consteval bool is_ring_size() {
    constexpr bool is_power_of_two = N > 0 && (N & (N - 1)) == 0;
    static_assert(is_power_of_two, "sluice: a ring or queue of N: N must be a power of two");
    return true;
}

}  // namespace detail

template <class T, std::size_t N>
class ring {
    static_assert(detail::is_ring_size<N>());

public:
    [[nodiscard]] constexpr std::size_t size() const noexcept { return tail_ - head_; }
    [[nodiscard]] constexpr bool empty() const noexcept { return head_ == tail_; }
    [[nodiscard]] constexpr bool full() const noexcept { return size() == N; }

    // Appends value. False when the ring is full; the value then stays with the caller.
    [[nodiscard]] constexpr bool push(T&& value) noexcept {
        if (full()) {
            return false;
        }
        items_[tail_++ & (N - 1)] = std::move(value);
        return true;
    }
    // Appends a T{} and returns it, to be filled in place; nullptr when the ring is full.
    [[nodiscard]] constexpr T* claim() noexcept {
        return full() ? nullptr : &items_[tail_++ & (N - 1)];
    }
    // Removes and returns the oldest value; T{} when the ring is empty.
    [[nodiscard]] constexpr T pop() noexcept {
        if (empty()) {
            return T{};
        }
        return std::exchange(items_[head_++ & (N - 1)], T{});
    }

private:
    T items_[N]{};
    std::size_t head_ = 0;  // both only grow; N divides the range of size_t, so wrapping does no
                            // harm
    std::size_t tail_ = 0;
};

}  // namespace sluice
