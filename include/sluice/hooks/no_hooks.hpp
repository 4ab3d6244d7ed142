// no_hooks: a stack without hooks. Costs no byte and no instruction.
#pragma once

#include <sluice/hooks/concept.hpp>

namespace sluice {

struct no_hooks {
    template <class Packet>
    struct model {
        using packet_type = Packet;
        static constexpr bool never_active = true;
        [[nodiscard]] static constexpr bool active(hook_point) noexcept { return false; }
        [[nodiscard]] static constexpr hook_verdict run(hook_point, Packet&,
                                                        const hook_context&) noexcept {
            return hook_verdict::accept;
        }
    };
};

}  // namespace sluice
