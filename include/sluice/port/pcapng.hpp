// pcapng: reads the newer capture format from bytes: packets of any number of interfaces, each with
// its own link type and clock.
//
// It reads sections of either byte order; enhanced, simple and obsolete packet blocks; interface
// descriptions with name, resolution and offset of timestamps; and the direction of a packet. It
// skips other blocks.
//
// Expects: the whole file in memory (capture_file.hpp loads one). Its contents are not trusted.
// Never:   reads beyond the bytes, does I/O.
// Errors:  after one the reader stays in place.
// Cost:    each block once; 40 bytes from the heap for each interface, 65,536 at most.
// Source:  IETF opsawg draft "PCAP Now Generic (pcapng) Capture File Format".
#pragma once

#include <sluice/port/pcap.hpp>

#include <bit>
#include <cstddef>
#include <vector>

namespace sluice::port::pcapng {

using capture::error;
using capture::interface;
using capture::record;

namespace detail {

namespace block_types {
inline constexpr u32 section = 0x0a0d0d0a;
inline constexpr u32 interface = 1;
inline constexpr u32 packet = 2;  // obsolete
inline constexpr u32 simple_packet = 3;
inline constexpr u32 enhanced_packet = 6;
}  // namespace block_types

inline constexpr u32 byte_order_magic = 0x1a2b3c4d;

constexpr i64 longest_time = 0x7fff'ffff'ffff'ffff;

// Seconds and nanoseconds as a duration; times beyond the year 2262 are clamped.
[[nodiscard]] constexpr duration time_of(u64 seconds, u64 nanoseconds, i64 offset) noexcept {
    constexpr i64 most = longest_time / 1'000'000'000 - 1;
    if (seconds > static_cast<u64>(most) || offset > most || offset < -most) {
        return {offset < -most ? -longest_time : longest_time};
    }
    const i64 whole = static_cast<i64>(seconds) + offset;
    return {whole > most ? longest_time : whole * 1'000'000'000 + static_cast<i64>(nanoseconds)};
}

[[nodiscard]] constexpr duration time_of(u64 ticks, const interface& of) noexcept {
    const u32 exponent = of.resolution & 0x7f;
    if ((of.resolution & 0x80) != 0) {
        if (exponent > 63) {
            return time_of(0, 0, of.offset);
        }
        u64 fraction = ticks & ((u64{1} << exponent) - 1);
        u32 bits = exponent;
        if (bits > 32) {  // so that the product fits
            fraction >>= bits - 32;
            bits = 32;
        }
        return time_of(ticks >> exponent, (fraction * 1'000'000'000) >> bits, of.offset);
    }
    u64 per_second = 1;
    u64 nanoseconds = 1'000'000'000;
    for (u32 i = 0; i < exponent; ++i) {
        if (nanoseconds > 1) {
            per_second *= 10;
            nanoseconds /= 10;
        } else {
            ticks /= 10;  // finer than a nanosecond
        }
    }
    return time_of(ticks / per_second, ticks % per_second * nanoseconds, of.offset);
}

}  // namespace detail

class reader {
public:
    static constexpr std::size_t most_interfaces = 65'536;  // of all sections together

    constexpr reader() noexcept = default;

    // Reads the first section's header; `file` must outlive the reader and the records.
    [[nodiscard]] static constexpr result<reader, error> open(const_bytes file) {
        if (file.size() < 4) {
            return failure{error::truncated};
        }
        if (load_be<u32>(file.data()) != detail::block_types::section) {
            return failure{error::not_a_capture};
        }
        reader r;
        r.rest_ = file;
        block first;
        if (const error e = r.look(first); e != error::none) {
            return failure{e};
        }
        if (const error e = r.start_section(first); e != error::none) {
            return failure{e};
        }
        r.rest_ = file.subspan(first.length);
        return r;
    }

    // The next packet; error::end after the last.
    [[nodiscard]] constexpr result<record, error> next() {
        while (!rest_.empty()) {
            block b;
            if (const error e = look(b); e != error::none) {
                return failure{e};
            }
            record found;
            const error e = handle(b, found);
            if (e != error::none && e != error::end) {
                return failure{e};
            }
            rest_ = rest_.subspan(b.length);
            if (e == error::none) {
                return found;
            }
        }
        return failure{error::end};
    }

    // Interfaces described so far, in all sections; record::interface is an index into it.
    [[nodiscard]] constexpr const std::vector<interface>& interfaces() const noexcept {
        return interfaces_;
    }
    [[nodiscard]] constexpr bool is_little_endian() const noexcept {
        return order_ == std::endian::little;
    }

private:
    struct block {
        u32 type = 0;
        u32 length = 0;  // of the whole block
        const_bytes body;
    };

    [[nodiscard]] constexpr u16 half(const std::byte* at) const noexcept {
        const u16 big = load_be<u16>(at);
        return is_little_endian() ? __builtin_bswap16(big) : big;
    }
    [[nodiscard]] constexpr u32 word(const std::byte* at) const noexcept {
        return pcap::detail::load_u32(at, order_);
    }

    // Reads the bounds of the block at the front and checks them.
    [[nodiscard]] constexpr error look(block& to) noexcept {
        constexpr u32 around = 12;  // type, and length at both ends
        if (rest_.size() < around) {
            return error::truncated;
        }
        const bool section = load_be<u32>(rest_.data()) == detail::block_types::section;
        if (section) {  // it states its byte order
            order_ = load_be<u32>(rest_.data() + 8) == __builtin_bswap32(detail::byte_order_magic)
                         ? std::endian::little
                         : std::endian::big;
        }
        to.type = section ? detail::block_types::section : word(rest_.data());
        to.length = word(rest_.data() + 4);
        if (to.length < around || to.length % 4 != 0) {
            return error::damaged;
        }
        if (to.length > rest_.size()) {
            return error::truncated;
        }
        if (word(rest_.data() + to.length - 4) != to.length) {
            return error::damaged;
        }
        to.body = rest_.subspan(8, to.length - around);
        return error::none;
    }

    // none: `to` is a packet; end: the block held none.
    [[nodiscard]] constexpr error handle(const block& b, record& to) {
        switch (b.type) {
        case detail::block_types::section: {
            const error e = start_section(b);
            return e == error::none ? error::end : e;
        }
        case detail::block_types::interface: {
            const error e = add_interface(b.body);
            return e == error::none ? error::end : e;
        }
        case detail::block_types::enhanced_packet:
            return b.body.size() < 20 ? error::damaged
                                      : read_packet(b.body, word(b.body.data()), to);
        case detail::block_types::packet:  // 16 bits of interface and 16 of drops, then as above
            return b.body.size() < 20 ? error::damaged
                                      : read_packet(b.body, half(b.body.data()), to);
        case detail::block_types::simple_packet:
            return read_simple(b.body, to);
        default:
            return error::end;
        }
    }

    [[nodiscard]] constexpr error start_section(const block& b) noexcept {
        if (b.body.size() < 16 || word(b.body.data()) != detail::byte_order_magic) {
            return error::damaged;
        }
        if (half(b.body.data() + 4) != 1) {
            return error::version;
        }
        first_of_section_ = interfaces_.size();
        return error::none;
    }

    // Calls visit(code, value) for each option. False: an option is longer than its block.
    template <class Visit>
    [[nodiscard]] constexpr bool each_option(const_bytes options, Visit&& visit) const {
        while (options.size() >= 4) {
            const u16 code = half(options.data());
            const std::size_t length = half(options.data() + 2);
            const std::size_t padded = 4 + (length + 3) / 4 * 4;
            if (code == 0) {
                break;
            }
            if (padded > options.size()) {
                return false;
            }
            visit(code, options.subspan(4, length));
            options = options.subspan(padded);
        }
        return true;
    }

    [[nodiscard]] constexpr error add_interface(const_bytes body) {
        constexpr u16 if_name = 2;
        constexpr u16 time_resolution = 9;
        constexpr u16 time_offset = 14;
        if (body.size() < 8) {
            return error::damaged;
        }
        if (interfaces_.size() == most_interfaces) {
            return error::too_many_interfaces;
        }
        interface made;
        made.link = pcap::link_type{half(body.data())};
        made.snap_length = word(body.data() + 4);
        const bool sound = each_option(body.subspan(8), [&](u16 code, const_bytes value) {
            if (code == if_name) {
                made.name = value;
            } else if (code == time_resolution && value.size() == 1) {
                made.resolution = std::to_integer<u8>(value[0]);
            } else if (code == time_offset && value.size() == 8) {
                const u64 first = word(value.data());
                const u64 second = word(value.data() + 4);
                made.offset = static_cast<i64>(is_little_endian() ? second << 32 | first
                                                                  : first << 32 | second);
            }
        });
        if (sound) {
            interfaces_.push_back(made);
        }
        return sound ? error::none : error::damaged;
    }

    // Reads time, captured and original length, bytes and options, behind the first word.
    [[nodiscard]] constexpr error read_packet(const_bytes body, u32 number,
                                              record& to) const noexcept {
        constexpr u16 flags = 2;  // option code in both kinds of packet blocks
        if (number >= interfaces_.size() - first_of_section_) {
            return error::no_interface;
        }
        to.interface = static_cast<u32>(first_of_section_ + number);
        const interface& of = interfaces_[to.interface];
        const u64 ticks = u64{word(body.data() + 4)} << 32 | word(body.data() + 8);
        to.since_epoch = detail::time_of(ticks, of);
        to.original_length = word(body.data() + 16);
        to.link = of.link;
        const error e = take(body.subspan(20), word(body.data() + 12), to);
        if (e != error::none) {
            return e;
        }
        const std::size_t padded = (to.captured.size() + 3) / 4 * 4;
        // The packet is complete: damaged options are ignored.
        static_cast<void>(each_option(body.subspan(20 + padded), [&](u16 code, const_bytes value) {
            const u32 toward = code == flags && value.size() == 4 ? word(value.data()) & 3 : 0;
            to.direction = toward == 1   ? capture::direction::in
                           : toward == 2 ? capture::direction::out
                                         : to.direction;
        }));
        return error::none;
    }
    // Has no time and no interface: the first one counts, and its snap length.
    [[nodiscard]] constexpr error read_simple(const_bytes body, record& to) const noexcept {
        if (interfaces_.size() == first_of_section_) {
            return error::no_interface;
        }
        if (body.size() < 4) {
            return error::damaged;
        }
        const interface& of = interfaces_[first_of_section_];
        to.interface = static_cast<u32>(first_of_section_);
        to.original_length = word(body.data());
        to.link = of.link;
        const u32 limit = of.snap_length;
        return take(body.subspan(4),
                    limit != 0 && limit < to.original_length ? limit : to.original_length, to);
    }
    [[nodiscard]] static constexpr error take(const_bytes from, u32 captured, record& to) noexcept {
        if (captured > pcap::longest_record) {
            return error::too_long;
        }
        if (captured > from.size()) {
            return error::damaged;
        }
        to.captured = from.first(captured);
        return error::none;
    }

    const_bytes rest_;
    std::endian order_ = std::endian::big;
    std::vector<interface> interfaces_;
    std::size_t first_of_section_ = 0;
};

}  // namespace sluice::port::pcapng
