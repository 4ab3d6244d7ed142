// sending_flow<Stack>: sends the ready segments of one transport flow, for a transport protocol of
// the program's own, such as TCP.
//
// It chooses route and source address with the first segment and keeps the source. It asks for the
// route again when routes, addresses, switches or learned paths changed. A plain segment gets its
// header in its own headroom; nothing is copied.
//
//     sending_flow<stack_type> flow{stack, {.destination = peer, .protocol = 6}};
//     const auto sent = flow.send(std::move(segment), now);
//
// A packet with segmentation metadata stands for several datagrams. It is judged by their size, and
// gets an identification for each. Its checksum_start counts the bytes of the IPv4 header
// (header_length()), which send() writes.
//
// Expects: a stack that outlives it; a segment from its first byte on, with headroom.
// Never:   moves; fragments a segment, unless discovery is `dont`, `interface` or `omit`.
// Errors:  those of a send (routing::message has a sentence for each). too_big: ask mtu(). The
//          segment is consumed in each case.
// Cost:    a comparison with the route generation; stack/send_segment.hpp's.
// Source:  Linux ip_queue_xmit, inet_sk_rebuild_header.
#pragma once

#include <sluice/endpoint/cached_flow.hpp>
#include <sluice/endpoint/declared.hpp>
#include <sluice/endpoint/options.hpp>
#include <sluice/routing/egress_mtu.hpp>
#include <sluice/stack/send_segment.hpp>

#include <utility>

namespace sluice {

template <class Stack>
inline constexpr bool detail::is_flow_included<sending_flow, Stack> = true;

template <class Stack>
class sending_flow {
public:
    using packet_type = typename Stack::packet_type;
    using send_result = typename Stack::send_result;

    // `discovery` decides about DF and the path MTU: those members of the request are ignored. IP
    // options must outlive the flow.
    sending_flow(Stack& s, const send_request& r,
                 mtu_discovery discovery = mtu_discovery::want) noexcept
        : stack_(s), request_(r), discovery_(discovery),
          counter_(static_cast<u16>(s.random().next())) {}
    sending_flow(const sending_flow&) = delete;
    sending_flow& operator=(const sending_flow&) = delete;

    [[nodiscard]] send_result send(packet_type&& segment, moment now) noexcept {
        if (!find(now).has_value()) [[unlikely]] {
            return stack_.send(std::move(segment), request_, now);  // fails and is counted
        }
        return stack_.send(std::move(segment), prepared_, now);
    }
    // The longest datagram that is not fragmented, in bytes.
    [[nodiscard]] result<u32, routing::send_error> mtu(moment now) noexcept {
        if (const send_result found = find(now); !found.has_value()) {
            return failure{found.error()};
        }
        const u32 fits = mtu_of(stack_.tables(), prepared_.request, prepared_.route);
        return fits < ipv4::max_total_length ? fits : u32{ipv4::max_total_length};
    }
    // The source address: unspecified before the first segment, unless the request gave one.
    [[nodiscard]] ipv4::address source() const noexcept { return request_.source; }
    // Bytes of the IPv4 header with its options.
    [[nodiscard]] u32 header_length() const noexcept { return sluice::header_length(request_); }
    // How many lookups found a route.
    [[nodiscard]] u64 lookups() const noexcept { return flow_.lookups(); }

private:
    // Prepares the flow unless it still holds.
    [[nodiscard]] send_result find(moment now) noexcept {
        if (flow_.is_valid(stack_, now)) {
            return {};
        }
        const auto route = flow_.route(stack_, flow_of(request_), now);
        if (!route.has_value()) {
            return failure{route.error()};
        }
        request_.source = route->source;
        using enum mtu_discovery;
        send_request r = request_;
        // The segments of a transport are not fragmented but made shorter. Linux ip_dont_fragment.
        r.dont_fragment = discovery_ == always || discovery_ == probe ||
                          (discovery_ == want && !route->mtu_locked);
        r.prefer_whole = false;
        r.ignore_path_mtu = ignores_path_mtu(discovery_);
        r.counter = &counter_;
        prepared_ = stack_.prepare(r, *route);
        return {};
    }

    Stack& stack_;
    send_request request_;
    mtu_discovery discovery_;
    u16 counter_;  // identifies datagrams with DF
    cached_flow<Stack> flow_;
    prepared_flow prepared_{};
};

}  // namespace sluice
