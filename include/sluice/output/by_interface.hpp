// by_interface<Output, N>: an output of its own for each interface, up to N.
//
// Use it when each interface is a device: stack.output().add(2, left.sender()).
//
// Never:  sends by another interface: a packet to one that has no output is refused, and the stack
//         counts it.
// Cost:   a scan of the outputs that were added.
#pragma once

#include <sluice/base/bounded_vector.hpp>
#include <sluice/output/concept.hpp>

#include <cstddef>
#include <utility>

namespace sluice {

template <class Output, std::size_t N = 16>
struct by_interface {
    template <class Packet>
    class model {
    public:
        using output_type = typename Output::template model<Packet>;
        static constexpr bool takes_segmented = output_type::takes_segmented;
        static constexpr bool takes_gso = output_type::takes_gso;

        // Adds or replaces the output of an interface. False: N interfaces have an output.
        [[nodiscard]] constexpr bool add(u16 interface, output_type output) noexcept {
            if (output_type* present = find(interface)) {
                *present = std::move(output);
                return true;
            }
            return exits_.push_back({interface, std::move(output)});
        }
        constexpr void remove(u16 interface) noexcept {
            for (std::size_t i = 0; i < exits_.size(); ++i) {
                if (exits_[i].interface == interface) {
                    exits_.erase(i);
                    return;
                }
            }
        }
        // nullptr: the interface has no output.
        [[nodiscard]] constexpr output_type* find(u16 interface) noexcept {
            for (auto& e : exits_) {
                if (e.interface == interface) {
                    return &e.output;
                }
            }
            return nullptr;
        }

        [[nodiscard]] constexpr output_offloads offloads(const egress& to) const noexcept {
            for (const auto& e : exits_) {
                if (e.interface == to.interface) {
                    return offloads_of(e.output, to);
                }
            }
            return {};
        }
        [[nodiscard]] constexpr bool transmit(Packet& packet, const egress& to,
                                              instant now) noexcept {
            output_type* const output = find(to.interface);
            return output != nullptr && output->transmit(packet, to, now);
        }
        // Sends a whole frame, where the outputs take frames (frame_sink, link/concept.hpp).
        [[nodiscard]] constexpr bool send_frame(Packet& frame, u16 interface, instant now) noexcept
            requires requires(output_type& o, Packet& p) { o.send_frame(p, interface, now); }
        {
            output_type* const output = find(interface);
            return output != nullptr && output->send_frame(frame, interface, now);
        }
        [[nodiscard]] constexpr bool resolve(const egress& to, instant now) noexcept {
            output_type* const output = find(to.interface);
            return output != nullptr && resolve_by(*output, to, now);
        }
        constexpr void flush() noexcept {
            for (auto& e : exits_) {
                e.output.flush();
            }
        }

    private:
        struct exit {
            u16 interface = 0;
            output_type output{};
        };
        bounded_vector<exit, N> exits_;
    };
};

}  // namespace sluice
