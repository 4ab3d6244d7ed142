// receive_queue<Packet, N, Bytes>: an endpoint's packets wait here until the program takes them.
// Expects: to be registered as a sink of raw or UDP endpoints and drained by next(). Does: keeps
// packet and information together, up to N packets whose blocks have Bytes, as long as their
// source can miss them. Never: drops what it took; a full queue refuses. Cost: N packets in place.
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
        Packet packet{};  // UDP: the payload; raw: from the IPv4 header
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
    // The oldest; its packet is empty when nothing waits.
    [[nodiscard]] constexpr item next() noexcept { return queue_.pop(); }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return queue_.size(); }
    [[nodiscard]] constexpr u64 byte_count() const noexcept { return queue_.byte_count(); }

private:
    bounded_packet_queue<item, N> queue_;
};

}  // namespace sluice
