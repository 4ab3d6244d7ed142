// fragment: cuts a datagram into pieces that fit an MTU.
// Expects: a packet whose IPv4 header is valid, larger than the MTU or made of fragments, with room
// for a header in front of a copied piece. Does: offset, MF, lengths in units of 8 octets, options
// without the copied flag made no-ops in all but the first piece, checksums; a piece of a fragment
// that had MF keeps MF. Three ways: a packet that already is a list of well-formed pieces (a
// reassembled or a list-built datagram) gets a header on each; where blocks are counted, pieces
// refer to the octets of the whole; anything else is copied piece by piece into buffers of the
// source. Never: looks at DF (forward and output do), sends: each piece goes to the sink, which
// says whether to go on. Cost: a header and a checksum a piece; on the copying way the bytes once.
// RFC 791 section 3.2, RFC 1812 section 4.2.2.7. Linux ip_do_fragment, ip_fraglist_init.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/options/fragment.hpp>
#include <sluice/packet/copy_in_blocks.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/packet/reader.hpp>
#include <sluice/wire/ipv4.hpp>

#include <array>
#include <cstddef>
#include <utility>

namespace sluice::rewrite {

struct fragment_result {
    u32 created = 0;  // pieces that the sink took
    bool complete = false;
};

namespace detail {

struct fragment_position {
    u32 length;  // payload octets of the piece
    u32 done;    // before it
    bool last;   // of the datagram that is cut
};

// What the pieces have in common.
struct fragment_plan {
    std::array<std::byte, ipv4::max_header_length> header{};  // for the pieces after the first
    u32 header_size = 0;
    u32 limit = 0;  // payload octets of the last piece at most
    u32 room = 0;   // and of the others: a multiple of 8
    u16 word = 0;   // flags and offset of the whole
    bool df = false;

    template <class Packet>
    constexpr fragment_plan(const Packet& whole, u32 mtu) noexcept {
        if (whole.head_size() < ipv4::min_header_length) {
            return;
        }
        const ipv4::const_view ip{whole.data()};
        header_size = static_cast<u32>(ipv4::header_length(ip));
        if (header_size < ipv4::min_header_length || whole.head_size() < header_size) {
            return;
        }
        constexpr auto longest = static_cast<u32>(ipv4::max_total_length);
        const u32 most = mtu < longest ? mtu : longest;
        limit = most > header_size ? most - header_size : 0;
        room = limit & ~u32{7};
        word = ip[ipv4::flags_and_offset];
        df = whole.facts().fragment_df;
        copy_bytes(header.data(), whole.data(), header_size);
        // A piece that is not the first of its datagram had its options treated when it was cut
        // off.
        if ((word & ipv4::words::offset) == 0) {
            ip_options::fragment(bytes{header}.subspan(ipv4::min_header_length,
                                                       header_size - ipv4::min_header_length));
        }
    }

    // Makes the header at `to` that of the piece. The reserved flag falls away; DF is set only when
    // the largest of the fragments that this datagram came in had it.
    constexpr void finish(std::byte* to, const fragment_position& at) const noexcept {
        const ipv4::view ip{to};
        // Beyond 65535 octets, where no piece is of use, the offset runs over into MF, as in Linux.
        const u32 offset = (word & ipv4::words::offset) + at.done / 8;
        const bool more = !at.last || (word & ipv4::words::more_fragments) != 0;
        ip.set(ipv4::total_length, static_cast<u16>(header_size + at.length));
        ip.set(ipv4::flags_and_offset,
               static_cast<u16>((df ? ipv4::words::dont_fragment : 0) |
                                (more ? ipv4::words::more_fragments : 0) | offset));
        ipv4::set_checksum(ip);
    }
};

// Whether the packets of the list can be sent as they are: wanted so, sizes fit, multiples of 8 but
// the last, room for the header, owned alone. Linux ip_do_fragment, the conditions of its fast
// path.
template <class Packet>
[[nodiscard]] constexpr bool is_well_formed_list(const Packet& p,
                                                 const fragment_plan& plan) noexcept {
    const u32 own = p.head_size() - plan.header_size;
    if (!p.has_packet_list() || p.facts().cut_anew || p.has_segments() || p.is_shared() ||
        own > plan.limit || (own & 7) != 0 ||
        (plan.word & (ipv4::words::offset | ipv4::words::more_fragments)) != 0) {
        return false;
    }
    for (const auto* b = p.storage_block().list; b != nullptr; b = b->next) {
        if (b->own_length > plan.limit || (b->next != nullptr && (b->own_length & 7) != 0) ||
            b->own_offset < plan.header_size || b->segment_count > 0) {
            return false;
        }
    }
    return true;
}

// The list as it is: each piece gets the header in front of its own octets.
template <class Packet, class Sink>
constexpr fragment_result send_list(Packet&& whole, const fragment_plan& plan,
                                    Sink& sink) noexcept {
    fragment_result r;
    Packet piece = std::move(whole);
    Packet rest = piece.split_list();
    u32 length = piece.size() - plan.header_size;
    u32 done = 0;
    for (;;) {
        plan.finish(piece.writable(), {.length = length, .done = done, .last = !rest});
        if (rest) {
            copy_marks(piece, rest);
        }
        if (!sink(std::move(piece))) {
            return r;
        }
        ++r.created;
        if (!rest) {
            r.complete = true;
            return r;
        }
        done += length;
        piece = std::move(rest);
        rest = piece.split_list();
        length = piece.size();
        copy_bytes(piece.push(plan.header_size), plan.header.data(), plan.header_size);
    }
}

// Each piece is a packet of its own: fill(piece, done, length) gives it the header's room and the
// octets, or says that there is no room.
template <class Packet, class Source, class Sink, class Fill>
constexpr fragment_result send_pieces(const Packet& whole, const fragment_plan& plan,
                                      Source& source, Sink& sink, Fill&& fill) noexcept {
    fragment_result r;
    const u32 payload = whole.size() - plan.header_size;
    for (u32 done = 0; done < payload;) {
        const u32 left = payload - done;
        const u32 length = left <= plan.limit ? left : plan.room;
        Packet piece = source.take(default_headroom);
        if (!piece || !fill(piece, done, length)) {
            return r;
        }
        copy_marks(whole, piece);
        std::byte* const header = piece.writable();
        copy_bytes(header, done == 0 ? whole.data() : plan.header.data(), plan.header_size);
        plan.finish(header, {.length = length, .done = done, .last = length == left});
        done += length;
        if (!sink(std::move(piece))) {
            return r;
        }
        ++r.created;
    }
    r.complete = true;
    return r;
}

}  // namespace detail

// Cuts whole and gives the pieces to sink(Packet&&) -> bool in order, until it says false. mtu is
// at least the header and 8 octets, and the header contiguous, otherwise nothing is created. The
// packet is used up.
// References: where blocks are counted, a piece of a plain packet refers to its octets instead of
// copying them; the sink must take segmented packets then.
template <bool References = false, class Packet, class Source, class Sink>
constexpr fragment_result fragment(Packet&& whole, u32 mtu, Source& source, Sink&& sink) noexcept {
    const detail::fragment_plan plan{whole, mtu};
    if (plan.room == 0) {
        return {};
    }
    if constexpr (!Packet::storage::is_inline) {
        if (detail::is_well_formed_list(whole, plan)) {
            return detail::send_list(std::move(whole), plan, sink);
        }
    }
    Packet used = std::move(whole);
    if constexpr (References && Packet::ownership::counts_references) {
        if (!used.is_segmented()) {
            const auto refer = [&](Packet& piece, u32 done, u32 length) {
                return piece.put(plan.header_size) != nullptr &&
                       piece.attach(used, plan.header_size + done, length);
            };
            return detail::send_pieces(used, plan, source, sink, refer);
        }
    }
    packet_reader<Packet> reader{used};
    reader.skip(plan.header_size);
    const auto copy = [&](Packet& piece, u32, u32 length) {
        std::byte* to = piece.put(plan.header_size + length);
        if (to != nullptr) {
            reader.copy(to + plan.header_size, length);
        }
        return to != nullptr;
    };
    return detail::send_pieces(used, plan, source, sink, copy);
}

}  // namespace sluice::rewrite
