// partial_datagram: a datagram of which fragments are missing: its pieces, length, ECN and sizes.
// It decides whether a fragment can belong to the others. fragment_fields: the header fields of one
// fragment.
//
// Expects: verified headers.
// Never:   owns its pieces' memory.
// Cost:    192 bytes; O(1).
// Source:  RFC 791 section 3.2; Linux struct ipq, ip_frag_queue.
#pragma once

#include <sluice/base/time.hpp>
#include <sluice/reassembly/ecn.hpp>
#include <sluice/reassembly/fragment_source.hpp>
#include <sluice/reassembly/piece_set.hpp>
#include <sluice/wire/checksum.hpp>
#include <sluice/wire/ipv4.hpp>

#include <utility>

namespace sluice::detail {

// A fragment's place in the data, in bytes, and other header fields.
struct fragment_fields {
    u32 header;
    u32 start;
    u32 end;
    bool more;
    bool dont_fragment;
    u8 tos;

    // Expects a verified header. Cuts the data of a fragment that is not the last to a multiple of
    // 8, as Linux does.
    [[nodiscard]] static constexpr fragment_fields of(ipv4::const_view ip) noexcept {
        const u32 header = static_cast<u32>(ipv4::header_length(ip));
        const u32 start = static_cast<u32>(ipv4::offset_in_bytes(ip));
        const bool more = ip[ipv4::more_fragments];
        u32 end = start + ip[ipv4::total_length] - header;
        if (more) {
            end &= ~u32{7};
        }
        return {header, start, end, more, ip[ipv4::dont_fragment], ip[ipv4::tos]};
    }
    [[nodiscard]] constexpr u32 size() const noexcept { return header + end - start; }
};

// The end of the data, as far as the fragments show it.
struct datagram_end {
    u32 length = 0;
    bool known = false;  // the last fragment came

    // Records the fragment's end; false: it contradicts earlier fragments, or the fragment has no
    // data.
    [[nodiscard]] constexpr bool accept(const fragment_fields& f) noexcept {
        if (!f.more) {
            if (f.end < length || (known && f.end != length)) {
                return false;
            }
            known = true;
            length = f.end;
        } else if (f.end > length) {
            if (known) {
                return false;
            }
            length = f.end;
        }
        return f.end != f.start;
    }
};

// Makes the header of the first fragment that of the whole. The sum is taken before the fields are
// stored: reading words whose halves were just stored takes longer than all of this.
constexpr void make_whole_header(ipv4::view ip, u16 length, u8 ecn, u16 flags) noexcept {
    const u8 tos = static_cast<u8>(ip[ipv4::tos] | ecn);
    u64 sum = 0xffffu - checksum::compute_header(ip.data(), ip[ipv4::ihl]);
    sum += (0xffffu - ip[ipv4::total_length]) + (0xffffu - ip[ipv4::flags_and_offset]) +
           (0xffffu - ip[ipv4::header_checksum]) + (0xffffu - ip[ipv4::tos]);
    sum += u32{length} + flags + tos;
    ip.set(ipv4::total_length, length);
    ip.set(ipv4::tos, tos);
    ip.set(ipv4::flags_and_offset, flags);
    ip.set(ipv4::header_checksum, checksum::finish(sum));
}

// Three cache lines; a fragment in order touches the first two.
template <class Packet, overlap_policy Overlap>
struct alignas(64) partial_datagram {
    slot_key key;
    u32 place = 0;  // in the index, as home
    u32 home = 0;
    fragment_source<partial_datagram>* source = nullptr;
    u32 source_mark = 0;  // source->fragments when the last fragment of this datagram came
    datagram_end end;
    bool has_first_fragment = false;
    ecn_summary ecn;
    u16 largest = 0;         // largest fragment, with its header
    u16 largest_df = 0;      // largest fragment with DF
    duration received_at{};  // of the fragment that came last. Linux q->stamp
    piece_set<Packet, Overlap> pieces;
    instant deadline;
    partial_datagram* earlier = nullptr;  // in order of deadlines
    partial_datagram* later = nullptr;
    partial_datagram* of_source_earlier = nullptr;  // in order of their beginning
    partial_datagram* of_source_later = nullptr;

    [[gnu::always_inline]] constexpr void note(const fragment_fields& f, duration at) noexcept {
        received_at = at;
        ecn.add(f.tos);
        has_first_fragment = has_first_fragment || f.start == 0;
        const u16 size = static_cast<u16>(f.size());
        largest = largest < size ? size : largest;
        if (f.dont_fragment && largest_df < size) {
            largest_df = size;
        }
    }
    [[nodiscard]] constexpr bool is_whole() const noexcept {
        return has_first_fragment && end.known && pieces.byte_count() == end.length;
    }
    // Identifications wrap around: when more than max_distance other fragments of the source came
    // since the last one of this datagram, the new fragment belongs to another datagram. RFC 4963
    // section 5; Linux ip_frag_too_far.
    [[nodiscard]] constexpr bool is_too_far(u32 max_distance) noexcept {
        if (source == nullptr || max_distance == 0) {
            return false;
        }
        const u32 before = std::exchange(source_mark, ++source->fragments);
        return pieces.count() != 0 && source_mark - before > max_distance;
    }
    // Resets the datagram; the pieces are freed already. Deviation: Linux keeps the sizes of the
    // dropped fragments.
    constexpr void restart() noexcept {
        end = {};
        ecn = {};
        has_first_fragment = false;
        largest = 0;
        largest_df = 0;
    }
};

}  // namespace sluice::detail
