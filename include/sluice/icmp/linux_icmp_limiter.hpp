// linux_icmp_limiter: Linux's rate limits for the ICMP messages that a stack sends.
//
// A message must pass two token buckets: a global one (icmp_msgs_per_sec, icmp_msgs_burst), then
// one per destination (one message every icmp_ratelimit, at most six saved). Each message takes
// zero to two tokens from the global bucket at random, so that an attacker cannot count it down
// (CVE-2020-25705). Errors about unroutable packets have another bucket size over the same tokens
// of the host, and no ICMP setting turns this limit off. Redirects to one host are spaced
// exponentially and stop after a while.
// Not limited: types outside icmp_ratemask, path MTU messages, errors about packets that came in
// over loopback. Messages sent over loopback pass the global bucket only.
//
// Expects: a secret key.
// Never:   allocates. It forgets a host's tokens when too many other hosts come in between.
// Cost:    two keyed hashes for a limited message; 32 bytes per host.
// Source:  RFC 1812 section 4.3.2.8; Linux icmp_global_allow, icmpv4_xrlim_allow,
//          ip_rt_send_redirect.
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

    // Linux ip_error: an error about an unroutable packet spends tokens of its source here, and
    // again in allow_error.
    [[nodiscard]] constexpr bool allow_unroutable(icmp_peer source, const settings& s,
                                                  instant now) noexcept {
        return takes(hosts_.of(source, now), duration::from_milliseconds(s.route_error_cost_ms),
                     duration::from_milliseconds(s.route_error_burst_ms), now);
    }

    // Linux ip_rt_send_redirect: redirect n follows the one before after 2^n loads, n from 0.
    [[nodiscard]] constexpr redirect_allowance allow_redirect(icmp_peer source, const settings& s,
                                                              instant now) noexcept {
        detail::host_record& host = hosts_.of(source, now);
        // Linux ip_rt_redirect_silence.
        if (now - host.last > loads(s, s.route_redirect_number + 1U)) {
            host.tokens = {};
            host.redirects = 0;
        }
        if (host.redirects >= s.route_redirect_number) {
            host.last = now;  // only a pause of the source ends it
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

    // route_redirect_load_ms, doubled; at most a day.
    [[nodiscard]] static constexpr duration loads(const settings& s, u32 doublings) noexcept {
        constexpr i64 most = 86'400'000;
        const i64 wait = i64{s.route_redirect_load_ms} << (doublings < 28 ? doublings : 28);
        return duration::from_milliseconds(wait < most ? wait : most);
    }

    [[nodiscard]] constexpr bool host_allows(icmp_peer to, const settings& s,
                                             instant now) noexcept {
        const duration cost = duration::from_milliseconds(s.icmp_ratelimit);
        detail::host_record& host = hosts_.of(to, now);
        // Tokens above six messages, saved for unroutable packets, stay until time passes.
        const duration most = cost * saved_messages;
        return takes(host, cost, now > host.last || host.tokens < most ? most : host.tokens, now);
    }

    // The elapsed time, at most a day: a day fills every bucket.
    [[nodiscard]] static constexpr duration passed(instant since, instant now) noexcept {
        const duration t = now - since;
        if (t < duration{}) return {};
        return t < 86'400_s ? t : 86'400_s;
    }

    // Adds the elapsed time, up to `most`, and spends the cost if enough is there. Linux
    // inet_peer_xrlim_allow.
    [[nodiscard]] static constexpr bool takes(detail::host_record& host, duration cost,
                                              duration most, instant now) noexcept {
        host.tokens = host.tokens + passed(host.last, now);
        if (host.tokens > most) host.tokens = most;
        host.last = now;
        if (host.tokens < cost) return false;
        host.tokens = host.tokens - cost;
        return true;
    }

    // Linux icmp_global_allow: refills an empty bucket after at least 20 ms, by at most a second's
    // worth. The message that refills it passes, whatever the burst.
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
    instant filled_ = instant{} + 1_s * -1;  // the bucket starts full
};

using linux_icmp_limiter = basic_icmp_limiter<256>;
static_assert(icmp_policy<linux_icmp_limiter>);

}  // namespace sluice
