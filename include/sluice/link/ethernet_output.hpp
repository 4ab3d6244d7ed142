// ethernet_output<Link>: the output policy of a stack that sends through an ethernet_link.
//
// Expects: a link of the stack's packet type that outlives the stack.
// Cost:    a pointer.
#pragma once

#include <sluice/output/concept.hpp>

#include <concepts>

namespace sluice {

template <class Link>
struct ethernet_output {
    template <class Packet>
    class model {
        static_assert(std::same_as<Packet, typename Link::packet_type>,
                      "sluice: ethernet_output: the link must be of the stack's packet type");

    public:
        static constexpr bool takes_segmented = Link::takes_segmented;
        static constexpr bool takes_gso = Link::takes_gso;

        constexpr model() noexcept = default;
        constexpr model(Link& link) noexcept : link_{&link} {}

        [[nodiscard]] constexpr output_offloads offloads(const egress& to) const noexcept {
            return link_ != nullptr ? link_->offloads(to) : output_offloads{};
        }
        [[nodiscard]] constexpr bool transmit(Packet& packet, const egress& to,
                                              instant now) noexcept {
            return link_ != nullptr && link_->output(packet, to, now);
        }
        [[nodiscard]] constexpr bool resolve(const egress& to, instant now) noexcept {
            return link_ != nullptr && link_->resolve(to.interface, to.next_hop, now);
        }
        constexpr void flush() noexcept {
            if (link_ != nullptr) {
                link_->flush_device();
            }
        }

    private:
        Link* link_ = nullptr;
    };
};

}  // namespace sluice
