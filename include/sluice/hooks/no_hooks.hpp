// no_hooks: a stack without hooks. Costs no byte and no instruction.
#pragma once

#include <sluice/hooks/concept.hpp>

namespace sluice {

struct no_hooks {
    struct any_hook {
        template <class Hook>
        any_hook(const Hook&) noexcept;
    };

    template <class Packet>
    struct model {
        using packet_type = Packet;
        static constexpr bool never_active = true;
        [[nodiscard]] static constexpr bool active(hook_point) noexcept { return false; }
        [[nodiscard]] static constexpr hook_verdict run(hook_point, Packet&,
                                                        const hook_context&) noexcept {
            return hook_verdict::accept;
        }
        // A common mistake, refused with a sentence.
        bool add(hook_point, i32, any_hook) noexcept __attribute__((
            unavailable("sluice: this stack has no hooks: name hooks<hook_chain<>> in its policies "
                        "(hooks/hook_chain.hpp)")));
    };
};

}  // namespace sluice
