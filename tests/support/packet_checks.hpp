// check(packet, ttl(63), source(a), right_sums()): checks a datagram by combined expectations. A
// failed one names the field that differs.
#pragma once

#include <doctest/doctest.h>

#include "support/datagrams.hpp"

namespace support {

// Any field of the IPv4 header, by its name.
template <class Field, class Value>
auto header_field(Field f, Value expected) {
    return [=](const byte_vector& datagram) {
        INFO("IPv4 field ", doctest::String{Field::name});
        CHECK(ipv4::const_view{datagram.data()}[f] == expected);
    };
}

inline auto ttl(u8 v) {
    return header_field(ipv4::ttl, v);
}
inline auto tos(u8 v) {
    return header_field(ipv4::tos, v);
}
inline auto protocol(u8 v) {
    return header_field(ipv4::protocol, v);
}
inline auto flags_and_offset(u16 v) {
    return header_field(ipv4::flags_and_offset, v);
}
inline auto source(ipv4::address a) {
    return header_field(ipv4::source, a);
}
inline auto destination(ipv4::address a) {
    return header_field(ipv4::destination, a);
}
inline auto size(std::size_t n) {
    return [=](const byte_vector& datagram) { CHECK(datagram.size() == n); };
}
inline auto payload(byte_vector expected) {
    return [expected = std::move(expected)](const byte_vector& datagram) {
        CHECK_MESSAGE(payload_of(datagram) == expected, "the payload differs");
    };
}

// The header checksum is right, and the total length is the number of bytes.
inline auto right_sums() {
    return [](const byte_vector& datagram) {
        const ipv4::const_view ip{datagram.data()};
        CHECK_MESSAGE(ipv4::checksum_ok(ip), "header checksum");
        CHECK(ip[ipv4::total_length] == datagram.size());
        if (ip[ipv4::protocol] == ipv4::protocols::icmp && !ipv4::is_fragment(ip)) {
            CHECK_MESSAGE(icmp::checksum_ok(payload_of(datagram)), "ICMP checksum");
        }
    };
}

inline auto icmp_is(u8 type, u8 code, u32 info = 0) {
    return [=](const byte_vector& datagram) {
        REQUIRE(datagram.size() >= 28);
        const byte_vector message = payload_of(datagram);
        const icmp::const_view m{message.data()};
        CHECK(m[icmp::type] == type);
        CHECK(m[icmp::code] == code);
        CHECK(m[icmp::rest_of_header] == info);
    };
}

// An ICMP error that quotes the first `n` bytes of this datagram.
inline auto quotes(byte_vector offender, std::size_t n) {
    return [=](const byte_vector& datagram) {
        const byte_vector message = payload_of(datagram);
        REQUIRE(message.size() == icmp::header_length + n);
        CHECK_MESSAGE(equal_bytes(const_bytes{message}.subspan(icmp::header_length),
                                  const_bytes{offender}.first(n)),
                      "the quoted bytes differ");
    };
}

template <class... Checks>
void check(const byte_vector& datagram, const Checks&... checks) {
    REQUIRE(datagram.size() >= ipv4::min_header_length);
    (checks(datagram), ...);
}

}  // namespace support
