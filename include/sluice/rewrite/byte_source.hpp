// byte_source: a function that writes the next bytes of a datagram to be sent; and the usual ones.
//
// A source is called as next(to, sum): it fills all of `to` with the bytes that follow those of the
// last call, and adds their sum (wire/checksum.hpp) to `sum`. It returns false if it cannot.
//
// Expects: calls until as many bytes are written as the caller announced.
// Cost:    one pass: the models sum while they copy.
// Source:  Linux getfrag of ip_append_data, ip_generic_getfrag.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/wire/checksum.hpp>

#include <concepts>
#include <span>

namespace sluice::rewrite {

template <class F>
concept byte_source = requires(F& next, bytes to, u64& sum) {
    { next(to, sum) } noexcept -> std::same_as<bool>;
};

// True, or an error that says how a byte source is to be.
template <class F>
consteval bool is_byte_source() noexcept {
    static_assert(byte_source<F>, "sluice: a byte source is bool next(bytes to, u64& sum) noexcept "
                                  "(rewrite/byte_source.hpp)");
    return true;
}

// The bytes of one range.
class from_bytes {
public:
    constexpr explicit from_bytes(const_bytes all) noexcept : left_(all) {}
    [[nodiscard]] constexpr bool operator()(bytes to, u64& sum) noexcept {
        if (to.size() > left_.size()) {
            return false;
        }
        sum += checksum::copy_and_sum(to, left_.first(to.size()));
        left_ = left_.subspan(to.size());
        return true;
    }

private:
    const_bytes left_;
};

// The bytes of several ranges, one after the other. Linux iov_iter.
class from_ranges {
public:
    constexpr explicit from_ranges(std::span<const const_bytes> ranges) noexcept
        : ranges_(ranges) {}
    // Each range is copied on its own, and the whole is summed afterwards: the border of two ranges
    // may lie within a word.
    [[nodiscard]] constexpr bool operator()(bytes to, u64& sum) noexcept {
        for (bytes rest = to; !rest.empty();) {
            while (range_.empty()) {
                if (ranges_.empty()) {
                    return false;
                }
                range_ = ranges_.front();
                ranges_ = ranges_.subspan(1);
            }
            const std::size_t n = rest.size() < range_.size() ? rest.size() : range_.size();
            copy_bytes(rest.data(), range_.data(), n);
            range_ = range_.subspan(n);
            rest = rest.subspan(n);
        }
        sum = checksum::partial(to, sum);
        return true;
    }

private:
    std::span<const const_bytes> ranges_;
    const_bytes range_{};
};

// Bytes that a function makes: make(bytes to) fills `to`.
template <class Make>
class generated {
public:
    constexpr explicit generated(Make make) noexcept : make_(make) {}
    [[nodiscard]] constexpr bool operator()(bytes to, u64& sum) noexcept {
        make_(to);
        sum = checksum::partial(to, sum);
        return true;
    }

private:
    Make make_;
};

}  // namespace sluice::rewrite
