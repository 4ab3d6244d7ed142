// fragment_plan: the common part of the fragments of a datagram, and the header of each.
//
// It sets offset, MF, lengths in units of 8 bytes and checksums. In all fragments but the first,
// options without the copied flag become no-ops. When the datagram itself is a fragment with MF,
// each of its fragments has MF.
//
// Expects: the first bytes of a datagram whose header is valid.
// Never:   touches the payload.
// Errors:  room is 0: the header is incomplete, or the MTU has no room for it and 8 bytes.
// Cost:    a header and a checksum for each fragment.
// Source:  RFC 791 section 3.2, RFC 1812 section 4.2.2.7; Linux ip_do_fragment.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/options/fragment.hpp>
#include <sluice/wire/checksum.hpp>
#include <sluice/wire/ipv4.hpp>

#include <array>
#include <cstddef>

namespace sluice::rewrite {

struct fragment_result {
    u32 created = 0;  // fragments that the sink took
    bool complete = false;
};

namespace detail {

struct fragment_position {
    u32 length;  // payload bytes of the fragment
    u32 done;    // payload bytes before it
    bool last;   // of the datagram that is cut
};

// The common part of the fragments.
struct fragment_plan {
    std::array<std::byte, ipv4::max_header_length> header{};  // for the pieces after the first
    u32 header_size = 0;
    u32 limit = 0;  // most payload bytes of the last fragment
    u32 room = 0;   // payload bytes of the others: a multiple of 8
    u16 word = 0;   // flags and offset of the whole
    bool df = false;
    // The 20 bytes that all fragments have in common; 0 where a fragment has its own.
    u64 first = 0;
    u64 second = 0;
    u32 third = 0;
    // Sums of the words that do not change: in the first fragment, in the others.
    u32 first_sum = 0;
    u32 later_sum = 0;

    // head: the first bytes of the whole, with its header. wants_df: fragments have DF set.
    constexpr fragment_plan(const_bytes head, u32 mtu, bool wants_df) noexcept {
        if (head.size() < ipv4::min_header_length) {
            return;
        }
        const ipv4::const_view ip{head.data()};
        header_size = static_cast<u32>(ipv4::header_length(ip));
        if (header_size < ipv4::min_header_length || head.size() < header_size) {
            return;
        }
        constexpr auto longest = static_cast<u32>(ipv4::max_total_length);
        const u32 most = mtu < longest ? mtu : longest;
        limit = most > header_size ? most - header_size : 0;
        room = limit & ~u32{7};
        word = ip[ipv4::flags_and_offset];
        df = wants_df;
        first = load_be<u64>(head.data()) & 0xffff0000ffff0000;  // no total length, flags, offset
        second = load_be<u64>(head.data() + 8) & 0xffff0000ffffffff;  // no checksum
        third = load_be<u32>(head.data() + 16);
        first_sum = later_sum = checksum::fold((first >> 32) + (first & 0xffffffff) +
                                               (second >> 32) + (second & 0xffffffff) + third);
        if (header_size > ipv4::min_header_length) {
            plan_options(head.data() + ipv4::min_header_length,
                         header_size - static_cast<u32>(ipv4::min_header_length));
        }
    }

    // Writes the header of the fragment at `to`. The first one's options are there already. Clears
    // the reserved flag. Sets DF only when the largest received fragment of this datagram had it.
    // The sum is added in registers: reading words back from bytes that were just stored stalls.
    [[gnu::always_inline]] constexpr void write(std::byte* to,
                                                const fragment_position& at) const noexcept {
        // Beyond 65535 bytes, where a fragment is useless, the offset overflows into MF, as in
        // Linux.
        const u32 offset = (word & ipv4::words::offset) + at.done / 8;
        const bool more = !at.last || (word & ipv4::words::more_fragments) != 0;
        const u32 length = header_size + at.length;
        const auto flags = static_cast<u16>((df ? ipv4::words::dont_fragment : 0) |
                                            (more ? ipv4::words::more_fragments : 0) | offset);
        u32 sum = (at.done == 0 ? first_sum : later_sum) + length + flags;
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum + (sum >> 16)) & 0xffff;
        store_be<u64>(to, first | u64{length} << 32 | flags);
        store_be<u64>(to + 8, second | u64{sum ^ 0xffff} << 32);
        store_be<u32>(to + 16, third);
        if (header_size > ipv4::min_header_length && at.done != 0) {
            copy_bytes(to + ipv4::min_header_length, header.data() + ipv4::min_header_length,
                       header_size - ipv4::min_header_length);
        }
    }

private:
    constexpr void plan_options(const std::byte* options, u32 n) noexcept {
        const bytes after{header.data() + ipv4::min_header_length, n};
        copy_bytes(after.data(), options, n);
        // A later fragment had its options changed when it was cut off.
        if ((word & ipv4::words::offset) == 0) {
            ip_options::fragment(after);
        }
        later_sum = checksum::fold(checksum::partial(after, first_sum));
        first_sum = checksum::fold(checksum::partial({options, n}, first_sum));
    }
};

}  // namespace detail
}  // namespace sluice::rewrite
