// fragment: cuts a datagram into fragments that fit an MTU.
//
// A packet that is a list of well-formed packets already (a reassembled or a list-built datagram)
// gets a header on each. If blocks are counted, fragments may refer to the bytes of the whole, in
// one block or in a chain that is not shared, up to four parts in each. Any other packet is copied
// into buffers of the source. For bytes without packets use rewrite/fragment_bytes.hpp.
//
// Expects: a packet whose IPv4 header is valid, larger than the MTU or made of fragments, and room
//          for a header in front of a copied fragment.
// Never:   looks at DF (forward and output do); sends: each fragment goes to the sink, which
//          returns whether to continue.
// Cost:    a header and a checksum for each fragment; each byte once if it copies.
// Source:  RFC 791 section 3.2, RFC 1812 section 4.2.2.7; Linux ip_do_fragment, ip_fraglist_init.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/packet/copy_in_blocks.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/piece_maker.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/packet/reader.hpp>
#include <sluice/rewrite/fragment_plan.hpp>

#include <cstddef>
#include <utility>

namespace sluice::rewrite {

namespace detail {

// Whether the packets of the list can be sent as they are: not marked to be cut anew, sizes fit,
// multiples of 8 but for the last, room for the header, unshared. The conditions of the fast path
// in Linux ip_do_fragment.
template <class Packet>
[[nodiscard]] constexpr bool is_well_formed_list(const Packet& p,
                                                 const fragment_plan& plan) noexcept {
    const u32 own = p.head_size() - plan.header_size;
    if (!p.has_packet_list() || p.metadata().cut_anew || p.has_segments() || p.is_shared() ||
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

// Sends the list as it is: each packet gets the header in front of its own bytes.
template <class Packet, class Sink>
constexpr fragment_result send_list(Packet&& whole, const fragment_plan& plan,
                                    Sink& sink) noexcept {
    fragment_result r;
    const sluice::detail::piece_maker<Packet> make{whole};
    auto* list = make.split(whole);
    Packet piece = std::move(whole);
    for (u32 done = 0;;) {
        const u32 length = piece.size() - plan.header_size;
        plan.write(piece.writable(), {.length = length, .done = done, .last = list == nullptr});
        Packet next;
        if (list != nullptr) {
            next = make.next(list, plan.header_size, piece);
        }
        if (!sink(std::move(piece))) {
            make.release(list);
            return r;
        }
        ++r.created;
        if (!next) {
            r.complete = true;
            return r;
        }
        done += length;
        piece = std::move(next);
    }
}

// Each fragment is a packet of its own: fill(make, piece, done, length) gives it room for the
// header, whose first byte it returns, and the bytes; nullptr for lack of room. whole: begins with
// the datagram's header; size: of the datagram.
template <class Packet, class Source, class Sink, class Fill>
constexpr fragment_result send_pieces(const Packet& whole, u32 size, const fragment_plan& plan,
                                      Source& source, Sink& sink, Fill&& fill) noexcept {
    fragment_result r;
    const sluice::detail::piece_maker<Packet> make{whole};
    const u32 payload = size - plan.header_size;
    for (u32 done = 0; done < payload;) {
        const u32 left = payload - done;
        const u32 length = left <= plan.limit ? left : plan.room;
        Packet piece = source.take(default_headroom);
        std::byte* const header = fill(make, piece, done, length);
        if (header == nullptr) {
            return r;
        }
        if (done == 0) {
            copy_bytes(header, whole.data(), plan.header_size);
        }
        plan.write(header, {.length = length, .done = done, .last = length == left});
        done += length;
        if (!sink(std::move(piece))) {
            return r;
        }
        ++r.created;
    }
    r.complete = true;
    return r;
}

// Fragments that refer to the bytes of a packet of one block, or of one that is not shared, because
// no handle may cut a block to which others refer. Bytes in more parts than a packet has segments
// are copied.
template <class Packet, class Source, class Sink>
constexpr fragment_result send_parts(Packet&& whole, const fragment_plan& plan, Source& source,
                                     Sink& sink) noexcept {
    using part_walk = sluice::detail::part_walk<Packet>;
    fragment_result r;
    const sluice::detail::piece_maker<Packet> make{whole};
    const u32 payload = whole.size() - plan.header_size;
    const std::byte* const first = std::as_const(whole).data();
    part_walk walk = part_walk::over(std::move(whole), plan.header_size, make.has_metadata());
    r.complete = payload == 0;
    for (u32 done = 0; done < payload;) {
        const u32 left = payload - done;
        const u32 length = left <= plan.limit ? left : plan.room;
        Packet piece = source.take(default_headroom);
        std::byte* const header = make.begin_chain(piece, plan.header_size, length);
        if (header == nullptr) {
            break;
        }
        if (done == 0) {
            copy_bytes(header, first, plan.header_size);
        }
        plan.write(header, {.length = length, .done = done, .last = length == left});
        if (const u32 more = walk.refer(piece, length); more > 0) {
            Packet own = source.take(default_headroom);
            std::byte* const to = make.begin(own, plan.header_size + length);
            if (to == nullptr) {
                break;
            }
            std::as_const(piece).copy_to(to);
            walk = part_walk::copy(walk, to + plan.header_size + length - more, more);
            piece = std::move(own);
        }
        done += length;
        if (!sink(std::move(piece))) {
            break;
        }
        ++r.created;
        r.complete = done == payload;
    }
    part_walk::release(walk);
    return r;
}

}  // namespace detail

// Cuts whole and passes the fragments to sink(Packet&&) -> bool in order, until it returns false.
// Consumes the packet. If the MTU is less than the header and 8 bytes, or the header is not
// contiguous, it creates nothing.
// References: if blocks are counted, a fragment of a packet of one block, or of a list or segments
// that are not shared, refers to its bytes instead of copying them. The sink must accept segmented
// packets then.
template <bool References = false, class Packet, class Source, class Sink>
constexpr fragment_result fragment(Packet&& whole, u32 mtu, Source& source, Sink&& sink) noexcept {
    const detail::fragment_plan plan{std::as_const(whole).head(), mtu,
                                     std::as_const(whole).metadata().fragment_df};
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
        if (!used.is_segmented() || !used.is_shared()) {
            return detail::send_parts(std::move(used), plan, source, sink);
        }
    }
    packet_reader<Packet> reader{used};
    reader.skip(plan.header_size);
    const auto copy = [&](const auto& make, Packet& piece, u32, u32 length) {
        std::byte* const header = make.begin(piece, plan.header_size + length);
        if (header != nullptr) {
            reader.copy(header + plan.header_size, length);
        }
        return header;
    };
    return detail::send_pieces(used, used.size(), plan, source, sink, copy);
}

}  // namespace sluice::rewrite
