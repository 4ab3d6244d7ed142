// endpoint_base: the common base of UDP, raw and ping endpoints: registration, receive queue, error
// queue, and the route for sending.
//
// It registers itself under its address with bind(), and deregisters when it is destroyed. A call
// that would have to wait returns `would_block`.
//
// Expects: a stack that outlives it, with registered_endpoints or an equivalent delivery policy.
// Never:   moves, allocates, waits.
// Cost:    its queues in place; a queued packet keeps its buffer.
// Source:  RFC 1122 section 4.1.3 and 4.1.4; Linux inet_bind, ip4_datagram_connect, sock_error.
#pragma once

#include <sluice/delivery/endpoint_filter.hpp>
#include <sluice/delivery/registry.hpp>
#include <sluice/endpoint/cached_flow.hpp>
#include <sluice/endpoint/corked_send.hpp>
#include <sluice/endpoint/declared.hpp>
#include <sluice/endpoint/error_queue.hpp>
#include <sluice/endpoint/plain_send.hpp>
#include <sluice/options/compile.hpp>
#include <sluice/packet/bounded_packet_queue.hpp>
#include <sluice/packet/reader.hpp>
#include <sluice/rewrite/option_walk.hpp>
#include <sluice/stack/originate.hpp>

#include <utility>

namespace sluice::detail {

template <class Stack, endpoint_sizes Sizes>
class endpoint_base : public packet_sink<typename Stack::packet_type> {
    static_assert(
        has_endpoint_registry<Stack>,
        "sluice: the stack's delivery policy registers no endpoints: leave the slot "
        "delivery<> out, or name delivery<registered_endpoints<>> (endpoint/declared.hpp: "
        "has_endpoint_registry)");

public:
    using packet_type = typename Stack::packet_type;
    using result_type = result<void, endpoint_error>;

    endpoint_base(const endpoint_base&) = delete;
    endpoint_base& operator=(const endpoint_base&) = delete;

    [[nodiscard]] endpoint_options& options() noexcept { return options_; }
    [[nodiscard]] const endpoint_address& local() const noexcept { return local_; }
    [[nodiscard]] const endpoint_address& peer() const noexcept { return peer_; }
    [[nodiscard]] bool is_connected() const noexcept { return connected_; }

    // Copies the oldest datagram into `to`; bytes that do not fit are lost (received::truncated()).
    // A pending error is returned first, once.
    [[nodiscard]] result<received, endpoint_error> receive(bytes to) noexcept {
        if (pending_ != endpoint_error::none) {
            return failure{pending_error()};
        }
        if (queue_.empty()) {
            return failure{endpoint_error::would_block};
        }
        const waiting next = queue_.pop();
        received r{.copied = next.packet.size(),
                   .length = next.packet.size(),
                   .from = {next.info.source, next.info.source_port},
                   .destination = next.info.destination,
                   .local = next.info.local,
                   .interface = next.info.interface,
                   .ttl = next.info.ttl,
                   .tos = next.info.tos,
                   .broadcast_or_multicast = next.info.broadcast_or_multicast,
                   .mark = next.packet.metadata().mark};
        r.copied = r.length < to.size() ? r.length : static_cast<u32>(to.size());
        packet_reader<packet_type>{next.packet}.copy(to.data(), r.copied);
        return r;
    }
    // The oldest error queued by receive_errors, with the quoted bytes as far as `quote` has room.
    [[nodiscard]] result<error_report, endpoint_error> receive_error(bytes quote) noexcept {
        if (errors_.size() == 0) {
            return failure{endpoint_error::would_block};
        }
        const error_report r = errors_.pop(quote);
        if (r.from_icmp || errors_.next() != endpoint_error::none) {
            pending_ = errors_.next();
        }
        return r;
    }
    // Returns the pending error and clears it. Linux SO_ERROR.
    [[nodiscard]] endpoint_error pending_error() noexcept {
        return std::exchange(pending_, endpoint_error::none);
    }
    // Queued packets, the bytes of their blocks, and queued errors.
    [[nodiscard]] std::size_t waiting_packets() const noexcept { return queue_.size(); }
    [[nodiscard]] u64 waiting_bytes() const noexcept { return queue_.byte_count(); }
    [[nodiscard]] std::size_t waiting_errors() const noexcept { return errors_.size(); }
    [[nodiscard]] u64 errors_lost() const noexcept { return errors_.lost(); }
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

    // Forgets the peer, and the local address if connect() chose it.
    void disconnect() noexcept {
        peer_ = {};
        connected_ = false;
        if (!host_bound_) {
            local_.host = source_ = {};
        }
        static_cast<void>(enroll());
    }
    // Stops receiving, returns queued packets to their sources and discards a corked datagram.
    void close() noexcept {
        registry().remove(*this);
        corked_.discard();
        while (!queue_.empty()) {
            static_cast<void>(queue_.pop());
        }
        local_ = peer_ = {};
        source_ = {};
        bound_ = connected_ = host_bound_ = false;
    }

    // -- called by the stack --
    [[nodiscard]] bool take(packet_type& packet, const delivery_info& info) noexcept override {
        waiting* const place =
            may_wait(packet) ? queue_.claim(packet, options_.receive_bytes) : nullptr;
        if (place == nullptr) {
            return false;
        }
        place->packet = std::move(packet);
        place->info = info;
        return true;
    }
    void error(const icmp_error_notice& n) noexcept override {
        const icmp_meaning m = meaning_of(n, kind_, options_.discovery);
        if (m.error == endpoint_error::none ||
            (!options_.receive_errors && !(connected_ && m.fatal))) {
            return;
        }
        if (options_.receive_errors) {
            const quoted_error q = quoted(n, m.error, kind_, options_.header_included);
            errors_.push(q.report, q.quote);
        }
        if (options_.receive_errors || m.fatal) {
            pending_ = m.error;
        }
    }
    // True for a redirect; for a path MTU unless the endpoint ignores path MTUs. Linux
    // ipv4_sk_redirect, ip_sk_accept_pmtu.
    [[nodiscard]] bool believes(const icmp_error_notice& n) const noexcept override {
        return n.type == icmp::types::redirect || (options_.discovery != mtu_discovery::interface &&
                                                   options_.discovery != mtu_discovery::omit);
    }

protected:
    endpoint_base(Stack& s, endpoint_kind kind, u8 protocol) noexcept
        : stack_(s), kind_(kind), protocol_(protocol), corked_(s) {
        if (s.switches().ip_no_pmtu_disc != 0) {
            options_.discovery = mtu_discovery::dont;
        }
    }
    ~endpoint_base() { close(); }

    // -- bind and connect --
    // Port 0: a free one from first to last, drawn at random. Raw endpoints have no port.
    [[nodiscard]] result_type bind_to(const endpoint_address& a, u16 first, u16 last) noexcept {
        if (bound_) {
            return failure{endpoint_error::invalid};
        }
        const bind_kind of = kind_of(a.host);
        if (of == bind_kind::foreign ||
            (of == bind_kind::broadcast_or_multicast && kind_ == endpoint_kind::ping)) {
            return failure{endpoint_error::address_not_available};
        }
        local_ = a;
        if (kind_ != endpoint_kind::raw && !find_port(first, last)) {
            local_ = {};
            return failure{endpoint_error::address_in_use};
        }
        // Bound to a group or broadcast address: receives there, and sends from the route's source.
        source_ = of == bind_kind::broadcast_or_multicast ? ipv4::address{} : a.host;
        host_bound_ = !a.host.is_unspecified();
        bound_ = true;
        const result_type placed = enroll();
        if (!placed.has_value()) {
            close();
        }
        return placed;
    }
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
        return enroll();
    }

    // -- sending --
    [[nodiscard]] send_request request_for(ipv4::address to,
                                           const message_options& m) const noexcept {
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
                       .ignore_path_mtu = ignores_path_mtu(how),
                       .multicast_ttl = options_.multicast_ttl,
                       .mark = options_.mark,
                       .options = ip_options_.offsets.length != 0 ? &ip_options_ : nullptr};
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
            return failure{pending_error()};
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
            return too_big(flow_of(r).destination, mtu_for(r, *route) - ip_options_.offsets.length);
        }
        return *route;
    }
    [[nodiscard]] u32 mtu_for(const send_request& r,
                              const routing::output_route& route) const noexcept {
        return routing::egress_mtu(stack_.tables(), route.interface,
                                   r.ignore_path_mtu ? u16{0} : route.mtu);
    }
    // Bytes of the longest datagram that may be sent.
    [[nodiscard]] u32 most_for(const send_request& r,
                               const routing::output_route& route) const noexcept {
        return may_fragment(options_.discovery) ? u32{ipv4::max_total_length} : mtu_for(r, route);
    }
    // Linux counts it when a socket sends, unless it is raw, and when any socket connects.
    void count_if_unroutable(routing::send_error why) noexcept {
        if (why == routing::send_error::network_unreachable) {
            stack_.count_unroutable();
        }
    }
    // Reports the port of connect(), also if the datagram has another. Linux ip_local_error.
    [[nodiscard]] failure<endpoint_error> too_big(ipv4::address to, u32 mtu) noexcept {
        if (options_.receive_errors) {
            errors_.push(
                {.error = endpoint_error::too_big, .info = mtu, .destination = {to, peer_.port}},
                {});
        }
        return {endpoint_error::too_big};
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
        if (kind_ == endpoint_kind::udp && is_plain(m)) {
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

    // Replaces the endpoint's registration.
    [[nodiscard]] result_type enroll() noexcept {
        auto& room = registry();
        const endpoint_filter f = filter();
        // The order of ping endpoints matters, and connecting keeps it.
        if (bound_ && kind_ == endpoint_kind::ping && room.change_ping(f, *this)) {
            return {};
        }
        room.remove(*this);
        if (!bound_) {
            return {};
        }
        const bool placed = kind_ == endpoint_kind::udp    ? room.add_udp(f, *this)
                            : kind_ == endpoint_kind::ping ? room.add_ping(f, *this)
                                                           : room.add_raw(f, *this);
        if (!placed || (receives_alerts_ && !room.add_alert(f, *this))) {
            return failure{endpoint_error::no_buffer};
        }
        return {};
    }

    [[nodiscard]] auto& registry() const noexcept
        requires has_endpoint_registry<Stack>
    {
        return stack_.delivery();
    }
    // For a stack without one: no error follows the first.
    [[nodiscard]] typename registered_endpoints<>::template model<packet_type>&
    registry() const noexcept;

    Stack& stack_;
    endpoint_kind kind_;
    u8 protocol_;
    bool bound_ = false;
    bool host_bound_ = false;
    bool connected_ = false;
    bool receives_alerts_ = false;
    endpoint_error pending_ = endpoint_error::none;
    endpoint_address local_{};
    ipv4::address source_{};  // of sent datagrams; unspecified: the route's
    endpoint_address peer_{};
    endpoint_options options_{};
    cached_flow<Stack> flow_;
    plain_send<Stack> plain_;
    corked_send<Stack> corked_;

private:
    struct waiting {
        packet_type packet{};
        delivery_info info{};
    };

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
                connected_};
    }
    [[nodiscard]] endpoint_filter filter() const noexcept {
        return {.protocol = protocol_,
                .local = local_.host,
                .peer = peer_.host,
                .local_port = local_.port,
                .peer_port = peer_.port,
                .interface = options_.interface,
                .reuse = options_.reuse};
    }
    // The type of an address for bind(). Linux inet_addr_type.
    enum class bind_kind : u8 { local, broadcast_or_multicast, foreign };
    [[nodiscard]] bind_kind kind_of(ipv4::address a) const noexcept {
        if (a.is_unspecified() || stack_.interfaces().is_own(a)) {
            return bind_kind::local;
        }
        const route_type kind = routing::address_kind(stack_.tables(), a);
        if (kind == route_type::broadcast || kind == route_type::multicast) {
            return bind_kind::broadcast_or_multicast;
        }
        return kind == route_type::local || stack_.switches().ip_nonlocal_bind ? bind_kind::local
                                                                               : bind_kind::foreign;
    }
    [[nodiscard]] bool is_taken(const endpoint_filter& f) const noexcept {
        return kind_ == endpoint_kind::udp ? registry().udp_in_use(f) : registry().ping_in_use(f);
    }
    // The filter for a drawn port. A drawn ping identifier is never a shared one.
    [[nodiscard]] endpoint_filter drawn_filter() const noexcept {
        endpoint_filter f = filter();
        f.reuse = f.reuse && kind_ == endpoint_kind::udp;
        return f;
    }
    [[nodiscard]] bool find_port(u16 first, u16 last) noexcept {
        if (local_.port != 0) {
            return !is_taken(filter());
        }
        // Tries each port at most once. Each endpoint takes at most one port.
        const u32 range = last >= first ? u32{last} - first + 1 : 0;
        const u32 start = stack_.random().below(range);
        for (u32 i = 0; i < range; ++i) {
            local_.port = static_cast<u16>(first + (start + i) % range);
            if (!is_taken(drawn_filter())) {
                return true;
            }
        }
        return false;
    }

    ip_options::outgoing ip_options_{};
    bounded_packet_queue<waiting, Sizes.queue> queue_;
    error_queue<Sizes.errors, Sizes.quote> errors_;
};

}  // namespace sluice::detail
