// Makes packets of any size, in as many blocks of a pool as they need.
#pragma once

#include <doctest/doctest.h>

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>

#include <utility>

namespace support {

// A packet with this content; its first block has headroom.
template <class Pool>
typename Pool::packet_type chain_of(Pool& from, sluice::const_bytes content) {
    constexpr std::size_t headroom = 128;
    auto whole = from.take(headroom);
    for (bool is_first = true; is_first || !content.empty(); is_first = false) {
        const std::size_t most = Pool::block_capacity - (is_first ? headroom : 0);
        const std::size_t n = content.size() < most ? content.size() : most;
        auto more = is_first ? typename Pool::packet_type{} : from.take(0);
        auto& into = is_first ? whole : more;
        std::byte* const to = into.put(static_cast<sluice::u32>(n));
        REQUIRE(to != nullptr);
        sluice::copy_bytes(to, content.data(), n);
        content = content.subspan(n);
        REQUIRE((is_first || whole.append(std::move(more))));
    }
    return whole;
}
// A packet of `size` zero bytes.
template <class Pool>
typename Pool::packet_type of_size(Pool& from, sluice::u32 size) {
    static constexpr std::byte zeros[0x10000]{};
    return chain_of(from, {zeros, size});
}

}  // namespace support
