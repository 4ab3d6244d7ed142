// partial_datagram: a datagram of which fragments are missing: its pieces, length, ECN and sizes.
// It decides whether a fragment can belong to the others. fragment_fields: the header fields of one
// fragment.
//
// Expects: verified headers.
// Never:   owns its pieces' memory.
// Cost:    about 150 bytes; O(1).
// Source:  RFC 791 section 3.2; Linux struct ipq, ip_frag_queue.
#pragma once

#include <sluice/base/time.hpp>
#include <sluice/reassembly/ecn.hpp>
#include <sluice/reassembly/fragment_source.hpp>
#include <sluice/reassembly/piece_set.hpp>
#include <sluice/wire/ipv4.hpp>

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

template <class Packet, overlap_policy Overlap>
struct partial_datagram {
    slot_key key;
    partial_datagram* chain = nullptr;
    partial_datagram* earlier = nullptr;  // in order of deadlines
    partial_datagram* later = nullptr;
    instant deadline;
    fragment_source<partial_datagram>* source = nullptr;
    partial_datagram* of_source_earlier = nullptr;  // in order of their beginning
    partial_datagram* of_source_later = nullptr;
    u32 source_mark = 0;  // source->fragments when the last fragment of this datagram came
    piece_set<Packet, Overlap> pieces;
    datagram_end end;
    ecn_summary ecn;
    bool has_first_fragment = false;
    u32 largest = 0;         // largest fragment, with its header
    u32 largest_df = 0;      // largest fragment with DF
    duration received_at{};  // of the fragment that came last. Linux q->stamp

    constexpr void note(const fragment_fields& f, duration at) noexcept {
        received_at = at;
        ecn.add(f.tos);
        has_first_fragment = has_first_fragment || f.start == 0;
        largest = largest < f.size() ? f.size() : largest;
        if (f.dont_fragment && largest_df < f.size()) {
            largest_df = f.size();
        }
    }
    [[nodiscard]] constexpr bool is_whole() const noexcept {
        return has_first_fragment && end.known && pieces.byte_count() == end.length;
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
