// ping_endpoint<Stack>: sends echo requests and receives the replies to its identifier, without a
// raw socket's rights.
//
// It fills in identifier and checksum, and receives echo replies, extended ones too, from their
// ICMP header on.
//
// Expects: a stack that outlives it; the time with each send.
// Never:   sends another ICMP type; moves, allocates, waits.
// Cost:    that of endpoint.hpp.
// Source:  RFC 1122 section 3.2.2.6, RFC 8335; Linux ping_v4_sendmsg, ping_rcv.
#pragma once

#include <sluice/endpoint/endpoint.hpp>
#include <sluice/wire/icmp.hpp>

namespace sluice {

template <class Stack>
inline constexpr bool detail::is_included<ping_endpoint, Stack> = true;

template <class Stack, endpoint_sizes Sizes>
class ping_endpoint final : public detail::endpoint_base<Stack, Sizes> {
    using base = detail::endpoint_base<Stack, Sizes>;

public:
    using typename base::packet_type;
    using typename base::result_type;

    explicit ping_endpoint(Stack& s) noexcept
        : base(s, endpoint_kind::ping, ipv4::protocols::icmp) {
        this->options_.reuse = true;  // as for each ping socket of Linux
    }

    // The port is the identifier; 0: a free one. A given identifier may be shared, unless `reuse`
    // is off on either side; the endpoint bound last then receives.
    [[nodiscard]] result_type bind(const endpoint_address& a = {}) noexcept {
        return base::bind_to(a, 1, 0xffff);
    }
    // Sets the destination of send() without an address. Replies of other hosts are still received,
    // as in Linux.
    [[nodiscard]] result_type connect(ipv4::address peer, moment now) noexcept {
        if (const result_type b = bind_if_need_be(); !b.has_value()) {
            return b;
        }
        return base::connect_to({peer, 0}, now);
    }

    // Sends an echo request with this sequence number and data.
    [[nodiscard]] result_type send_echo(u16 sequence, const_bytes data, ipv4::address to,
                                        moment now, const message_options& m = {}) noexcept {
        std::byte header[icmp::header_length]{std::byte{icmp::types::echo_request}};
        store_be<u16>(header + 6, sequence);
        return send_parts(header, data, to, now, m);
    }
    // Sends a message from its ICMP header on: an echo request, plain or extended, code 0.
    [[nodiscard]] result_type send(const_bytes message, ipv4::address to, moment now,
                                   const message_options& m = {}) noexcept {
        if (message.size() < icmp::header_length) {
            return failure{endpoint_error::fault};
        }
        return send_parts(message.first(icmp::header_length), message.subspan(icmp::header_length),
                          to, now, m);
    }
    [[nodiscard]] result_type send(const_bytes message, moment now,
                                   const message_options& m = {}) noexcept {
        if (!this->connected_) {
            return failure{endpoint_error::destination_required};
        }
        return send(message, this->peer_.host, now, m);
    }

private:
    using base::stack_;

    [[nodiscard]] result_type bind_if_need_be() noexcept {
        return this->bound_ ? result_type{} : bind();
    }
    [[nodiscard]] result_type send_parts(const_bytes header, const_bytes data, ipv4::address to,
                                         moment now, const message_options& m) noexcept {
        const icmp::const_view given{header.data()};
        if (data.size() > 0xffff) {
            return failure{endpoint_error::too_big};
        }
        if (given[icmp::code] != 0 || (given[icmp::type] != icmp::types::echo_request &&
                                       given[icmp::type] != icmp::types::extended_echo_request)) {
            return failure{endpoint_error::invalid};
        }
        if (const result_type b = bind_if_need_be(); !b.has_value()) {
            return b;
        }
        message_options whole = m;  // Linux ignores MSG_MORE here
        whole.more = false;
        return base::send_payload(
            base::request_for(to, m), static_cast<u32>(header.size()), data, whole, now,
            [&](packet_type& p, const routing::output_route&, u64 sum) {
                std::byte* const first = p.writable();
                copy_bytes(first, header.data(), header.size());
                const icmp::view message{first};
                message.set(icmp::identifier, this->local_.port).set(icmp::checksum, 0);
                message.set(icmp::checksum,
                            checksum::finish(checksum::partial({first, icmp::header_length}, sum)));
            });
    }
};

}  // namespace sluice
