// all_of<Policies...>: several security policies in one slot.
//
// It asks them in the given order; the first drop reason counts. Its model derives from their
// models: call their functions through it.
//
// Expects: models that may be derived from; each policy once.
// Cost:    the sum of the policies; an empty one takes no byte.
#pragma once

#include <sluice/security/concept.hpp>

namespace sluice {

template <class... Policies>
struct all_of {
    template <class Packet>
    struct model : Policies::template model<Packet>... {
        using packet_type = Packet;
        static constexpr bool always_permits =
            (Policies::template model<Packet>::always_permits && ...);
        [[nodiscard]] constexpr drop_reason
        refusal([[maybe_unused]] security_point point, [[maybe_unused]] const Packet& packet,
                [[maybe_unused]] const security_context& c) noexcept {
            drop_reason why = drop_reason::none;
            static_cast<void>(
                (((why = static_cast<typename Policies::template model<Packet>&>(*this).refusal(
                       point, packet, c)) == drop_reason::none) &&
                 ...));
            return why;
        }
    };
};

}  // namespace sluice
