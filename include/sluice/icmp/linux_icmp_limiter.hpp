// linux_icmp_limiter: the rate limits of Linux for the ICMP that a stack sends.
// Expects: a secret key. Does: one bucket for all messages (icmp_msgs_per_sec, icmp_msgs_burst)
// from which each takes nought to two, so that nobody can count it down (CVE-2020-25705); then one
// for each host (a message every icmp_ratelimit, six saved up at most); for packets without a route
// a bucket of its own size over the same savings, which no ICMP setting turns off; and redirects to
// one host doubling their distance until the host is given up. Messages of types that icmp_ratemask
// leaves out, path MTU messages and those over loopback pass freely. Never: allocates; a host's
// savings are forgotten when too many others come between. Cost: two keyed hashes a limited
// message; 32 bytes a host. Models icmp_policy (icmp/concept.hpp). RFC 1812 section 4.3.2.8.
// Source: Linux icmp.c, route.c.
#pragma once

#include <sluice/base/random.hpp>
#include <sluice/icmp/concept.hpp>
#include <sluice/icmp/host_record.hpp>

#include <cstddef>

namespace sluice {

template <std::size_t Hosts>
class basic_icmp_limiter {
public:
    static constexpr bool answers_echo = true;
    static constexpr bool limits_looped = false;
    static constexpr std::size_t memory_limit = sizeof(detail::host_records<Hosts>) + 64;

    constexpr explicit basic_icmp_limiter(hash_key secret) noexcept
        : hosts_(secret), random_({~secret.low, secret.high}) {}

    [[nodiscard]] constexpr icmp_allowance allow_error(const icmp_message& m, const settings& s,
                                                       instant now) noexcept {
        if (is_exempt(m.type, m.code, s)) return icmp_allowance::allowed;
        if (!has_credit(s, now)) return icmp_allowance::limited_global;
        if (!m.over_loopback && !host_allows(m.to, s, now)) return icmp_allowance::limited_host;
        credit_ -= random_.below(3);
        return icmp_allowance::allowed;
    }

    // Linux ip_error: an error about a packet without a route spends its source's savings here, and
    // once more in allow_error.
    [[nodiscard]] constexpr bool allow_unroutable(ipv4::address source, const settings& s,
                                                  instant now) noexcept {
        return takes(hosts_.of(source, now), duration::from_milliseconds(s.route_error_cost_ms),
                     duration::from_milliseconds(s.route_error_burst_ms), now);
    }

    // Linux ip_rt_send_redirect: the n-th comes 2^n loads after the one before, n counted from 0.
    [[nodiscard]] constexpr redirect_allowance
    allow_redirect(ipv4::address source, const settings& s, instant now) noexcept {
        detail::host_record& host = hosts_.of(source, now);
        // Linux ip_rt_redirect_silence.
        if (now - host.last > loads(s, s.route_redirect_number + 1U)) {
            host.tokens = {};
            host.redirects = 0;
        }
        if (host.redirects >= s.route_redirect_number) {
            host.last = now;  // only silence ends it
            return redirect_allowance::given_up;
        }
        if (host.redirects > 0 && now - host.last <= loads(s, host.redirects)) {
            return redirect_allowance::too_soon;
        }
        host.last = now;
        ++host.redirects;
        return redirect_allowance::send;
    }

private:
    // Linux XRLIM_BURST_FACTOR.
    static constexpr i64 saved_messages = 6;
    static constexpr u8 last_limited_type = 18;  // Linux NR_ICMP_TYPES
    static constexpr u8 unreachable = 3;
    static constexpr u8 fragmentation_needed = 4;

    [[nodiscard]] static constexpr bool is_exempt(u8 type, u8 code, const settings& s) noexcept {
        return type > last_limited_type || (type == unreachable && code == fragmentation_needed) ||
               ((s.icmp_ratemask >> type) & 1) == 0;
    }

    // The load, doubled; at most a day.
    [[nodiscard]] static constexpr duration loads(const settings& s, u32 doublings) noexcept {
        constexpr i64 most = 86'400'000;
        const i64 wait = i64{s.route_redirect_load_ms} << (doublings < 28 ? doublings : 28);
        return duration::from_milliseconds(wait < most ? wait : most);
    }

    [[nodiscard]] constexpr bool host_allows(ipv4::address to, const settings& s,
                                             instant now) noexcept {
        const duration cost = duration::from_milliseconds(s.icmp_ratelimit);
        detail::host_record& host = hosts_.of(to, now);
        // Savings above six messages, made for packets without a route, stay until time passes.
        const duration most = cost * saved_messages;
        return takes(host, cost, now > host.last || host.tokens < most ? most : host.tokens, now);
    }

    // Time that passed, at most a day: more fills every bucket.
    [[nodiscard]] static constexpr duration passed(instant since, instant now) noexcept {
        const duration t = now - since;
        if (t < duration{}) return {};
        return t < 86'400_s ? t : 86'400_s;
    }

    // Saves up to `most` and spends the cost if there is enough. Linux inet_peer_xrlim_allow.
    [[nodiscard]] static constexpr bool takes(detail::host_record& host, duration cost,
                                              duration most, instant now) noexcept {
        host.tokens = host.tokens + passed(host.last, now);
        if (host.tokens > most) host.tokens = most;
        host.last = now;
        if (host.tokens < cost) return false;
        host.tokens = host.tokens - cost;
        return true;
    }

    // Linux icmp_global_allow: filled when empty and at least 20 ms have passed, by a second's
    // worth at most; a message that finds it just filled passes whatever the burst is.
    [[nodiscard]] constexpr bool has_credit(const settings& s, instant now) noexcept {
        if (credit_ > 0) return true;
        duration t = passed(filled_, now);
        if (t < 20_ms) return false;
        if (t > 1_s) t = 1_s;
        const i64 more = s.icmp_msgs_per_sec * t.nanoseconds / (1_s).nanoseconds;
        if (more == 0) return false;
        filled_ = now;
        credit_ = credit_ + more < s.icmp_msgs_burst ? credit_ + more : i64{s.icmp_msgs_burst};
        return true;
    }

    detail::host_records<Hosts> hosts_;
    keyed_random random_;
    i64 credit_ = 0;
    instant filled_ = instant{} + 1_s * -1;  // so that the bucket is full at the start
};

using linux_icmp_limiter = basic_icmp_limiter<256>;
static_assert(icmp_policy<linux_icmp_limiter>);

}  // namespace sluice
