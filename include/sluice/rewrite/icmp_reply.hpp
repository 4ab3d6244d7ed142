// icmp_reply: an ICMP request becomes its own answer.
// Expects: a packet that begins with a whole, verified ICMP message. Does: echo: the type, the
// checksum by increment, the bytes as they came; timestamp: the type, our time twice, cut or
// filled up to its 20 bytes; both in a copy where others hold the bytes. Never: chooses a route,
// writes an IPv4 header, sends. Cost: a few bytes; for an echo of nothing but zeros the checksum
// over the message. RFC 792, RFC 1122 section 3.2.2.6, 3.2.2.8. Linux icmp_echo, icmp_timestamp.
#pragma once

#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/reader.hpp>
#include <sluice/wire/icmp.hpp>

namespace sluice::rewrite {

// false: no memory for a copy, or no message.
template <packet_buffer Packet>
[[nodiscard, gnu::always_inline]] constexpr bool turn_echo_round(Packet& packet) noexcept {
    if (!packet.unshare() || !packet.may_pull(static_cast<u32>(icmp::header_length))) {
        return false;
    }
    std::byte* const first = packet.writable();
    const icmp::view message{first};
    const u16 old_word = load_be<u16>(first);
    const auto new_word = static_cast<u16>(icmp::types::echo_reply << 8 | (old_word & 0xff));
    const u16 updated = checksum::update(message[icmp::checksum], old_word, new_word);
    store_be<u16>(first, new_word);  // the type and the code as it was
    message.set(icmp::checksum, updated);
    if (updated == 0) {  // all bytes zero: the one case in which the sum's other form is right
        message.set(icmp::checksum, checksum::finish(packet_sum(packet, 0, packet.size())));
    }
    return true;
}

// midnight_ms: milliseconds since midnight UT. false: no memory for a copy, or no room for the
// answer's bytes.
template <packet_buffer Packet>
[[nodiscard]] constexpr bool turn_timestamp_round(Packet& packet, u32 midnight_ms) noexcept {
    constexpr u32 size = 20;
    constexpr u32 receive_time = 12;
    constexpr u32 transmit_time = 16;
    packet.trim(size);
    // Contiguous first: what goes on in other blocks has no room at its end.
    if (!packet.unshare() || !packet.may_pull(packet.size())) {
        return false;
    }
    const u32 missing = size - packet.size();
    std::byte* const more = packet.put(missing);
    if (more == nullptr) {
        return false;
    }
    fill_bytes(more, missing, std::byte{0});
    std::byte* const first = packet.writable();
    const icmp::view answer{first};
    answer.set(icmp::type, icmp::types::timestamp_reply);
    answer.set(icmp::code, 0);
    store_be<u32>(first + receive_time, midnight_ms);
    store_be<u32>(first + transmit_time, midnight_ms);
    answer.set(icmp::checksum, 0);
    answer.set(icmp::checksum, checksum::compute({first, size}));
    return true;
}

}  // namespace sluice::rewrite
