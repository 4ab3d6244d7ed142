// packet_of_payload: copies a caller's bytes into a packet to be sent, and sums them in one pass.
//
// It uses further buffers when one is too small.
//
// Expects: a buffer source that outlives the packet.
// Cost:    one pass over the bytes; as many buffers as they fill.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/wire/checksum.hpp>

namespace sluice::detail {

// A packet of `front` bytes for the caller to fill, then the payload, whose sum is added to `sum`.
// An empty handle when no buffer is free.
template <buffer_source Source>
[[nodiscard]] constexpr typename Source::packet_type
packet_of_payload(Source& from, u32 front, const_bytes payload, u64& sum) noexcept {
    auto whole = from.take(default_headroom);
    if (!whole || whole.put(front) == nullptr) {
        return {};
    }
    const auto fill = [&](auto& p) {
        // All pieces but the last have an even size, so that their sums can be added.
        const std::size_t room = p.tailroom() & ~u32{1};
        const std::size_t n = payload.size() < room ? payload.size() : room;
        if (n != 0) {
            sum += checksum::copy_and_sum({p.put(static_cast<u32>(n)), n}, payload.first(n));
            payload = payload.subspan(n);
        }
        return n;
    };
    static_cast<void>(fill(whole));
    while (!payload.empty()) {
        auto more = from.take(default_headroom);
        if (!more || fill(more) == 0 || !whole.append(std::move(more))) {
            return {};
        }
    }
    return whole;
}

}  // namespace sluice::detail
