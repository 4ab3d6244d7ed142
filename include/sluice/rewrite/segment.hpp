// segment: cuts a packet with segmentation facts (GSO) into the datagrams that it stands for.
//
// Expects: a packet that begins with a valid IPv4 header (a datagram's), whose facts give the kind
//          and the payload bytes of a segment; the facts are not believed.
// Does:    headers in front of each piece (segment_headers.hpp), inside a tunnel those of the
// tunnel
//          too; lengths and checksums, the transport's whether it was pending or not (a UDP
//          checksum of zero that is not pending stays).
// Never:   looks at the MTU (segmented_length() tells what a segment will need), sends: the pieces
//          are given out one at a time, or go to a sink, which says whether to go on.
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

// Room for the headers and the payload bytes; false when the piece has no room for them.
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
    metadata& known = to.writable_metadata();
    known.segmentation = segmentation_kind::none;
    known.segment_size = 0;
    known.checksum = checksum_state::unknown;
}

}  // namespace detail

// The pieces of a packet, one at a time; it is used up. References: where blocks are counted, a
// piece refers to the bytes of a plain packet instead of copying them; whoever gets it must take
// segmented packets then.
template <bool References, class Packet>
class segmenter {
public:
    constexpr explicit segmenter(Packet&& whole) noexcept
        : whole_{std::move(whole)}, plan_{whole_}, reader_{whole_} {
        if (plan_.valid) {
            reader_.skip(plan_.headers);
        }
    }

    // All were given out: one at least, also of a packet without payload.
    [[nodiscard]] constexpr bool is_complete() const noexcept {
        return created_ != 0 && done_ == plan_.payload;
    }
    // The next one; empty when there is none, when the facts do not fit the bytes, and when the
    // source has no room for it.
    template <class Source>
    [[nodiscard]] constexpr Packet next(Source& source) noexcept {
        if (!plan_.valid || is_complete()) {
            return {};
        }
        const u32 left = plan_.payload - done_;
        const u32 length = left < plan_.room ? left : plan_.room;
        Packet piece = source.take(default_headroom);
        if (!piece ||
            !detail::fill_segment<References>(piece, whole_, reader_, plan_, done_, length)) {
            return {};
        }
        detail::copy_segment_facts(whole_, piece);
        finish_headers(piece, plan_, {.length = length, .done = done_, .index = created_});
        done_ += length;
        ++created_;
        return piece;
    }

private:
    Packet whole_;
    pipeline::segment_plan plan_;
    packet_reader<Packet> reader_;
    u32 done_ = 0;
    u32 created_ = 0;
};

// Gives the pieces to sink(Packet&&) -> bool in order, until it says false. Nothing is created when
// the facts do not fit the bytes.
template <bool References = false, class Packet, class Source, class Sink>
constexpr segment_result segment(Packet&& whole, Source& source, Sink&& sink) noexcept {
    segmenter<References, Packet> cut{std::move(whole)};
    segment_result r;
    while (Packet piece = cut.next(source)) {
        if (!sink(std::move(piece))) {
            return r;
        }
        ++r.created;
    }
    r.complete = cut.is_complete();
    return r;
}

}  // namespace sluice::rewrite
