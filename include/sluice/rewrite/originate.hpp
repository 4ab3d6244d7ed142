// originate: writes the IPv4 header of a datagram that this host sends; complete_header: completes
// one that a program wrote.
//
// Expects: a packet with the payload and headroom for the header; a chosen route.
// Never:   fragments, sends, chooses the identification (identification/ does).
// Cost:    20 bytes and their sum.
// Source:  RFC 791 section 3.1, RFC 1122 section 3.2.1; Linux __ip_make_skb.
#pragma once

#include <sluice/options/outgoing.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/routing/output_route.hpp>
#include <sluice/wire/checksum.hpp>

namespace sluice::rewrite {

struct header_choice {
    u8 tos = 0;
    u8 ttl = 64;
    u8 protocol = 0;
    u16 identification = 0;
    bool dont_fragment = false;
};

// With a source route in the options, final_destination differs from the route's destination, which
// is the first hop. False: the headroom is too small, there is no memory for a copy of shared
// bytes, or the datagram would exceed 65535 bytes.
template <packet_buffer Packet>
[[nodiscard, gnu::always_inline]] constexpr bool
originate(Packet& packet, const routing::output_route& route, const header_choice& choice,
          const ip_options::outgoing& options, ipv4::address final_destination,
          u32 midnight_ms) noexcept {
    const u32 header_size = static_cast<u32>(ipv4::min_header_length) + options.offsets.length;
    std::byte* const header =
        packet.size() + header_size <= ipv4::max_total_length ? packet.push(header_size) : nullptr;
    if (header == nullptr) {
        return false;
    }
    // Summed as words before they are stored: reading words back from bytes that were just stored
    // stalls.
    const u32 first = 4u << 28 | header_size / 4 << 24 | u32{choice.tos} << 16 | packet.size();
    const u32 second = u32{choice.identification} << 16 |
                       (choice.dont_fragment ? ipv4::words::dont_fragment : u32{0});
    const u32 third = u32{choice.ttl} << 24 | u32{choice.protocol} << 16;
    u64 sum = u64{first} + second + third + route.source.value + route.destination.value;
    store_be<u32>(header, first);
    store_be<u32>(header + 4, second);
    store_be<u32>(header + 12, route.source.value);
    store_be<u32>(header + 16, route.destination.value);
    if (options.offsets.length != 0) {
        packet.writable_metadata().options =
            ip_options::build(ipv4::view{header}, options, final_destination, midnight_ms);
        sum += checksum::partial({header + ipv4::min_header_length, options.offsets.length});
    }
    store_be<u32>(header + 8, third | checksum::finish(sum));
    return true;
}

// The values for fields that are 0 in a header that a program wrote.
struct header_completion {
    ipv4::address source{};
    u16 identification = 0;
};

// Completes the header at the start of an unshared packet: total length and checksum always, source
// and identification where they are 0. Linux raw_send_hdrinc.
template <packet_buffer Packet>
constexpr void complete_header(Packet& packet, const header_completion& with) noexcept {
    const ipv4::view ip{packet.writable()};
    if (ip[ipv4::source].is_unspecified()) {
        ip.set(ipv4::source, with.source);
    }
    ip.set(ipv4::total_length, static_cast<u16>(packet.size()));
    if (ip[ipv4::identification] == 0) {
        ip.set(ipv4::identification, with.identification);
    }
    ipv4::set_checksum(ip);
}

}  // namespace sluice::rewrite
