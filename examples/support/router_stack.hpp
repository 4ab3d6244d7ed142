// The stack of the router: the policies that differ from linux_router's, and what an administrator
// sets before it runs.
//
// Expects: arguments that were parsed. Does: says on stderr what the stack refuses. Never: opens
// anything.
#pragma once

#include "router_exits.hpp"

#include <sluice/identification/random_identification.hpp>
#include <sluice/sluice.hpp>

#include <cstdio>
#include <memory>

namespace router {

// Identifications at random: of what the router itself sends nothing shows how much that is, to
// nobody (nmap -O reports II=RI, of Linux II=I).
struct edge : sluice::policies<sluice::based_on<sluice::linux_router>, sluice::buffers<source>,
                               sluice::interfaces<interface_table>,
                               sluice::identification<sluice::random_identification>,
                               sluice::output<to_exits>> {};
using stack = sluice::stack<edge>;

// Addresses and routes; false: one was refused.
inline bool configure(stack& s, const arguments& given, const std::vector<u32>& mtus) {
    for (std::size_t i = 0; i < given.links.size(); ++i) {
        const link_request& link = given.links[i];
        const auto index = static_cast<u16>(first_interface + i);
        bool taken = s.add_interface({.index = index, .mtu = mtus[i]}).has_value();
        for (const auto& address : link.addresses) {
            taken = taken && s.add_address(index, address).has_value();
        }
        if (!taken) {
            std::fprintf(stderr, "router: %s: address refused\n", link.label().c_str());
            return false;
        }
    }
    for (const static_route& route : given.routes) {
        if (!s.add_route({.prefix = route.to, .gateway = route.gateway})) {
            std::fprintf(stderr, "router: route via %s refused: no link leads there\n",
                         sluice::ipv4::to_text(route.gateway).c_str());
            return false;
        }
    }
    return true;
}

}  // namespace router
