// A stack behind the gateway 10.0.2.254, a program on UDP port 7000, and the ICMP errors that
// strangers may send us about it.
#pragma once

#include "support/bench.hpp"

namespace stack_test {

inline constexpr ipv4::address far = "192.0.2.1"_ip;
inline constexpr ipv4::address farther = "192.0.2.2"_ip;
inline constexpr ipv4::address gateway = "10.0.2.254"_ip;

template <class Packet>
struct program final : packet_sink<Packet> {
    bool believing = true;
    u32 errors = 0;

    bool take(Packet&, const delivery_info&) noexcept override { return false; }
    void error(const icmp_error_notice&) noexcept override { ++errors; }
    bool believes(const icmp_error_notice&) const noexcept override { return believing; }
};

template <class Policies = small_router>
struct learning_bench : bench<Policies> {
    program<typename bench<Policies>::packet_type> us;

    learning_bench();
    // What the program would have sent.
    static octets ours(ipv4::address to, u16 from_port = 7000);
    void error(u8 type, u8 code, u32 info, const octets& quoted, ipv4::address offender = gateway);
    void too_big(u32 mtu, const octets& quoted);

    routing::output_route way(ipv4::address to);
    [[nodiscard]] u16 mtu(ipv4::address to);

    // The datagrams that a payload of n octets becomes.
    std::vector<octets> send(ipv4::address to, std::size_t n, send_request r = {});
    routing::send_error error_of_send{};
};

template <class Policies>
learning_bench<Policies>::learning_bench() {
    auto& s = **this;
    REQUIRE(s.add_route({.prefix = "0.0.0.0/0"_prefix, .gateway = gateway}).has_value());
    REQUIRE(s.delivery().add_udp({.local_port = 7000}, us));
}
template <class Policies>
octets learning_bench<Policies>::ours(ipv4::address to, u16 from_port) {
    return datagram_of({.source = "10.0.2.1"_ip,
                        .destination = to,
                        .protocol = ipv4::protocols::udp,
                        .payload = support::udp_message(from_port, 9, pattern(20))});
}
template <class Policies>
void learning_bench<Policies>::error(u8 type, u8 code, u32 info, const octets& quoted,
                                     ipv4::address offender) {
    CHECK(this->receive(datagram_of({.source = offender,
                                     .destination = "10.0.2.1"_ip,
                                     .protocol = ipv4::protocols::icmp,
                                     .payload = support::icmp_message(type, code, info, quoted)}),
                        3) == fate::delivered);
}
template <class Policies>
void learning_bench<Policies>::too_big(u32 mtu, const octets& quoted) {
    error(3, 4, mtu, quoted, "10.0.2.77"_ip);
}
template <class Policies>
routing::output_route learning_bench<Policies>::way(ipv4::address to) {
    const auto r = (**this).route({.destination = to}, this->now);
    REQUIRE(r.has_value());
    return *r;
}
template <class Policies>
u16 learning_bench<Policies>::mtu(ipv4::address to) {
    return way(to).mtu;
}
template <class Policies>
std::vector<octets> learning_bench<Policies>::send(ipv4::address to, std::size_t n,
                                                   send_request r) {
    r.destination = to;
    r.protocol = ipv4::protocols::experiment1;
    error_of_send = {};
    const auto result = (**this).send(this->packet(pattern(n)), r, this->now);
    if (!result.has_value()) error_of_send = result.error();
    std::vector<octets> all;
    for (auto& s : this->sent())
        all.push_back(std::move(s.datagram));
    return all;
}

extern template struct learning_bench<small_router>;  // learning_bench.cpp

}  // namespace stack_test
