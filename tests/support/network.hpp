// network: the tables of a router with three links, for tests of the stages of the pipeline.
//
// It has 10.0.1.1/24 on interface 2, 10.0.2.1/24 on 3, 10.0.3.1/24 on 4; 10.9.0.0/16 via
// 10.0.2.254; and a route of each refusing type.
#pragma once

#include <sluice/interface/interface_table.hpp>
#include <sluice/multicast/group_list.hpp>
#include <sluice/route/linear_routes.hpp>
#include <sluice/routing/tables.hpp>

#include "support/datagrams.hpp"

namespace support {

using namespace sluice;
using namespace sluice::literals;

using support::byte_vector;

struct network {
    interface_table<8> interfaces;
    linear_routes<64> routes;
    group_list<4> groups;
    settings switches = settings::of_router();
    bool custom_local_routes = false;

    network() {
        add_link(1, "127.0.0.1/8"_net);
        add_link(2, "10.0.1.1/24"_net);
        add_link(3, "10.0.2.1/24"_net);
        add_link(4, "10.0.3.1/24"_net);
        add("10.9.0.0/16"_prefix, {.interface = 3, .gateway = "10.0.2.254"_ip});
        add("10.20.0.0/16"_prefix, {.type = route_type::unreachable});
        add("10.21.0.0/16"_prefix, {.type = route_type::prohibit});
        add("10.22.0.0/16"_prefix, {.type = route_type::blackhole});
        add("10.23.0.0/16"_prefix, {.type = route_type::throw_away});
        refresh();
    }

    [[nodiscard]] auto tables() const {
        return routing::tables{.interfaces = interfaces,
                               .routes = routes,
                               .groups = groups,
                               .switches = switches,
                               .custom_local_routes = custom_local_routes};
    }
    [[nodiscard]] interface& link(u16 index) { return *interfaces.find(index); }

    void add(ipv4::prefix to, route_entry r) {
        r.prefix = to;
        static_cast<void>(routes.add(r));
    }
    void refresh() {
        for (u16 i = 1; i < 5; ++i)
            interfaces.refresh(i, switches.all);
    }
    template <class F>
    void set_link(u16 index, F&& change) {
        change(link(index).own);
        refresh();
    }

private:
    void add_link(u16 index, ipv4::interface_address net) {
        interface i{};
        i.index = index;
        i.loopback = index == 1;
        i.mtu = i.loopback ? 65536 : 1500;
        i.own = switches.defaults;
        const u8 scope = i.loopback ? scopes::host : scopes::universe;
        static_cast<void>(interfaces.add(i));
        static_cast<void>(interfaces.add_address(
            index, {net, i.loopback ? ipv4::address{} : net.broadcast(), scope, false}));
        add({net.address, 32}, {.type = route_type::local,
                                .scope = scopes::host,
                                .interface = index,
                                .preferred_source = net.address});
        add(net.network(), {.type = i.loopback ? route_type::local : route_type::unicast,
                            .scope = i.loopback ? scopes::host : scopes::link,
                            .interface = index,
                            .preferred_source = net.address});
        if (!i.loopback) {
            add({net.broadcast(), 32}, {.type = route_type::broadcast,
                                        .scope = scopes::link,
                                        .interface = index,
                                        .preferred_source = net.address});
        }
    }
};

}  // namespace support
