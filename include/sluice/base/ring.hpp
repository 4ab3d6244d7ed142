// ring<T, N>: a bounded first-in first-out queue in place.
// Expects: N a power of two. Does: push at the back, pop at the front; says false or gives T{} when
// it cannot. Never: allocates, overwrites. Cost: sizeof(T) * N; O(1) each.
#pragma once

#include <sluice/base/integer.hpp>

#include <cstddef>
#include <utility>

namespace sluice {

template <class T, std::size_t N>
class ring {
    static_assert(N > 0 && (N & (N - 1)) == 0, "sluice: ring<T, N>: N must be a power of two");

public:
    [[nodiscard]] constexpr std::size_t size() const noexcept { return tail_ - head_; }
    [[nodiscard]] constexpr bool empty() const noexcept { return head_ == tail_; }
    [[nodiscard]] constexpr bool full() const noexcept { return size() == N; }

    // Takes value unless full; a refused value stays with the caller.
    [[nodiscard]] constexpr bool push(T&& value) noexcept {
        if (full()) {
            return false;
        }
        items_[tail_++ & (N - 1)] = std::move(value);
        return true;
    }
    // The place behind the newest value, for filling in place; what is there is a T{} that was
    // taken out. nullptr when full.
    [[nodiscard]] constexpr T* claim() noexcept {
        return full() ? nullptr : &items_[tail_++ & (N - 1)];
    }
    // The oldest value; T{} when empty.
    [[nodiscard]] constexpr T pop() noexcept {
        if (empty()) {
            return T{};
        }
        return std::exchange(items_[head_++ & (N - 1)], T{});
    }

private:
    T items_[N]{};
    std::size_t head_ = 0;  // both only grow; unsigned wrap-around is harmless for a power of two
    std::size_t tail_ = 0;
};

}  // namespace sluice
