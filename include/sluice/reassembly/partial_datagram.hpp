// partial_datagram: a datagram of which fragments are missing: its pieces, length, ECN and sizes.
// It decides whether a fragment can belong to the others. fragment_fields: the header fields of one
// fragment.
//
// Expects: verified headers.
// Never:   owns its pieces' memory.
// Cost:    320 bytes, 192 with a rule that settles overlaps; O(1).
// Source:  RFC 791 section 3.2; Linux struct ipq, ip_frag_queue.
#pragma once

#include <sluice/base/time.hpp>
#include <sluice/reassembly/ecn.hpp>
#include <sluice/reassembly/fragment_counters.hpp>
#include <sluice/reassembly/fragment_source.hpp>
#include <sluice/reassembly/piece_set.hpp>
#include <sluice/wire/checksum.hpp>
#include <sluice/wire/ipv4.hpp>

#include <utility>

namespace sluice::detail {

// The header fields of a fragment that reassembly reads; lengths and places in bytes. They lie in
// the first eight bytes of the header, which it keeps as one word.
class fragment_fields {
public:
    // Expects a verified header.
    [[nodiscard]] static constexpr fragment_fields of(ipv4::const_view ip) noexcept {
        return fragment_fields{load_be<u64>(ip.data())};
    }
    [[nodiscard]] constexpr u32 header() const noexcept {
        return static_cast<u32>(word_ >> 54) & 0x3c;
    }
    [[nodiscard]] constexpr u32 start() const noexcept {
        return static_cast<u32>(word_ & ipv4::words::offset) * 8;
    }
    // Without the data of a fragment that is not the last behind a multiple of 8, as Linux.
    [[nodiscard]] constexpr u32 end() const noexcept {
        const u32 end = start() + (static_cast<u32>(word_ >> 32) & 0xffff) - header();
        return more() ? end & ~u32{7} : end;
    }
    [[nodiscard]] constexpr bool more() const noexcept {
        return (word_ & ipv4::words::more_fragments) != 0;
    }
    [[nodiscard]] constexpr bool dont_fragment() const noexcept {
        return (word_ & ipv4::words::dont_fragment) != 0;
    }
    [[nodiscard]] constexpr u8 tos() const noexcept { return static_cast<u8>(word_ >> 48); }
    [[nodiscard]] constexpr u32 size() const noexcept { return header() + end() - start(); }

private:
    constexpr explicit fragment_fields(u64 word) noexcept : word_(word) {}

    u64 word_;
};

// What the fragments that came say of the whole. One word: parts of it would be stored and loaded
// again at once.
class datagram_facts {
public:
    // The end of the data, as far as the fragments show it.
    [[nodiscard]] constexpr u32 length() const noexcept {
        return static_cast<u32>(word_ & length_mask);
    }
    [[nodiscard]] constexpr ecn_summary ecn() const noexcept {
        return ecn_summary{static_cast<u32>(word_ >> ecn_shift)};
    }
    // The size of the largest fragment with its header, and whether one of that size had DF: small
    // fragments with DF do not prove that the path needs it.
    [[nodiscard]] constexpr u16 largest() const noexcept {
        return static_cast<u16>(word_ >> (size_shift + 1));
    }
    [[nodiscard]] constexpr bool keeps_df() const noexcept {
        return (word_ >> size_shift & 1) != 0;
    }

    // Records where the fragment ends; false: it contradicts earlier ones, or has no data.
    [[nodiscard]] constexpr bool accept(fragment_fields f) noexcept {
        const u32 end = f.end();
        if (!f.more()) {
            if (end < length() || ((word_ & last) != 0 && end != length())) {
                return false;
            }
            word_ = (word_ & ~length_mask) | last | end;
        } else if (end > length()) {
            if ((word_ & last) != 0) {
                return false;
            }
            word_ = (word_ & ~length_mask) | end;
        }
        return end != f.start();
    }
    // Records what else a fragment says that is held.
    constexpr void note(fragment_fields f) noexcept {
        const u64 size = f.size() * 2 + (f.dont_fragment() ? 1 : 0);
        const u64 known = word_ >> size_shift;
        word_ = (word_ & ~(~u64{} << size_shift)) | (known < size ? size : known) << size_shift |
                (f.start() == 0 ? first : 0) | u64{ecn_summary::bit_of(f.tos())} << ecn_shift;
    }
    // Whether this many bytes are all.
    [[nodiscard]] constexpr bool is_whole(u32 byte_count) const noexcept {
        return (word_ & (length_mask | last | first)) == (byte_count | last | first);
    }

private:
    static constexpr u64 length_mask = 0x1ffff;  // an end is at most 8,191 * 8 + 65,515
    static constexpr u64 last = u64{1} << 17;    // the last fragment came
    static constexpr u64 first = u64{1} << 18;   // the first one came
    static constexpr u32 ecn_shift = 20;
    static constexpr u32 size_shift = 32;  // the largest size, and below it DF

    u64 word_ = 0;
};

// Makes the header of the first fragment that of the whole, with these flags and these ECN bits
// added. Its first 16 octets are read and stored as two words: words whose parts were just stored
// are slow to read.
constexpr void make_whole_header(ipv4::view ip, u16 length, u8 ecn, u16 flags) noexcept {
    std::byte* const h = ip.data();
    const u64 first =
        (load_be<u64>(h) & 0xffff'0000'ffff'0000) | u64{ecn} << 48 | u64{length} << 32 | flags;
    const u64 second = load_be<u64>(h + 8) & 0xffff'0000'ffff'ffff;
    u64 sum = (first >> 32) + (first & 0xffff'ffff) + (second >> 32) + (second & 0xffff'ffff) +
              load_be<u32>(h + 16);
    for (std::size_t at = ipv4::min_header_length; at < ipv4::header_length(ip); at += 4) {
        sum += load_be<u32>(h + at);
    }
    store_be<u64>(h, first);
    store_be<u64>(h + 8, second | u64{checksum::finish(sum)} << 32);
}

// Three or five cache lines. A datagram of one piece in a cache without shares touches the first
// two.
template <class Packet, overlap_policy Overlap>
struct alignas(64) partial_datagram {
    slot_key key;
    u32 place = 0;                          // in the index, as home
    u32 counter = fragment_counters::none;  // of the source's fragments
    u32 mark = 0;                           // that counter when the last fragment came
    datagram_facts facts;
    duration received_at{};  // of the fragment that came last. Linux q->stamp
    instant deadline;
    partial_datagram* earlier = nullptr;  // in order of deadlines
    partial_datagram* later = nullptr;
    piece_set<Packet, Overlap> pieces;
    u32 home = 0;
    fragment_source<partial_datagram>* source = nullptr;
    partial_datagram* of_source_earlier = nullptr;  // in order of their beginning
    partial_datagram* of_source_later = nullptr;

    [[nodiscard]] constexpr bool is_whole() const noexcept {
        return facts.is_whole(pieces.byte_count());
    }
};

}  // namespace sluice::detail
