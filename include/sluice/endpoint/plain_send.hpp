// plain_send<Stack>: the prepared flow of an endpoint, for plain datagrams to one host.
//
// A datagram is plain if it is sent alone, has no options, mark or priority, and fits the MTU. The
// caller prepares no flow for a TOS with a priority.
// stack/send_segment.hpp sends it. The prepared flow is valid as long as the endpoint's cached_flow
// keeps the route by which it was prepared, and the terms are the same.
//
// Expects: the same stack and cached_flow with each call.
// Never:   answers for a datagram with other terms.
// Cost:    a comparison of terms and route generation; 200 bytes.
// Source:  Linux udp_sendmsg without corking.
#pragma once

#include <sluice/endpoint/cached_flow.hpp>
#include <sluice/endpoint/options.hpp>
#include <sluice/stack/send_segment.hpp>

#include <new>
#include <utility>

namespace sluice::detail {

// The members of a request on which the header of a plain datagram depends.
struct plain_terms {
    ipv4::address destination{};
    ipv4::address source{};
    u16 interface = 0;
    u8 ttl = 0;
    u8 tos = 0;
    mtu_discovery discovery = mtu_discovery::want;
    bool on_link_only = false;
    bool transparent = false;
    bool connected = false;

    friend constexpr bool operator==(const plain_terms&, const plain_terms&) noexcept = default;
};

[[nodiscard]] constexpr bool is_plain(const message_options& m,
                                      const endpoint_options& o) noexcept {
    return m.source.is_unspecified() && m.interface == 0 && m.ttl == 0 && m.tos < 0 &&
           !m.on_link_only && !m.more && !m.probe && !o.cork && o.mark == 0 && o.priority < 0;
}

template <class Stack>
class plain_send {
public:
    using packet_type = typename Stack::packet_type;
    using send_result = typename Stack::send_result;

    [[nodiscard]] bool holds(const Stack& s, const cached_flow<Stack>& cached, const plain_terms& t,
                             moment now) const noexcept {
        return lookups_ == cached.lookups() && terms_ == t && cached.is_valid(s, now);
    }
    // The request has these terms, and the route is the one that `cached` found last.
    void prepare(const Stack& s, const cached_flow<Stack>& cached, const plain_terms& t,
                 const send_request& r, const routing::output_route& route) noexcept {
        ::new (static_cast<void*>(&flow_)) prepared_flow(s.prepare(r, route));  // without a copy
        terms_ = t;
        lookups_ = cached.lookups();
    }
    // Whether a datagram with so many bytes behind the IPv4 header is plain.
    [[nodiscard]] bool takes(u64 length) const noexcept {
        return length + ipv4::min_header_length <= flow_.mtu;
    }
    [[nodiscard]] const send_request& request() const noexcept { return flow_.request; }
    [[nodiscard]] const routing::output_route& route() const noexcept { return flow_.route; }

    // An empty packet is counted as a datagram without a buffer.
    [[nodiscard]] send_result send(Stack& s, packet_type&& datagram, moment now) const noexcept {
        return s.send(std::move(datagram), flow_, now);
    }

private:
    prepared_flow flow_{};
    plain_terms terms_{};
    u64 lookups_ = 0;
};

}  // namespace sluice::detail
