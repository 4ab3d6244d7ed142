// send_segment: sends a ready transport segment of a flow whose route and header are prepared.
//
// prepare() computes once what the segments of a flow have in common. A segment that fits the MTU
// of its link, and that no hook, policy or observer has to see, gets a header of 20 bytes in front
// and goes to the output. originate_by() sends all others.
//
// Expects: a prepared flow whose route is still valid; a segment with headroom for the header.
// Never:   copies or allocates for a plain segment.
// Cost:    the header, its checksum, the output. Without DF also an identification.
// Source:  Linux ip_queue_xmit, ip_local_out. tests/unit/stack/acts/send_segment.cpp holds it equal
//          to originate_by().
#pragma once

#include <sluice/identification/concept.hpp>
#include <sluice/stack/originate.hpp>

#include <utility>

namespace sluice {

// What the segments of a flow have in common. Valid while the stack's route_generation() is
// unchanged.
struct prepared_flow {
    send_request request{};
    routing::output_route route{};
    egress to{};
    u32 mtu = 0;             // bytes; 0: every segment takes the full path
    u32 first = 0;           // words of the header: version, length and TOS
    u32 second = 0;          // DF
    u32 third = 0;           // TTL and protocol
    u64 sum = 0;             // of these words and the addresses
    u64 key = 0;             // of the identification policy, if it has_flow_keys
    bool identified = true;  // by the policy, where DF and a counter do not decide
};

namespace acts {

template <class Core>
[[nodiscard]] constexpr prepared_flow prepare(const Core& c, const send_request& r,
                                              const routing::output_route& route) noexcept {
    prepared_flow f{.request = r, .route = route};
    const interface* out = c.tables.running(route.interface);
    if (out == nullptr || out->loopback || route.type != route_type::unicast ||
        r.options != nullptr || r.protocol == ipv4::protocols::icmp || r.mark != 0 ||
        r.priority != 0) {
        return f;
    }
    f.mtu = mtu_of(c.tables, r, route);
    f.mtu = f.mtu < ipv4::max_total_length ? f.mtu : u32{ipv4::max_total_length};
    f.to = {route.interface, link_destination::unicast, route.neighbour};
    // A plain segment fits the MTU, so judge_send() sets DF where the sender prefers it.
    const pipeline::send_decision d =
        pipeline::judge_send({.mtu = f.mtu,
                              .mtu_locked = route.mtu_locked,
                              .dont_fragment = r.dont_fragment,
                              .prefer_whole = r.prefer_whole,
                              .always_identified = r.always_identified});
    const u8 ttl = r.ttl != 0 ? r.ttl : unicast_ttl(c.tables, route);
    f.first = u32{0x45} << 24 | u32{r.tos} << 16;
    f.second = d.dont_fragment ? u32{ipv4::words::dont_fragment} : 0;
    f.third = u32{ttl} << 24 | u32{r.protocol} << 16;
    f.sum = u64{f.first} + f.second + f.third + route.source.value + route.destination.value;
    f.identified = d.identified;
    if constexpr (has_flow_keys<typename Core::chosen::identification>) {
        f.key = c.local.identification.flow_key(route.source, route.destination, r.protocol);
    }
    return f;
}

namespace detail {

template <class Core>
[[nodiscard, gnu::always_inline]] constexpr bool
is_plain_segment(const Core& c, const typename Core::packet_type& segment,
                 const prepared_flow& f) noexcept {
    const u32 size = segment.size();
    return size != 0 && size + ipv4::min_header_length <= f.mtu && segment.is_plain_host() &&
           !c.calls.is_nested() && sends_unseen(c);
}

// As identification_of().
template <class Core>
[[nodiscard]] constexpr u16 plain_identification(Core& c, const prepared_flow& f) noexcept {
    if constexpr (has_flow_keys<typename Core::chosen::identification>) {
        if (f.identified && (f.second == 0 || f.request.counter == nullptr)) {
            return c.local.identification.next_of(f.key, 1, c.calls.now.now);
        }
    }
    return identification_of(c.local.identification, f.request, f.route,
                             {.dont_fragment = f.second != 0, .identified = f.identified}, 1,
                             c.calls.now.now);
}

template <class Core>
constexpr void write_plain_header(Core& c, std::byte* header, u32 total,
                                  const prepared_flow& f) noexcept {
    const u32 id = plain_identification(c, f);
    const u32 first = f.first | total;
    const u32 second = f.second | id << 16;
    store_be<u32>(header, first);
    store_be<u32>(header + 4, second);
    store_be<u32>(header + 8, f.third | checksum::finish(f.sum + total + (u64{id} << 16)));
    store_be<u32>(header + 12, f.route.source.value);
    store_be<u32>(header + 16, f.route.destination.value);
}

template <class Core>
constexpr send_result transmit_plain(Core& c, typename Core::packet_type& packet,
                                     const prepared_flow& f) noexcept {
    auto& books = c.books;
    books.tally(balance::originated);
    books.count(mib::ip_out_requests);
    books.count(mib::ip_out_transmits);
    books.count(mib::ipext_out_octets, packet.size());
    if (c.device.output.transmit(packet, f.to, c.calls.now.now)) [[likely]] {
        books.tally(balance::transmitted);
        count_if(books, f.request.sent_counter);
        return {};
    }
    static_cast<void>(drop(books, std::move(packet), drop_reason::output_refused));
    return unsent(books, routing::send_error::no_buffer,
                  {.no_buffer = f.request.no_buffer_counter});
}

}  // namespace detail

// Sends the segment in `packet`, whose first byte is that of the transport header.
template <class Core>
[[nodiscard]] constexpr send_result send_segment(Core& c, typename Core::packet_type&& packet,
                                                 const prepared_flow& f) noexcept {
    if (detail::is_plain_segment(c, packet, f)) [[likely]] {
        if (std::byte* const header = packet.push(ipv4::min_header_length)) [[likely]] {
            packet.set_interface(0);
            detail::write_plain_header(c, header, packet.size(), f);
            return detail::transmit_plain(c, packet, f);
        }
    }
    return originate_by(c, std::move(packet), f.request, f.route);
}

}  // namespace acts

}  // namespace sluice
