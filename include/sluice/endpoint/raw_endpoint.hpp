// raw_endpoint<Stack>: a raw socket over the stack: it receives all datagrams of one protocol, with
// their header.
//
// It sends payloads, or whole datagrams with options().header_included. It receives copies: a
// handler of the protocol receives the datagram too. On request it also receives router alerts.
//
// Expects: a stack that outlives it; the time with each send.
// Never:   moves, allocates, waits.
// Cost:    that of endpoint.hpp, and one copy of the bytes.
// Source:  RFC 1122 section 3.4, RFC 2113 section 2.1; Linux raw_sendmsg, raw_rcv, icmp_filter.
#pragma once

#include <sluice/endpoint/endpoint.hpp>

namespace sluice {

template <class Stack>
inline constexpr bool detail::is_included<raw_endpoint, Stack> = true;

template <class Stack, endpoint_sizes Sizes>
class raw_endpoint final : public detail::endpoint_base<Stack, Sizes> {
    using base = detail::endpoint_base<Stack, Sizes>;

public:
    using typename base::packet_type;
    using typename base::result_type;

    // Protocol 255 only sends, with headers of the caller's (Linux IPPROTO_RAW).
    raw_endpoint(Stack& s, u8 protocol) noexcept : base(s, endpoint_kind::raw, protocol) {
        this->options_.header_included = protocol == 255;
    }

    // Starts to receive; address unspecified: datagrams to any local address.
    [[nodiscard]] result_type bind(ipv4::address a = {}) noexcept {
        return base::bind_to({a, 0}, 0, 0);
    }
    [[nodiscard]] result_type connect(ipv4::address peer, moment now) noexcept {
        if (const result_type b = this->bound_ ? result_type{} : bind(); !b.has_value()) {
            return b;
        }
        return base::connect_to({peer, 0}, now);
    }
    // Receives datagrams of this protocol that carry a router alert instead of having them
    // forwarded. Linux IP_ROUTER_ALERT.
    [[nodiscard]] result_type receive_alerts() noexcept {
        this->receives_alerts_ = true;
        return base::enroll();
    }
    [[nodiscard]] result_type ignore_alerts() noexcept {
        this->receives_alerts_ = false;
        return base::enroll();
    }

    [[nodiscard]] result_type send(const_bytes message, moment now,
                                   const message_options& m = {}) noexcept {
        if (!this->connected_ && !this->corked_.has_begun()) {
            return failure{endpoint_error::destination_required};
        }
        return send(message, this->peer_.host, now, m);
    }
    [[nodiscard]] result_type send(const_bytes message, ipv4::address to, moment now,
                                   const message_options& m = {}) noexcept {
        if (message.size() > 0xffff) {
            return failure{endpoint_error::too_big};
        }
        if (this->corked_.has_begun()) {
            return base::append_payload(message, m, now, no_header);
        }
        const send_request r = base::request_for(to, m);
        if (this->options_.header_included) {
            return send_with_header(message, r, m, now);
        }
        if (this->protocol_ == ipv4::protocols::icmp && message.size() < 2) {
            return failure{endpoint_error::fault};
        }
        return base::send_payload(r, 0, message, m, now, no_header);
    }
    // Sends the corked datagram; does nothing without one.
    [[nodiscard]] result_type push(moment now) noexcept {
        return base::push_corked(now, no_header);
    }

    // -- called by the stack --
    [[nodiscard]] bool take(packet_type& packet, const delivery_info& info) noexcept override {
        if (this->protocol_ == ipv4::protocols::icmp && is_filtered(packet)) {
            return true;  // filtered, not an error
        }
        if (!base::hears(info)) {
            return true;
        }
        return base::take(packet, info);
    }

private:
    using base::stack_;

    static void no_header(packet_type&, const routing::output_route&, u64) noexcept {}

    // Never fragments: refuses datagrams larger than the interface's MTU. IP options belong to the
    // caller's header: with those of the endpoint nothing is sent.
    [[nodiscard]] result_type send_with_header(const_bytes message, const send_request& r,
                                               const message_options& m, moment now) noexcept {
        if (r.options != nullptr) {
            return failure{endpoint_error::invalid};
        }
        if (this->pending_ != endpoint_error::none) {
            return failure{this->pending_error()};
        }
        auto route = this->flow_.route(stack_, own_header_flow_of(r), now);
        if (!route.has_value()) {
            return failure{error_of(route.error())};
        }
        if (route->type == route_type::broadcast && !this->options_.may_broadcast) {
            return failure{endpoint_error::access_denied};
        }
        const u32 mtu = routing::egress_mtu(stack_.tables(), route->interface, 0);
        if (message.size() > mtu) {
            return base::too_big(r.destination, mtu);
        }
        if (message.size() < ipv4::min_header_length) {
            return failure{endpoint_error::invalid};
        }
        if (m.probe) {
            return {};
        }
        route->loops_back = this->options_.multicast_loop;
        rewrite::accumulator<typename Stack::buffer_source_type> whole;
        const bool made =
            whole.begin(stack_.buffers(), {.header = 0, .mtu = ipv4::max_total_length})
                .has_value() &&
            whole
                .append(stack_.buffers(), static_cast<u32>(message.size()),
                        rewrite::from_bytes{message})
                .has_value();
        // The stack counts the datagram that has no buffer.
        const auto sent = stack_.send_raw(made ? whole.take() : packet_type{}, r, *route, now);
        return made ? base::result_of(sent) : result_type{failure{endpoint_error::no_buffer}};
    }
    // Packets without a complete ICMP header are filtered too.
    [[nodiscard]] bool is_filtered(packet_type& p) const noexcept {
        const auto header = static_cast<u32>(ipv4::header_length(ipv4::const_view{p.data()}));
        if (!p.may_pull(header + static_cast<u32>(icmp::header_length))) {
            return true;
        }
        const u32 type = static_cast<u8>(p.data()[header]);
        return type < 32 && (this->options_.icmp_filter >> type & 1) != 0;
    }
};

}  // namespace sluice
