// receive_queue<Packet, N>: an endpoint's packets wait here until the program takes them.
// Expects: to be registered as a sink of raw or UDP endpoints and drained by next(). Does: keeps
// packet and information together. Never: drops what it took; a full queue refuses. Cost: N packets
// in place.
#pragma once

#include <sluice/base/ring.hpp>
#include <sluice/delivery/concept.hpp>

#include <cstddef>
#include <utility>

namespace sluice {

template <class Packet, std::size_t N>
class receive_queue final : public packet_sink<Packet> {
public:
    struct item {
        Packet packet{};  // UDP: the payload; raw: from the IPv4 header
        delivery_info info{};
    };

    [[nodiscard]] constexpr bool take(Packet& packet, const delivery_info& info) noexcept override {
        if (!packet || queue_.full()) {
            return false;
        }
        return queue_.push({std::move(packet), info});
    }
    // The oldest; its packet is empty when nothing waits.
    [[nodiscard]] constexpr item next() noexcept { return queue_.pop(); }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return queue_.size(); }

private:
    ring<item, N> queue_;
};

}  // namespace sluice
