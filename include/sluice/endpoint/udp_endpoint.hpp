// udp_endpoint<Stack>: a UDP or UDP-Lite socket over the stack: bind, connect, send, receive.
//
// It writes header and checksum, and chooses a port if none is bound.
//
// Expects: a stack that outlives it; the time with each send.
// Never:   moves, allocates, waits.
// Cost:    that of endpoint.hpp, and one pass to copy and sum the bytes.
// Source:  RFC 768, RFC 1122 section 4.1, RFC 3828; Linux udp_sendmsg, udp_recvmsg, udplite_csum.
#pragma once

#include <sluice/endpoint/endpoint.hpp>
#include <sluice/wire/udp.hpp>

namespace sluice {

template <class Stack>
inline constexpr bool detail::is_included<udp_endpoint, Stack> = true;

template <class Stack, endpoint_sizes Sizes>
class udp_endpoint final : public detail::endpoint_base<Stack, Sizes> {
    using base = detail::endpoint_base<Stack, Sizes>;

public:
    using typename base::packet_type;
    using typename base::result_type;

    explicit udp_endpoint(Stack& s, udp_protocol of = udp_protocol::udp) noexcept
        : base(s, endpoint_kind::udp, static_cast<u8>(of)) {}

    // Address unspecified: any local address. A group or broadcast address: only datagrams to it.
    // Port 0: a free one of ip_local_port_range.
    [[nodiscard]] result_type bind(const endpoint_address& a = {}) noexcept {
        const settings& s = stack_.switches();
        return base::bind_to(a, s.ip_local_port_first, s.ip_local_port_last);
    }
    // Sets the peer: the destination of send(), and the only source that is received.
    [[nodiscard]] result_type connect(const endpoint_address& peer, moment now) noexcept {
        if (const result_type b = bind_if_need_be(); !b.has_value()) {
            return b;
        }
        return base::connect_to(peer, now);
    }

    [[nodiscard]] result_type send(const_bytes payload, moment now,
                                   const message_options& m = {}) noexcept {
        if (!this->connected_ && !this->corked_.has_begun()) {
            return failure{endpoint_error::destination_required};
        }
        return send(payload, this->peer_, now, m);
    }
    [[nodiscard]] result_type send(const_bytes payload, const endpoint_address& to, moment now,
                                   const message_options& m = {}) noexcept {
        if (payload.size() > 0xffff) {
            return failure{endpoint_error::too_big};
        }
        if (this->corked_.has_begun()) {
            return base::append_payload(payload, m, now, header_writer());
        }
        if (to.port == 0) {
            return failure{endpoint_error::invalid};
        }
        if (const result_type b = bind_if_need_be(); !b.has_value()) {
            return b;
        }
        to_port_ = to.port;
        constexpr auto front = static_cast<u32>(udp::layout::size);
        if (base::is_prepared(to.host, front + payload.size(), m, now)) {
            return base::send_prepared(front, payload, now, header_writer());
        }
        send_request r = base::request_for(to.host, m);
        r.sent_counter = is_lite() ? mib::udplite_out_datagrams : mib::udp_out_datagrams;
        r.no_buffer_counter = is_lite() ? mib::udplite_sndbuf_errors : mib::udp_sndbuf_errors;
        return base::send_payload(r, front, payload, m, now, header_writer());
    }
    // Sends the corked datagram; does nothing without one.
    [[nodiscard]] result_type push(moment now) noexcept {
        return base::push_corked(now, header_writer());
    }

private:
    using base::stack_;

    // Chooses a port, so that replies can be received.
    [[nodiscard]] result_type bind_if_need_be() noexcept {
        return this->bound_ ? result_type{} : bind();
    }
    [[nodiscard]] auto header_writer() const noexcept {
        return [this](packet_type& p, const routing::output_route& route, u64 payload_sum) {
            // The sum is that of the values: reading back bytes that were just stored stalls.
            const auto length = static_cast<u16>(p.size());
            const u16 field = is_lite() ? coverage_field(length) : length;
            const u64 data = field < length && field != 0 ? sum_of_covered(p, field) : payload_sum;
            const u16 sum = checksum::finish(
                data +
                checksum::pseudo_header(route.source, route.destination, this->protocol_, length) +
                this->local_.port + to_port_ + field);
            udp::view{p.writable()}
                .set(udp::source_port, this->local_.port)
                .set(udp::destination_port, to_port_)
                .set(udp::length, field)
                .set(udp::checksum, sum == 0 ? u16{0xffff} : sum);
            if (const interface* out = stack_.interfaces().find(route.interface);
                out != nullptr && out->loopback) {
                p.writable_metadata().checksum =
                    checksum_state::verified;  // looped back without a check
            }
        };
    }

    [[nodiscard]] bool is_lite() const noexcept {
        return this->protocol_ == ipv4::protocols::udp_lite;
    }
    // The coverage field of a UDP-Lite datagram of this length. RFC 3828 section 3.1.
    [[nodiscard]] u16 coverage_field(u16 length) const noexcept {
        constexpr u16 least = udp::layout::size;
        const u16 asked = this->options_.send_coverage;
        return asked >= length ? length : asked != 0 && asked < least ? least : asked;
    }
    [[nodiscard]] static u64 sum_of_covered(const packet_type& p, u16 covered) noexcept {
        constexpr u32 header = udp::layout::size;
        return packet_sum(p, header, covered - header);
    }

    u16 to_port_ = 0;  // of the datagram that is being sent
};

}  // namespace sluice
