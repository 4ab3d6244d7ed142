// icmp_error: writes the message of an ICMP error: header, quote, checksum.
//
// Expects: a decision that the error may be sent, and how much it quotes (pipeline/icmp_error.hpp).
// Never:   looks at the quoted bytes.
// Cost:    a copy of at most 548 bytes.
// Source:  RFC 792, RFC 1812 section 4.3.2.3; Linux icmp_push_reply.
#pragma once

#include <sluice/packet/decision.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/reader.hpp>
#include <sluice/wire/icmp.hpp>

namespace sluice::rewrite {

// Writes the message with `quote` bytes of the offending packet into the empty packet `to`; false
// without tailroom.
template <packet_buffer Packet>
[[nodiscard]] constexpr bool write_error(Packet& to, const Packet& offending, icmp_request error,
                                         u32 quote) noexcept {
    std::byte* start = to.put(static_cast<u32>(icmp::header_length) + quote);
    if (start == nullptr) {
        return false;
    }
    const icmp::view message{start};
    message.set(icmp::type, error.type());
    message.set(icmp::code, error.code());
    message.set(icmp::checksum, 0);
    message.set(icmp::rest_of_header, error.info());
    packet_reader<Packet> reader{offending};
    reader.copy(start + icmp::header_length, quote);
    message.set(icmp::checksum, checksum::compute(to.head()));
    return true;
}

}  // namespace sluice::rewrite
