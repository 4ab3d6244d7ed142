// stack<Policies>: one IPv4 network layer: what a program composes, configures and feeds.
// Expects: policies (stack/policies.hpp), `now` with each call, one thread. Does: receive(packet),
// receive(batch), send(...), poll(now); interfaces, addresses and routes as an administrator sets
// them (administration.hpp). Never: allocates, calls a clock or the operating system, throws. Cost:
// its members; see receiving.hpp for a packet.
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

    // -- sending --
    // The payload in `packet` (headroom for a header in front) as one datagram; fragmented if need
    // be.
    [[nodiscard]] constexpr send_result send(packet_type&& packet, const send_request& r,
                                             moment now) noexcept {
        this->now_ = now;
        const send_result sent = this->originate(std::move(packet), r);
        this->drain();
        this->output_.flush();
        return sent;
    }
    // The same by a route that route(flow_of(r), now) gave and that still holds (way_version()).
    [[nodiscard]] constexpr send_result send(packet_type&& packet, const send_request& r,
                                             const pipeline::output_route& by,
                                             moment now) noexcept {
        this->now_ = now;
        const send_result sent = this->originate_by(std::move(packet), r, by);
        this->drain();
        this->output_.flush();
        return sent;
    }
    // A packet that begins with its own complete IPv4 header, to where that says; cut if need be.
    [[nodiscard]] constexpr send_result send(packet_type&& packet, moment now) noexcept {
        this->now_ = now;
        const send_result sent = this->send_complete(std::move(packet));
        this->drain();
        this->output_.flush();
        return sent;
    }

    // A packet whose header the program made (Linux IP_HDRINCL): total length and checksum are set,
    // source and identification where they are 0. Of the request, destination, source, interface,
    // tos and ignore_path_mtu count: the header's own destination may differ.
    [[nodiscard]] constexpr send_result send_raw(packet_type&& packet, const send_request& r,
                                                 moment now) noexcept {
        this->now_ = now;
        const send_result sent = this->send_with_header(std::move(packet), r);
        this->drain();
        this->output_.flush();
        return sent;
    }

    // How a flow would leave now: its source address, its MTU with what was learned of the path.
    [[nodiscard]] constexpr result<pipeline::output_route, pipeline::send_error>
    route(const pipeline::flow& f, moment now) noexcept {
        this->now_ = now;
        return this->route_to(f);
    }

    // -- time --
    // Does what is due; when to come again at the latest (instant::never(): nothing waits).
    [[nodiscard]] constexpr instant poll(moment now) noexcept {
        this->now_ = now;
        this->reassembly_.expire(now.now, [this](expired_datagram<packet_type>&& e) {
            fragments_expired(std::move(e));
        });
        this->drain();
        this->output_.flush();
        const instant forgets = this->exceptions_.expire(now.now);
        const instant gives_up = this->reassembly_.next_deadline();
        return forgets < gives_up ? forgets : gives_up;
    }

    // -- from below --
    // The link could not deliver: the next hop of this packet (its IPv4 header at data()) did not
    // answer. RFC 1812 section 5.2.7.1. Linux ipv4_link_failure.
    constexpr void link_failed(packet_type&& packet, moment now) noexcept {
        this->now_ = now;
        if (packet) {
            this->send_error(packet, icmp_request::host_unreachable(), route_type::unicast);
            this->tally(
                balance::received);  // handed back by the link, after it was transmitted once
            static_cast<void>(this->drop(std::move(packet), drop_reason::neighbour_unreachable));
        }
        this->drain();
        this->output_.flush();
    }

private:
    constexpr void fragments_expired(expired_datagram<packet_type>&& e) noexcept;
};

// RFC 792: time exceeded code 1 when the first fragment is there; not about what came to many.
template <class Policies>
constexpr void stack<Policies>::fragments_expired(expired_datagram<packet_type>&& e) noexcept {
    this->count(mib::ip_reasm_timeout);
    this->count(mib::ip_reasm_fails);
    this->trace(stage::reassemble, outcome::drop, drop_reason::fragment_timeout, 0, e.pieces);
    if (e.first) {
        const interface* in = this->interfaces_.find(e.first.interface());
        if (in != nullptr) {
            const ipv4::const_view ip{e.first.data()};
            const auto c = pipeline::classify(this->tables(), ip, ip[ipv4::destination], *in);
            if (c.verdict.kind() != outcome::drop) {
                this->send_error(e.first, icmp_request::reassembly_exceeded(), c.type);
            }
        }
    }
    this->stats_.dropped(drop_reason::fragment_timeout, e.pieces);
}

}  // namespace sluice
