// fragment_of, feed_fragment: make a fragment from a few numbers; feed it to a reassembly policy.
// is_whole_datagram: checks a reassembled datagram.
//
// The place of a byte determines its value (fragment_byte), so that a wrong order is found.
// Fragments of another flavour have other bytes at the same places.
//
// Expects: a pool with a buffer for each fragment; offsets that are multiples of 8.
#pragma once

#include <sluice/packet/pool_storage.hpp>
#include <sluice/pipeline/validate.hpp>
#include <sluice/reassembly/concept.hpp>
#include <sluice/testing/datagrams.hpp>

#include <utility>

namespace sluice::testing {

struct fragment_fields {
    u32 start = 0;   // of its data within the datagram, in bytes
    u32 length = 0;  // of its data, in bytes
    bool more = true;
    u16 id = 1;
    u32 source = 0x0a000102;
    u32 destination = 0x0a000101;
    u8 protocol = 253;
    u8 tos = 0;
    bool dont_fragment = false;
    u8 options = 0;  // bytes of no-operation options
    u8 flavour = 0;  // another flavour has other bytes at the same places
};

// The first 24 data bytes of a datagram, and the last 8, behind them.
inline fragment_fields head_fragment(u16 id) {
    return {.start = 0, .length = 24, .id = id};
}
inline fragment_fields tail_fragment(u16 id, u32 start = 24) {
    return {.start = start, .length = 8, .more = false, .id = id};
}

inline std::byte fragment_byte(u32 place, u8 flavour = 0) {
    return static_cast<std::byte>((place * 7 + (place >> 8) * 13 + flavour * 101u) & 0xff);
}

// A packet of the pool with the whole fragment and a correct checksum; empty when the pool is.
template <class Pool>
typename Pool::packet_type fragment_of(Pool& pool, const fragment_fields& f) {
    auto packet = pool.take(0);
    const u32 header = 20u + f.options;
    std::byte* to = packet ? packet.put(header + f.length) : nullptr;
    if (to == nullptr) {
        return {};
    }
    for (u32 i = 0; i < header; ++i) {
        to[i] = i < 20 ? std::byte{0} : std::byte{1};
    }
    const ipv4::view ip{to};
    ip.set(ipv4::version, 4);
    ip.set(ipv4::ihl, static_cast<u8>(header / 4));
    ip.set(ipv4::tos, f.tos);
    ip.set(ipv4::total_length, static_cast<u16>(header + f.length));
    ip.set(ipv4::identification, f.id);
    ip.set(ipv4::dont_fragment, f.dont_fragment);
    ip.set(ipv4::more_fragments, f.more);
    ip.set(ipv4::fragment_offset, static_cast<u16>(f.start / 8));
    ip.set(ipv4::ttl, 64);
    ip.set(ipv4::protocol, f.protocol);
    ip.set(ipv4::source, ipv4::address{f.source});
    ip.set(ipv4::destination, ipv4::address{f.destination});
    ipv4::set_checksum(ip);
    for (u32 i = 0; i < f.length; ++i) {
        to[header + i] = fragment_byte(f.start + i, f.flavour);
    }
    return packet;
}

// Feeds the fragment to the model; `refuse` when the pool is empty.
template <class Model, class Pool>
reassembly_step<typename Pool::packet_type>
feed_fragment(Model& model, Pool& pool, const fragment_fields& f, instant now = {},
              const reassembly_limits& limits = {},
              reassembly_user user = reassembly_user::local_delivery, u16 domain = 0) {
    auto packet = fragment_of(pool, f);
    auto checked = pipeline::validate(packet);
    if (!checked.has_value()) {
        return reassembly_step<typename Pool::packet_type>::refuse(checked.error());
    }
    return model.insert(std::move(checked).value(), user, domain, now, limits);
}

// Whether the packet is a whole datagram with `length` data bytes and a correct header.
template <class Packet>
bool is_whole_datagram(Packet& packet, u32 length, u8 options = 0) {
    const byte_vector all = content_of(packet);
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
        if (all[header + i] != fragment_byte(i)) {
            return false;
        }
    }
    return true;
}

}  // namespace sluice::testing
