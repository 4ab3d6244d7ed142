// permit_all: the security policy that drops nothing.
//
// Cost: no byte in the stack and no instruction.
#pragma once

#include <sluice/security/concept.hpp>

namespace sluice {

struct permit_all {
    template <class Packet>
    struct model {
        using packet_type = Packet;
        static constexpr bool always_permits = true;
        [[nodiscard]] static constexpr drop_reason refusal(security_point, const Packet&,
                                                           const security_context&) noexcept {
            return drop_reason::none;
        }
    };
};

}  // namespace sluice
