// busy_world: a world for random traffic: the three networks of support/surroundings.hpp, with
// every kind of route, endpoint and handler, from the start of time on.
#pragma once

#include "support/surroundings.hpp"
#include "support/world.hpp"

#include <utility>

namespace stack_test {

template <class Policies>
struct busy_world : world<Policies> {
    using typename world<Policies>::packet_type;
    using typename world<Policies>::parts_type;
    using typename world<Policies>::stack_type;
    using world<Policies>::packet;
    using world<Policies>::receive;

    explicit busy_world(parts_type parts = {.seed = sluice::testing::fixed_seed})
        : world<Policies>({.links = {}}, std::move(parts)) {
        this->now = {};
        traffic::configure(**this, ears);
    }
    // An empty packet if the stack has no buffer.
    [[nodiscard]] packet_type packet(const traffic::datagram_bytes& d) {
        return traffic::packet_of(**this, d);
    }
    fate receive(const traffic::datagram_bytes& d) {
        return (**this).receive(packet(d), this->now);
    }
    void pass(duration time) { this->now.now = this->now.now + time; }

    traffic::ears<stack_type> ears;
};

}  // namespace stack_test
