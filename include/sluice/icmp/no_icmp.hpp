// no_icmp_limit and no_icmp: all of ICMP, or none.
// Expects: for no_icmp_limit, limits elsewhere: without any, a stack answers a flood with a flood
// (RFC 1812 section 4.3.2.8). Never: keeps state. Cost: nothing. Models icmp_policy.
// Deviation: no_icmp leaves out what RFC 1122 section 3.2.2.6 asks of a host, and errors; it is for
// relays and for tests, not for hosts and routers.
#pragma once

#include <sluice/icmp/concept.hpp>

namespace sluice {

struct no_icmp_limit {
    static constexpr bool answers_echo = true;
    static constexpr std::size_t memory_limit = 0;

    constexpr no_icmp_limit() noexcept = default;
    constexpr explicit no_icmp_limit(hash_key) noexcept {}

    [[nodiscard]] constexpr icmp_allowance allow_error(const icmp_message&, const settings&,
                                                       instant) const noexcept {
        return icmp_allowance::allowed;
    }
    [[nodiscard]] constexpr bool allow_unroutable(ipv4::address, const settings&,
                                                  instant) const noexcept {
        return true;
    }
    [[nodiscard]] constexpr redirect_allowance allow_redirect(ipv4::address, const settings&,
                                                              instant) const noexcept {
        return redirect_allowance::send;
    }
};
static_assert(icmp_policy<no_icmp_limit>);

struct no_icmp {
    static constexpr bool answers_echo = false;
    static constexpr std::size_t memory_limit = 0;

    constexpr no_icmp() noexcept = default;
    constexpr explicit no_icmp(hash_key) noexcept {}

    [[nodiscard]] constexpr icmp_allowance allow_error(const icmp_message&, const settings&,
                                                       instant) const noexcept {
        return icmp_allowance::silenced;
    }
    [[nodiscard]] constexpr bool allow_unroutable(ipv4::address, const settings&,
                                                  instant) const noexcept {
        return false;
    }
    [[nodiscard]] constexpr redirect_allowance allow_redirect(ipv4::address, const settings&,
                                                              instant) const noexcept {
        return redirect_allowance::given_up;
    }
};
static_assert(icmp_policy<no_icmp>);

}  // namespace sluice
