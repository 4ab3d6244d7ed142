// tunnels<Stack, N>: up to N tunnels of a stack, each an interface: IP in IP or GRE.
//
// Routes lead packets into a tunnel, as over any interface; packets that leave a tunnel are
// received by its interface. The outer packets are sent and received by the same stack.
//
//     struct edge : policies<output<with_tunnels<queue_output<64>>>> {};
//     static tunnels<stack<edge>> ends{me};
//     ends.add({.index = 9, .address = "172.16.0.1/30"_net}, {.remote = "192.0.2.7"_ip});
//
// It takes the stack's handlers of the protocols 4 and 47. Outer path MTUs are learned by the
// stack; an inner packet with DF that does not fit is answered with fragmentation needed. After an
// ICMP error about an outer packet, the next inner packets are answered with an error, and sent.
//
// Expects: a stack that outlives it, with registered_endpoints and the output with_tunnels.
// Never:   allocates; tunnels a packet into the tunnel that it is in, or more than four times;
//          tunnels other packets than IPv4.
// Cost:    a route lookup and the outer headers for each packet.
// Source:  RFC 2003, RFC 2784, RFC 2890; Linux ip_tunnel_xmit, ip_tunnel_rcv, ipip_err.
#pragma once

#include <sluice/base/bounded_vector.hpp>
#include <sluice/output/with_tunnels.hpp>
#include <sluice/rewrite/segment.hpp>
#include <sluice/rewrite/tunnel.hpp>
#include <sluice/stack/stack.hpp>

#include <cstddef>
#include <utility>

namespace sluice {

// Counters of a tunnel. Linux rtnl_link_stats64.
struct tunnel_counters {
    u64 sent = 0;
    u64 sent_bytes = 0;  // of inner packets
    u64 received = 0;
    u64 received_bytes = 0;
    u64 refused = 0;      // not sent: no route, too big, or no buffer
    u64 collisions = 0;   // not sent: the outer packet would enter a tunnel again
    u64 malformed = 0;    // received, and dropped
    u64 checksums = 0;    // received with a wrong checksum, or without one
    u64 late = 0;         // received out of sequence
    u64 ecn_dropped = 0;  // received with CE outside and Not-ECT inside
    u64 ecn_unused = 0;   // received with codepoints that no encapsulator combines. RFC 6040

    friend constexpr bool operator==(const tunnel_counters&,
                                     const tunnel_counters&) noexcept = default;
};

enum class tunnel_error : u8 { none, full, exists, no_tunnel, refused_interface };

[[nodiscard]] constexpr const char* message(tunnel_error error) noexcept {
    using enum tunnel_error;
    switch (error) {
    case none:
        return "no error";
    case full:
        return "no room for another tunnel; name larger tables: tunnels<Stack, N>, "
               "output<with_tunnels<Output, N>>, delivery<registered_endpoints<Handlers, ...>>";
    case exists:
        return "the interface is a tunnel already, or another one has the same ends and key";
    case no_tunnel:
        return "the interface is no tunnel";
    case refused_interface:
        return "the stack refused the interface: stack.add_interface() tells why";
    }
    return "unknown tunnel error";
}

template <class Stack, std::size_t N = 8>
class tunnels final : protocol_handler<typename Stack::packet_type>,
                      tunnel_sink<typename Stack::packet_type> {
public:
    using packet_type = typename Stack::packet_type;
    using services_type = local_services<packet_type>;

    constexpr explicit tunnels(Stack& s) noexcept : stack_{s} {}
    tunnels(const tunnels&) = delete;
    tunnels& operator=(const tunnels&) = delete;
    // Removes the interfaces too.
    constexpr ~tunnels() {
        while (!tunnels_.empty()) {
            static_cast<void>(remove(tunnels_[0].interface));
        }
        for (const u8 protocol : {ipv4::protocols::ipip, ipv4::protocols::gre}) {
            if (stack_.delivery().handler(protocol) == this) {
                static_cast<void>(stack_.delivery().set_handler(protocol, nullptr));
            }
        }
    }

    // Adds the interface to the stack. With an MTU of 0 it gets 1500 bytes less the headers.
    [[nodiscard]] constexpr result<void, tunnel_error> add(interface_request r,
                                                           const tunnel_settings& s) noexcept {
        for (const tunnel& t : tunnels_) {
            if (t.interface == r.index || t.is_alike(s)) {
                return failure{tunnel_error::exists};
            }
        }
        if (tunnels_.size() == N ||
            !stack_.delivery().set_handler(pipeline::protocol_of(s.protocol), this).has_value() ||
            !stack_.output().add_tunnel(r.index, *this)) {
            return failure{tunnel_error::full};
        }
        if (r.mtu == 0) {
            r.mtu = 1500 - overhead(s);
        }
        if (!stack_.add_interface(r).has_value()) {
            stack_.output().remove_tunnel(r.index);
            return failure{tunnel_error::refused_interface};
        }
        static_cast<void>(tunnels_.push_back({.interface = r.index, .settings = s}));
        return {};
    }
    // Removes the tunnel and its interface.
    [[nodiscard]] constexpr result<void, tunnel_error> remove(u16 interface) noexcept {
        const std::size_t at = place_of(interface);
        if (at == N) {
            return failure{tunnel_error::no_tunnel};
        }
        stack_.output().remove_tunnel(interface);
        static_cast<void>(stack_.remove_interface(interface));
        tunnels_.erase(at);
        return {};
    }
    // nullptr: the interface is no tunnel.
    [[nodiscard]] constexpr const tunnel_counters* counters(u16 interface) const noexcept {
        const std::size_t at = place_of(interface);
        return at != N ? &tunnels_[at].counted : nullptr;
    }
    // Received packets from no known tunnel, or whose headers are none.
    [[nodiscard]] constexpr u64 unknown() const noexcept { return unknown_; }

    // Bytes that the tunnel adds to a packet.
    [[nodiscard]] static constexpr u32 overhead(const tunnel_settings& s) noexcept {
        return u32{ipv4::min_header_length} + pipeline::tunnel_header_length(s);
    }

private:
    // Linux IPTUNNEL_ERR_TIMEO.
    static constexpr duration error_time = 30_s;
    static constexpr u8 most_errors = 8;

    struct tunnel {
        u16 interface = 0;
        tunnel_settings settings{};
        rewrite::tunnel_state state{};
        tunnel_counters counted{};
        icmp_request failing = icmp_request::host_unreachable();
        instant failed_at{};
        u8 errors = 0;  // inner packets to answer with `failing`

        [[nodiscard]] constexpr bool is_alike(const tunnel_settings& s) const noexcept {
            return settings.protocol == s.protocol && settings.local == s.local &&
                   settings.remote == s.remote && settings.receive_key == s.receive_key;
        }
    };

    // The place of the interface's tunnel; N: none.
    [[nodiscard]] constexpr std::size_t place_of(u16 interface) const noexcept {
        for (std::size_t i = 0; i < tunnels_.size(); ++i) {
            if (tunnels_[i].interface == interface) {
                return i;
            }
        }
        return N;
    }
    // The place of the tunnel with these ends, of those that match the one with the most addresses.
    // N: none. any_key: an ICMP error may quote too little to know the key. Linux ip_tunnel_lookup.
    [[nodiscard]] constexpr std::size_t place_between(u8 protocol, ipv4::address local,
                                                      ipv4::address remote,
                                                      const std::optional<u32>& key,
                                                      bool any_key) const noexcept {
        std::size_t best = N;
        int points = -1;
        for (std::size_t i = 0; i < tunnels_.size(); ++i) {
            const tunnel_settings& s = tunnels_[i].settings;
            const bool fits = pipeline::protocol_of(s.protocol) == protocol &&
                              (s.local.is_unspecified() || s.local == local) &&
                              (s.remote.is_unspecified() || s.remote == remote) &&
                              (any_key || s.receive_key == key);
            const int own =
                (s.remote.is_unspecified() ? 0 : 2) + (s.local.is_unspecified() ? 0 : 1);
            if (fits && own > points) {
                best = i;
                points = own;
            }
        }
        return best;
    }
    [[nodiscard]] constexpr std::size_t place_quoted(const icmp_error_notice& n) const noexcept {
        return place_between(n.protocol, n.source, n.destination, {}, true);
    }

    // -- packets that leave a tunnel --

    constexpr handler_result receive(packet_type& packet, const delivery_info& info,
                                     services_type& services) noexcept override {
        const auto outer = pipeline::read_outer(packet);
        if (!outer.has_value()) {
            ++unknown_;
            return handler_result::ignored();
        }
        const std::size_t at =
            place_between(info.protocol, outer->destination, outer->source, outer->key, false);
        if (at == N) {
            ++unknown_;
            return handler_result::unreachable();
        }
        tunnel& t = tunnels_[at];
        pipeline::tunnel_fault f = pipeline::judge_outer(t.settings, *outer, t.state.expected);
        if (f == pipeline::tunnel_fault::none) {
            const u8 inner = ipv4::const_view{packet.data() + outer->length}[ipv4::ecn];
            t.counted.ecn_unused += pipeline::ecn_behind(outer->ecn, inner).unused ? 1u : 0u;
            f = rewrite::leave_tunnel(packet, *outer);
        }
        if (f != pipeline::tunnel_fault::none || !rewrite::pass_tunnel_end(packet)) {
            count(t.counted, f);
            return handler_result::ignored();
        }
        ++t.counted.received;
        t.counted.received_bytes += packet.size();
        packet.set_interface(t.interface);
        static_cast<void>(stack_.receive(std::move(packet), services.now()));
        return handler_result::taken();
    }
    static constexpr void count(tunnel_counters& c, pipeline::tunnel_fault f) noexcept {
        using enum pipeline::tunnel_fault;
        switch (f) {
        case checksum:
            ++c.checksums;
            return;
        case sequence:
            ++c.late;
            return;
        case ecn:
            ++c.ecn_dropped;
            return;
        default:
            ++c.malformed;
        }
    }
    // -- errors about outer packets --

    [[nodiscard]] constexpr bool error(const icmp_error_notice& n) noexcept override {
        const std::size_t at = place_quoted(n);
        if (at == N) {
            return false;
        }
        tunnel& t = tunnels_[at];
        // With an inherited TTL, time ends for the packet, and says nothing about the tunnel. Linux
        // ipip_err, ipgre_err.
        if (t.settings.inherits_ttl && n.type == icmp::types::time_exceeded) {
            return true;
        }
        if (const auto what = pipeline::relayed(n.type, n.code)) {
            const u8 before = n.now - t.failed_at < error_time ? t.errors : u8{0};
            t.failing = *what;
            t.failed_at = n.now;
            t.errors = static_cast<u8>(before < most_errors ? before + 1 : most_errors);
        }
        return true;
    }
    [[nodiscard]] constexpr bool believes(const icmp_error_notice& n) const noexcept override {
        return place_quoted(n) != N;
    }

    // -- packets that enter a tunnel --

    // Answers the packet's sender.
    constexpr void answer(packet_type&& packet, const icmp_request& error, instant now) noexcept {
        stack_.link_failed(std::move(packet),
                           decision::reject(drop_reason::neighbour_unreachable, error), {now});
    }
    constexpr void refuse(tunnel& t, packet_type&& packet, const icmp_request& error,
                          instant now) noexcept {
        ++t.counted.refused;
        answer(std::move(packet), error, now);
    }
    [[nodiscard]] constexpr bool transmit(packet_type& packet, u16 interface,
                                          instant now) noexcept override {
        const std::size_t at = place_of(interface);
        if (at == N || !packet.may_pull(ipv4::min_header_length)) {
            return false;
        }
        tunnel& t = tunnels_[at];
        const u32 longest = u32{ipv4::max_total_length} - overhead(t.settings);
        const bool is_cut =
            std::as_const(packet).metadata().segmentation != segmentation_kind::none;
        // A sequence number is one packet's, and the outer length has 16 bits.
        if (is_cut && (t.settings.sequences || packet.size() > longest)) {
            rewrite::segmenter<packet_type::ownership::counts_references, packet_type> cut{
                std::move(packet)};
            while (packet_type piece = cut.next(stack_.buffers())) {
                enter(t, std::move(piece), now);
            }
            t.counted.refused += cut.is_complete() ? 0u : 1u;
        } else {
            enter(t, std::move(packet), now);
        }
        return true;
    }
    constexpr void enter(tunnel& t, packet_type&& packet, instant now) noexcept {
        const tunnel_settings& s = t.settings;
        const ipv4::const_view inner{std::as_const(packet).data()};
        const bool loops =
            pipeline::turns_back(s, inner) ||
            (packet.interface() != 0 && stack_.interfaces().is_own(inner[ipv4::source]));
        if (loops || s.remote.is_unspecified()) {
            ++(loops ? t.counted.collisions : t.counted.refused);
            packet.reset();
            return;
        }
        if (t.errors != 0 && now - t.failed_at < error_time) {
            --t.errors;
            // The packet is sent all the same: the error may be over, or forged. Linux
            // ip_tunnel_xmit.
            answer(std::as_const(packet).clone(), t.failing, now);
        }
        const pipeline::outer_choice outer = pipeline::outer_of(s, inner);
        const send_request r{.destination = s.remote,
                             .source = s.local,
                             .protocol = pipeline::protocol_of(s.protocol),
                             .tos = outer.tos,
                             .ttl = outer.ttl,
                             .dont_fragment = outer.dont_fragment,
                             .prefer_whole = s.path_mtu};
        const auto route = stack_.route(flow_of(r), {now});
        if (!route.has_value()) {
            return refuse(t, std::move(packet), icmp_request::host_unreachable(), now);
        }
        if (route->interface == t.interface ||
            packet.metadata().tunnels >= rewrite::most_tunnel_ends) {
            ++t.counted.collisions;
            packet.reset();
            return;
        }
        const u32 mtu =
            routing::egress_mtu(stack_.tables(), route->interface, route->mtu) - overhead(s);
        if (outer.dont_fragment && pipeline::segmented_length(packet) > mtu) {
            return refuse(t, std::move(packet),
                          icmp_request::fragmentation_needed(static_cast<u16>(mtu)), now);
        }
        const u32 size = packet.size();
        if (!rewrite::enter_tunnel(packet, s, t.state.sent) || !rewrite::pass_tunnel_end(packet) ||
            !stack_.send(std::move(packet), r, *route, {now}).has_value()) {
            ++t.counted.refused;
            packet.reset();
            return;
        }
        ++t.state.sent;
        ++t.counted.sent;
        t.counted.sent_bytes += size;
    }

    Stack& stack_;
    bounded_vector<tunnel, N> tunnels_;
    u64 unknown_ = 0;
};

}  // namespace sluice
