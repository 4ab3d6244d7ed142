// bounded_vector<T, N>: a vector with room for N values inside the object.
//
// Expects: T is movable and default constructible.
// Never:   allocates. push_back() and insert() answer false when it is full.
// Cost:    sizeof(T) * N inside the object; insert and erase move the values behind the position.
#pragma once

#include <sluice/base/integer.hpp>

#include <cstddef>
#include <utility>

namespace sluice {

template <class T, std::size_t N>
class bounded_vector {
public:
    [[nodiscard]] static constexpr std::size_t capacity() noexcept { return N; }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
    [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] constexpr bool full() const noexcept { return size_ == N; }

    [[nodiscard]] constexpr bool push_back(T value) noexcept {
        return insert(size_, std::move(value));
    }

    // Inserts value before position `at`. False when the vector is full or `at` is beyond size().
    [[nodiscard]] constexpr bool insert(std::size_t at, T value) noexcept {
        if (size_ >= N || at > size_) {
            return false;
        }
        for (std::size_t i = size_; i > at; --i) {
            items_[i] = std::move(items_[i - 1]);
        }
        items_[at] = std::move(value);
        ++size_;
        return true;
    }
    // Removes the value at position `at`; does nothing when there is none.
    constexpr void erase(std::size_t at) noexcept {
        if (at >= size_) {
            return;
        }
        for (std::size_t i = at + 1; i < size_ && i < N; ++i) {
            items_[i - 1] = std::move(items_[i]);
        }
        items_[--size_] = T{};
    }
    constexpr void clear() noexcept {
        while (size_ > 0) {
            items_[--size_] = T{};
        }
    }

    constexpr T& operator[](std::size_t i) noexcept { return items_[i]; }
    constexpr const T& operator[](std::size_t i) const noexcept { return items_[i]; }
    constexpr T& back() noexcept { return items_[size_ - 1]; }
    constexpr T* begin() noexcept { return items_; }
    constexpr T* end() noexcept { return items_ + size_; }
    constexpr const T* begin() const noexcept { return items_; }
    constexpr const T* end() const noexcept { return items_ + size_; }

private:
    T items_[N > 0 ? N : 1]{};
    std::size_t size_ = 0;
};

}  // namespace sluice
