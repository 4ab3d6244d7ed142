// udp_echo: a handler that sends each UDP datagram back, on every port.
//
// Expects: to be registered for UDP. Does: lets addresses and ports change places, which leaves the
// UDP checksum right. Never: answers what came to many.
#pragma once

#include <sluice/delivery/concept.hpp>
#include <sluice/wire/ipv4.hpp>
#include <sluice/wire/udp.hpp>

#include <utility>

namespace examples {

template <class Packet>
struct udp_echo final : sluice::protocol_handler<Packet> {
    sluice::handler_result receive(Packet& p, const sluice::delivery_info& info,
                                   sluice::local_services<Packet>& services) noexcept override {
        namespace ipv4 = sluice::ipv4;
        namespace udp = sluice::udp;
        using sluice::u32;
        const ipv4::view ip{p.data()};
        const auto start = static_cast<u32>(header_length(ip));
        if (info.to_many || !p.may_pull(start + static_cast<u32>(udp::layout::size))) {
            return sluice::handler_result::ignored();
        }
        const udp::view ports{p.data() + start};
        const sluice::u16 port = ports[udp::source_port];
        ports.set(udp::source_port, ports[udp::destination_port]).set(udp::destination_port, port);
        ip.set(ipv4::source, info.destination).set(ipv4::destination, info.source);
        ip.set(ipv4::ttl, 64);
        ipv4::set_checksum(ip);
        static_cast<void>(services.send_later(std::move(p)));
        return sluice::handler_result::taken();
    }
};

}  // namespace examples
