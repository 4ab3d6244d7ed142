// with_tunnels<Output, N>: an output, of which up to N interfaces are tunnels: their packets go to
// the tunnels object of the stack, all others to Output.
//
// Use it together with tunnels<Stack> (link/tunnels.hpp), which connects itself to it.
//
// Expects: a sink that outlives the tunnels added with it.
// Cost:    a test; with tunnels a scan of their interfaces.
#pragma once

#include <sluice/base/bounded_vector.hpp>
#include <sluice/output/concept.hpp>

#include <cstddef>
#include <utility>

namespace sluice {

// What takes the packets of tunnel interfaces.
template <class Packet>
class tunnel_sink {
public:
    // As transmit() of an output_policy.
    [[nodiscard]] constexpr virtual bool transmit(Packet& packet, u16 interface,
                                                  instant now) noexcept = 0;

protected:
    constexpr ~tunnel_sink() = default;
};

template <class Output, std::size_t N = 8>
struct with_tunnels {
    template <class Packet>
    class model {
    public:
        using output_type = typename Output::template model<Packet>;
        static constexpr bool takes_segmented = output_type::takes_segmented;
        static constexpr bool takes_gso = true;  // tunnels: offloads() tells of the others

        constexpr model() noexcept = default;
        constexpr model(output_type output) noexcept : output_{std::move(output)} {}

        // Sends the packets of this interface to the sink. false: N interfaces are tunnels.
        [[nodiscard]] constexpr bool add_tunnel(u16 interface, tunnel_sink<Packet>& to) noexcept {
            remove_tunnel(interface);
            return exits_.push_back({interface, &to});
        }
        constexpr void remove_tunnel(u16 interface) noexcept {
            for (std::size_t i = 0; i < exits_.size(); ++i) {
                if (exits_[i].interface == interface) {
                    exits_.erase(i);
                    return;
                }
            }
        }
        // The output of the other interfaces.
        [[nodiscard]] constexpr output_type& beneath() noexcept { return output_; }

        [[nodiscard]] constexpr output_offloads offloads(const egress& to) const noexcept {
            // A tunnel passes these on: the packet's last egress does the work.
            return find(to.interface) != nullptr ? output_offloads{true, true, true}
                                                 : offloads_of(output_, to);
        }
        [[nodiscard]] constexpr bool transmit(Packet& packet, const egress& to,
                                              instant now) noexcept {
            if (tunnel_sink<Packet>* const tunnel = find(to.interface)) {
                return tunnel->transmit(packet, to.interface, now);
            }
            return output_.transmit(packet, to, now);
        }
        [[nodiscard]] constexpr bool resolve(const egress& to, instant now) noexcept {
            return find(to.interface) != nullptr || resolve_by(output_, to, now);
        }
        constexpr void flush() noexcept { output_.flush(); }

    private:
        struct exit {
            u16 interface = 0;
            tunnel_sink<Packet>* to = nullptr;
        };

        [[nodiscard]] constexpr tunnel_sink<Packet>* find(u16 interface) const noexcept {
            for (const exit& e : exits_) {
                if (e.interface == interface) {
                    return e.to;
                }
            }
            return nullptr;
        }

        output_type output_{};
        bounded_vector<exit, N> exits_;
    };
};

}  // namespace sluice
