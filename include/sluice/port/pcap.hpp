// pcap: reads the classic capture format from bytes, and writes its headers.
//
// It reads both byte orders and the magic numbers of microseconds and nanoseconds. A record is a
// view of the file. pcapng.hpp reads the newer format; capture.hpp reads both.
//
// Expects: for reading, the whole file in memory (capture_file.hpp loads one). Its contents are not
//          trusted.
// Never:   reads beyond the bytes, allocates, does I/O.
// Cost:    24 bytes a file and 16 a record, looked at once.
// Source:  libpcap's pcap-savefile(5).
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/base/result.hpp>
#include <sluice/port/capture_record.hpp>

#include <bit>
#include <cstddef>

namespace sluice::port::pcap {

using capture::error;
using capture::record;

inline constexpr std::size_t file_header_size = 24;
inline constexpr std::size_t record_header_size = 16;
// libpcap's MAXIMUM_SNAPLEN. A longer record is damaged.
inline constexpr u32 longest_record = 262'144;

namespace detail {

inline constexpr u32 microsecond_magic = 0xa1b2c3d4;
inline constexpr u32 nanosecond_magic = 0xa1b23c4d;

constexpr u32 load_u32(const std::byte* from, std::endian order) noexcept {
    const u32 big = load_be<u32>(from);
    return order == std::endian::little ? __builtin_bswap32(big) : big;
}

}  // namespace detail

class reader {
public:
    constexpr reader() noexcept = default;

    // Reads the file's header; `file` must outlive the reader and the records.
    [[nodiscard]] static constexpr result<reader, error> open(const_bytes file) noexcept {
        if (file.size() < 4) {
            return failure{error::truncated};
        }
        const u32 magic = load_be<u32>(file.data());
        reader r;
        if (__builtin_bswap32(magic) == detail::microsecond_magic ||
            __builtin_bswap32(magic) == detail::nanosecond_magic) {
            r.order_ = std::endian::little;
        }
        const u32 straight = detail::load_u32(file.data(), r.order_);
        if (straight != detail::microsecond_magic && straight != detail::nanosecond_magic) {
            return failure{error::not_a_capture};
        }
        if (file.size() < file_header_size) {
            return failure{error::truncated};
        }
        r.nanoseconds_ = straight == detail::nanosecond_magic;
        // Major and minor version are two 16-bit numbers in the file's order.
        const u32 versions = detail::load_u32(file.data() + 4, r.order_);
        if ((r.is_little_endian() ? versions & 0xffff : versions >> 16) != 2) {
            return failure{error::version};
        }
        r.interface_.snap_length = detail::load_u32(file.data() + 16, r.order_);
        // The upper bits state whether frames end with a check sequence.
        r.interface_.link = link_type{detail::load_u32(file.data() + 20, r.order_) & 0xffff};
        r.rest_ = file.subspan(file_header_size);
        return r;
    }

    // The next record; error::end after the last. After another error the reader stays where it is.
    [[nodiscard]] constexpr result<record, error> next() noexcept {
        if (rest_.empty()) {
            return failure{error::end};
        }
        if (rest_.size() < record_header_size) {
            return failure{error::truncated};
        }
        const auto word = [this](std::size_t i) {
            return detail::load_u32(rest_.data() + 4 * i, order_);
        };
        const u32 captured = word(2);
        if (captured > longest_record) {
            return failure{error::too_long};
        }
        if (captured > rest_.size() - record_header_size) {
            return failure{error::truncated};
        }
        const i64 fraction = word(1);
        const record found{
            .since_epoch = {i64{word(0)} * 1'000'000'000 + fraction * (nanoseconds_ ? 1 : 1000)},
            .original_length = word(3),
            .captured = rest_.subspan(record_header_size, captured),
            .link = interface_.link};
        rest_ = rest_.subspan(record_header_size + captured);
        return found;
    }

    // The interface of all packets.
    [[nodiscard]] constexpr const capture::interface& interface() const noexcept {
        return interface_;
    }
    [[nodiscard]] constexpr bool is_nanosecond() const noexcept { return nanoseconds_; }
    [[nodiscard]] constexpr bool is_little_endian() const noexcept {
        return order_ == std::endian::little;
    }

private:
    const_bytes rest_;
    capture::interface interface_;
    std::endian order_ = std::endian::big;
    bool nanoseconds_ = false;
};

// Writes a file header: big-endian order, nanoseconds. Current readers accept both.
constexpr void write_file_header(std::byte* to, link_type link) noexcept {
    store_be<u32>(to, detail::nanosecond_magic);
    store_be<u32>(to + 4, 0x00020004);
    store_be<u64>(to + 8, 0);
    store_be<u32>(to + 16, longest_record);
    store_be<u32>(to + 20, static_cast<u32>(link));
}
// Writes a record header. The format has no time before 1970: such a time becomes 0.
constexpr void write_record_header(std::byte* to, duration since_epoch, u32 captured,
                                   u32 original_length) noexcept {
    const i64 time = since_epoch.nanoseconds < 0 ? 0 : since_epoch.nanoseconds;
    store_be<u32>(to, static_cast<u32>(time / 1'000'000'000));
    store_be<u32>(to + 4, static_cast<u32>(time % 1'000'000'000));
    store_be<u32>(to + 8, captured);
    store_be<u32>(to + 12, original_length);
}

}  // namespace sluice::port::pcap
