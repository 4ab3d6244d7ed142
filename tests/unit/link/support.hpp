// Shared by the tests of the link layer: bytes from hexadecimal, a sink that records frames, a host
// with two interfaces.
#pragma once

#include <sluice/link/ethernet.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/wire/literals.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace link_test {

using namespace sluice;
using namespace sluice::literals;

using pool = fixed_pool<1024, 64>;
using packet = pool::packet_type;

constexpr ethernet::address mac0{{2, 0, 0, 0, 1, 1}};
constexpr ethernet::address mac1{{2, 0, 0, 0, 2, 1}};

inline std::string hex_of(const_bytes data) {
    std::string text;
    for (std::byte b : data) {
        text += "0123456789abcdef"[std::to_integer<unsigned>(b >> 4)];
        text += "0123456789abcdef"[std::to_integer<unsigned>(b & std::byte{15})];
    }
    return text;
}
inline std::string to_hex(const packet& p) {
    std::string text;
    p.for_each_piece([&](const_bytes piece) { text += hex_of(piece); });
    return text;
}
inline packet from_hex(pool& from, std::string_view hex, u16 interface, u16 headroom = 32) {
    packet p = from.take(headroom);
    p.set_interface(interface);
    std::byte* to = p.put(static_cast<u32>(hex.size() / 2));
    const auto digit = [](char c) {
        return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
    };
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        *to++ = static_cast<std::byte>(digit(hex[i]) << 4 | digit(hex[i + 1]));
    }
    return p;
}

struct sink {
    static constexpr bool takes_segmented = true;
    bool refuses = false;
    std::vector<std::string> frames{};  // "interface hex"

    bool send_frame(packet& frame, u16 interface, instant) noexcept {
        if (refuses) {
            return false;
        }
        frames.push_back(std::to_string(interface) + " " + to_hex(frame));
        frame.reset();
        return true;
    }
    void flush() noexcept {}
    std::vector<std::string> take() { return std::exchange(frames, {}); }
};

// Interface 2 is 10.0.1.1/24, interface 3 is 10.0.2.1/24, as in the recorded scenarios.
struct host {
    ethernet::address hardware_address(u16 i) const noexcept { return i == 2 ? mac0 : mac1; }
    bool is_own(u16, ipv4::address a) const noexcept {
        return a == "10.0.1.1"_ip || a == "10.0.9.1"_ip || a == "10.0.2.1"_ip;
    }
    ipv4::address source_for(u16 i, ipv4::address) const noexcept {
        return i == 2 ? "10.0.1.1"_ip : "10.0.2.1"_ip;
    }
    bool is_martian(u16, ipv4::address a) const noexcept { return (a.value & 0xff) == 0xff; }
    void address_conflict(u16 i, ipv4::address own, ethernet::address claimant) noexcept {
        conflicts.push_back(std::to_string(i) + " " + std::to_string(own.value & 0xffff) + " " +
                            std::to_string(unsigned{claimant.parts[5]}));
    }
    std::vector<std::string> conflicts{};  // "interface address claimant", the last bytes
};

template <std::size_t N = 16>
struct linked_host {
    pool buffers{};
    host addresses{};
    sink device{};
    ethernet_link<pool, host, sink, N> link;

    explicit linked_host(const neighbour_times& times = {})
        : link{buffers, addresses, device, {1, 2}, times} {}

    bool send(std::string_view hex, u16 interface, ipv4::address next_hop, instant now,
              link_destination kind = link_destination::unicast) {
        packet p = from_hex(buffers, hex, 0);
        return link.output(p, {interface, kind, next_hop}, now);
    }
    frame_kind hear(std::string_view hex, u16 interface, instant now) {
        packet p = from_hex(buffers, hex, interface, 0);
        return link.input(p, now);
    }
};

constexpr instant at(i64 milliseconds) {
    return instant{} + duration::from_milliseconds(milliseconds);
}

// 10.0.1.2 to 10.0.2.77, forwarded; its request, and an answer.
inline constexpr std::string_view datagram_hex =
    "4500001c123400003ffd51630a0001020a00024d616e79626f64793f";
inline constexpr std::string_view request =
    "ffffffffffff020000000201080600010800060400010200000002010a0002010000000000000a00024d";
inline constexpr std::string_view answer =
    "02000000020102000000024d0806000108000604000202000000024d0a00024d0200000002010a000201";
inline const std::string sent_datagram =
    "3 02000000024d0200000002010800" + std::string{datagram_hex};

}  // namespace link_test
