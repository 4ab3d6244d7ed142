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
        copy_bytes(header.data(), head.data(), header_size);
        // A later fragment had its options changed when it was cut off.
        if ((word & ipv4::words::offset) == 0) {
            ip_options::fragment(bytes{header}.subspan(ipv4::min_header_length,
                                                       header_size - ipv4::min_header_length));
        }
    }

    // Turns the header at `to` into the fragment's. Clears the reserved flag. Sets DF only when the
    // largest received fragment of this datagram had it.
    constexpr void finish(std::byte* to, const fragment_position& at) const noexcept {
        const ipv4::view ip{to};
        // Beyond 65535 bytes, where a fragment is useless, the offset overflows into MF, as in
        // Linux.
        const u32 offset = (word & ipv4::words::offset) + at.done / 8;
        const bool more = !at.last || (word & ipv4::words::more_fragments) != 0;
        ip.set(ipv4::total_length, static_cast<u16>(header_size + at.length));
        ip.set(ipv4::flags_and_offset,
               static_cast<u16>((df ? ipv4::words::dont_fragment : 0) |
                                (more ? ipv4::words::more_fragments : 0) | offset));
        ipv4::set_checksum(ip);
    }
};

}  // namespace detail
}  // namespace sluice::rewrite
