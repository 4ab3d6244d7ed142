// make_datagram: makes a complete datagram in one step, without a stack's state; send() takes it
// later.
//
// Several threads may make datagrams by the tables of one stack at once: everything that changes is
// an argument. Each thread has its own buffers, identification policy and request.counter.
//
//     auto made = make_datagram(stack.view(), buffers, identification, request,
//                               {.front = 8, .size = 100}, rewrite::from_bytes{data}, write, now);
//     if (made) stack.send(std::move(*made), now);  // by the thread that owns the stack
//
// Expects: tables that do not change meanwhile; a buffer source of the stack's packets. A packet
//          returns to this source wherever it ends, so a source of one thread must be idle when
//          the stack sends.
// Never:   keeps a part of the datagram after it failed.
// Errors:  those of a route; too_big, no_buffer; invalid: the byte source failed. Nothing is
//          counted.
// Cost:    a route lookup; one pass over the bytes.
// Source:  Linux ip_make_skb.
#pragma once

#include <sluice/rewrite/accumulator.hpp>
#include <sluice/stack/originate.hpp>

#include <utility>

namespace sluice {

struct payload_size {
    u32 front = 0;  // bytes of the transport header, which `write` writes
    u32 size = 0;   // bytes behind it, which the byte source gives
};

// How the request's datagram is accumulated: `front` bytes of transport header, and at most `most`
// bytes with the IPv4 header, or as many as the MTU with DF.
template <class Tables>
[[nodiscard]] constexpr rewrite::accumulation
accumulation_of(const Tables& view, const send_request& r, const routing::output_route& route,
                u32 front, u32 most = u32{ipv4::max_total_length}) noexcept {
    const u32 mtu = mtu_of(view, r, route);
    return {.header = header_length(r),
            .front = front,
            .mtu = mtu,
            .limit = r.dont_fragment && mtu < most ? mtu : most};
}

// write(packet, route, sum) writes the transport header at packet.writable(), all of it: its bytes
// are uninitialized. `sum` is that of the bytes behind it.
template <class Tables, buffer_source Source, class Identification, rewrite::byte_source F,
          class Write>
[[nodiscard]] constexpr result<made_datagram<typename Source::packet_type>, routing::send_error>
make_datagram(const Tables& view, Source& buffers, Identification& identification,
              const send_request& r, const payload_size& payload, F&& next, Write&& write,
              moment now) noexcept {
    using made = made_datagram<typename Source::packet_type>;
    auto route = acts::route_to(view, flow_of(r), now.now);
    if (!route.has_value()) {
        return failure{route.error()};
    }
    if (r.ignore_path_mtu) {
        route->mtu = 0;
    }
    rewrite::accumulator<Source> whole;
    auto done = whole.begin(buffers, accumulation_of(view, r, *route, payload.front));
    if (done.has_value()) {
        done = whole.append(buffers, payload.size, next);
    }
    if (!done.has_value()) {
        return failure{done.error()};
    }
    const u64 sum = whole.sum();
    made m{.packet = whole.take(),
           .route = *route,
           .counters = {.sent = r.sent_counter, .no_buffer = r.no_buffer_counter}};
    if (m.packet) {
        write(m.packet, std::as_const(m.route), sum);
    }
    const routing::send_error error =
        acts::write_header(view, identification, m.packet, r, m.route, now);
    if (error != routing::send_error::none) {
        return failure{error};
    }
    return m;
}
template <class Tables, buffer_source Source, class Identification, class F, class Write>
    requires(!rewrite::byte_source<F>)
result<made_datagram<typename Source::packet_type>, routing::send_error>
make_datagram(const Tables&, Source&, Identification&, const send_request&, const payload_size&,
              F&&, Write&&, moment) noexcept {
    static_assert(rewrite::is_byte_source<F>());
    return failure{routing::send_error::invalid};
}

}  // namespace sluice
