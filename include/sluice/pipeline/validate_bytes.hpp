// validate(bytes): returns the IPv4 datagram at the start of bytes in memory, without padding, or
// the reason why there is none.
//
// Use it for bytes that are not in a packet. The checks and their order are those of validate for
// packets.
//
// Never:   reads beyond the bytes.
// Errors:  header_truncated, header_invalid, header_checksum, length_beyond_packet,
//          length_below_header; message(e) has a sentence for each.
// Cost:    one pass over the header.
// Source:  RFC 1812 section 5.2.2, RFC 1122 section 3.2.1; Linux ip_rcv_core.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/base/result.hpp>
#include <sluice/packet/drop_reason.hpp>
#include <sluice/wire/ipv4.hpp>

namespace sluice::pipeline {

[[nodiscard]] constexpr result<const_bytes, drop_reason> validate(const_bytes from) noexcept {
    if (from.size() < ipv4::min_header_length) {
        return failure{drop_reason::header_truncated};
    }
    const ipv4::const_view ip{from.data()};
    const std::size_t header = ipv4::header_length(ip);
    if (ip[ipv4::version] != 4 || header < ipv4::min_header_length) {
        return failure{drop_reason::header_invalid};
    }
    if (from.size() < header) {
        return failure{drop_reason::header_truncated};
    }
    if (!ipv4::checksum_ok(ip)) {
        return failure{drop_reason::header_checksum};
    }
    const std::size_t total = ip[ipv4::total_length];
    if (from.size() < total) {
        return failure{drop_reason::length_beyond_packet};
    }
    if (total < header) {
        return failure{drop_reason::length_below_header};
    }
    return from.first(total);
}

}  // namespace sluice::pipeline
