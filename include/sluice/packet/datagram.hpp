// datagram<Packet>: a packet whose IPv4 header was verified.
// Expects: to be made by pipeline::validate alone (it is a friend by name); the bytes are then
// those of one datagram: version 4, header of 20 to 60 octets that are contiguous, checksum right,
// total length equal to size(), or 0 for a packet of TCP segments that is longer. Does: gives the
// header unchecked because it was checked. Never: re-checks. Cost: the packet itself; no octet
// more.
#pragma once

#include <sluice/packet/packet_buffer.hpp>
#include <sluice/wire/ipv4.hpp>

#include <utility>

namespace sluice {

namespace pipeline {
struct validator;
}

template <packet_buffer Packet>
class datagram {
public:
    using packet_type = Packet;

    constexpr datagram(datagram&&) noexcept = default;
    constexpr datagram& operator=(datagram&&) noexcept = default;

    [[nodiscard]] constexpr ipv4::const_view header() const noexcept {
        return ipv4::const_view{packet_.data()};
    }
    // For a stage that rewrites, once packet().unshare() said yes: it keeps the checksum right.
    [[nodiscard]] constexpr ipv4::view writable_header() noexcept {
        return ipv4::view{packet_.writable()};
    }

    // In octets: 20 .. 60, and of everything after the header.
    [[nodiscard]] constexpr u32 header_size() const noexcept {
        return 4 * (static_cast<u32>(packet_.data()[0]) & 0x0f);
    }
    [[nodiscard]] constexpr u32 payload_size() const noexcept {
        return packet_.size() - header_size();
    }
    [[nodiscard]] constexpr bool has_options() const noexcept { return header_size() > 20; }

    [[nodiscard]] constexpr Packet& packet() noexcept { return packet_; }
    [[nodiscard]] constexpr const Packet& packet() const noexcept { return packet_; }
    // Gives the packet up; the datagram is empty afterwards.
    [[nodiscard]] constexpr Packet release() && noexcept { return std::move(packet_); }

private:
    friend struct pipeline::validator;
    constexpr explicit datagram(Packet&& p) noexcept : packet_(std::move(p)) {}
    Packet packet_;
};

}  // namespace sluice
