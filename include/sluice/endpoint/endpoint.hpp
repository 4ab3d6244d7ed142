// endpoint_base: the common base of UDP, raw and ping endpoints: receiving (receiver.hpp), and
// sending by a cached route.
//
// A datagram is sent by the prepared flow if it is plain, else in as many buffers as it needs, or
// is corked.
//
// Expects: a stack that outlives it, with registered_endpoints or an equivalent delivery policy.
// Never:   moves, allocates, waits.
// Cost:    a comparison while the route holds, else a lookup; one pass over the bytes.
// Source:  RFC 1122 section 4.1.3 and 4.1.4; Linux ip4_datagram_connect, udp_sendmsg, ip_cmsg_send.
#pragma once

#include <sluice/endpoint/cached_flow.hpp>
#include <sluice/endpoint/corked_send.hpp>
#include <sluice/endpoint/plain_send.hpp>
#include <sluice/endpoint/receiver.hpp>
#include <sluice/options/compile.hpp>
#include <sluice/rewrite/option_walk.hpp>
#include <sluice/stack/originate.hpp>

#include <utility>

namespace sluice::detail {

template <class Stack, endpoint_sizes Sizes>
class endpoint_base : public endpoint_receiver<Stack, Sizes> {
    using base = endpoint_receiver<Stack, Sizes>;

public:
    using typename base::packet_type;
    using typename base::result_type;

    [[nodiscard]] const cached_flow<Stack>& flow() const noexcept { return flow_; }

    // Sets the IP options of datagrams sent from now on, as bytes of a header. false: they are
    // malformed, or the sender may not send them. Linux IP_OPTIONS.
    [[nodiscard]] bool set_ip_options(
        const_bytes wanted, moment now,
        ip_options::sender_rights rights = ip_options::sender_rights::ordinary) noexcept {
        const auto looked_up = stack_.tables();
        const std::byte none[ipv4::min_header_length]{};
        const interface nowhere{};
        routing::option_environment environment{looked_up, ipv4::const_view{none}, nowhere,
                                                route_type::unicast, now.midnight_ms};
        const auto made = Stack::chosen::options::compile_request(wanted, rights, environment);
        if (made.has_value()) {
            ip_options_ = *made;
        }
        return made.has_value();
    }

    // Drops the corked datagram. Ping endpoints cork none.
    void discard() noexcept { corked_.discard(); }
    // Stops receiving, returns queued packets to their sources and discards a corked datagram.
    void close() noexcept {
        corked_.discard();
        base::close();
    }

    // Chooses the interface that sends multicasts; 0: that of the route. Errors:
    // address_not_available: there is none; invalid: the endpoint is bound to another one. Linux
    // IP_MULTICAST_IF.
    [[nodiscard]] result_type send_multicast_by(u16 interface) noexcept {
        if (interface != 0 && stack_.interfaces().find(interface) == nullptr) {
            return failure{endpoint_error::address_not_available};
        }
        return choose_multicast_interface(interface, {});
    }
    // The same by an address of the interface, which becomes the source of multicasts where the
    // endpoint has none. 0.0.0.0: that of the route.
    [[nodiscard]] result_type send_multicast_by(ipv4::address of) noexcept {
        u16 found = 0;
        if (!of.is_unspecified()) {
            stack_.interfaces().for_each([&](const interface& i) {
                for (const assigned_address& a : i.addresses) {
                    found = a.net.address == of ? i.index : found;
                }
            });
            if (found == 0) {
                return failure{endpoint_error::address_not_available};
            }
        }
        return choose_multicast_interface(found, of);
    }

    // -- called by the stack --
    // Overrides the receiver's. The word would be a second error where the receiver is refused.
    [[nodiscard]] endpoint_state state() const noexcept {
        endpoint_state s = base::state();
        s.to_send = corked_.size();
        return s;
    }

protected:
    endpoint_base(Stack& s, endpoint_kind kind, u8 protocol) noexcept
        : base(s, kind, protocol), corked_(s) {}
    ~endpoint_base() = default;

    [[nodiscard]] result_type choose_multicast_interface(u16 chosen,
                                                         ipv4::address source) noexcept {
        if (chosen != 0 && options_.interface != 0 && options_.interface != chosen) {
            return failure{endpoint_error::invalid};
        }
        options_.multicast_interface = chosen;
        options_.multicast_source = source;
        return {};
    }

    // -- connect --
    // For a bound endpoint. From now on it receives only datagrams of the peer, and fatal ICMP
    // errors are reported.
    [[nodiscard]] result_type connect_to(const endpoint_address& peer, moment now) noexcept {
        send_request r = request_for(peer.host, {});
        r.options = nullptr;  // source routes apply only to sending
        const auto route = flow_.route(stack_, flow_of(r), now);
        if (!route.has_value()) {
            count_if_unroutable(route.error());
            return failure{error_of(route.error())};
        }
        if (route->type == route_type::broadcast && !options_.may_broadcast) {
            return failure{endpoint_error::access_denied};
        }
        if (source_.is_unspecified()) {
            source_ = route->source;
        }
        if (local_.host.is_unspecified()) {
            local_.host = route->source;
        }
        // 0.0.0.0 means this host.
        peer_ = {peer.host.is_unspecified() ? route->destination : peer.host, peer.port};
        connected_ = true;
        identification_ = static_cast<u16>(stack_.random().next());
        return enroll();
    }

    // -- sending --
    [[nodiscard]] send_request request_for(ipv4::address to, const message_options& m) noexcept {
        using enum mtu_discovery;
        const mtu_discovery how = options_.discovery;
        const bool multicast = to.is_multicast();
        send_request r{.destination = to,
                       // A message with an interface has its own source, or one of that interface.
                       .source = m.source.is_unspecified() && m.interface == 0 ? source_ : m.source,
                       .interface = m.interface != 0 ? m.interface : options_.interface,
                       .protocol = protocol_,
                       .tos = m.tos >= 0 ? static_cast<u8>(m.tos) : options_.tos,
                       .ttl = m.ttl != 0 || multicast ? m.ttl : options_.ttl,
                       .dont_fragment = how == always || how == probe,
                       .prefer_whole = how == want,
                       .always_identified = connected_,
                       .on_link_only = options_.on_link_only || m.on_link_only,
                       .any_source = options_.transparent,
                       .ignore_path_mtu = ignores_path_mtu(how),
                       .multicast_ttl = options_.multicast_ttl,
                       .mark = options_.mark,
                       .priority = priority_of(m, options_),
                       .options = ip_options_.offsets.length != 0 ? &ip_options_ : nullptr,
                       .counter = connected_ ? &identification_ : nullptr};
        if (multicast && r.interface == 0) {
            r.interface = options_.multicast_interface;
        }
        if (multicast && r.source.is_unspecified()) {
            r.source = options_.multicast_source;
        }
        return r;
    }

    // The route of a datagram with `length` bytes behind the IPv4 header.
    [[nodiscard]] result<routing::output_route, endpoint_error>
    route_for(const send_request& r, std::size_t length, moment now) noexcept {
        if (pending_ != endpoint_error::none) {
            return failure{base::pending_error()};
        }
        auto route = flow_.route(stack_, flow_of(r), now);
        if (!route.has_value()) {
            if (kind_ != endpoint_kind::raw) {
                count_if_unroutable(route.error());
            }
            return failure{error_of(route.error())};
        }
        if (route->type == route_type::broadcast && !options_.may_broadcast) {
            return failure{endpoint_error::access_denied};
        }
        route->loops_back = options_.multicast_loop;
        const u32 header = u32{ipv4::min_header_length} + ip_options_.offsets.length;
        if (length + header > most_for(r, *route)) {
            return too_big(flow_of(r).destination,
                           mtu_of(stack_.tables(), r, *route) - ip_options_.offsets.length);
        }
        return *route;
    }
    // Bytes of the longest datagram that may be sent.
    [[nodiscard]] u32 most_for(const send_request& r,
                               const routing::output_route& route) const noexcept {
        return may_fragment(options_.discovery) ? u32{ipv4::max_total_length}
                                                : mtu_of(stack_.tables(), r, route);
    }
    // Linux counts it when a socket sends, unless it is raw, and when any socket connects.
    void count_if_unroutable(routing::send_error why) noexcept {
        if (why == routing::send_error::network_unreachable) {
            stack_.count_unroutable();
        }
    }
    // The result of a send. A full device is an error only for ping endpoints and those with
    // receive_errors. Linux IP_RECVERR.
    [[nodiscard]] result_type result_of(const typename Stack::send_result& sent) const noexcept {
        if (sent.has_value() || (sent.error() == routing::send_error::no_buffer &&
                                 kind_ != endpoint_kind::ping && !options_.receive_errors)) {
            return {};
        }
        return failure{error_of(sent.error())};
    }
    // Sends `payload` behind `front` bytes that write(packet, route, sum) writes, or corks it.
    template <class Write>
    [[nodiscard]] result_type send_payload(const send_request& r, u32 front, const_bytes payload,
                                           const message_options& m, moment now,
                                           Write&& write) noexcept {
        const auto route = route_for(r, front + payload.size(), now);
        if (!route.has_value()) {
            return failure{route.error()};
        }
        if (m.probe) {
            return {};
        }
        if (kind_ == endpoint_kind::udp && is_plain(m) && r.priority == 0) {
            plain_.prepare(stack_, flow_, terms_to(r.destination), r, *route);
            if (plain_.takes(front + payload.size())) {
                return send_prepared(front, payload, now, write);
            }
        }
        return send_accumulated(r, *route, front, payload, m, now, write);
    }
    // Whether send_prepared() sends a datagram with so many bytes behind the IPv4 header.
    [[nodiscard, gnu::always_inline]] bool
    is_prepared(ipv4::address to, u64 length, const message_options& m, moment now) const noexcept {
        return is_plain(m) && plain_.holds(stack_, flow_, terms_to(to), now) &&
               plain_.takes(length);
    }
    // Sends a plain datagram by the prepared flow.
    template <class Write>
    [[nodiscard]] result_type send_prepared(u32 front, const_bytes payload, moment now,
                                            Write&& write) noexcept {
        packet_type whole = stack_.buffers().take(default_headroom);
        std::byte* const to = whole.put(front + static_cast<u32>(payload.size()));
        if (to == nullptr) [[unlikely]] {
            return whole ? send_accumulated(plain_.request(), plain_.route(), front, payload, {},
                                            now, write)
                         : result_type{failure{error_of(plain_.send(stack_, {}, now).error())}};
        }
        write(whole, plain_.route(), checksum::copy_and_sum({to + front, payload.size()}, payload));
        return result_of(plain_.send(stack_, std::move(whole), now));
    }
    // Sends a datagram in as many buffers as it needs, or corks it.
    template <class Write>
    [[nodiscard]] result_type send_accumulated(const send_request& r,
                                               const routing::output_route& route, u32 front,
                                               const_bytes payload, const message_options& m,
                                               moment now, Write&& write) noexcept {
        const auto begun = corked_.begin(r, route, {front, most_for(r, route)}, now);
        return begun.has_value() ? append_payload(payload, m, now, write)
                                 : result_type{failure{error_of(begun.error())}};
    }
    // Appends to the corked datagram, and sends it if nothing follows.
    template <class Write>
    [[nodiscard]] result_type append_payload(const_bytes payload, const message_options& m,
                                             moment now, Write&& write) noexcept {
        if (m.probe) {
            return {};
        }
        const auto appended = corked_.append(payload, now);
        if (!appended.has_value()) {
            const send_request& r = corked_.request();
            const u32 options = r.options != nullptr ? r.options->offsets.length : 0;
            return appended.error() == routing::send_error::too_big
                       ? too_big(flow_of(r).destination, corked_.mtu() - options)
                       : failure{error_of(appended.error())};
        }
        const bool corked = m.more || (options_.cork && kind_ == endpoint_kind::udp);
        return corked ? result_type{} : result_of(corked_.push(now, write));
    }

    // Sends the corked datagram; does nothing without one.
    template <class Write>
    [[nodiscard]] result_type push_corked(moment now, Write&& write) noexcept {
        return corked_.has_begun() ? result_of(corked_.push(now, write)) : result_type{};
    }

    using base::connected_;
    using base::enroll;
    using base::kind_;
    using base::local_;
    using base::options_;
    using base::peer_;
    using base::pending_;
    using base::protocol_;
    using base::source_;
    using base::stack_;
    using base::too_big;

    cached_flow<Stack> flow_;
    plain_send<Stack> plain_;
    corked_send<Stack> corked_;

private:
    [[nodiscard, gnu::always_inline]] bool is_plain(const message_options& m) const noexcept {
        return pending_ == endpoint_error::none && ip_options_.offsets.length == 0 &&
               detail::is_plain(m, options_);
    }
    [[nodiscard]] plain_terms terms_to(ipv4::address to) const noexcept {
        return {to,
                source_,
                options_.interface,
                options_.ttl,
                options_.tos,
                options_.discovery,
                options_.on_link_only,
                options_.transparent,
                connected_};
    }

    ip_options::outgoing ip_options_{};
    u16 identification_ = 0;  // of the next datagram with DF, while connected. Linux inet_id
};

}  // namespace sluice::detail
