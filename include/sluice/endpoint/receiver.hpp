// endpoint_receiver: the receiving half of UDP, raw and ping endpoints: registration, receive queue
// and error queue.
//
// It registers itself under its address with bind(), and deregisters when it is destroyed. A call
// that would have to wait returns `would_block`.
//
// Expects: a stack that outlives it, with registered_endpoints or an equivalent delivery policy.
// Never:   moves, allocates, waits.
// Cost:    its queues in place; a queued packet keeps its buffer.
// Source:  RFC 1122 section 4.1.3; Linux inet_bind, sock_error, ip_recv_error.
#pragma once

#include <sluice/delivery/endpoint_filter.hpp>
#include <sluice/delivery/registry.hpp>
#include <sluice/endpoint/declared.hpp>
#include <sluice/endpoint/error_queue.hpp>
#include <sluice/endpoint/memberships.hpp>
#include <sluice/endpoint/received_options.hpp>
#include <sluice/multicast/concept.hpp>
#include <sluice/packet/bounded_packet_queue.hpp>
#include <sluice/packet/reader.hpp>
#include <sluice/routing/address_kind.hpp>

#include <type_traits>
#include <utility>

namespace sluice::detail {

template <class Stack, endpoint_sizes Sizes>
class endpoint_receiver : public packet_sink<typename Stack::packet_type> {
    static_assert(
        has_endpoint_registry<Stack>,
        "sluice: the stack's delivery policy registers no endpoints: leave the slot "
        "delivery<> out, or name delivery<registered_endpoints<>> (endpoint/declared.hpp: "
        "has_endpoint_registry)");

    static constexpr bool keeps_filters = speaks_igmp<typename Stack::chosen::multicast>;

public:
    using packet_type = typename Stack::packet_type;
    using result_type = result<void, endpoint_error>;

    endpoint_receiver(const endpoint_receiver&) = delete;
    endpoint_receiver& operator=(const endpoint_receiver&) = delete;

    [[nodiscard]] endpoint_options& options() noexcept { return options_; }
    [[nodiscard]] const endpoint_address& local() const noexcept { return local_; }
    [[nodiscard]] const endpoint_address& peer() const noexcept { return peer_; }
    [[nodiscard]] bool is_connected() const noexcept { return connected_; }

    // Copies the oldest datagram into `to`; bytes that do not fit are lost (received::truncated()).
    // A pending error is returned first, once. `options`: gets the IP options of the datagram.
    [[nodiscard]] result<received, endpoint_error>
    receive(bytes to, received_options* options = nullptr) noexcept {
        if (pending_ != endpoint_error::none) {
            return failure{pending_error()};
        }
        if (queue_.empty()) {
            return failure{endpoint_error::would_block};
        }
        waiting next = queue_.pop();
        if (options != nullptr) {
            read_options(stack_, next.packet, next.info, *options);
        }
        const metadata& known = std::as_const(next.packet).metadata();
        received r{.copied = next.packet.size(),
                   .length = next.packet.size(),
                   .from = {next.info.source, next.info.source_port},
                   .destination = next.info.destination,
                   .destination_port = next.info.destination_port,
                   .local = next.info.local,
                   .interface = next.info.interface,
                   .ttl = next.info.ttl,
                   .tos = next.info.tos,
                   .broadcast_or_multicast = next.info.broadcast_or_multicast,
                   .mark = known.mark,
                   .priority = known.priority,
                   .received_at = known.received_at,
                   .largest_fragment = known.largest_fragment,
                   .coverage = next.info.coverage};
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
    // Datagrams that found no room, or too little coverage. Linux sk_drops.
    [[nodiscard]] u64 drops() const noexcept { return drops_; }
    [[nodiscard]] std::size_t waiting_errors() const noexcept { return errors_.size(); }
    [[nodiscard]] u64 errors_lost() const noexcept { return errors_.lost(); }

    // -- groups: of a stack with multicast<igmp_host<>>. An interface of 0 is that of the route to
    // the group. The address of an error is that of the group --
    // Receives the group from all sources. invalid: no group; address_in_use: joined already;
    // no_buffer: igmp_max_memberships, or no room in endpoint_sizes or igmp_host. Linux
    // MCAST_JOIN_GROUP.
    [[nodiscard]] result_type join(ipv4::address group, moment now, u16 interface = 0) noexcept
        requires keeps_filters
    {
        return groups_.join(stack_, group, interface, filter_mode::exclude, now);
    }
    // address_not_available: not joined. Linux MCAST_LEAVE_GROUP.
    [[nodiscard]] result_type leave(ipv4::address group, moment now, u16 interface = 0) noexcept
        requires keeps_filters
    {
        return groups_.leave(stack_, group, interface, now);
    }
    // Receives the group from this source too; joins it if need be. invalid: the endpoint blocks
    // sources of the group; address_not_available: receives it already; no_buffer: igmp_max_msf.
    // Linux MCAST_JOIN_SOURCE_GROUP.
    [[nodiscard]] result_type join_source(ipv4::address group, ipv4::address source, moment now,
                                          u16 interface = 0) noexcept
        requires keeps_filters
    {
        const auto joined = groups_.join(stack_, group, interface, filter_mode::include, now);
        if (!joined.has_value() && joined.error() != endpoint_error::address_in_use) {
            return joined;
        }
        return groups_.add_source(stack_, group, source, filter_mode::include, interface, now);
    }
    // The reverse; leaves the group with its last source. Linux MCAST_LEAVE_SOURCE_GROUP.
    [[nodiscard]] result_type leave_source(ipv4::address group, ipv4::address source, moment now,
                                           u16 interface = 0) noexcept
        requires keeps_filters
    {
        return groups_.remove_source(stack_, group, source, filter_mode::include, interface, now);
    }
    // Receives a joined group no longer from this source. Linux MCAST_BLOCK_SOURCE.
    [[nodiscard]] result_type block_source(ipv4::address group, ipv4::address source, moment now,
                                           u16 interface = 0) noexcept
        requires keeps_filters
    {
        return groups_.add_source(stack_, group, source, filter_mode::exclude, interface, now);
    }
    // Linux MCAST_UNBLOCK_SOURCE.
    [[nodiscard]] result_type unblock_source(ipv4::address group, ipv4::address source, moment now,
                                             u16 interface = 0) noexcept
        requires keeps_filters
    {
        return groups_.remove_source(stack_, group, source, filter_mode::exclude, interface, now);
    }
    // Replaces the filter of a joined group; to include nothing is to leave it. Linux
    // MCAST_MSFILTER.
    [[nodiscard]] result_type set_filter(ipv4::address group, const group_filter& to, moment now,
                                         u16 interface = 0) noexcept
        requires keeps_filters
    {
        return groups_.set_filter(stack_, group, to, interface, now);
    }
    [[nodiscard]] result<group_filter, endpoint_error> filter_of(ipv4::address group,
                                                                 u16 interface) const noexcept
        requires keeps_filters
    {
        return groups_.filter_of(group, interface);
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
    // Stops receiving, leaves all groups (poll() reports it) and returns queued packets to their
    // sources.
    void close() noexcept {
        registry().remove(*this);
        groups_.leave_all(stack_.groups());
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
            ++drops_;
            return false;
        }
        place->packet = std::move(packet);
        place->info = info;
        return true;
    }
    [[nodiscard]] bool accepts_coverage(u16 covered) noexcept override {
        const bool accepted =
            options_.receive_coverage != 0 && covered >= options_.receive_coverage;
        drops_ += accepted ? 0u : 1u;
        return accepted;
    }
    [[nodiscard]] endpoint_state state() const noexcept override {
        return {.peer = peer_.host,
                .peer_port = peer_.port,
                .connected = connected_,
                .waiting = queue_.byte_count(),
                .drops = drops_};
    }
    // Linux ip_mc_sf_allow.
    [[nodiscard]] bool hears(const delivery_info& info) const noexcept override {
        return !info.destination.is_multicast() ||
               groups_.passes(info.destination, info.source, info.interface,
                              options_.multicast_all);
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
    endpoint_receiver(Stack& s, endpoint_kind kind, u8 protocol) noexcept
        : stack_(s), kind_(kind), protocol_(protocol) {
        if (s.switches().ip_no_pmtu_disc != 0) {
            options_.discovery = mtu_discovery::dont;
        }
    }
    ~endpoint_receiver() { close(); }

    // -- bind --
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
    // Reports the port of connect(), also if the datagram has another. Linux ip_local_error.
    [[nodiscard]] failure<endpoint_error> too_big(ipv4::address to, u32 mtu) noexcept {
        if (options_.receive_errors) {
            errors_.push(
                {.error = endpoint_error::too_big, .info = mtu, .destination = {to, peer_.port}},
                {});
        }
        return {endpoint_error::too_big};
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

private:
    struct waiting {
        packet_type packet{};
        delivery_info info{};
    };

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
        return kind == route_type::local || stack_.switches().ip_nonlocal_bind ||
                       options_.transparent
                   ? bind_kind::local
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

    [[no_unique_address]] std::conditional_t<
        keeps_filters, memberships<Sizes.groups, Sizes.sources>, no_memberships> groups_;
    u64 drops_ = 0;
    bounded_packet_queue<waiting, Sizes.queue> queue_;
    error_queue<Sizes.errors, Sizes.quote> errors_;
};

}  // namespace sluice::detail
