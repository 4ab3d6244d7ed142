// block_appender, append_in_blocks: add bytes at the end of a packet, in as many blocks as needed.
// copy_in_blocks: copies a packet of any size, with interface, link addressing and metadata.
//
// Each block but the last is filled to its end.
//
// Expects: blocks that can be chained (append), supplied by the caller's function.
// Never:   keeps the block borders of the packet that it copies.
// Cost:    each byte is copied once.
// Source:  Linux skb_copy, skb_append_pagefrags.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>

#include <cstddef>
#include <utility>

namespace sluice {

// Copies interface, link addressing and metadata to a packet that is not shared.
template <class Packet>
[[gnu::noinline]] constexpr void copy_marks(const Packet& from, Packet& to) noexcept {
    to.set_interface(from.interface());
    to.set_addressing(from.addressing());
    to.set_forwarded(from.is_forwarded());
    to.set_looped(from.is_looped());
    if (from.has_metadata()) {
        to.writable_metadata() = from.metadata();
    }
}

// take(u16 headroom) returns empty packets. add() or finish() is false when there are too few; the
// caller then trims the packet to its former size.
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
    // Appends the last block to the packet.
    [[nodiscard]] constexpr bool finish() noexcept { return whole_.append(std::move(part_)); }

private:
    Packet& whole_;
    Packet part_;  // the last block, while it is not the packet's first
    Take& take_;
};

// Adds bytes to a packet; false, and no change, when there are too few blocks.
template <class Packet, class Take>
[[nodiscard]] constexpr bool append_in_blocks(Packet& whole, const_bytes more, Take&& take) {
    const u32 before = whole.size();
    block_appender appender{whole, take};
    const bool done = appender.add(more) && appender.finish();
    whole.trim(done ? whole.size() : before);
    return done;
}

// take(u16 headroom) returns empty packets; it is called with `headroom` for the first block and
// with 0 for the others. The copy is empty when there are too few, or when `from` is.
template <class Packet, class Take>
[[nodiscard]] constexpr Packet copy_in_blocks(const Packet& from, u16 headroom,
                                              Take&& take) noexcept {
    Packet whole;
    if (from) {  // no ?: operator, whose result g++ 12 destroys twice in constant evaluation
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
