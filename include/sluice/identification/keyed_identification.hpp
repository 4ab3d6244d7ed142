// flow_identification, destination_identification: identifications in a keyed order, at an offset
// of each flow or host.
//
// A keyed hash of source, destination and protocol (or of the destination alone) selects a bucket
// and an offset. The bucket counts its datagrams and takes the 65,536 values in an order of its
// own; the offset of the flow is added. A flow repeats no value before its bucket has counted
// 65,536. RFC 6864 section 4.3 asks for that for two minutes (RFC 791's longest life of a
// datagram): the policy keeps it up to 546 datagrams per second. The values of a flow show neither
// the next ones, nor those of other flows, nor how many datagrams others send, also to those who
// share its bucket.
//
// A packet with segments takes as many successive values, because devices count up. From the first
// such packet on, the bucket counts up for all its flows, from the offset of each, so that nothing
// repeats either; the receiver of a flow can then predict its values, and count datagrams of flows
// that share the bucket. At this change a value of the last two minutes may come again.
//
// By destination, all flows to a host share one order: for hosts with several addresses whose
// peers compare identifications without the source.
//
// Expects: a secret key.
// Never:   keeps a flow; reads the time.
// Cost:    one hash; every 16th datagram of a bucket another one and 16 values ahead. Octets of
//          memory, 36 for each bucket.
// Limits:  whoever received 65,536 datagrams of one flow has seen its whole order, and can count
//          what flows of the same bucket send. He cannot tell or choose which flows these are.
// Source:  RFC 6864 section 4.3, RFC 7739 section 5.
#pragma once

#include <sluice/identification/concept.hpp>
#include <sluice/identification/keyed_permutation.hpp>

#include <cstddef>

namespace sluice {

enum class identified_by { flow, destination };

namespace detail {

template <std::size_t Octets>
consteval bool is_identification_size() {
    static_assert(Octets >= 64, "sluice: basic_keyed_identification<Octets>: at least 64");
    return true;
}

}  // namespace detail

template <std::size_t Octets, identified_by By = identified_by::flow>
class basic_keyed_identification {
    static_assert(detail::is_identification_size<Octets>());

public:
    static constexpr std::size_t memory_limit = Octets;

    constexpr explicit basic_keyed_identification(hash_key secret) noexcept : secret_(secret) {}

    [[nodiscard]] constexpr u16 next(ipv4::address source, ipv4::address destination, u8 protocol,
                                     u16 segments, instant now) noexcept {
        return next_of(flow_key(source, destination, protocol), segments, now);
    }
    [[nodiscard]] constexpr u64 flow_key(ipv4::address source, ipv4::address destination,
                                         u8 protocol) const noexcept {
        if constexpr (By == identified_by::destination) {
            return siphash(secret_, destination.value);
        } else {
            return siphash_and_byte(secret_, u64{destination.value} << 32 | source.value, protocol);
        }
    }
    [[nodiscard]] constexpr u16 next_of(u64 flow, u16 segments, instant) noexcept {
        const u64 index = (flow & 0xffff'ffff) * bucket_count >> 32;
        bucket& b = buckets_[index];
        const u16 position = b.counted;
        b.counted = static_cast<u16>(position + segments);
        if (segments > 1) [[unlikely]] {
            b.counts_up = true;
        }
        if (b.counts_up) [[unlikely]] {
            return static_cast<u16>(position + (flow >> 48));
        }
        if (position % known == 0) {
            look_ahead(b, index, position);
        }
        return static_cast<u16>(b.ahead[position % known] + (flow >> 48));
    }

private:
    static constexpr u16 known = 16;
    struct bucket {
        u16 ahead[known] = {};  // the values from the last multiple of `known` on
        u16 counted = 0;
        bool counts_up = false;
    };
    static constexpr u64 bucket_count = (Octets - sizeof(hash_key)) / sizeof(bucket);

    [[gnu::noinline]] constexpr void look_ahead(bucket& b, u64 index, u16 position) noexcept {
        // No flow has this hash: those of destinations are of smaller words, others of 9 bytes.
        permute_from(position, siphash(secret_, u64{1} << 32 | index), b.ahead);
    }

    hash_key secret_;
    bucket buckets_[bucket_count]{};
};

using flow_identification = basic_keyed_identification<65536>;
using destination_identification = basic_keyed_identification<65536, identified_by::destination>;
static_assert(identification_policy<flow_identification>);
static_assert(has_flow_keys<flow_identification>);
static_assert(sizeof(flow_identification) <= flow_identification::memory_limit);

}  // namespace sluice
