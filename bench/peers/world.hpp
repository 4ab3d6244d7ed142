// world: the networks, routes and datagrams that all sides of the comparison share.
//
// It has sixteen ports with a network each and sixty-four next hops behind them, and one port where
// packets come in. It writes valid IPv4 datagrams, the same in every run.
//
// Never:   depends on one of the sides.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace peers {

using address = std::uint32_t;  // host byte order

constexpr address ip(unsigned a, unsigned b, unsigned c, unsigned d) {
    return a << 24 | b << 16 | c << 8 | d;
}

// -- ports and next hops --
inline constexpr unsigned ports = 16;
inline constexpr unsigned hops = 64;
inline constexpr address entry_address = ip(10, 1, 0, 1);  // of the port where packets come in, /16
constexpr unsigned port_of(unsigned hop) {
    return hop % ports;
}
// The address of an outgoing port, /24.
constexpr address address_of(unsigned port) {
    return ip(10, 64 + port, 0, 1);
}
constexpr address gateway_of(unsigned hop) {
    return ip(10, 64 + port_of(hop), 0, 64 + hop);
}
constexpr unsigned hop_of(address gateway) {
    return gateway % hops;
}
inline constexpr unsigned mtu = 1500;

struct route {
    address base;
    std::uint8_t length;
    std::uint16_t hop;
};

struct random_numbers {  // splitmix64
    std::uint64_t state;
    std::uint64_t next() {
        std::uint64_t z = state += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
    std::uint32_t below(std::uint32_t n) {
        return static_cast<std::uint32_t>((next() >> 32) * n >> 32);
    }
};

constexpr std::uint32_t mask_of(unsigned length) {
    return length == 0 ? 0 : 0xffffffffu << (32 - length);
}

// Prefix lengths of a small router.
inline std::vector<route> sixteen_routes() {
    constexpr std::uint8_t lengths[]{8, 12, 16, 16, 19, 20, 22, 24, 24, 24, 24, 16, 24, 25, 26, 28};
    std::vector<route> all;
    for (std::uint16_t i = 0; i < 16; ++i) {
        const address base = ip(20 + i, 16 * (i % 8u), 32 * (i % 4u), 64 * (i % 2u));
        all.push_back({base & mask_of(lengths[i]), lengths[i], i});
    }
    return all;
}

// n addresses, each behind a route drawn at random.
inline std::vector<address> destinations(std::span<const route> behind, unsigned n) {
    random_numbers random{7};
    std::vector<address> all;
    for (unsigned i = 0; i < n; ++i) {
        const route& r = behind[random.below(static_cast<std::uint32_t>(behind.size()))];
        all.push_back(r.base | (static_cast<address>(random.next()) & ~mask_of(r.length)));
    }
    return all;
}

// -- datagrams --
inline void store(unsigned char* to, std::uint16_t v) {
    to[0] = static_cast<unsigned char>(v >> 8);
    to[1] = static_cast<unsigned char>(v);
}
inline void store(unsigned char* to, address v) {
    store(to, static_cast<std::uint16_t>(v >> 16));
    store(to + 2, static_cast<std::uint16_t>(v));
}
inline address load(const unsigned char* from) {
    return ip(from[0], from[1], from[2], from[3]);
}
// RFC 1071, for an even or odd number of bytes; 0 if the bytes contain a right checksum.
inline std::uint16_t sum(const unsigned char* of, std::size_t n, std::uint32_t start = 0) {
    for (std::size_t i = 0; i < n; ++i) {
        start += i % 2 == 0 ? of[i] * 256u : of[i];
    }
    start = (start >> 16) + (start & 0xffff);
    return static_cast<std::uint16_t>(~(start + (start >> 16)));
}

struct header {
    address source = 0;
    address destination = 0;
    std::uint16_t size = 0;
    std::uint8_t ttl = 64;
    std::uint8_t protocol = 17;
    std::uint8_t options = 0;  // bytes, all 0 at first
};

inline void write_header(unsigned char* to, const header& h) {
    const unsigned length = 20u + h.options;
    std::memset(to, 0, length);
    to[0] = static_cast<unsigned char>(0x40 | length / 4);
    store(to + 2, h.size);
    to[8] = h.ttl;
    to[9] = h.protocol;
    store(to + 12, h.source);
    store(to + 16, h.destination);
    store(to + 10, sum(to, length));
}

// The port of a UDP datagram to the first endpoint.
inline constexpr std::uint16_t first_port = 10000;

inline void write_udp(unsigned char* header_at, unsigned header_length, unsigned size,
                      std::uint16_t port) {
    unsigned char* udp = header_at + header_length;
    const auto length = static_cast<std::uint16_t>(size - header_length);
    for (unsigned i = 8; i < length; ++i) {
        udp[i] = static_cast<unsigned char>(i * 7);
    }
    store(udp, std::uint16_t{4000});
    store(udp + 2, port);
    store(udp + 4, length);
    store(udp + 6, std::uint16_t{0});
    std::uint32_t pseudo = 17u + length;
    for (unsigned i = 12; i < 20; i += 2) {
        pseudo += header_at[i] * 256u + header_at[i + 1];
    }
    store(udp + 6, sum(udp, length, pseudo));
}

// -- the whole path --
enum class workload {
    forward,
    forward_hooked,  // with a hook at forward that accepts
    options,         // forwarded, with a record route option
    bad_checksum,
    echo,
    echo_no_room,  // no room in front of the packet for the link's header
    time_exceeded,
    udp_1,  // to this number of endpoints, in turn
    udp_10,
    udp_100,
    udp_1000,
    send,
    send_kept,           // with a route that was looked up once
    send_dont_fragment,  // the same, with DF
};
inline constexpr std::array all_workloads{workload::forward,       workload::forward_hooked,
                                          workload::options,       workload::bad_checksum,
                                          workload::echo,          workload::echo_no_room,
                                          workload::time_exceeded, workload::udp_1,
                                          workload::udp_10,        workload::udp_100,
                                          workload::udp_1000,      workload::send,
                                          workload::send_kept,     workload::send_dont_fragment};

inline constexpr unsigned endpoints_of(workload w) {
    return w == workload::udp_1      ? 1
           : w == workload::udp_10   ? 10
           : w == workload::udp_100  ? 100
           : w == workload::udp_1000 ? 1000
                                     : 0;
}
inline constexpr bool is_echo(workload w) {
    return w == workload::echo || w == workload::echo_no_room;
}
inline constexpr bool is_send(workload w) {
    return w == workload::send || w == workload::send_kept || w == workload::send_dont_fragment;
}

// A received datagram from its header on. To send: header (only the destination counts) and
// payload.
struct datagram {
    std::uint16_t size = 0;
    std::uint16_t header_length = 20;
    unsigned char bytes[92]{};
};
inline constexpr unsigned datagrams = 1000;  // in a pass
inline constexpr unsigned host_burst = 32;

inline std::vector<datagram> datagrams_of(workload w) {
    std::vector<datagram> all(datagrams);
    const bool to_us = is_echo(w) || endpoints_of(w) != 0;
    for (unsigned i = 0; i < datagrams; ++i) {
        datagram& d = all[i];
        const std::uint8_t options = w == workload::options ? 12 : 0;
        d.header_length = static_cast<std::uint16_t>(20 + options);
        d.size = static_cast<std::uint16_t>(46 + options);
        // Datagrams sent with a kept route go to one host for each port.
        const unsigned station = is_send(w) ? 100 : 100 + i % 50;
        header h{.source = ip(10, 1, 1 + i / 200, 2 + i % 200),
                 .destination = to_us ? entry_address : ip(10, 64 + i % ports, 0, station),
                 .size = d.size,
                 .options = options};
        h.ttl = w == workload::time_exceeded ? 1 : 64;
        h.protocol = is_echo(w) ? 1 : 17;
        write_header(d.bytes, h);
        write_udp(d.bytes, d.header_length, d.size,
                  static_cast<std::uint16_t>(first_port +
                                             (endpoints_of(w) != 0 ? i % endpoints_of(w) : 0)));
        if (w == workload::options) {  // room for two addresses, then a no operation
            constexpr unsigned char record[12]{7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 1};
            std::memcpy(d.bytes + 20, record, sizeof record);
            store(d.bytes + 10, std::uint16_t{0});
            store(d.bytes + 10, sum(d.bytes, d.header_length));
        }
        if (w == workload::bad_checksum) {
            d.bytes[10] ^= 0x40;
        }
        if (is_echo(w)) {
            unsigned char* icmp = d.bytes + 20;
            std::memset(icmp, 0, 4);
            icmp[0] = 8;
            store(icmp + 2, sum(icmp, d.size - 20u));
        }
    }
    return all;
}

}  // namespace peers
