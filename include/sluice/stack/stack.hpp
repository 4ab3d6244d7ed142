// stack<Policies>: one IPv4 network layer: what a program composes, configures and feeds.
// Expects: policies (stack/policies.hpp), `now` with each call, one thread. Does: receive(packet),
// receive(batch), send(...), poll(now); interfaces, addresses and routes as an administrator sets
// them (administration.hpp). All of it may be used from within a call (entering.hpp). Never:
// allocates, calls a clock or the operating system, throws. Cost: its members; see receiving.hpp
// for a packet.
#pragma once

#include <sluice/stack/administration.hpp>
#include <sluice/stack/presets.hpp>

#include <utility>

namespace sluice {

template <class Policies = linux_host>
class stack final : public detail::stack_administration<Policies> {
    using base = detail::stack_administration<Policies>;

public:
    using typename base::packet_type;
    using typename base::parts;
    using typename base::send_result;

    stack() = delete;  // name a seed: stack<P> s{{.seed = port::system_seed().value()}}
    constexpr explicit stack(parts p) noexcept : base(std::move(p)) {}
    stack(const stack&) = delete;
    stack& operator=(const stack&) = delete;

    // -- sending: from within a call it leaves once the packet at hand is done; what can be told
    // at once is told: no route, too big, no room in the work queue --
    // The payload in `packet` (headroom for a header in front) as one datagram; fragmented if need
    // be.
    [[nodiscard]] constexpr send_result send(packet_type&& packet, const send_request& r,
                                             moment now) noexcept {
        const typename base::entrance here{*this, now};
        return this->originate(std::move(packet), r);
    }
    // The same by a route that route(flow_of(r), now) gave and that still holds (way_version()).
    [[nodiscard]] constexpr send_result send(packet_type&& packet, const send_request& r,
                                             const pipeline::output_route& by,
                                             moment now) noexcept {
        const typename base::entrance here{*this, now};
        return this->originate_by(std::move(packet), r, by);
    }
    // A packet that begins with its own complete IPv4 header, to where that says; cut if need be.
    [[nodiscard]] constexpr send_result send(packet_type&& packet, moment now) noexcept {
        const typename base::entrance here{*this, now};
        return this->send_complete(std::move(packet));
    }

    // A packet whose header the program made (Linux IP_HDRINCL): total length and checksum are set,
    // source and identification where they are 0. Of the request, destination, source, interface,
    // tos and ignore_path_mtu count: the header's own destination may differ.
    [[nodiscard]] constexpr send_result send_raw(packet_type&& packet, const send_request& r,
                                                 moment now) noexcept {
        const typename base::entrance here{*this, now};
        return this->send_with_header(std::move(packet), r);
    }

    // How a flow would leave now: its source address, its MTU with what was learned of the path.
    [[nodiscard]] constexpr result<pipeline::output_route, pipeline::send_error>
    route(const pipeline::flow& f, moment now) noexcept {
        const typename base::call here{*this, now};
        return this->route_to(f);
    }
};

}  // namespace sluice
