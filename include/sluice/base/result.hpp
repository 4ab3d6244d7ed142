// result<T, E>: a value, or the reason why there is none.
//
// Ask has_value() first: value() without a value is a mistake of the caller and ends the program.
// All members work in constant evaluation. Accessors are always inlined, and values are cast rather
// than passed to std::move, because an unoptimized build would compile a function of each for each
// T.
//
// Expects: T is movable; E is small and default constructible.
// Never:   throws, allocates or converts an error to a value.
// Cost:    an optional and the error beside it.
#pragma once

#include <sluice/base/integer.hpp>

#include <type_traits>
#include <utility>

namespace sluice {

// The error branch of a result: `return failure{wire_error::truncated};`
template <class E>
struct failure {
    E reason;
};
template <class E>
failure(E) -> failure<E>;

template <class T, class E>
class [[nodiscard]] result {
public:
    using value_type = T;
    using error_type = E;

    constexpr result(T value) noexcept : stored_(static_cast<T&&>(value)) {}
    template <class F>
        requires std::is_convertible_v<F, E>
    constexpr result(failure<F> f) noexcept : error_(f.reason) {}

    constexpr result(const result&) noexcept = default;
    constexpr result(result&&) noexcept
        requires std::is_trivially_move_constructible_v<T>
    = default;
    constexpr result(result&& other) noexcept
        : stored_(other.has_value() ? storage{std::move(other.stored_.value)} : storage{}),
          error_(std::move(other.error_)) {}
    // Only a result of a plain (trivially copyable) value can be assigned; others are taken once.
    constexpr result& operator=(const result&) noexcept = default;

    [[nodiscard, gnu::always_inline]] constexpr bool has_value() const noexcept {
        return stored_.is_there;
    }
    [[gnu::always_inline]] constexpr explicit operator bool() const noexcept {
        return stored_.is_there;
    }

    // The value; ends the program when there is none.
    [[nodiscard]] constexpr T& value() & noexcept { return expect_value(), stored_.value; }
    [[nodiscard]] constexpr const T& value() const& noexcept {
        return expect_value(), stored_.value;
    }
    [[nodiscard]] constexpr T&& value() && noexcept {
        return expect_value(), static_cast<T&&>(stored_.value);
    }

    // The value, unchecked: only where has_value() is known to be true.
    [[gnu::always_inline]] constexpr T& operator*() & noexcept { return stored_.value; }
    [[gnu::always_inline]] constexpr const T& operator*() const& noexcept { return stored_.value; }
    [[gnu::always_inline]] constexpr T&& operator*() && noexcept {
        return static_cast<T&&>(stored_.value);
    }
    [[gnu::always_inline]] constexpr T* operator->() noexcept { return &stored_.value; }
    [[gnu::always_inline]] constexpr const T* operator->() const noexcept { return &stored_.value; }

    // The reason of the failure; E{} when there is a value.
    [[nodiscard, gnu::always_inline]] constexpr const E& error() const noexcept { return error_; }

private:
    // An optional T. std::optional would cost a program about eighty more functions to compile.
    struct storage {
        [[gnu::always_inline]] constexpr storage() noexcept : nothing{} {}
        [[gnu::always_inline]] constexpr explicit storage(T&& v) noexcept
            : value(static_cast<T&&>(v)), is_there(true) {}
        constexpr ~storage()
            requires std::is_trivially_destructible_v<T>
        = default;
        constexpr ~storage() {
            if (is_there) {
                value.~T();
            }
        }
        storage(const storage&) = default;
        storage& operator=(const storage&) = default;

        union {
            T value;
            char nothing;
        };
        bool is_there = false;
    };

    constexpr void expect_value() const noexcept {
        if (!stored_.is_there) {
            __builtin_trap();
        }
    }

    storage stored_;
    E error_{};
};

// Success without a value, or the reason of the failure.
template <class E>
class [[nodiscard]] result<void, E> {
public:
    using value_type = void;
    using error_type = E;

    constexpr result() noexcept = default;
    template <class F>
        requires std::is_convertible_v<F, E>
    constexpr result(failure<F> f) noexcept : error_(f.reason), has_value_(false) {}

    [[nodiscard, gnu::always_inline]] constexpr bool has_value() const noexcept {
        return has_value_;
    }
    [[gnu::always_inline]] constexpr explicit operator bool() const noexcept { return has_value_; }
    [[nodiscard, gnu::always_inline]] constexpr const E& error() const noexcept { return error_; }

private:
    E error_{};
    bool has_value_ = true;
};

}  // namespace sluice
