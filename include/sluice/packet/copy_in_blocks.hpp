// block_appender: adds bytes at the end of a packet, in as many blocks as it takes.
// copy_in_blocks: a copy of a packet of any size, made so.
//
// Each block but the last is filled to its end. A copy takes what stands beside the bytes along.
//
// Expects: blocks that can be chained (append), given by the caller's function.
// Never:   keeps the borders of what it copies.
// Cost:    the bytes once.
// Source:  Linux skb_copy, skb_append_pagefrags.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>

#include <cstddef>
#include <utility>

namespace sluice {

// What stands beside the bytes, into a packet that is not shared.
template <class Packet>
[[gnu::noinline]] constexpr void copy_marks(const Packet& from, Packet& to) noexcept {
    to.set_interface(from.interface());
    to.set_addressing(from.addressing());
    to.set_forwarded(from.is_forwarded());
    if (from.has_metadata()) {
        to.writable_metadata() = from.metadata();
    }
}

// take(u16 headroom) gives empty packets. Where add or finish is false there were too few of them,
// and the caller cuts the packet back to what it was.
template <class Packet, class Take>
class block_appender {
public:
    constexpr block_appender(Packet& whole, Take& take) noexcept : whole_(whole), take_(take) {}

    [[nodiscard]] constexpr bool add(const_bytes more) noexcept {
        while (!more.empty()) {
            Packet& to = part_ ? part_ : whole_;
            const u32 room = to.tailroom();
            if (room == 0) {
                if (!whole_.append(std::move(part_))) {
                    return false;
                }
                part_ = take_(u16{0});
                if (part_.tailroom() == 0) {
                    return false;
                }
                continue;
            }
            const std::size_t n = more.size() < room ? more.size() : room;
            copy_bytes(to.put(static_cast<u32>(n)), more.data(), n);
            more = more.subspan(n);
        }
        return true;
    }
    // The last block joins the packet.
    [[nodiscard]] constexpr bool finish() noexcept { return whole_.append(std::move(part_)); }

private:
    Packet& whole_;
    Packet part_;  // the last block, once the first is full
    Take& take_;
};

// take(u16 headroom) gives empty packets: the first is asked for with that headroom, the others
// without. Empty when there are too few, and of an empty handle.
template <class Packet, class Take>
[[nodiscard]] constexpr Packet copy_in_blocks(const Packet& from, u16 headroom,
                                              Take&& take) noexcept {
    Packet whole;
    if (from) {  // no ?: here: g++ 12 destroys its result twice in constant evaluation
        whole = take(headroom);
    }
    bool enough = static_cast<bool>(whole);
    block_appender appender{whole, take};
    from.for_each_piece([&](const_bytes piece) { enough = enough && appender.add(piece); });
    if (!enough || !appender.finish()) {
        return {};
    }
    copy_marks(from, whole);
    return whole;
}

}  // namespace sluice
