// snmp_counters: every counter of /proc/net/snmp and IpExt, the ICMP types, and the drops by
// reason. no_stats: counts nothing.
//
// All counters have 64 bits and never reset.
//
// Expects: one thread.
// Cost:    6 KiB; one addition per event.
#pragma once

#include <sluice/stats/concept.hpp>

#include <cstddef>

namespace sluice {

namespace detail {

// By ICMP type: distance of its named counter from that of type 3, plus one; 0: no named counter.
inline constexpr u8 places_of_icmp[] = {7, 0, 0, 1, 4, 5, 0, 0, 6, 0, 0, 2, 3, 8, 9, 0, 0, 10, 11};

// The named counter of a type, given that of type 3. Both directions have the same order.
[[nodiscard]] constexpr mib named_icmp(u8 type, mib first) noexcept {
    const u8 place = type < sizeof places_of_icmp ? places_of_icmp[type] : u8{0};
    return place == 0 ? mib::none : static_cast<mib>(static_cast<u8>(first) + place - 1);
}

}  // namespace detail

class snmp_counters {
public:
    constexpr void add(mib counter, u64 n) noexcept {
        values_[static_cast<std::size_t>(counter)] += n;
    }
    // Counts the type, and its named counter if there is one.
    [[gnu::always_inline]] constexpr void icmp_in(u8 type) noexcept {
        ++icmp_in_[type];
        add(detail::named_icmp(type, mib::icmp_in_dest_unreachs), 1);
        values_[0] = 0;
    }
    [[gnu::always_inline]] constexpr void icmp_out(u8 type) noexcept {
        ++icmp_out_[type];
        add(detail::named_icmp(type, mib::icmp_out_dest_unreachs), 1);
        values_[0] = 0;
    }
    constexpr void tally(balance kind, u64 n) noexcept {
        balance_[static_cast<unsigned>(kind)] += n;
    }
    constexpr void dropped(drop_reason why, u64 n) noexcept {
        const drop_info& row = describe(why);
        drops_[static_cast<std::size_t>(why)] += n;
        add(row.first, n);
        add(row.second, n);
        values_[0] = 0;  // rows without a counter add to counter 0
    }

    // Adds the counters of another stack, for programs with one stack per thread.
    constexpr snmp_counters& operator+=(const snmp_counters& other) noexcept {
        const auto add_all = [](auto& to, const auto& from) {
            for (std::size_t i = 0; i < sizeof to / sizeof to[0]; ++i) {
                to[i] += from[i];
            }
        };
        add_all(values_, other.values_);
        add_all(drops_, other.drops_);
        add_all(balance_, other.balance_);
        add_all(icmp_in_, other.icmp_in_);
        add_all(icmp_out_, other.icmp_out_);
        return *this;
    }

    [[nodiscard]] constexpr u64 operator[](mib counter) const noexcept {
        return values_[static_cast<std::size_t>(counter)];
    }
    [[nodiscard]] constexpr u64 operator[](drop_reason why) const noexcept {
        return drops_[static_cast<std::size_t>(why)];
    }
    [[nodiscard]] constexpr u64 icmp_in_type(u8 type) const noexcept { return icmp_in_[type]; }
    [[nodiscard]] constexpr u64 icmp_out_type(u8 type) const noexcept { return icmp_out_[type]; }
    [[nodiscard]] constexpr u64 operator[](balance kind) const noexcept {
        return balance_[static_cast<unsigned>(kind)];
    }
    [[nodiscard]] constexpr u64 drops() const noexcept {
        u64 sum = 0;
        for (u64 n : drops_) {
            sum += n;
        }
        return sum;
    }

private:
    u64 values_[mib_count]{};
    u64 drops_[drop_reason_count]{};
    u64 balance_[balance_kinds]{};
    u64 icmp_in_[256]{};
    u64 icmp_out_[256]{};
};
static_assert(stats_policy<snmp_counters>);

struct no_stats {
    static constexpr void add(mib, u64) noexcept {}
    static constexpr void icmp_in(u8) noexcept {}
    static constexpr void icmp_out(u8) noexcept {}
    static constexpr void dropped(drop_reason, u64) noexcept {}
    static constexpr void tally(balance, u64) noexcept {}
};
static_assert(stats_policy<no_stats>);

}  // namespace sluice
