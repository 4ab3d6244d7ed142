// linux_identification: a counter per flow, selected by a keyed hash.
//
// Source, destination and protocol select the counter. It advances by the number of segments and,
// when time passed since its last use, by a random part of the elapsed milliseconds, so that an
// observer cannot count the datagrams of others. Datagrams of one flow differ until it wraps. Flows
// that share a counter only advance it faster.
//
// What this scheme guarantees: 65,536 datagrams of a flow within a millisecond differ, and whoever
// receives none of a flow cannot predict its values. What it does not guarantee: the
// receiver of a flow knows the next value of a burst, which is one more, and the average speed of
// all that share the counter. The random steps use up values: at 546 datagrams per second, where
// 65,536 values would do for the two minutes of RFC 6864 section 4.3, values come again after about
// 85 seconds. flow_identification is better in all three.
//
// Expects:   a secret key.
// Cost:      one hash, and half of another when time passed; 8 bytes per counter.
// Source:    Linux ip_select_ident_segs, ip_idents_reserve.
// Deviation: Linux sends the counter itself; here each flow adds an offset from the same hash, so
//            that flows that share a counter do not see each other's values (RFC 7739 section 5.3).
#pragma once

#include <sluice/base/random.hpp>
#include <sluice/identification/concept.hpp>

#include <cstddef>

namespace sluice {

namespace detail {

template <std::size_t Counters>
consteval bool is_counter_count() {
    constexpr bool is_power_of_two = Counters > 0 && (Counters & (Counters - 1)) == 0;
    static_assert(is_power_of_two,
                  "sluice: basic_identification<Counters>: Counters must be a power of two");
    return true;
}

}  // namespace detail

template <std::size_t Counters>
class basic_identification {
    static_assert(detail::is_counter_count<Counters>());

public:
    static constexpr std::size_t memory_limit = Counters * 8 + 56;

    constexpr explicit basic_identification(hash_key secret) noexcept
        : secret_(secret), random_({~secret.low, secret.high}) {}

    [[nodiscard]] constexpr u16 next(ipv4::address source, ipv4::address destination, u8 protocol,
                                     u16 segments, instant now) noexcept {
        return next_of(flow_key(source, destination, protocol), segments, now);
    }
    [[nodiscard]] constexpr u64 flow_key(ipv4::address source, ipv4::address destination,
                                         u8 protocol) const noexcept {
        return siphash_and_byte(secret_, u64{destination.value} << 32 | source.value, protocol);
    }
    [[nodiscard]] constexpr u16 next_of(u64 flow, u16 segments, instant now) noexcept {
        counter& c = counters_[flow & (Counters - 1)];
        const auto milliseconds = static_cast<u32>(now.nanoseconds / 1'000'000);
        if (milliseconds != c.used_at) {
            c.value += random_.below(milliseconds - c.used_at);
            c.used_at = milliseconds;
        }
        const u32 first = c.value;
        c.value += segments;
        return static_cast<u16>(first + (flow >> 48));
    }

private:
    struct counter {
        u32 value = 0;
        u32 used_at = 0;  // milliseconds; may wrap, like the counter
    };
    hash_key secret_;
    keyed_random random_;
    counter counters_[Counters]{};
};

using linux_identification = basic_identification<2048>;
static_assert(identification_policy<linux_identification>);
static_assert(sizeof(linux_identification) <= linux_identification::memory_limit);

}  // namespace sluice
