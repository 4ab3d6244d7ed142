// receive_batch: how reading several packets ended. receive_each: reads several packets from a
// device that returns them one by one. append_bytes: appends to a packet larger than a buffer.
//
// receive_each fills the span from the front, and continues after packets that the device
// discards. Each of those counts towards the span's size, so that a flood of them does not hold the
// caller.
//
// Expects: a device whose receive(source) returns a result<packet, read_status>.
// Never:   blocks.
// Cost:    that of reading one packet, each time.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/port/descriptor.hpp>

#include <cstddef>
#include <span>
#include <utility>

namespace sluice::port {

struct receive_batch {
    std::size_t count = 0;
    read_status end = read_status::none;  // none: the span is full, more packets may wait
    std::size_t thrown_away = 0;          // read, then discarded

    // If it is false repeatedly, let the device rest (back_off.hpp).
    [[nodiscard]] constexpr bool has_progressed() const noexcept {
        return count != 0 || thrown_away != 0;
    }
};

namespace detail {

template <class Device, class Source>
[[nodiscard]] receive_batch receive_each(Device& device, Source& from,
                                         std::span<typename Source::packet_type> to) noexcept {
    receive_batch done;
    while (done.count + done.thrown_away < to.size()) {
        auto packet = device.receive(from);
        if (packet) {
            to[done.count++] = std::move(*packet);
        } else if (packet.error() == read_status::thrown_away) {
            ++done.thrown_away;
        } else {
            done.end = packet.error();
            break;
        }
    }
    return done;
}

// Appends the bytes in as many buffers as they need. False: the source has too few.
template <class Source>
[[nodiscard]] bool append_bytes(typename Source::packet_type& packet, Source& from,
                                const_bytes rest) noexcept {
    if constexpr (Source::packet_type::storage::is_inline) {
        return rest.empty();
    } else {
        while (!rest.empty()) {
            auto more = from.take(0);
            const u32 room = more ? more.tailroom() : 0;
            if (room == 0) {
                return false;
            }
            const std::size_t n = rest.size() < room ? rest.size() : room;
            copy_bytes(more.put(static_cast<u32>(n)), rest.data(), n);
            if (!packet.append(std::move(more))) {
                return false;
            }
            rest = rest.subspan(n);
        }
        return true;
    }
}

}  // namespace detail

}  // namespace sluice::port
