// plain_echo: turns a plain echo request into its reply, header and message, in place.
//
// It swaps the addresses, keeps TOS and total length, and clears DF. Linux's icmp_reply and
// originate() write the same header.
//
// Expects: a packet in one unshared block; a header of 20 bytes and a whole, verified
//          echo request behind it.
// Never:   moves a byte of the message; chooses identification or TTL; sends.
// Cost:    five words and their sum; the checksum of the message by increment.
// Source:  RFC 792, RFC 1624 section 3.
#pragma once

#include <sluice/packet/packet_buffer.hpp>
#include <sluice/rewrite/icmp_reply.hpp>
#include <sluice/wire/checksum.hpp>
#include <sluice/wire/ipv4.hpp>

namespace sluice::rewrite {

struct plain_echo_choice {
    u16 identification = 0;
    u8 ttl = 64;
};

template <packet_buffer Packet>
[[gnu::always_inline]] constexpr void
turn_plain_echo_round(Packet& packet, const plain_echo_choice& choice) noexcept {
    // The header in words, as it came: it was stored whole.
    std::byte* const header = packet.writable();
    const u32 first = load_be<u32>(header);
    const u32 second = u32{choice.identification} << 16;
    const u32 third = u32{choice.ttl} << 24 | u32{ipv4::protocols::icmp} << 16;
    const u32 asker = load_be<u32>(header + 12);
    const u32 asked = load_be<u32>(header + 16);
    store_be<u32>(header + 4, second);
    store_be<u32>(header + 8,
                  third | checksum::finish(u64{first} + second + third + asker + asked));
    store_be<u32>(header + 12, asked);
    store_be<u32>(header + 16, asker);
    constexpr auto start = static_cast<u32>(ipv4::min_header_length);
    turn_echo_round_at(packet, start, icmp::view{header + start});
}

}  // namespace sluice::rewrite
