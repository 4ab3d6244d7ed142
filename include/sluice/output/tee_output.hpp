// tee_output<First, Second>: transmits each packet by Second, and a clone of it by First.
// callback_output: passes each packet to a function of the caller.
//
// Use a tee for a capture beside the real device. Only a refusal by Second is reported; a packet
// that First refuses is lost there.
//
// Expects: two output policies.
// Never:   changes packets.
// Cost:    a clone of each packet: a copy where ownership is unique.
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
                    first.transmit(copy, to, now));  // a full capture loses the clone only
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
        // Returns true when it takes the packet.
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
