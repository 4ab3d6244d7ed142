// Packets as bytes, made without the library: the fields are given, seal() writes lengths and
// checksums.
#pragma once

#include "differential_plan.hpp"

namespace replay {

inline constexpr std::size_t least_header = 20;  // without options

struct ip_fields {
    address source = 0;
    address destination = 0;
    std::uint8_t protocol = 253;
    std::uint8_t ttl = 64;
    std::uint8_t tos = 0;
    std::uint16_t identification = 0;
    std::uint16_t fragment = 0;  // flags and offset as in the header
    byte_vector options;         // any length, padded by seal()
};

[[nodiscard]] std::uint16_t internet_checksum(const byte_vector& bytes, std::size_t first,
                                              std::size_t end, std::uint32_t start = 0);
void store16(byte_vector& bytes, std::size_t at, std::uint16_t value);
void append32(byte_vector& bytes, address value);
[[nodiscard]] byte_vector seal(const ip_fields& fields, const byte_vector& payload);
void fix_header_checksum(byte_vector& packet);

[[nodiscard]] byte_vector draw_options(dice& random, const known_addresses& around);
// An ICMP message, a UDP datagram or so, as fields.protocol says.
[[nodiscard]] byte_vector draw_payload(dice& random, const known_addresses& around,
                                       const ip_fields& fields);
[[nodiscard]] address draw_source(dice& random, const known_addresses& around,
                                  const std::string& interface);
[[nodiscard]] address draw_destination(dice& random, const known_addresses& around,
                                       const std::string& interface);
// A host of the subnet, which may be any address of it.
[[nodiscard]] address draw_near(dice& random, const prefix& net);

}  // namespace replay
