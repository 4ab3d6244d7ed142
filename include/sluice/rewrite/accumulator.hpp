// accumulator<Source>: builds the payload of one datagram from several writes, in packets that each
// fill a fragment.
//
// A datagram that exceeds the MTU then leaves without a further copy, because each of its packets
// becomes a fragment as it is (rewrite/fragment.hpp). The bytes come from functions
// (rewrite/byte_source.hpp) or from packets whose bytes it references.
//
// Expects: begin() before writes; a source of buffers with each write, always the same one.
// Never:   continues a datagram after a failed write, which discards it and frees its buffers.
// Errors:  too_big: the datagram would exceed its limit, or the transport header a fragment.
//          no_buffer: the source is empty. invalid: no datagram has begun, or the byte source
//          failed.
// Cost:    one pass over the bytes; up to 7 bytes of each fragment move to the next one. A datagram
//          with referenced bytes is copied if it is fragmented. Buffers shorter than the MTU make
//          fragments as short as they are.
// Source:  Linux __ip_append_data, ip_flush_pending_frames.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/base/result.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/rewrite/byte_source.hpp>
#include <sluice/routing/output_route.hpp>

#include <utility>

namespace sluice::rewrite {

struct accumulation {
    u32 header = ipv4::min_header_length;  // bytes of the IPv4 header that the datagram will have
    u32 front = 0;       // bytes of the transport header, which the caller writes in the end
    u32 mtu = 1500;      // of the egress, bytes
    u32 limit = 0xffff;  // most bytes of the datagram with its IPv4 header
};

template <buffer_source Source>
class accumulator {
public:
    using packet_type = typename Source::packet_type;
    using result_type = result<void, routing::send_error>;

    // Starts a datagram; drops the bytes accumulated before.
    [[nodiscard]] constexpr result_type begin(Source& buffers, const accumulation& a) noexcept {
        clear();
        terms_ = a;
        terms_.limit = a.limit < max_length ? a.limit : max_length;
        const u32 most = a.mtu < max_length ? a.mtu : max_length;
        piece_ = most > a.header ? most - a.header : 0;
        if (!open(buffers)) {
            return fail(routing::send_error::no_buffer);
        }
        // The transport header lies in the first fragment, which others may follow.
        if (a.front > full_ - full_ % unit || u64{a.header} + a.front > terms_.limit) {
            return fail(routing::send_error::too_big);
        }
        return a.front == 0 || part_.put(a.front) != nullptr ? result_type{}
                                                             : fail(routing::send_error::no_buffer);
    }
    // Appends n bytes of a byte source.
    template <byte_source F>
    [[nodiscard]] constexpr result_type append(Source& buffers, u32 n, F&& next) noexcept {
        if (const result_type may = judge(n); !may.has_value()) {
            return may;
        }
        while (n > 0) {
            if (part_.size() >= full_ && !open(buffers)) {
                return fail(routing::send_error::no_buffer);
            }
            const u32 room = full_ - part_.size();
            const u32 count = n < room ? n : room;
            std::byte* const to = part_.put(count);
            if (to == nullptr) {
                return fail(routing::send_error::no_buffer);
            }
            u64 added = 0;
            if (!next(bytes{to, count}, added)) {
                return fail(routing::send_error::invalid);
            }
            add(added, count);
            n -= count;
        }
        return {};
    }
    // Appends n bytes at `offset` of a packet in one block, by reference.
    [[nodiscard]] constexpr result_type refer(Source& buffers, packet_type& to, u32 offset,
                                              u32 n) noexcept
        requires(packet_type::ownership::counts_references && !packet_type::storage::is_inline)
    {
        if (const result_type may = judge(n); !may.has_value()) {
            return may;
        }
        if (to.is_segmented() || offset > to.size() || n > to.size() - offset) {
            return fail(routing::send_error::invalid);
        }
        if (!part_.attach(to, offset, n) && (!open(buffers) || !part_.attach(to, offset, n))) {
            return fail(routing::send_error::no_buffer);
        }
        full_ = 0;  // bytes cannot follow a reference in the same buffer
        add(checksum::partial({std::as_const(to).data() + offset, n}), n);
        return {};
    }

    // Whether a datagram has begun.
    [[nodiscard]] constexpr bool has_begun() const noexcept { return static_cast<bool>(part_); }
    // Bytes of the payload, with the transport header.
    [[nodiscard]] constexpr u32 size() const noexcept { return whole_.size() + part_.size(); }
    // The sum of the appended bytes, without the transport header.
    [[nodiscard]] constexpr u64 sum() const noexcept { return sum_; }

    // The payload, whose first bytes are those of the transport header, uninitialized. Empty if no
    // datagram has begun, or if its packets cannot be joined.
    [[nodiscard]] constexpr packet_type take() noexcept {
        if (!whole_) {
            return std::move(part_);
        }
        packet_type whole = join(std::move(part_)) ? std::move(whole_) : packet_type{};
        clear();
        return whole;
    }
    constexpr void clear() noexcept {
        whole_.reset();
        part_.reset();
        sum_ = 0;
        full_ = 0;
    }

private:
    static constexpr u32 max_length = 0xffff;
    static constexpr u32 unit = 8;  // bytes; the unit of the fragment offset

    // Whether n more bytes may follow.
    [[nodiscard]] constexpr result_type judge(u32 n) noexcept {
        if (!has_begun()) {
            return failure{routing::send_error::invalid};
        }
        return u64{terms_.header} + size() + n <= terms_.limit ? result_type{}
                                                               : fail(routing::send_error::too_big);
    }
    // Begins the next packet. It gets the bytes by which the last one is longer than a fragment
    // that others follow: only the last fragment of a datagram may have any length.
    [[nodiscard]] constexpr bool open(Source& buffers) noexcept {
        packet_type next = buffers.take(default_headroom);
        const u32 room = next.tailroom();
        if (room < unit) {
            return false;
        }
        if (part_) {
            const u32 over = part_.is_segmented() ? 0 : part_.size() % unit;
            if (over != 0) {
                copy_bytes(next.put(over), std::as_const(part_).data() + part_.size() - over, over);
                part_.trim(part_.size() - over);
            }
            if (!join(std::move(part_))) {
                return false;
            }
        }
        part_ = std::move(next);
        full_ = room < piece_ || piece_ < unit ? room : piece_;
        return true;
    }
    [[nodiscard]] constexpr bool join(packet_type&& part) noexcept {
        if (!whole_) {
            whole_ = std::move(part);
            return true;
        }
        if constexpr (packet_type::storage::is_inline) {
            return false;
        } else {
            return whole_.append(std::move(part));
        }
    }
    constexpr void add(u64 sum, u32 count) noexcept {
        const bool odd = ((size() - count - terms_.front) & 1) != 0;
        sum_ += odd ? checksum::shift(sum) : sum;
    }
    [[nodiscard]] constexpr result_type fail(routing::send_error why) noexcept {
        clear();
        return failure{why};
    }

    packet_type whole_{};  // complete packets
    packet_type part_{};   // the one that grows
    u64 sum_ = 0;
    u32 piece_ = 0;  // payload bytes of the largest fragment
    u32 full_ = 0;   // payload bytes at which the packet is full
    accumulation terms_{};
};

}  // namespace sluice::rewrite
