// arp: the ARP packet for IPv4 over Ethernet.
//
// Call is_ethernet_ipv4() before using the addresses. link/ resolves addresses.
//
// Expects: views over at least 28 bytes.
// Source:  RFC 826, RFC 5227 section 1.1 (probe and announcement).
#pragma once

#include <cstddef>

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>
#include <sluice/base/result.hpp>
#include <sluice/wire/address.hpp>
#include <sluice/wire/error.hpp>
#include <sluice/wire/ethernet.hpp>
#include <sluice/wire/layout.hpp>

namespace sluice::arp {

//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |         Hardware type         |         Protocol type         |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |Hardware length|Protocol length|           Operation           |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                    Sender hardware address                    |
//  +                               +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                               |    Sender protocol address    |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |           (goes on)           |    Target hardware address    |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+                               +
//  |                                                               |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                    Target protocol address                    |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

// clang-format off
inline constexpr struct hardware_type final : field<u16, 0, 16, "hardware_type"> {} hardware_type{};
inline constexpr struct protocol_type final
    : field<u16, 16, 16, "protocol_type"> {} protocol_type{};
inline constexpr struct hardware_length final
    : field<u8, 32, 8, "hardware_length"> {} hardware_length{};
inline constexpr struct protocol_length final
    : field<u8, 40, 8, "protocol_length"> {} protocol_length{};
inline constexpr struct operation final : field<u16, 48, 16, "operation"> {} operation{};
inline constexpr struct sender_hardware final
    : field<ethernet::address, 64, 48, "sender_hardware"> {} sender_hardware{};
inline constexpr struct sender_protocol final
    : field<ipv4::address, 112, 32, "sender_protocol"> {} sender_protocol{};
inline constexpr struct target_hardware final
    : field<ethernet::address, 144, 48, "target_hardware"> {} target_hardware{};
inline constexpr struct target_protocol final
    : field<ipv4::address, 192, 32, "target_protocol"> {} target_protocol{};
// clang-format on

struct layout final
    : header_layout<struct hardware_type, struct protocol_type, struct hardware_length,
                    struct protocol_length, struct operation, struct sender_hardware,
                    struct sender_protocol, struct target_hardware, struct target_protocol> {};
static_assert(layout::size == 28);

using view = header_view<layout>;
using const_view = header_view<layout, const std::byte>;

inline constexpr u16 ethernet_hardware = 1;

// Values of `operation`.
namespace operations {
inline constexpr u16 request = 1;
inline constexpr u16 reply = 2;
}  // namespace operations

// Whether types and lengths are those of IPv4 over Ethernet, so that the address fields are valid.
[[nodiscard]] constexpr bool is_ethernet_ipv4(const_view packet) noexcept {
    return packet[hardware_type] == ethernet_hardware &&
           packet[protocol_type] == ethernet::types::ipv4 && packet[hardware_length] == 6 &&
           packet[protocol_length] == 4;
}

// An ARP packet for IPv4 over Ethernet as a value.
struct packet {
    using layout = arp::layout;

    u16 operation = operations::request;
    ethernet::address sender_hardware{};
    ipv4::address sender_protocol{};
    ethernet::address target_hardware{};
    ipv4::address target_protocol{};

    template <class Self, class Visit>
    static constexpr void each_field(Self& self, Visit visit) {
        visit(arp::operation, self.operation);
        visit(arp::sender_hardware, self.sender_hardware);
        visit(arp::sender_protocol, self.sender_protocol);
        visit(arp::target_hardware, self.target_hardware);
        visit(arp::target_protocol, self.target_protocol);
    }

    // `bad_value` if it is not for IPv4 over Ethernet.
    [[nodiscard]] static constexpr wire_error refusal(const_view from) noexcept {
        return is_ethernet_ipv4(from) ? wire_error::none : wire_error::bad_value;
    }
    static constexpr void complete(view to) noexcept {
        to.set(hardware_type, ethernet_hardware)
            .set(protocol_type, ethernet::types::ipv4)
            .set(hardware_length, 6)
            .set(protocol_length, 4);
    }

    friend constexpr bool operator==(const packet&, const packet&) noexcept = default;
};

}  // namespace sluice::arp
