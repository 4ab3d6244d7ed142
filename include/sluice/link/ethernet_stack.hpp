// ethernet_stack<Policies, Sink>: a stack whose interfaces are Ethernet, with ARP: stack, link and
// the addresses between them in one object.
//
//     using host = ethernet_stack<linux_host, port::af_packet::sender>;
//     static host me{{.sink = device->sender(), .seed = port::system_seed().value()}};
//     me.add_interface({.index = 2, .address = "10.0.0.2/24"_net}, device->hardware_address());
//
// receive() takes frames, poll() serves the stack and the link, stack() is the stack itself: for
// routes, endpoints, switches, and for sending. Sink is an output whose model sends whole frames: a
// port's sender, or by_interface<sender> for several devices.
//
// Expects: Policies without an output: frames go to the sink.
// Never:   allocates. Of the packets whose next hop does not answer, at most 64 a poll cause an
//          ICMP error; the others are only counted as unresolved.
// Cost:    that of the link and of the stack.
// Source:  RFC 826, RFC 894, RFC 1122 section 2.3.2.
#pragma once

#include <sluice/link/ethernet.hpp>
#include <sluice/link/ethernet_output.hpp>
#include <sluice/link/interface_host.hpp>
#include <sluice/stack/stack.hpp>

#include <cstddef>
#include <span>
#include <utility>

namespace sluice {

template <class Policies, class Sink, std::size_t Neighbours = 256>
class ethernet_stack {
    using given = detail::resolved<Policies>;

public:
    using packet_type = typename given::packet;
    using buffer_source_type = typename given::buffers;
    using sink_type = typename Sink::template model<packet_type>;
    using host_type = interface_host<typename given::interfaces>;
    using link_type = ethernet_link<buffer_source_type, host_type, sink_type, Neighbours>;
    struct composed : policies<based_on<Policies>, output<ethernet_output<link_type>>> {};
    using stack_type = sluice::stack<composed>;

    // The seed is a secret from the owner's random source.
    struct parts {
        sink_type sink{};
        hash_key seed = detail::missing_seed<Policies>();
        settings switches = Policies::initial_settings();
        // As those of the stack (stack/core.hpp).
        [[no_unique_address]] decltype(stack_type::parts::routes) routes{};
        [[no_unique_address]] decltype(stack_type::parts::reassembly) reassembly{};
    };

    constexpr explicit ethernet_stack(parts p) noexcept
        : sink_{std::move(p.sink)}, stack_{{.output = {link_},
                                            .seed = derive(p.seed, 1),
                                            .switches = p.switches,
                                            .routes = p.routes,
                                            .reassembly = p.reassembly}},
          host_{stack_.interfaces()}, link_{stack_.buffers(), host_, sink_, derive(p.seed, 2)} {}
    ethernet_stack(const ethernet_stack&) = delete;
    ethernet_stack& operator=(const ethernet_stack&) = delete;

    // Adds an interface with its link address.
    [[nodiscard]] constexpr result<void, interface_error>
    add_interface(const interface_request& r, ethernet::address hardware) noexcept {
        const auto added = stack_.add_interface(r);
        if (added.has_value() && !host_.set_hardware_address(r.index, hardware)) {
            static_cast<void>(stack_.remove_interface(r.index));
            return failure{interface_error::full};
        }
        return added;
    }

    // Receives frames in order of arrival, each by frame.interface().
    constexpr void receive(std::span<packet_type> frames, moment now) noexcept {
        std::size_t kept = 0;
        for (packet_type& frame : frames) {
            if (frame && link_.input(frame, now.now) == frame_kind::ipv4) {
                packet_type packet = std::move(frame);
                frames[kept++] = std::move(packet);
            }
        }
        stack_.receive(frames.first(kept), now);
        link_.flush_device();  // answers to ARP
    }
    // Does what is due in the stack and in the link. Returns the next deadline.
    [[nodiscard]] constexpr instant poll(moment now) noexcept {
        bounded_vector<packet_type, 64> failed;
        const instant of_link = link_.poll(now.now, [&failed](packet_type&& p) {
            static_cast<void>(failed.push_back(std::move(p)));
        });
        for (packet_type& p : failed) {
            stack_.link_failed(std::move(p), now);
        }
        const instant of_stack = stack_.poll(now);
        link_.flush_device();
        return of_link < of_stack ? of_link : of_stack;
    }

    [[nodiscard]] constexpr stack_type& stack() noexcept { return stack_; }
    [[nodiscard]] constexpr link_type& link() noexcept { return link_; }
    [[nodiscard]] constexpr sink_type& sink() noexcept { return sink_; }
    [[nodiscard]] constexpr buffer_source_type& buffers() noexcept { return stack_.buffers(); }

private:
    // Packets held in the link return their buffers before the stack is destroyed.
    sink_type sink_;
    stack_type stack_;
    host_type host_;
    link_type link_;
};

}  // namespace sluice
