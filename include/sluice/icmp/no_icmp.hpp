// no_icmp_limit and no_icmp: send all ICMP messages without a limit, or none.
//
// Expects:   for no_icmp_limit, a limit elsewhere: without one, a stack answers a flood with a
//            flood (RFC 1812 section 4.3.2.8).
// Cost:      nothing.
// Deviation: no_icmp omits errors and the echo replies of RFC 1122 section 3.2.2.6. It is for
//            relays and tests, not for hosts and routers.
#pragma once

#include <sluice/icmp/concept.hpp>

namespace sluice {

namespace detail {

template <icmp_allowance All>
struct same_icmp_for_all {
    static constexpr bool answers_echo = All == icmp_allowance::allowed;
    static constexpr std::size_t memory_limit = 0;

    constexpr same_icmp_for_all() noexcept = default;
    constexpr explicit same_icmp_for_all(hash_key) noexcept {}

    [[nodiscard]] constexpr icmp_allowance allow_error(const icmp_message&, const settings&,
                                                       instant) const noexcept {
        return All;
    }
    [[nodiscard]] constexpr bool allow_unroutable(icmp_peer, const settings&,
                                                  instant) const noexcept {
        return answers_echo;
    }
    [[nodiscard]] constexpr redirect_allowance allow_redirect(icmp_peer, const settings&,
                                                              instant) const noexcept {
        return answers_echo ? redirect_allowance::send : redirect_allowance::given_up;
    }
};

}  // namespace detail

struct no_icmp_limit : detail::same_icmp_for_all<icmp_allowance::allowed> {
    using same_icmp_for_all::same_icmp_for_all;
};
static_assert(icmp_policy<no_icmp_limit>);

struct no_icmp : detail::same_icmp_for_all<icmp_allowance::silenced> {
    using same_icmp_for_all::same_icmp_for_all;
};
static_assert(icmp_policy<no_icmp>);

}  // namespace sluice
