// Fragments for the reassembly tests: built from a few numbers, validated, and read back.
#pragma once

#include <sluice/packet/pool_storage.hpp>
#include <sluice/pipeline/validate.hpp>
#include <sluice/reassembly/bounded_cache.hpp>

#include "support/validated.hpp"

#include <utility>
#include <vector>

namespace reassembly_test {

using namespace sluice;

inline constexpr hash_key secret{0x0123456789abcdef, 0xfedcba9876543210};

struct spec {
    u32 start = 0;   // octets
    u32 length = 0;  // octets of data
    bool more = true;
    u16 id = 1;
    u32 source = 0x0a000102;
    u32 destination = 0x0a000101;
    u8 protocol = 253;
    u8 tos = 0;
    bool df = false;
    u8 options = 0;  // octets, NOPs
    u8 flavour = 0;  // fragments of another flavour carry other octets
};

// The first 24 octets of a datagram, and the 8 behind them.
inline spec head(u16 id) {
    return {.start = 0, .length = 24, .id = id};
}
inline spec tail(u16 id, u32 start = 24) {
    return {.start = start, .length = 8, .more = false, .id = id};
}

inline std::byte pattern(u32 place, u8 flavour = 0) {
    return static_cast<std::byte>((place * 7 + (place >> 8) * 13 + flavour * 101u) & 0xff);
}

// A packet of the pool with the whole fragment, checksum right.
template <class Pool>
typename Pool::packet_type build(Pool& pool, const spec& s) {
    auto packet = pool.take(0);
    const u32 header = 20u + s.options;
    std::byte* to = packet ? packet.put(header + s.length) : nullptr;
    if (to == nullptr) {
        return {};
    }
    for (u32 i = 0; i < header; ++i) {
        to[i] = i < 20 ? std::byte{0} : std::byte{1};
    }
    const ipv4::view ip{to};
    ip.set(ipv4::version, 4);
    ip.set(ipv4::ihl, static_cast<u8>(header / 4));
    ip.set(ipv4::tos, s.tos);
    ip.set(ipv4::total_length, static_cast<u16>(header + s.length));
    ip.set(ipv4::identification, s.id);
    ip.set(ipv4::dont_fragment, s.df);
    ip.set(ipv4::more_fragments, s.more);
    ip.set(ipv4::fragment_offset, static_cast<u16>(s.start / 8));
    ip.set(ipv4::ttl, 64);
    ip.set(ipv4::protocol, s.protocol);
    ip.set(ipv4::source, ipv4::address{s.source});
    ip.set(ipv4::destination, ipv4::address{s.destination});
    ipv4::set_checksum(ip);
    for (u32 i = 0; i < s.length; ++i) {
        to[header + i] = pattern(s.start + i, s.flavour);
    }
    return packet;
}

template <class Model, class Pool>
auto feed(Model& model, Pool& pool, const spec& s, instant now = {},
          const reassembly_limits& limits = {},
          reassembly_user user = reassembly_user::local_delivery, u16 domain = 0) {
    auto checked = support::validated(build(pool, s));
    return model.insert(std::move(checked).value(), user, domain, now, limits);
}

template <class Packet>
bool held(const reassembly_step<Packet>& step) {
    return step.kind == reassembly_outcome::held;
}

template <class Packet>
std::vector<std::byte> octets(const Packet& packet) {
    std::vector<std::byte> all;
    packet.for_each_piece(
        [&all](const_bytes piece) { all.insert(all.end(), piece.begin(), piece.end()); });
    return all;
}

// Whether a packet is the whole datagram of length octets of data in the pattern, with a good
// header.
template <class Packet>
bool is_whole(Packet& packet, u32 length, u8 options = 0) {
    const auto all = octets(packet);
    const u32 header = 20u + options;
    if (all.size() != header + length || packet.size() != all.size()) {
        return false;
    }
    const ipv4::const_view ip{packet.data()};
    if (!ipv4::checksum_ok(ip) || ip[ipv4::total_length] != all.size() || ipv4::is_fragment(ip) ||
        ip[ipv4::ihl] * 4u != header) {
        return false;
    }
    for (u32 i = 0; i < length; ++i) {
        if (all[header + i] != pattern(i)) {
            return false;
        }
    }
    return true;
}

}  // namespace reassembly_test
