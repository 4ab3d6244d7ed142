// The environment of the option functions: answers as the router of the recorded vectors (10.0.1.1,
// 10.0.2.1 and 10.0.3.1, each with a network of 24 bits); and helpers to make and read headers.
#pragma once

#include <array>
#include <initializer_list>
#include <vector>

#include <sluice/options/linux_options.hpp>
#include <sluice/wire/literals.hpp>

namespace options_test {

using namespace sluice;
using namespace sluice::literals;

inline constexpr u32 noon = 0x02932e00;

struct surroundings {
    ipv4::address own = "10.0.1.1"_ip;
    ipv4::address outgoing = "10.0.2.1"_ip;
    int asked_own = 0;
    int asked_time = 0;
    int asked_outgoing = 0;

    static constexpr bool is_local(ipv4::address a) noexcept {
        return a == "10.0.1.1"_ip || a == "10.0.2.1"_ip || a == "10.0.3.1"_ip;
    }
    constexpr ipv4::address specific_destination() noexcept {
        ++asked_own;
        return own;
    }
    constexpr bool is_unicast(ipv4::address a) noexcept {
        return !is_local(a) && !a.is_multicast() && !a.is_zero_network() && !a.is_loopback() &&
               a.byte(3) != 255;
    }
    constexpr u32 midnight_ms() noexcept {
        ++asked_time;
        return noon;
    }
    constexpr ipv4::address output_source(ipv4::address) noexcept {
        ++asked_outgoing;
        return outgoing;
    }
};

using header_bytes = std::vector<std::byte>;

// A header from 10.0.1.2 with these options (padded with zeros), checksum right.
inline header_bytes header_with(const_bytes options, ipv4::address to = "10.0.1.1"_ip) {
    const std::size_t words = 5 + (options.size() + 3) / 4;
    header_bytes made(words * 4, std::byte{0});
    made[0] = static_cast<std::byte>(0x40 | words);
    copy_bytes(made.data() + 20, options.data(), options.size());
    const ipv4::view ip{made.data()};
    ip.set(ipv4::total_length, static_cast<u16>(made.size()));
    ip.set(ipv4::ttl, 64);
    ip.set(ipv4::protocol, 253);
    ip.set(ipv4::source, "10.0.1.2"_ip);
    ip.set(ipv4::destination, to);
    ipv4::set_checksum(ip);
    return made;
}

inline header_bytes list(std::initializer_list<int> values) {
    header_bytes made;
    for (const int byte : values)
        made.push_back(static_cast<std::byte>(byte));
    return made;
}

inline header_bytes options_after(const header_bytes& header) {
    return {header.begin() + 20, header.end()};
}

template <std::size_t Size>
header_bytes to_header(const std::array<std::byte, Size>& packet) {
    const std::size_t length = 4 * (std::to_integer<std::size_t>(packet[0]) & 15);
    return {packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(length)};
}

// SplitMix64: the same numbers on every machine.
struct dice {
    u64 state;
    u64 next() {
        u64 z = (state += 0x9e3779b97f4a7c15);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
    std::size_t below(std::size_t bound) { return next() % bound; }
};

// Option bytes that are mostly nearly right: kinds that matter, lengths and pointers around the
// bounds.
inline header_bytes random_options(dice& random) {
    constexpr int kinds[] = {0, 1, 7, 7, 68, 68, 68, 131, 137, 148, 134, 130, 25, 153};
    header_bytes made;
    const std::size_t size = 4 * (1 + random.below(10));
    while (made.size() < size) {
        const int kind = random.below(20) == 0 ? int(random.below(256)) : kinds[random.below(14)];
        made.push_back(std::byte(kind));
        if (kind <= 1) continue;
        const std::size_t left = size - made.size() + 1;
        std::size_t length = random.below(8) == 0 ? random.below(256) : 2 + random.below(left + 1);
        made.push_back(std::byte(length));
        if (length < 3) continue;
        made.push_back(std::byte(random.below(3) == 0 ? random.below(48) : 4 + random.below(2)));
        constexpr int flags[] = {0, 1, 3, 3, 2, 0xf0, 0xe1, 0x53};
        for (std::size_t i = 3; i < length && made.size() < size; ++i) {
            constexpr int values[] = {10, 0, 1, 1, 2, 255};
            made.push_back(std::byte(i == 3 && random.below(2) ? flags[random.below(8)]
                                                               : values[random.below(6)]));
        }
    }
    made.resize(size);
    return made;
}

}  // namespace options_test
