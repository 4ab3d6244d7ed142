// # identification_policy
//
// Chooses the identification of datagrams that this stack originates. Fragments of different
// datagrams must not match (RFC 791 section 3.2), and outsiders must not predict or count it (RFC
// 7739 section 5; idle scans, CVE-2019-10638).
//
// `next(source, destination, protocol, segments, now)` returns the identification of a datagram
// that may be fragmented. It takes `segments` values at once: 1, or the number of segments that a
// device will cut. The stack does not call it for atomic datagrams (DF set, not fragmented, RFC
// 6864 section 4.1): they carry 0, as in Linux. A datagram with DF that its sender may still
// fragment (Linux ignore_df) is not atomic.
//
// Constant: `memory_limit`.
//
// Optional, for a policy that hashes the flow: `flow_key(source, destination, protocol)` returns
// the hash, and `next_of(flow_key, segments, now)` the same as `next()`. A prepared flow
// (stack/send_segment.hpp) keeps the key.
//
// Exemplar:
//
//     struct policy {
//         static constexpr std::size_t memory_limit = 0;
//         constexpr explicit policy(hash_key secret) noexcept;
//         u16 next(ipv4::address source, ipv4::address destination, u8 protocol, u16 segments,
//                  instant now) noexcept;
//     };
//
// Models: `flow_identification` (keyed orders by flow, the default), `destination_identification`
// (by destination), `linux_identification` (keyed counters), `random_identification` (no
// memory of flows, no repetition within 65536 datagrams), `counter_identification` (for tests).
// `basic_keyed_identification<256>` takes 256 octets.
#pragma once

#include <sluice/base/siphash.hpp>
#include <sluice/base/time.hpp>
#include <sluice/wire/address.hpp>

#include <concepts>
#include <cstddef>

namespace sluice {

template <class P>
concept gives_identifications = requires(P& p, ipv4::address a, instant now) {
    { p.next(a, a, u8{}, u16{}, now) } noexcept -> std::same_as<u16>;
};

template <class P>
concept has_flow_keys = requires(P& p, const P& q, ipv4::address a, instant now) {
    { q.flow_key(a, a, u8{}) } noexcept -> std::same_as<u64>;
    { p.next_of(u64{}, u16{}, now) } noexcept -> std::same_as<u16>;
};

template <class P>
concept states_identification_limit = requires {
    { P::memory_limit } -> std::convertible_to<std::size_t>;
};

template <class P>
concept identification_policy = std::constructible_from<P, hash_key> &&
                                states_identification_limit<P> && gives_identifications<P>;

}  // namespace sluice
