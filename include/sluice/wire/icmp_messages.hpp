// ICMP messages with further fixed fields (timestamp, address mask, router advertisement), and ICMP
// headers as values.
//
// Views share the fields of wire/icmp.hpp.
//
// Expects: views over as many bytes as their layout has.
// Source:  RFC 792 (timestamp), RFC 950 appendix I (address mask), RFC 1256 section 3 (router
//          advertisement).
#pragma once

#include <cstddef>

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>
#include <sluice/base/result.hpp>
#include <sluice/wire/address.hpp>
#include <sluice/wire/error.hpp>
#include <sluice/wire/icmp.hpp>
#include <sluice/wire/layout.hpp>

namespace sluice::icmp {

// Timestamp and address mask messages, behind type, code and checksum:
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |          Identifier           |        Sequence Number        |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |              Originate Timestamp, or Address Mask             |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                       Receive Timestamp                       |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                       Transmit Timestamp                      |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

// clang-format off
// Milliseconds since midnight UT, or any value with the top bit set.
inline constexpr struct originate_time final
    : field<u32, 64, 32, "originate_time"> {} originate_time{};
inline constexpr struct receive_time final : field<u32, 96, 32, "receive_time"> {} receive_time{};
inline constexpr struct transmit_time final
    : field<u32, 128, 32, "transmit_time"> {} transmit_time{};

inline constexpr struct address_mask final
    : field<ipv4::address, 64, 32, "address_mask"> {} address_mask{};

// The number of entries of a router advertisement.
inline constexpr struct address_count final : field<u8, 32, 8, "address_count"> {} address_count{};
// Size of an entry in 32-bit words: 2.
inline constexpr struct entry_words final : field<u8, 40, 8, "entry_words"> {} entry_words{};
// The lifetime in seconds.
inline constexpr struct lifetime final : field<u16, 48, 16, "lifetime"> {} lifetime{};
// clang-format on

struct echo_layout final
    : header_layout<struct type, struct code, struct checksum, struct identifier, struct sequence> {
};
struct timestamp_layout final
    : header_layout<struct type, struct code, struct checksum, struct identifier, struct sequence,
                    struct originate_time, struct receive_time, struct transmit_time> {};
struct address_mask_layout final
    : header_layout<struct type, struct code, struct checksum, struct identifier, struct sequence,
                    struct address_mask> {};
struct router_advertisement_layout final
    : header_layout<struct type, struct code, struct checksum, struct address_count,
                    struct entry_words, struct lifetime> {};
static_assert(echo_layout::size == 8);
static_assert(timestamp_layout::size == 20);
static_assert(address_mask_layout::size == 12);
static_assert(router_advertisement_layout::size == 8);

using echo_view = header_view<echo_layout>;
using const_echo_view = header_view<echo_layout, const std::byte>;
using timestamp_view = header_view<timestamp_layout>;
using const_timestamp_view = header_view<timestamp_layout, const std::byte>;
using address_mask_view = header_view<address_mask_layout>;
using const_address_mask_view = header_view<address_mask_layout, const std::byte>;
using router_advertisement_view = header_view<router_advertisement_layout>;
using const_router_advertisement_view = header_view<router_advertisement_layout, const std::byte>;

// The eight bytes that every message has, as a value. The factories set the last four by type.
struct header {
    using layout = icmp::layout;

    u8 type = 0;
    u8 code = 0;
    u16 checksum = 0;  // emitted unchanged; `set_checksum(message)` computes it
    u32 rest_of_header = 0;

    // `message` is `types::echo_request` or `types::echo_reply`.
    [[nodiscard]] static constexpr header echo(u8 message, u16 id, u16 number) noexcept {
        return header{message, 0, 0, (u32{id} << 16) | number};
    }
    [[nodiscard]] static constexpr header destination_unreachable(u8 why) noexcept {
        return header{types::destination_unreachable, why, 0, 0};
    }
    // `mtu` in bytes. RFC 1191 section 4.
    [[nodiscard]] static constexpr header fragmentation_needed(u16 mtu) noexcept {
        return header{types::destination_unreachable, unreachable::fragmentation_needed, 0, mtu};
    }
    [[nodiscard]] static constexpr header redirect(u8 why, ipv4::address router) noexcept {
        return header{types::redirect, why, 0, router.value};
    }
    [[nodiscard]] static constexpr header time_exceeded(u8 why) noexcept {
        return header{types::time_exceeded, why, 0, 0};
    }
    // `at`: offset of the bad byte in the quoted datagram.
    [[nodiscard]] static constexpr header parameter_problem(u8 at) noexcept {
        return header{types::parameter_problem, problems::pointer, 0, u32{at} << 24};
    }

    template <class Self, class Visit>
    static constexpr void each_field(Self& self, Visit visit) {
        visit(icmp::type, self.type);
        visit(icmp::code, self.code);
        visit(icmp::checksum, self.checksum);
        visit(icmp::rest_of_header, self.rest_of_header);
    }

    friend constexpr bool operator==(const header&, const header&) noexcept = default;
};

// A timestamp request or reply as a value.
struct timestamp_message {
    using layout = timestamp_layout;

    u8 type = types::timestamp_request;
    u8 code = 0;
    u16 checksum = 0;
    u16 identifier = 0;
    u16 sequence = 0;
    u32 originate_time = 0;
    u32 receive_time = 0;
    u32 transmit_time = 0;

    template <class Self, class Visit>
    static constexpr void each_field(Self& self, Visit visit) {
        visit(icmp::type, self.type);
        visit(icmp::code, self.code);
        visit(icmp::checksum, self.checksum);
        visit(icmp::identifier, self.identifier);
        visit(icmp::sequence, self.sequence);
        visit(icmp::originate_time, self.originate_time);
        visit(icmp::receive_time, self.receive_time);
        visit(icmp::transmit_time, self.transmit_time);
    }

    friend constexpr bool operator==(const timestamp_message&,
                                     const timestamp_message&) noexcept = default;
};

}  // namespace sluice::icmp
