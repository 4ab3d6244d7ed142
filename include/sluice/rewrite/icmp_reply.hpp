// icmp_reply: turns an ICMP echo or timestamp request into its reply, in place.
//
// Echo: changes the type, updates the checksum, keeps all bytes. Timestamp: changes the type,
// writes the local time twice, cuts or fills the message to 20 bytes. Shared bytes are copied
// first.
//
// Expects: a packet that begins with a whole, verified ICMP message.
// Never:   chooses a route, writes an IPv4 header, sends.
// Cost:    a few bytes; for an echo of zeros alone the checksum over the message.
// Source:  RFC 792, RFC 1122 section 3.2.2.6, 3.2.2.8; Linux icmp_echo, icmp_timestamp.
#pragma once

#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/reader.hpp>
#include <sluice/wire/icmp.hpp>

namespace sluice::rewrite {

// The message begins at `start` and at `message`, which is contiguous and not shared.
template <packet_buffer Packet>
[[gnu::always_inline]] constexpr void turn_echo_round_at(Packet& packet, u32 start,
                                                         icmp::view message) noexcept {
    std::byte* const first = message.data();
    const u16 old_word = load_be<u16>(first);
    const auto new_word = static_cast<u16>(icmp::types::echo_reply << 8 | (old_word & 0xff));
    const u16 updated = checksum::update(message[icmp::checksum], old_word, new_word);
    store_be<u16>(first, new_word);  // the new type; the code stays
    message.set(icmp::checksum, updated);
    if (updated == 0) [[unlikely]] {  // all bytes zero: the sum's other form is right
        message.set(icmp::checksum,
                    checksum::finish(packet_sum(packet, start, packet.size() - start)));
    }
}

// False: there is no message, or no memory for a copy.
template <packet_buffer Packet>
[[nodiscard]] constexpr bool turn_echo_round(Packet& packet) noexcept {
    if (!packet.unshare() || !packet.may_pull(static_cast<u32>(icmp::header_length))) {
        return false;
    }
    turn_echo_round_at(packet, 0, icmp::view{packet.writable()});
    return true;
}

// midnight_ms: milliseconds since midnight UT. False: no memory for a copy, or no tailroom for the
// reply.
template <packet_buffer Packet>
[[nodiscard]] constexpr bool turn_timestamp_round(Packet& packet, u32 midnight_ms) noexcept {
    constexpr u32 size = 20;
    constexpr u32 receive_time = 12;
    constexpr u32 transmit_time = 16;
    packet.trim(size);
    // Contiguous first: a packet that continues in other blocks has no tailroom.
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
