// segment: cuts a packet with segmentation facts (GSO) into the datagrams that it stands for.
//
// Expects: a packet that begins with a valid IPv4 header (a datagram's), whose facts give the kind
//          and the payload octets of a segment; the facts are not believed.
// Does:    headers in front of each piece (segment_headers.hpp), inside a tunnel those of the
// tunnel
//          too; lengths and checksums, the transport's whether it was pending or not (a UDP
//          checksum of zero that is not pending stays).
// Never:   looks at the MTU (segmented_length() tells what a segment will need), sends: each piece
//          goes to the sink, which says whether to go on.
// Cost:    headers, and the bytes copied and summed once, where a tunnel has a checksum twice;
//          where blocks are counted they may be referred to.
// Source:  Linux skb_segment, inet_gso_segment.
#pragma once

#include <sluice/rewrite/fragment.hpp>
#include <sluice/rewrite/segment_headers.hpp>

#include <utility>

namespace sluice::rewrite {

struct segment_result {
    u32 created = 0;        // pieces that the sink took
    bool complete = false;  // all of them
};

namespace detail {

// Room for the headers and the payload octets; false when the piece has no room for them.
template <bool References, class Packet>
[[nodiscard]] constexpr bool
fill_segment(Packet& piece, Packet& whole, packet_reader<Packet>& reader,
             const pipeline::segment_plan& plan, u32 done, u32 length) noexcept {
    if constexpr (References && Packet::ownership::counts_references) {
        if (!whole.is_segmented()) {
            return piece.put(plan.headers) != nullptr &&
                   (length == 0 || piece.attach(whole, plan.headers + done, length));
        }
    }
    std::byte* const to = piece.put(plan.headers + length);
    if (to != nullptr) {
        reader.copy(to + plan.headers, length);
    }
    return to != nullptr;
}

// A piece is a plain packet with its checksum in place; the rest of what is known stays known.
template <class Packet>
constexpr void copy_segment_facts(const Packet& from, Packet& to) noexcept {
    copy_marks(from, to);
    metadata& known = to.writable_facts();
    known.segmentation = segmentation_kind::none;
    known.segment_size = 0;
    known.checksum = checksum_state::unknown;
}

}  // namespace detail

// Cuts whole and gives the pieces to sink(Packet&&) -> bool in order, until it says false. Nothing
// is created when the facts do not fit the bytes. The packet is used up. References: where blocks
// are counted, a piece refers to the octets of a plain packet instead of copying them; the sink
// must take segmented packets then.
template <bool References = false, class Packet, class Source, class Sink>
constexpr segment_result segment(Packet&& whole, Source& source, Sink&& sink) noexcept {
    Packet used = std::move(whole);
    const pipeline::segment_plan plan{used};
    segment_result r;
    if (!plan.valid) {
        return r;
    }
    packet_reader<Packet> reader{used};
    reader.skip(plan.headers);
    u32 done = 0;
    do {  // a packet without payload is one segment
        const u32 left = plan.payload - done;
        const u32 length = left < plan.room ? left : plan.room;
        Packet piece = source.take(default_headroom);
        if (!piece || !detail::fill_segment<References>(piece, used, reader, plan, done, length)) {
            return r;
        }
        detail::copy_segment_facts(used, piece);
        finish_headers(piece, plan, {.length = length, .done = done, .index = r.created});
        done += length;
        if (!sink(std::move(piece))) {
            return r;
        }
        ++r.created;
    } while (done < plan.payload);
    r.complete = true;
    return r;
}

}  // namespace sluice::rewrite
