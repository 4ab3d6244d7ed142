// Two routers with a tunnel between them: 10.0.1.0/24 behind 192.0.2.1, and 10.0.5.0/24 behind
// 192.0.2.2. The tunnel is interface 9, 172.16.0.1 and 172.16.0.2.
#pragma once

#include "support/world.hpp"

#include <sluice/link/tunnels.hpp>

#include <optional>

namespace support {

struct tunnel_router : policies<based_on<linux_router>, buffers<fixed_pool<2048, 256>>,
                                output<with_tunnels<queue_output<128>>>> {};

struct tunnel_end : stack_test::world<tunnel_router> {
    static constexpr auto near_outside = "192.0.2.1"_ip;
    static constexpr auto far_outside = "192.0.2.2"_ip;

    // Destroyed before the stack.
    std::optional<tunnels<stack_type, 4>> ends;

    explicit tunnel_end(bool is_near)
        : world{{.links = {
                     {.index = 2, .address = is_near ? "10.0.1.1/24"_net : "10.0.5.1/24"_net},
                     {.index = 3, .address = is_near ? "192.0.2.1/24"_net : "192.0.2.2/24"_net}}}} {
        ends.emplace(**this);
    }
    // The tunnel to the other end, and the route into it.
    void connect(tunnel_settings s, bool is_near) {
        s.local = is_near ? near_outside : far_outside;
        s.remote = is_near ? far_outside : near_outside;
        if (!is_near) {
            std::swap(s.receive_key, s.send_key);
        }
        REQUIRE(ends->add({.index = 9,
                           .address = is_near ? "172.16.0.1/30"_net : "172.16.0.2/30"_net,
                           .mtu = 0},
                          s)
                    .has_value());
        REQUIRE((**this)
                    .add_route({.prefix = is_near ? "10.0.5.0/24"_prefix : "10.0.1.0/24"_prefix,
                                .gateway = is_near ? "172.16.0.2"_ip : "172.16.0.1"_ip})
                    .has_value());
    }
    [[nodiscard]] std::vector<sent_packet> all_sent() {
        return take_sent((**this).output().beneath());
    }
    // The only datagram sent, by this interface.
    [[nodiscard]] byte_vector one_sent(u16 interface) {
        const auto all = all_sent();
        REQUIRE(all.size() == 1);
        CHECK(all[0].to.interface == interface);
        return all[0].datagram;
    }
    [[nodiscard]] const tunnel_counters& counted() const { return *ends->counters(9); }
};

struct tunnel_pair {
    tunnel_end near{true};
    tunnel_end far{false};

    explicit tunnel_pair(const tunnel_settings& s = {}) {
        near.connect(s, true);
        far.connect(s, false);
    }
    // Forwards a datagram from 10.0.1.2 into the tunnel. Returns the outer datagram.
    [[nodiscard]] byte_vector into(const byte_vector& inner) {
        CHECK(near.receive(inner, 2) == fate::forwarded);
        return near.one_sent(3);
    }
    // What the far end makes of it: the datagram that it sends to its own network.
    [[nodiscard]] byte_vector out_of(const byte_vector& outer) {
        static_cast<void>(far.receive(outer, 3));
        return far.one_sent(2);
    }
};

inline byte_vector to_far(datagram_fields f = {}) {
    f.destination = "10.0.5.9"_ip;
    return datagram_of(f);
}

}  // namespace support
