// The surroundings of random traffic: three networks, with every kind of route, endpoint and
// handler.
//
// Expects: a stack whose policies keep the default delivery.
#pragma once

#include "sent.hpp"
#include "traffic.hpp"

#include <sluice/sluice.hpp>

namespace traffic {

// Takes every packet and counts.
template <class Packet>
struct counting_sink final : packet_sink<Packet> {
    bool take(Packet& packet, const delivery_info&) noexcept override {
        ++taken;
        packet.reset();
        return true;
    }
    u64 taken = 0;
};

// Protocol 99: takes or ignores, and sometimes sends a packet itself.
template <class Packet>
struct talkative_handler final : protocol_handler<Packet> {
    handler_result receive(Packet& packet, const delivery_info& info,
                           local_services<Packet>& services) noexcept override {
        ++seen;
        if (seen % 3 == 0) {
            return handler_result::ignored();
        }
        if (seen % 5 == 0) {
            return handler_result::unreachable();
        }
        Packet answer = services.buffer();
        if (std::byte* to = answer ? answer.put(28) : nullptr) {
            fill_bytes(to, 28, std::byte{0});
            const ipv4::view ip{to};
            ip.set(ipv4::version, 4);
            ip.set(ipv4::ihl, 5);
            ip.set(ipv4::total_length, 28);
            ip.set(ipv4::ttl, 9);
            ip.set(ipv4::protocol, 99);
            ip.set(ipv4::source, info.local);
            ip.set(ipv4::destination, info.source);
            ipv4::set_checksum(ip);
            static_cast<void>(services.send_later(std::move(answer)));
        }
        packet.reset();
        return handler_result::taken();
    }
    bool error(const icmp_error_notice&) noexcept override {
        ++errors;
        return errors % 2 == 0;
    }
    u64 seen = 0;
    u64 errors = 0;
};

template <class Stack>
struct ears {
    counting_sink<typename Stack::packet_type> udp;
    counting_sink<typename Stack::packet_type> raw;
    talkative_handler<typename Stack::packet_type> handler;
};

// Routes that exist stay. Removing an interface removes its routes, so this adds them again.
template <class Stack>
void add_routes(Stack& s) {
    static_cast<void>(s.add_route({.prefix = "20.0.0.0/8"_prefix, .gateway = "10.0.2.2"_ip}));
    static_cast<void>(
        s.add_route({.prefix = "20.0.0.0/8"_prefix, .tos = 0x10, .gateway = "10.0.3.2"_ip}));
    static_cast<void>(s.add_route({.prefix = "30.0.0.0/8"_prefix, .gateway = "10.0.3.2"_ip}));
    static_cast<void>(s.add_route({.prefix = "40.0.0.0/8"_prefix, .type = route_type::blackhole}));
    static_cast<void>(
        s.add_route({.prefix = "41.0.0.0/8"_prefix, .type = route_type::unreachable}));
    static_cast<void>(s.add_route({.prefix = "42.0.0.0/8"_prefix, .type = route_type::prohibit}));
    static_cast<void>(s.add_route({.prefix = "43.0.0.0/8"_prefix, .type = route_type::throw_away}));
    static_cast<void>(
        s.add_route({.prefix = "44.0.0.0/8"_prefix, .mtu = 300, .gateway = "10.0.2.3"_ip}));
    static_cast<void>(s.add_route({.prefix = "45.0.0.0/8"_prefix, .interface = 1}));
}

template <class Stack>
void configure(Stack& s, ears<Stack>& e) {
    static_cast<void>(s.add_interface({.index = 2, .address = "10.0.1.1/24"_net, .name = "if2"}));
    static_cast<void>(s.add_interface({.index = 3, .address = "10.0.2.1/24"_net}));
    static_cast<void>(s.add_interface({.index = 4, .address = "10.0.3.1/24"_net, .mtu = 576}));
    add_routes(s);
    static_cast<void>(s.groups().join(2, "239.1.1.1"_ip));
    static_cast<void>(s.delivery().add_udp({.protocol = 17, .local_port = 7000}, e.udp));
    static_cast<void>(s.delivery().add_raw({.protocol = 1}, e.raw));
    static_cast<void>(s.delivery().set_handler(99, &e.handler));
}

// An empty packet if the stack has no buffer.
template <class Stack>
typename Stack::packet_type packet_of(Stack& s, const datagram_bytes& from) {
    auto packet = s.buffers().take();
    if (packet) {
        copy_bytes(packet.put(from.size), from.data.data(), from.size);
        packet.set_interface(from.interface);
        packet.set_addressing(from.type);
    }
    return packet;
}

}  // namespace traffic
