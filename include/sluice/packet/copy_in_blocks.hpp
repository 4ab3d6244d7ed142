// copy_in_blocks: a copy of a packet of any size, in as many blocks as it takes. Expects: blocks
// that can be chained (append), given by the caller's function. Does: fills each block but the last
// to its end; takes what stands beside the bytes along. Never: keeps the borders of what it copies.
// Cost: the bytes once. Linux skb_copy.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>

#include <cstddef>
#include <utility>

namespace sluice {

// What stands beside the bytes, into a packet that is not shared.
template <class Packet>
constexpr void copy_marks(const Packet& from, Packet& to) noexcept {
    to.set_interface(from.interface());
    to.set_type(from.type());
    to.set_forwarded(from.is_forwarded());
    if (from.has_facts()) {
        to.writable_facts() = from.facts();
    }
}

// take(u16 headroom) gives empty packets: the first is asked for with that headroom, the others
// without. Empty when there are too few, and of an empty handle.
template <class Packet, class Take>
[[nodiscard]] constexpr Packet copy_in_blocks(const Packet& from, u16 headroom,
                                              Take&& take) noexcept {
    Packet whole;
    if (from) {  // no ?: here: g++ 12 destroys its result twice in constant evaluation
        whole = take(headroom);
    }
    Packet part;  // the last block, once the first is full
    bool enough = static_cast<bool>(whole);
    from.for_each_piece([&](const_bytes piece) {
        while (enough && !piece.empty()) {
            Packet& to = part ? part : whole;
            const u32 room = to.tailroom();
            if (room == 0) {
                enough = whole.append(std::move(part));
                part = take(u16{0});
                enough = enough && part.tailroom() > 0;
                continue;
            }
            const std::size_t n = piece.size() < room ? piece.size() : room;
            copy_bytes(to.put(static_cast<u32>(n)), piece.data(), n);
            piece = piece.subspan(n);
        }
    });
    if (!enough || !whole.append(std::move(part))) {
        return {};
    }
    copy_marks(from, whole);
    return whole;
}

}  // namespace sluice
