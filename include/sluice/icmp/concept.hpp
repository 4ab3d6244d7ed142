// # icmp_policy
//
// Limits the ICMP messages that this stack sends, and decides whether it answers at all. The
// pipeline decides before whether the RFCs allow a message; a policy can only send fewer.
//
// `allow_error(message, settings, now)` is asked before each message, errors and answers alike, and
// counts it if it returns `allowed`. `allow_unroutable(source, settings, now)` is asked first when
// a packet of `source` has no route or an unreachable one. `allow_redirect(source, settings, now)`
// is asked before a redirect.
//
// Constants: `answers_echo` (the stack answers echo, timestamp and extended echo requests),
// `memory_limit`. Optional: `limits_looped`; if false, errors about packets that arrived by the
// loopback interface are sent without asking.
//
// Exemplar:
//
//     struct policy {
//         static constexpr bool answers_echo = true;
//         static constexpr std::size_t memory_limit = 0;
//         constexpr explicit policy(hash_key secret) noexcept;
//         icmp_allowance allow_error(const icmp_message& m, const settings& s,
//                                    instant now) noexcept;
//         bool allow_unroutable(icmp_peer source, const settings& s, instant now) noexcept;
//         redirect_allowance allow_redirect(icmp_peer source, const settings& s,
//                                           instant now) noexcept;
//     };
//
// Models: `linux_icmp_limiter` (Linux's buckets), `no_icmp_limit` (sends everything), `no_icmp`
// (sends nothing: for a relay that must stay unseen).
#pragma once

#include <sluice/base/siphash.hpp>
#include <sluice/base/time.hpp>
#include <sluice/packet/settings.hpp>
#include <sluice/wire/address.hpp>

#include <concepts>
#include <cstddef>

namespace sluice {

// A host, in a routing domain: the same address may be another host elsewhere. Linux inet_peer.
struct icmp_peer {
    ipv4::address address{};
    u16 domain = 0;  // interface::master of the link to it; 0: none

    constexpr icmp_peer() noexcept = default;
    constexpr icmp_peer(ipv4::address a, u16 in = 0) noexcept : address{a}, domain{in} {}

    friend constexpr bool operator==(const icmp_peer&, const icmp_peer&) noexcept = default;
};

// A message that is about to be sent.
struct icmp_message {
    u8 type = 0;
    u8 code = 0;
    icmp_peer to{};
    bool over_loopback = false;  // sent over loopback
};

enum class icmp_allowance : u8 {
    allowed,
    limited_global,  // counted as OutRateLimitGlobal
    limited_host,    // counted as OutRateLimitHost
    silenced,        // never sent by this policy, not counted
};

enum class redirect_allowance : u8 {
    send,
    too_soon,  // after the last redirect to this source
    given_up,  // the source ignored as many as the settings allow
};

template <class P>
concept limits_errors =
    requires(P& p, const icmp_message& m, const settings& s, icmp_peer to, instant now) {
        { p.allow_error(m, s, now) } noexcept -> std::same_as<icmp_allowance>;
        { p.allow_unroutable(to, s, now) } noexcept -> std::same_as<bool>;
    };

template <class P>
concept limits_redirects = requires(P& p, const settings& s, icmp_peer source, instant now) {
    { p.allow_redirect(source, s, now) } noexcept -> std::same_as<redirect_allowance>;
};

template <class P>
concept states_icmp_constants = requires {
    { P::answers_echo } -> std::convertible_to<bool>;
    { P::memory_limit } -> std::convertible_to<std::size_t>;
};

template <class P>
concept icmp_policy = std::constructible_from<P, hash_key> && states_icmp_constants<P> &&
                      limits_errors<P> && limits_redirects<P>;

}  // namespace sluice
