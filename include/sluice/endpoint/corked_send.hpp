// corked_send<Stack>: one datagram that a program builds in several calls and then pushes or
// discards.
//
// The route, its MTU and the options are those of begin(). push() lets the caller write the
// transport header, whose checksum needs the sum of all bytes.
//
// Expects: a stack that outlives it; begin() first.
// Never:   is moved; sends part of a datagram: a call that fails discards it.
// Errors:  those of a send (routing::message has a sentence for each). A datagram without buffers
//          is counted as discarded.
// Cost:    that of rewrite/accumulator.hpp, and a copy of request and route.
// Source:  Linux ip_append_data, ip_push_pending_frames, ip_flush_pending_frames.
#pragma once

#include <sluice/endpoint/declared.hpp>
#include <sluice/rewrite/accumulator.hpp>
#include <sluice/routing/output_route.hpp>
#include <sluice/stack/make_datagram.hpp>

#include <utility>

namespace sluice {

struct cork_limits {
    u32 front = 0;                           // bytes of the transport header, which push() writes
    u32 most = u32{ipv4::max_total_length};  // bytes of the datagram; DF: at most the MTU
};

template <class Stack>
inline constexpr bool detail::is_flow_included<corked_send, Stack> = true;

template <class Stack>
class corked_send {
    using accumulator = rewrite::accumulator<typename Stack::buffer_source_type>;

public:
    using packet_type = typename Stack::packet_type;
    using result_type = typename Stack::send_result;

    explicit corked_send(Stack& s) noexcept : stack_(s) {}
    corked_send(const corked_send&) = delete;
    corked_send& operator=(const corked_send&) = delete;

    // Begins a datagram to r.destination.
    [[nodiscard]] result_type begin(const send_request& r, const cork_limits& limits,
                                    moment now) noexcept {
        discard();
        const auto route = stack_.route(flow_of(r), now);
        return route.has_value() ? begin(r, *route, limits, now)
                                 : result_type{failure{route.error()}};
    }
    // Begins a datagram by a route that stack.route(flow_of(r), now) returned.
    [[nodiscard]] result_type begin(const send_request& r, const routing::output_route& route,
                                    const cork_limits& limits, moment now) noexcept {
        request_ = r;
        route_ = route;
        if (r.options != nullptr) {
            options_ = *r.options;
            request_.options = &options_;
        }
        return checked(
            datagram_.begin(stack_.buffers(),
                            accumulation_of(stack_.tables(), r, route, limits.front, limits.most)),
            now);
    }
    // Appends bytes, bytes of a source (rewrite/byte_source.hpp), or bytes of another packet by
    // reference.
    [[nodiscard]] result_type append(const_bytes more, moment now) noexcept {
        if (more.size() > ipv4::max_total_length) {
            discard();
            return failure{routing::send_error::too_big};
        }
        return append(static_cast<u32>(more.size()), rewrite::from_bytes{more}, now);
    }
    template <rewrite::byte_source F>
    [[nodiscard]] result_type append(u32 n, F&& next, moment now) noexcept {
        return checked(datagram_.append(stack_.buffers(), n, next), now);
    }
    template <class F>
        requires(!rewrite::byte_source<F>)
    result_type append(u32, F&&, moment) noexcept {
        static_assert(rewrite::is_byte_source<F>());
        return {};
    }
    [[nodiscard]] result_type refer(packet_type& to, u32 offset, u32 n, moment now) noexcept
        requires(packet_type::ownership::counts_references)
    {
        return checked(datagram_.refer(stack_.buffers(), to, offset, n), now);
    }

    // Sends the datagram. write(packet, route, sum) writes the transport header at
    // packet.writable(); `sum` is that of the appended bytes.
    template <class Write>
    [[nodiscard]] result_type push(moment now, Write&& write) noexcept {
        if (!has_begun()) {
            return failure{routing::send_error::invalid};
        }
        const u64 sum = datagram_.sum();
        packet_type whole = datagram_.take();
        if (whole) {
            write(whole, std::as_const(route_), sum);
        }
        return stack_.send(std::move(whole), request_, route_, now);
    }
    void discard() noexcept { datagram_.clear(); }

    [[nodiscard]] bool has_begun() const noexcept { return datagram_.has_begun(); }
    // Bytes accumulated, with those of the transport header.
    [[nodiscard]] u32 size() const noexcept { return datagram_.size(); }
    [[nodiscard]] const send_request& request() const noexcept { return request_; }
    // Bytes of the largest IPv4 datagram that leaves in one piece.
    [[nodiscard]] u32 mtu() const noexcept { return mtu_of(stack_.tables(), request_, route_); }

private:
    [[nodiscard]] result_type checked(const result_type& r, moment now) noexcept {
        if (!r.has_value() && r.error() == routing::send_error::no_buffer) {
            // The stack counts the datagram that has no buffer.
            static_cast<void>(stack_.send(packet_type{}, request_, route_, now));
        }
        return r;
    }

    Stack& stack_;
    send_request request_{};
    routing::output_route route_{};
    ip_options::outgoing options_{};
    accumulator datagram_{};
};

}  // namespace sluice
