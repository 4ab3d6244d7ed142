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
#include <sluice/reassembly/deadline_list.hpp>
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
        const u32 end = start() + total_length() - header();
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
    // As the header says it.
    [[nodiscard]] constexpr u32 total_length() const noexcept {
        return static_cast<u32>(word_ >> 32) & 0xffff;
    }
    // The bytes of data, of a fragment that has_data(): all of them.
    [[nodiscard]] constexpr u32 data() const noexcept { return total_length() - header(); }
    [[nodiscard]] constexpr bool has_data() const noexcept { return total_length() > header(); }
    // Whether all data are used, of a fragment that is not the last: a multiple of 8.
    [[nodiscard]] constexpr bool uses_all() const noexcept { return data() % 8 == 0; }
    // Whether it is the first of a datagram, and uses all its data.
    [[nodiscard]] constexpr bool begins() const noexcept {
        constexpr u64 place = ipv4::words::more_fragments | ipv4::words::offset;
        return (word_ & place) == ipv4::words::more_fragments && has_data() && uses_all();
    }
    // The fields of a fragment that continues this one, which is not the last, and is like it; of
    // none where its offset would have more than 13 bits: their carry clears MF.
    [[nodiscard]] constexpr fragment_fields successor() const noexcept {
        const fragment_fields next = successor_of_first();
        return next.more() ? next : fragment_fields{};
    }
    // The same for one that begins(): no data are so long.
    [[nodiscard]] constexpr fragment_fields successor_of_first() const noexcept {
        return fragment_fields{word_ + data() / 8};
    }
    // Whether this fragment would be the last one in the place of `next`, and like it, with as many
    // data at most.
    [[nodiscard]] constexpr bool ends_at(fragment_fields next) const noexcept {
        return ((word_ ^ next.word_) & ~(u64{0xffff} << 32)) == ipv4::words::more_fragments &&
               word_ <= next.word_ && has_data();
    }
    friend constexpr bool operator==(fragment_fields, fragment_fields) noexcept = default;

    constexpr fragment_fields() noexcept = default;  // of none

private:
    constexpr explicit fragment_fields(u64 word) noexcept : word_(word) {}

    u64 word_ = 0;
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
        if (!f.has_data()) {
            return false;
        }
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
    // Whether the first fragment came, not the last one, and the data end here.
    [[nodiscard]] constexpr bool is_open_at(u32 place) const noexcept {
        return (word_ & (length_mask | last | first)) == (place | first);
    }
    // Records the first fragment of a datagram, which begins() it.
    constexpr void begin(fragment_fields f) noexcept {
        word_ = (f.total_length() - f.header()) | first |
                u64{ecn_summary::bit_of(f.tos())} << ecn_shift |
                u64{f.total_length() * 2 + (f.dont_fragment() ? 1u : 0u)} << size_shift;
    }
    // accept() and note() for a fragment that continues the data and is like the one before it.
    constexpr void extend(u32 data) noexcept { word_ += data; }
    // The same for the last fragment, with as many data at most.
    constexpr void close(u32 data) noexcept { word_ = (word_ + data) | last; }
    // Records what else a fragment says that is held.
    constexpr void note(fragment_fields f) noexcept {
        word_ |= (f.start() == 0 ? first : 0) | u64{ecn_summary::bit_of(f.tos())} << ecn_shift;
        note_size(f.size(), f.dont_fragment());
    }
    // Whether this many bytes are all.
    [[nodiscard]] constexpr bool is_whole(u32 byte_count) const noexcept {
        return (word_ & (length_mask | last | first)) == (byte_count | last | first);
    }

private:
    constexpr void note_size(u32 size, bool dont_fragment) noexcept {
        const u32 both = size * 2 + (dont_fragment ? 1 : 0);
        if (word_ >> size_shift < both) {
            word_ = (word_ & ~(~u64{} << size_shift)) | u64{both} << size_shift;
        }
    }

    static constexpr u64 length_mask = 0x1ffff;  // an end is at most 8,191 * 8 + 65,515
    static constexpr u64 last = u64{1} << 17;    // the last fragment came
    static constexpr u64 first = u64{1} << 18;   // the first one came
    static constexpr u32 ecn_shift = 20;
    static constexpr u32 size_shift = 32;  // the largest size, and below it DF

    u64 word_ = 0;
};

// In the machine's byte order.
[[nodiscard, gnu::noinline]] constexpr u64 sum_of_options(ipv4::const_view ip) noexcept {
    u64 sum = 0;
    for (std::size_t at = ipv4::min_header_length; at < ipv4::header_length(ip); at += 4) {
        sum += sluice::detail::network_order(load_be<u32>(ip.data() + at));
    }
    return sum;
}

// Makes the header of the first fragment that of the whole, with these flags and these ECN bits
// added. Its first 16 octets are read and stored as two words: words whose parts were just stored
// are slow to read.
[[gnu::always_inline]] constexpr void make_whole_header(ipv4::view ip, u16 length, u8 ecn,
                                                        u16 flags) noexcept {
    using sluice::detail::network_order;
    // In the machine's byte order, in which a sum of words is the same but for its order.
    const auto word_at = [h = ip.data()](std::size_t at) {
        return network_order(load_be<u64>(h + at));
    };
    const u64 first = (word_at(0) & network_order(u64{0xffff'0000'ffff'0000})) |
                      network_order(u64{ecn} << 48 | u64{length} << 32 | flags);
    const u64 second = word_at(8) & network_order(u64{0xffff'0000'ffff'ffff});
    u64 rest = network_order(load_be<u32>(ip.data() + 16));
    if (ipv4::header_length(ip) > ipv4::min_header_length) [[unlikely]] {
        rest += sum_of_options(ip);
    }
    // With end-around carries.
    u64 sum = first + second;
    sum += rest + (sum < second ? 1 : 0);
    sum += sum < rest ? 1 : 0;
    store_be<u64>(ip.data(), network_order(first));
    constexpr unsigned checksum_at = std::endian::native == std::endian::little ? 16 : 32;
    store_be<u64>(ip.data() + 8, network_order(second | u64{checksum::finish(sum)} << checksum_at));
}

// Three or five cache lines. A datagram of one piece in a cache without shares touches the first
// two.
template <class Packet, overlap_policy Overlap>
struct alignas(64) partial_datagram : deadline_links {
    slot_key key;
    u32 place = 0;                          // in the index, as home
    u32 counter = fragment_counters::none;  // of the source's fragments
    u32 mark = 0;                           // that counter when the last fragment came
    u32 number = 0;                         // as place
    datagram_facts facts;
    fragment_fields next;  // the fragment that would continue all that came, if it is like the last
    duration received_at{};  // of the fragment that came last. Linux q->stamp
    instant deadline;
    piece_set<Packet, Overlap> pieces;
    u32 home = 0;
    fragment_source<partial_datagram>* source = nullptr;
    partial_datagram* of_source_earlier = nullptr;  // in order of their beginning
    partial_datagram* of_source_later = nullptr;

    [[nodiscard]] constexpr bool is_whole() const noexcept {
        return facts.is_whole(pieces.byte_count());
    }
    // After a fragment came: which one would continue it, if all before it are one run.
    constexpr void expect_after(fragment_fields f) noexcept {
        if (f.more() && f.uses_all() && facts.is_open_at(f.end()) && pieces.is_single()) {
            next = f.successor();
        }
    }
};

}  // namespace sluice::detail
