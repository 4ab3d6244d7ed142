// no_exceptions: an exceptions policy that learns nothing about single destinations.
//
// Use it when the routes' MTUs and gateways are right.
//
// Deviation: RFC 1122 section 3.2.2.2 asks every host to follow redirects, and section 3.3.3
// advises path MTU discovery.
#pragma once

#include <sluice/route/exceptions.hpp>

namespace sluice {

class no_exceptions {
public:
    static constexpr bool never_learns = true;
    static constexpr std::size_t memory_limit = 0;

    constexpr explicit no_exceptions(hash_key) noexcept {}

    [[nodiscard]] static constexpr bool any() noexcept { return false; }
    [[nodiscard]] static constexpr const route_exception* find(const exception_key&,
                                                               instant) noexcept {
        return nullptr;
    }
    static constexpr void learn(const exception_key&, const route_exception&, instant) noexcept {}
    template <class F>
    static constexpr void keep_if(F&&) noexcept {}
    static constexpr instant expire(instant) noexcept { return instant::never(); }
};
static_assert(exceptions_policy<no_exceptions>);

}  // namespace sluice
