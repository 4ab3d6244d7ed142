// packet_reader: reads a packet's bytes in order, in whatever blocks they lie.
//
// Expects: a packet that does not change meanwhile.
// Cost:    each byte once; a pointer step for each piece.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/packet/basic_packet.hpp>
#include <sluice/wire/checksum.hpp>

namespace sluice {

template <class Packet>
class packet_reader {
public:
    constexpr explicit packet_reader(const Packet& p) noexcept
        : piece_(p.head()), left_(p.size() - p.head_size()),
          block_(p.is_segmented() ? &p.storage_block() : nullptr),
          next_(block_ != nullptr ? block_->list : nullptr) {}

    // Calls f(const_bytes) for the pieces of the next n bytes, or of all the rest when there are
    // fewer.
    template <class F>
    constexpr void read(u32 n, F&& f) {
        while (n > 0) {
            if (piece_.empty() && !advance()) {
                return;
            }
            const auto count = piece_.size() < n ? piece_.size() : std::size_t{n};
            f(piece_.first(count));
            piece_ = piece_.subspan(count);
            n -= static_cast<u32>(count);
        }
    }
    constexpr void skip(u32 n) noexcept {
        read(n, [](const_bytes) {});
    }
    constexpr void copy(std::byte* to, u32 n) noexcept {
        read(n, [&to](const_bytes piece) {
            copy_bytes(to, piece.data(), piece.size());
            to += piece.size();
        });
    }

private:
    using block = typename Packet::block;

    constexpr bool advance() noexcept {
        if (left_ == 0) {
            return false;
        }
        if (segment_ < block_->segment_count) {
            const auto& s = block_->segments[segment_++];
            take(*s.block, s.offset, s.length);
            return true;
        }
        if (next_ == nullptr) {
            return false;
        }
        block_ = next_;
        next_ = block_->next;
        segment_ = 0;
        take(*block_, block_->own_offset, block_->own_length);
        return true;
    }
    // The packet may end before its last block does.
    constexpr void take(const block& b, u32 offset, u32 length) noexcept {
        const u32 count = length < left_ ? length : left_;
        piece_ = {Packet::storage::memory(b) + offset, count};
        left_ -= count;
    }

    const_bytes piece_;
    u32 left_;  // bytes of the packet behind piece_
    const block* block_;
    const block* next_;
    std::size_t segment_ = 0;
};

// The checksum of `length` bytes from `offset` on (fewer when the packet ends before), added to
// `sum`; unfolded, as checksum::partial returns it.
template <class Packet>
[[nodiscard]] constexpr u64 packet_sum(const Packet& p, u32 offset, u32 length,
                                       u64 sum = 0) noexcept {
    packet_reader<Packet> reader{p};
    reader.skip(offset);
    bool odd = false;
    reader.read(length, [&](const_bytes piece) {
        const u64 own = checksum::partial(piece);
        sum += odd ? checksum::shift(own) : own;
        odd = odd != ((piece.size() & 1) != 0);
    });
    return sum;
}

// Whether the checksum among `length` bytes from `offset` on is right, `sum` included. The packet
// has these bytes.
template <class Packet>
[[nodiscard]] constexpr bool sums_up(const Packet& p, u32 offset, u32 length,
                                     u64 sum = 0) noexcept {
    return p.is_segmented() ? checksum::fold(packet_sum(p, offset, length, sum)) == 0xffff
                            : checksum::verify({p.data() + offset, length}, sum);
}

}  // namespace sluice
