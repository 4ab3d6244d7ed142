// segment: cuts a packet with segmentation metadata (GSO) into the datagrams that it stands for.
//
// Each segment gets copied headers (segment_headers.hpp) with its own lengths and checksums; inside
// a tunnel the tunnel's headers too. The transport checksum is computed whether it was pending or
// not, but a UDP checksum of zero that is not pending stays.
//
// Expects: a packet that begins with a valid IPv4 header; metadata with the kind and the payload
//          bytes of a segment. It checks the metadata.
// Never:   looks at the MTU (segmented_length() computes the length of a segment), sends: it
//          returns the segments one at a time, or passes them to a sink.
// Cost:    headers; each byte copied and summed once, twice in a tunnel with a checksum. If blocks
//          are counted, segments may refer to the bytes instead.
// Source:  Linux skb_segment, inet_gso_segment.
#pragma once

#include <sluice/rewrite/fragment.hpp>
#include <sluice/rewrite/segment_headers.hpp>

#include <utility>

namespace sluice::rewrite {

struct segment_result {
    u32 created = 0;        // segments that the sink took
    bool complete = false;  // all of them
};

namespace detail {

// Adds room for the headers, and the payload bytes; false: the segment has no room for them.
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

// Copies the metadata of the whole packet, without segmentation and pending checksum.
template <class Packet>
constexpr void copy_segment_metadata(const Packet& from, Packet& to) noexcept {
    copy_marks(from, to);
    metadata& known = to.writable_metadata();
    known.segmentation = segmentation_kind::none;
    known.segment_size = 0;
    known.checksum = checksum_state::unknown;
}

}  // namespace detail

// Returns the segments of a packet one at a time. Consumes the packet. References: if blocks are
// counted, a segment refers to the bytes of a plain packet instead of copying them; the receiver
// must accept segmented packets then.
template <bool References, class Packet>
class segmenter {
public:
    constexpr explicit segmenter(Packet&& whole) noexcept
        : whole_{std::move(whole)}, plan_{whole_}, reader_{whole_} {
        if (plan_.valid) {
            reader_.skip(plan_.headers);
        }
    }

    // True once all are returned: one at least, also of a packet without payload.
    [[nodiscard]] constexpr bool is_complete() const noexcept {
        return created_ != 0 && done_ == plan_.payload;
    }
    // The next segment; empty if there is none, if the metadata does not fit the bytes, or if the
    // source has no room.
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
        detail::copy_segment_metadata(whole_, piece);
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

// Passes the segments to sink(Packet&&) -> bool in order, until it returns false. Creates nothing
// if the metadata does not fit the bytes.
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
