// igmp_send: sends the IGMP messages that are due: reports and leaves, each in a packet of the
// stack's buffers.
//
// They leave as packets of this host, by hooks and policies, with TTL 1 and a router alert. A
// policy that speaks no IGMP sends nothing.
//
// Never:   waits for a neighbour: groups have link addresses of their own.
// Cost:    one comparison when nothing is due; a route lookup and a buffer for each message.
// Source:  RFC 3376 section 4; Linux igmpv3_newpack, igmp_send_report.
#pragma once

#include <sluice/multicast/concept.hpp>
#include <sluice/stack/originate.hpp>

#include <utility>

namespace sluice::acts {

namespace detail {

// A header of 24 bytes: RFC 2113 in front of IGMP.
[[nodiscard]] constexpr ip_options::outgoing router_alert() noexcept {
    ip_options::outgoing alert{};
    alert.storage[0] = std::byte{0x94};
    alert.storage[1] = std::byte{4};
    alert.offsets.length = 4;
    alert.offsets.router_alert = static_cast<u8>(ipv4::min_header_length);
    return alert;
}

// The sink of the policy (multicast/igmp_report.hpp).
template <class Core>
class igmp_messages {
public:
    constexpr explicit igmp_messages(Core& c) noexcept : c_(c) {}

    [[nodiscard]] constexpr bytes begin(u16 interface, ipv4::address destination) noexcept {
        constexpr u32 header = u32{ipv4::min_header_length} + 4;
        const auto route = route_to(
            c_.tables,
            {.destination = destination, .interface = interface, .protocol = ipv4::protocols::igmp},
            c_.calls.now.now);
        packet_ = route.has_value() ? c_.device.buffers.take(default_headroom)
                                    : typename Core::packet_type{};
        if (!packet_) {
            return {};
        }
        route_ = *route;
        // A report of version 3 has no source but one of the interface. RFC 3376 section 4.2.13.
        if (destination == v3_routers && !has_address(interface, route_.source)) {
            route_.source = {};
        }
        const u32 mtu = routing::egress_mtu(c_.tables, interface, 0);
        const u32 fits = mtu > header ? mtu - header : 0;
        const u32 room = packet_.tailroom() < fits ? packet_.tailroom() : fits;
        std::byte* const to = packet_.put(room);
        return to != nullptr ? bytes{to, room} : bytes{};
    }
    constexpr void end(u32 length) noexcept {
        packet_.trim(length);
        const rewrite::header_choice choice{
            .tos = 0xc0, .ttl = 1, .protocol = ipv4::protocols::igmp, .dont_fragment = true};
        if (rewrite::originate(packet_, route_, choice, router_alert(), route_.destination, 0)) {
            route_
                .source = {};  // every member hears it, whatever its filter (Linux ip_check_mc_rcu)
            static_cast<void>(to_output(c_, std::move(packet_), route_, {}));
        }
    }

private:
    static constexpr ipv4::address v3_routers{0xe0000016};  // 224.0.0.22

    [[nodiscard]] constexpr bool has_address(u16 index, ipv4::address a) const noexcept {
        const interface* i = c_.tables.interfaces.find(index);
        if (i == nullptr) {
            return false;
        }
        for (const auto& own : i->addresses) {
            if (own.net.address == a) {
                return true;
            }
        }
        return false;
    }

    Core& c_;
    typename Core::packet_type packet_{};
    routing::output_route route_{};
};

}  // namespace detail

// Sends what is due, within a call. Returns when more will be (instant::never(): no timer runs).
template <class Core>
constexpr instant report_groups(Core& c) noexcept {
    if constexpr (speaks_igmp<typename Core::tables_type::groups_type>) {
        auto& groups = c.tables.groups;
        groups.set_time(c.calls.now.now);
        if (groups.next_deadline() <= c.calls.now.now) {
            detail::igmp_messages<Core> messages{c};
            return groups.poll(c.calls.now.now, messages);
        }
        return groups.next_deadline();
    } else {
        return instant::never();
    }
}

// Calls f(groups) within a call and sends what is due at once.
template <class Core, class F>
constexpr auto change_groups(Core& c, F&& f) noexcept {
    auto& groups = c.tables.groups;
    if constexpr (speaks_igmp<typename Core::tables_type::groups_type>) {
        groups.set_time(c.calls.now.now);
    }
    const auto done = f(groups);
    static_cast<void>(report_groups(c));
    return done;
}

}  // namespace sluice::acts
