// tee_output<First, Second>: each packet goes to Second, and a clone of it to First (a capture
// beside the real device). Expects: two output policies; First's losses do not matter. Does:
// forwards refusals of Second alone. Never: changes packets. Cost: a clone each: a copy for unique
// ownership, which is the price of a tee. callback_output: each packet goes to a function of the
// caller's.
#pragma once

#include <sluice/output/concept.hpp>

#include <utility>

namespace sluice {

template <class First, class Second>
struct tee_output {
    template <class Packet>
    struct model {
        static constexpr bool takes_segmented = First::template model<Packet>::takes_segmented &&
                                                Second::template model<Packet>::takes_segmented;
        static constexpr bool takes_gso =
            First::template model<Packet>::takes_gso && Second::template model<Packet>::takes_gso;

        [[no_unique_address]] typename First::template model<Packet> first{};
        [[no_unique_address]] typename Second::template model<Packet> second{};

        [[nodiscard]] constexpr output_offloads offloads(const egress& to) const noexcept {
            return offloads_of(first, to) & offloads_of(second, to);
        }
        [[nodiscard]] constexpr bool transmit(Packet& packet, const egress& to,
                                              instant now) noexcept {
            Packet copy = packet.clone();
            if (!packet || !second.transmit(packet, to, now)) {
                return false;
            }
            if (copy) {
                static_cast<void>(
                    first.transmit(copy, to, now));  // a capture that is full loses packets, not we
            }
            return true;
        }
        [[nodiscard]] constexpr bool resolve(const egress& to, instant now) noexcept {
            return resolve_by(second, to, now);
        }
        constexpr void flush() noexcept {
            first.flush();
            second.flush();
        }
    };
};

struct callback_output {
    template <class Packet>
    struct model {
        static constexpr bool takes_segmented = true;
        static constexpr bool takes_gso = true;
        // Returns true when it took the packet.
        using function = bool (*)(void* context, Packet& packet, const egress& to,
                                  instant now) noexcept;

        function call = nullptr;
        void* context = nullptr;

        [[nodiscard]] constexpr bool transmit(Packet& packet, const egress& to,
                                              instant now) noexcept {
            return packet && call != nullptr && call(context, packet, to, now);
        }
        constexpr void flush() noexcept {}
    };
};

}  // namespace sluice
