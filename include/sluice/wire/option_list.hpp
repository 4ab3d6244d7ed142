// option_cursor, option_block: lists of options as IPv4 and TCP write them.
//
// An option is a kind byte, and for all kinds but two a length byte and data. option_cursor walks
// the bytes of a list and stops where the list is malformed; option_block holds a whole list as a
// value.
//
// Expects: any bytes.
// Never:   reads beyond them, takes more than one step for each byte, or interprets an option.
// Source:  RFC 791 section 3.1, RFC 9293 section 3.1.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <type_traits>

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>

namespace sluice {

// Steps through an option list. `Byte` is `std::byte` (options may be rewritten in place) or
// `const std::byte`.
//
//     for (option_cursor at{list}; at.next();) use(at.kind(), at.option());
//     if (at.malformed()) ... at.offset() ...
template <class Byte>
class basic_option_cursor {
public:
    constexpr explicit basic_option_cursor(std::span<Byte> list) noexcept : list_{list} {}

    // Moves to the next option, including paddings of one byte. False at the end of the list, at
    // kind 0 (end of list), and where the list is malformed; then it stays false.
    [[nodiscard]] constexpr bool next() noexcept {
        if (stopped_) return false;
        offset_ += length_;
        length_ = 0;
        stopped_ = true;
        if (offset_ >= list_.size()) return false;
        const u8 k = std::to_integer<u8>(list_[offset_]);
        if (k == 0) return false;
        if (k == 1) {
            length_ = 1;
        } else {
            const std::size_t left = list_.size() - offset_;
            const std::size_t stated =
                left < 2 ? 0 : std::to_integer<std::size_t>(list_[offset_ + 1]);
            if (stated < 2 || stated > left) {
                malformed_ = true;
                return false;
            }
            length_ = stated;
        }
        stopped_ = false;
        return true;
    }

    // The kind of the current option, after next() returned true.
    [[nodiscard]] constexpr u8 kind() const noexcept { return std::to_integer<u8>(list_[offset_]); }
    // The whole current option with its kind and length bytes: 1 byte for padding, else 2 to 255.
    [[nodiscard]] constexpr std::span<Byte> option() const noexcept {
        return list_.subspan(offset_, length_);
    }
    // The bytes behind kind and length; empty for padding.
    [[nodiscard]] constexpr std::span<Byte> data() const noexcept {
        return length_ < 2 ? std::span<Byte>{} : list_.subspan(offset_ + 2, length_ - 2);
    }

    // The offset of the current option; after the walk, of the end of the list (the kind 0, or the
    // size of the list) or of the option with the bad length.
    [[nodiscard]] constexpr std::size_t offset() const noexcept { return offset_; }
    // Whether the walk stopped at an option without a length byte, or with a length below 2 or
    // beyond the list.
    [[nodiscard]] constexpr bool malformed() const noexcept { return malformed_; }

private:
    std::span<Byte> list_;
    std::size_t offset_ = 0;
    std::size_t length_ = 0;
    bool stopped_ = false;
    bool malformed_ = false;
};

using option_cursor = basic_option_cursor<const std::byte>;
using mutable_option_cursor = basic_option_cursor<std::byte>;

// The options of a header as a value: up to 40 bytes, always a multiple of 4, padded with
// end-of-list zeros.
class option_block {
public:
    static constexpr std::size_t capacity = 40;

    constexpr option_block() noexcept = default;

    // Copies and pads `list`; false, without a change, if it is longer than 40 bytes.
    constexpr bool assign(const_bytes list) noexcept {
        if (list.size() > capacity) return false;
        fill_bytes(storage_.data(), capacity, std::byte{0});
        copy_bytes(storage_.data(), list.data(), list.size());
        length_ = static_cast<u8>((list.size() + 3) / 4 * 4);
        return true;
    }

    [[nodiscard]] constexpr std::size_t size() const noexcept { return length_; }
    [[nodiscard]] constexpr std::size_t words() const noexcept { return length_ / 4; }
    [[nodiscard]] constexpr bool empty() const noexcept { return length_ == 0; }
    [[nodiscard]] constexpr const_bytes view() const noexcept {
        return const_bytes{storage_.data(), length_};
    }

    friend constexpr bool operator==(const option_block&, const option_block&) noexcept = default;

private:
    std::array<std::byte, capacity> storage_{};
    u8 length_ = 0;
};

}  // namespace sluice
