// multicast_router: the stack, the IGMP queriers of its networks, and what passes between them.
//
// Reports reach it in three ways, as they reach a routing daemon of Linux: to this router's own
// groups, by their router alert, and without one (version 1) as an event of the forwarding cache.
//
// Expects: VIF n is the interface n + first_interface.
// Never:   allocates after the start.
#pragma once

#include "arguments.hpp"

#include <sluice/endpoint/raw_endpoint.hpp>
#include <sluice/link/ethernet_stack.hpp>
#include <sluice/multicast/forwarding_cache.hpp>
#include <sluice/multicast/igmp_host.hpp>
#include <sluice/multicast/igmp_proxy.hpp>
#include <sluice/output/by_interface.hpp>
#include <sluice/port/af_packet.hpp>
#include <sluice/sluice.hpp>

#include <span>
#include <utility>

namespace multicast_router {

using sluice::instant;
using sluice::moment;
using sluice::u16;
using sluice::u8;

inline constexpr u16 first_interface = 2;  // 1 is lo

class program;

// Hears the events of the forwarding cache.
struct listener {
    program* to = nullptr;

    template <class Packet>
    [[nodiscard]] bool upcall(const sluice::multicast_event& e, const Packet& packet) noexcept;
};

struct routing
    : sluice::policies<sluice::based_on<sluice::linux_router>,
                       sluice::multicast<sluice::igmp_host<128, 1024>>,
                       sluice::multicast_routes<sluice::forwarding_cache<256, listener>>> {};
using edge = sluice::ethernet_stack<routing, sluice::by_interface<sluice::port::af_packet::sender>>;

// A host for poll_loop.
class program {
public:
    using packet_type = edge::packet_type;
    using buffer_source_type = edge::buffer_source_type;

    program(sluice::hash_key seed, u8 upstream) noexcept
        : edge_{{.seed = seed}}, igmp_{edge_.stack(), sluice::ipv4::protocols::igmp},
          proxy_{upstream}, upstream_{upstream} {
        edge_.stack().multicast_routes().router.to = this;
    }

    // False: the stack refuses something.
    [[nodiscard]] bool open(moment now) noexcept {
        constexpr std::byte router_alert[] = {std::byte{148}, std::byte{4}, {}, {}};
        edge_.stack().change([](sluice::settings& s) {
            s.igmp_max_memberships = sizes.groups;
            s.igmp_max_msf = sizes.sources;
        });
        igmp_.options().multicast_loop = false;
        igmp_.options().tos = 0xc0;
        return igmp_.bind().has_value() && igmp_.receive_alerts().has_value() &&
               igmp_.set_ip_options(router_alert, now) &&
               edge_.stack().open_multicast_routes().has_value();
    }
    [[nodiscard]] bool add(u8 vif, const network& n, const sluice::port::af_packet::device& d,
                           sluice::querier_settings q, moment now) noexcept {
        static_cast<void>(q.subnets.push_back(n.address.network()));  // there is room for one
        const auto index = static_cast<u16>(vif + first_interface);
        return edge_.sink().add(index, d.sender()) &&
               edge_
                   .add_interface({.index = index, .address = n.address, .mtu = d.mtu()},
                                  d.hardware_address())
                   .has_value() &&
               edge_.stack().add_vif(vif, {.interface = index}).has_value() &&
               (n.is_upstream || (igmp_.join(all_routers, now, index).has_value() &&
                                  igmp_.join(v3_routers, now, index).has_value() &&
                                  proxy_.add(vif, n.address.address, q, now.now)));
    }

    [[nodiscard]] auto& tables() noexcept { return edge_.stack().multicast_routes(); }
    [[nodiscard]] buffer_source_type& buffers() noexcept { return edge_.buffers(); }
    void receive(std::span<packet_type> frames, moment now) noexcept { edge_.receive(frames, now); }
    [[nodiscard]] instant poll(moment now) noexcept {
        hear(now);
        const instant of_proxy =
            proxy_.poll(now.now, [&](u8 vif, sluice::ipv4::address to, sluice::const_bytes query) {
                const auto by = static_cast<u16>(vif + first_interface);
                static_cast<void>(igmp_.send(query, to, now, {.interface = by}));
            });
        if (std::exchange(known_, proxy_.generation()) != proxy_.generation()) {
            renew_entries(edge_.stack(), proxy_, now);
            join_upstream(now);
        }
        if (now.now >= swept_ + idle_time) {
            static_cast<void>(tables().forget_idle(std::exchange(swept_, now.now)));
        }
        const instant of_edge = edge_.poll(now);
        const instant first = of_proxy < of_edge ? of_proxy : of_edge;
        return swept_ + idle_time < first ? swept_ + idle_time : first;
    }

private:
    friend listener;

    static constexpr sluice::ipv4::address all_routers{0xe0000002};  // 224.0.0.2
    static constexpr sluice::ipv4::address v3_routers{0xe0000016};   // 224.0.0.22
    static constexpr sluice::duration idle_time = sluice::duration::from_seconds(180);
    static constexpr std::size_t most_groups = 64;  // joined upstream
    static constexpr sluice::endpoint_sizes sizes{
        .queue = 64, .groups = most_groups + 2 * most_networks, .sources = 256};

    // Takes an IGMP message with its IPv4 header.
    void hear(sluice::const_bytes datagram, u16 interface, instant now) noexcept {
        const sluice::ipv4::const_view ip{datagram.data()};
        static_cast<void>(proxy_.receive(static_cast<u8>(interface - first_interface),
                                         datagram.subspan(sluice::ipv4::header_length(ip)),
                                         ip[sluice::ipv4::source], now));
    }
    void hear(moment now) noexcept {
        std::byte room[2048];
        while (const auto came = igmp_.receive(room)) {
            hear({room, came->copied}, came->interface, now.now);
        }
    }
    // Joins what the networks downstream want, and leaves what they no longer want.
    void join_upstream(moment now) noexcept {
        if (upstream_ == sluice::no_vif) {
            return;
        }
        const auto by = static_cast<u16>(upstream_ + first_interface);
        proxy_.for_each_group([&](sluice::ipv4::address group) {
            if (!joined_.full() && igmp_.join(group, now, by).has_value()) {
                static_cast<void>(joined_.push_back(group));
            }
        });
        for (std::size_t i = joined_.size(); i-- > 0;) {
            const auto wanted = proxy_.subscribed(joined_[i], now.now);
            const bool excludes = wanted.mode == sluice::filter_mode::exclude;
            const sluice::group_filter filter{
                .mode = excludes ? sluice::filter_mode::exclude : sluice::filter_mode::include,
                .sources = {wanted.sources.begin(), wanted.sources.size()}};
            if (!igmp_.set_filter(joined_[i], filter, now, by).has_value()) {
                static_cast<void>(igmp_.set_filter(joined_[i], {}, now, by));  // all sources
            }
            if (wanted.is_empty()) {
                joined_.erase(i);
            }
        }
    }

    edge edge_;
    sluice::raw_endpoint<edge::stack_type, sizes> igmp_;
    sluice::igmp_proxy<most_networks> proxy_;
    u8 upstream_;
    sluice::u32 known_ = 0;
    instant swept_{};
    sluice::bounded_vector<sluice::ipv4::address, most_groups> joined_{};
};

template <class Packet>
bool listener::upcall(const sluice::multicast_event& e, const Packet& packet) noexcept {
    if (e.kind == sluice::multicast_event_kind::no_entry) {
        add_entry_for(to->edge_.stack(), to->proxy_, e);
    } else if (e.kind == sluice::multicast_event_kind::message) {
        to->hear({packet.data(), packet.head_size()}, e.interface, e.now);
    }
    return true;
}

}  // namespace multicast_router
