// receive_queue<Packet, N, Bytes>: a queue of an endpoint's packets until the program takes them.
//
// It keeps each packet with its delivery_info: up to N packets, and `Bytes` bytes of their blocks
// together. It refuses a packet while the packet's source runs short of buffers.
//
// Expects: registration as a sink of raw or UDP endpoints; next() drains it.
// Never:   drops a packet that it took. A full queue refuses.
// Cost:    N packets in place.
#pragma once

#include <sluice/delivery/concept.hpp>
#include <sluice/packet/bounded_packet_queue.hpp>

#include <cstddef>
#include <utility>

namespace sluice {

template <class Packet, std::size_t N, u32 Bytes = waiting_bytes_for(N)>
class receive_queue final : public packet_sink<Packet> {
public:
    struct item {
        Packet packet{};  // UDP: the payload; raw: from the IPv4 header on
        delivery_info info{};
    };

    [[nodiscard]] constexpr bool take(Packet& packet, const delivery_info& info) noexcept override {
        item* const place = may_wait(packet) ? queue_.claim(packet, Bytes) : nullptr;
        if (place == nullptr) {
            return false;
        }
        place->packet = std::move(packet);
        place->info = info;
        return true;
    }
    // The oldest; its packet is empty when the queue is empty.
    [[nodiscard]] constexpr item next() noexcept { return queue_.pop(); }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return queue_.size(); }
    [[nodiscard]] constexpr u64 byte_count() const noexcept { return queue_.byte_count(); }

private:
    bounded_packet_queue<item, N> queue_;
};

}  // namespace sluice
