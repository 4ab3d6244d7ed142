// payload: the caller's bytes as a packet to be sent, whatever size the buffers have. Expects: a
// buffer source that outlives the packet. Does: copies and sums in one go; goes on in further
// buffers where one is too small. Never: copies twice. Cost: the bytes once, a buffer for each of
// its size.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/wire/checksum.hpp>

namespace sluice::detail {

// `front` bytes that the caller fills, then the payload, whose sum is added to `sum`; an empty
// handle when there is no buffer.
template <buffer_source Source>
[[nodiscard]] constexpr typename Source::packet_type
packet_of_payload(Source& from, u32 front, const_bytes payload, u64& sum) noexcept {
    auto whole = from.take(default_headroom);
    if (!whole || whole.put(front) == nullptr) {
        return {};
    }
    const auto fill = [&](auto& p) {
        // All pieces but the last are even, so that their sums just add.
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
