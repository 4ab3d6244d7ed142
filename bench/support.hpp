// support: shared by the benchmarks: a router with sixteen routes, its traffic, the cycle counter.
//
// It builds the same router and the same packets for each contender.
//
// Expects: x86 for cycles; elsewhere cycles are 0, and rates per cycle too.
// Never:   allocates inside a measured part.
#pragma once

#include <sluice/sluice.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <vector>

namespace bench {

using namespace sluice::literals;

[[nodiscard]] inline std::uint64_t cycles() noexcept {
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    return 0;
#endif
}

inline constexpr std::uint16_t left = 2;  // index 1 is lo
inline constexpr std::uint16_t right = 3;

struct route_line {
    sluice::ipv4::prefix prefix;
    sluice::ipv4::address gateway;
};

// Sixteen routes of the lengths that edge routers carry, all by the right-hand interface.
inline constexpr std::array<route_line, 16> sixteen_routes{{
    {"11.0.0.0/8"_prefix, "10.0.2.2"_ip},
    {"12.16.0.0/12"_prefix, "10.0.2.3"_ip},
    {"20.1.0.0/16"_prefix, "10.0.2.4"_ip},
    {"20.2.0.0/16"_prefix, "10.0.2.5"_ip},
    {"30.4.32.0/19"_prefix, "10.0.2.6"_ip},
    {"30.4.64.0/20"_prefix, "10.0.2.7"_ip},
    {"40.1.8.0/22"_prefix, "10.0.2.8"_ip},
    {"50.0.0.0/24"_prefix, "10.0.2.9"_ip},
    {"50.0.1.0/24"_prefix, "10.0.2.10"_ip},
    {"50.0.2.0/24"_prefix, "10.0.2.11"_ip},
    {"60.7.7.0/25"_prefix, "10.0.2.12"_ip},
    {"60.7.7.128/25"_prefix, "10.0.2.13"_ip},
    {"70.0.0.64/26"_prefix, "10.0.2.14"_ip},
    {"80.0.0.0/28"_prefix, "10.0.2.15"_ip},
    {"192.168.0.0/16"_prefix, "10.0.2.16"_ip},
    {"192.168.5.0/24"_prefix, "10.0.2.17"_ip},
}};

// Two networks; the caller adds routes.
template <class Stack>
void add_interfaces(Stack& router) {
    static_cast<void>(router.add_interface({.index = left, .address = "10.0.1.1/24"_net}));
    static_cast<void>(router.add_interface({.index = right, .address = "10.0.2.1/24"_net}));
}
template <class Stack>
void add_sixteen_routes(Stack& router) {
    for (const route_line& line : sixteen_routes) {
        static_cast<void>(router.add_route({.prefix = line.prefix, .gateway = line.gateway}));
    }
}

// A datagram of this size with a right header checksum.
inline void write_datagram(std::byte* to, std::uint16_t size, sluice::ipv4::address source,
                           sluice::ipv4::address destination, std::uint8_t protocol = 17) {
    for (std::uint16_t i = 20; i < size; ++i) {
        to[i] = static_cast<std::byte>(i);
    }
    const sluice::ipv4::view ip{to};
    sluice::fill_bytes(to, 20, std::byte{0});
    ip.set(sluice::ipv4::version, 4);
    ip.set(sluice::ipv4::ihl, 5);
    ip.set(sluice::ipv4::total_length, size);
    ip.set(sluice::ipv4::ttl, 64);
    ip.set(sluice::ipv4::protocol, protocol);
    ip.set(sluice::ipv4::source, source);
    ip.set(sluice::ipv4::destination, destination);
    sluice::ipv4::set_checksum(ip);
}

// Addresses behind the sixteen routes, each route equally often.
inline std::vector<sluice::ipv4::address> destinations(std::size_t n) {
    std::mt19937 random{20};
    std::vector<sluice::ipv4::address> all;
    for (std::size_t i = 0; i < n; ++i) {
        const auto& p = sixteen_routes[random() % sixteen_routes.size()].prefix;
        all.push_back({p.base.value | (static_cast<std::uint32_t>(random()) & ~p.mask().value)});
    }
    return all;
}

// A batch of datagrams from the left-hand network to these destinations.
template <class Stack>
std::vector<typename Stack::packet_type> make_batch(Stack& router, std::uint16_t size,
                                                    std::span<const sluice::ipv4::address> to) {
    std::vector<typename Stack::packet_type> batch;
    for (std::size_t i = 0; i < to.size(); ++i) {
        auto packet = router.buffers().take();
        const sluice::ipv4::address source{0x0a000164u + static_cast<std::uint32_t>(i % 100)};
        write_datagram(packet.put(size), size, source, to[i]);
        packet.set_interface(left);
        batch.push_back(std::move(packet));
    }
    return batch;
}

// Moves the forwarded packets back into the batch, with TTL and checksum as before.
template <class Stack, class Batch>
void refill(Stack& router, Batch& batch) {
    for (auto& slot : batch) {
        slot = router.output().next().packet;
        slot.set_interface(left);
    }
}
template <class Batch>
void renew_ttl(Batch& batch) {
    for (auto& packet : batch) {
        const sluice::ipv4::view ip{packet.data()};
        ip.set(sluice::ipv4::ttl, 64);
        sluice::ipv4::set_checksum(ip);
    }
}

}  // namespace bench
