// queue_output<N, Bytes>: keeps transmitted packets in a bounded queue until the caller takes them.
//
// The queue holds up to N packets in order, whose blocks have at most Bytes together. Drain it with
// next().
//
// Expects: N is a power of two.
// Never:   drops a packet: a full queue refuses it, and the stack counts it.
// Cost:    memory for N packets and their egress, in place.
#pragma once

#include <sluice/output/concept.hpp>
#include <sluice/packet/bounded_packet_queue.hpp>

#include <cstddef>
#include <utility>

namespace sluice {

template <std::size_t N, u32 Bytes = waiting_bytes_for(N)>
struct queue_output {
    static_assert(detail::is_ring_size<N>());

    template <class Packet>
    class model {
    public:
        static constexpr bool takes_segmented = true;
        static constexpr bool takes_gso = true;

        struct item {
            Packet packet{};
            egress to{};
        };

        [[nodiscard]] constexpr bool transmit(Packet& packet, const egress& to, instant) noexcept {
            item* place = packet ? queue_.claim(packet, Bytes) : nullptr;
            if (place == nullptr) {
                return false;
            }
            place->packet = std::move(packet);
            place->to = to;
            return true;
        }
        constexpr void flush() noexcept {}

        // Takes the oldest packet. The handle is empty when the queue is.
        [[nodiscard]] constexpr item next() noexcept { return queue_.pop(); }
        [[nodiscard]] constexpr std::size_t size() const noexcept { return queue_.size(); }
        [[nodiscard]] constexpr u64 byte_count() const noexcept { return queue_.byte_count(); }

    private:
        bounded_packet_queue<item, N> queue_;
    };
};

}  // namespace sluice
