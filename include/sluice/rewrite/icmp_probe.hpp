// icmp_probe: turns an extended echo request into its reply, in place.
//
// pipeline/icmp_probe.hpp finds the code and the state bits; the rest stays. Shared bytes are
// copied first.
//
// Expects: a packet that begins with a whole, verified extended echo request with its L bit set.
// Never:   chooses a route, sends.
// Cost:    the checksum over the message.
// Source:  RFC 8335 section 4; Linux icmp_build_probe.
#pragma once

#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/reader.hpp>
#include <sluice/pipeline/icmp_probe.hpp>

namespace sluice::rewrite {

// False: there is no message, the bytes could not be made contiguous, or there is no memory for a
// copy.
template <class Tables, packet_buffer Packet>
[[nodiscard]] constexpr bool turn_probe_round(const Tables& t, Packet& packet) noexcept {
    constexpr u32 most = 8 + 4 + 24;  // headers, longest object. Linux struct icmp_ext_echo_iio
    const u32 read = packet.size() < most ? packet.size() : most;
    if (read < icmp::header_length || !packet.unshare() || !packet.may_pull(read)) {
        return false;
    }
    std::byte* const first = packet.writable();
    const icmp::view message{first};
    const const_bytes start{first, read};
    const pipeline::probe_answer answer =
        pipeline::icmp_probe(t, start.subspan(icmp::header_length));
    message.set(icmp::type, icmp::types::extended_echo_reply);
    first[icmp::header_length - 1] = std::byte{0};
    if (answer.code != icmp::extended::no_error) {
        message.set(icmp::code, answer.code);
    } else {
        message.set(icmp::active_bit, answer.found->up);
        message.set(icmp::ipv4_bit, !answer.found->addresses.empty());
    }
    message.set(icmp::checksum, 0);
    message.set(icmp::checksum, checksum::finish(packet_sum(packet, 0, packet.size())));
    return true;
}

}  // namespace sluice::rewrite
