// A stack behind a gateway, a program on UDP port 7000, and ICMP errors that any host may send
// about its datagrams.
#pragma once

#include "support/world.hpp"

namespace stack_test {

inline constexpr ipv4::address far = "192.0.2.1"_ip;
inline constexpr ipv4::address farther = "192.0.2.2"_ip;

template <class Packet>
struct program final : packet_sink<Packet> {
    bool believing = true;
    u32 errors = 0;

    bool take(Packet&, const delivery_info&) noexcept override { return false; }
    void error(const icmp_error_notice&) noexcept override { ++errors; }
    bool believes(const icmp_error_notice&) const noexcept override { return believing; }
};

template <class Policies = small_router>
struct learning_world : world<Policies> {
    program<typename world<Policies>::packet_type> us;

    learning_world();
    // What the program would have sent.
    static byte_vector datagram_to(ipv4::address to, u16 from_port = 7000);
    void error(u8 type, u8 code, u32 info, const byte_vector& quoted,
               ipv4::address offender = gateway);
    void too_big(u32 mtu, const byte_vector& quoted);

    routing::output_route route_used(ipv4::address to);
    [[nodiscard]] u16 mtu(ipv4::address to);

    // The datagrams that a payload of n bytes becomes.
    std::vector<byte_vector> send(ipv4::address to, std::size_t n, send_request r = {});
    routing::send_error error_of_send{};
};

template <class Policies>
learning_world<Policies>::learning_world() : world<Policies>({.has_gateway = true}) {
    REQUIRE((**this).delivery().add_udp({.local_port = 7000}, us));
}
template <class Policies>
byte_vector learning_world<Policies>::datagram_to(ipv4::address to, u16 from_port) {
    return datagram_of({.source = "10.0.2.1"_ip,
                        .destination = to,
                        .protocol = ipv4::protocols::udp,
                        .payload = support::udp_message(from_port, 9, pattern(20))});
}
template <class Policies>
void learning_world<Policies>::error(u8 type, u8 code, u32 info, const byte_vector& quoted,
                                     ipv4::address offender) {
    CHECK(world<Policies>::error(type, code, info, quoted, offender) == fate::delivered);
}
template <class Policies>
void learning_world<Policies>::too_big(u32 mtu, const byte_vector& quoted) {
    error(3, 4, mtu, quoted, "10.0.2.77"_ip);
}
template <class Policies>
routing::output_route learning_world<Policies>::route_used(ipv4::address to) {
    const auto r = (**this).route({.destination = to}, this->now);
    REQUIRE(r.has_value());
    return *r;
}
template <class Policies>
u16 learning_world<Policies>::mtu(ipv4::address to) {
    return route_used(to).mtu;
}
template <class Policies>
std::vector<byte_vector> learning_world<Policies>::send(ipv4::address to, std::size_t n,
                                                        send_request r) {
    r.destination = to;
    r.protocol = ipv4::protocols::experiment1;
    error_of_send = {};
    const auto result = (**this).send(this->packet(pattern(n)), r, this->now);
    if (!result.has_value()) error_of_send = result.error();
    std::vector<byte_vector> all;
    for (auto& s : this->sent())
        all.push_back(std::move(s.datagram));
    return all;
}

extern template struct learning_world<small_router>;  // learning.cpp

}  // namespace stack_test
