// presets: sets of policies by use: linux_host, linux_router, hardened_router, tiny_host.
// Expects: to be used as they are or extended: `struct mine : policies<based_on<linux_router>,
// output<tun>> {...}`. Does: chooses sizes and switches. Never: differs from Linux but in
// hardened_router and tiny_host, which say where. Cost: as their policies.
#pragma once

#include <sluice/icmp/no_icmp.hpp>
#include <sluice/options/no_options.hpp>
#include <sluice/reassembly/no_reassembly.hpp>
#include <sluice/route/linear_routes.hpp>
#include <sluice/route/no_exceptions.hpp>
#include <sluice/stack/policies.hpp>

namespace sluice {

// A host as Linux is out of the box.
struct linux_host : policies<> {};

// The same with net.ipv4.ip_forward = 1.
struct linux_router : policies<routes<lpm_trie<1024>>, exceptions<bounded_exceptions<128>>> {
    [[nodiscard]] static constexpr settings initial_settings() noexcept { return settings{true}; }
};

// A router that follows the RFCs where Linux does not, and trusts less: strict reverse path (RFC
// 2827), no source routes (RFC 7126 section 4.3), no redirects in or out, nothing unicast from
// link-layer multicast (RFC 1122 section 3.3.6).
struct hardened_router : policies<based_on<linux_router>> {
    [[nodiscard]] static constexpr settings initial_settings() noexcept {
        settings s{true};
        for (interface_settings* conf : {&s.all, &s.defaults}) {
            conf->rp_filter = 1;
            conf->accept_source_route = false;
            conf->accept_redirects = false;
            conf->send_redirects = false;
            conf->drop_unicast_in_l2_multicast = true;
        }
        return s;
    }
};

// A host for small devices: static memory of about 30 KiB, no options, no reassembly, no
// learned path MTUs and redirects.
struct tiny_host
    : policies<buffers<fixed_pool<1600, 8>>, interfaces<interface_table<4>>,
               routes<linear_routes<16>>, exceptions<no_exceptions>, multicast<group_list<4>>,
               options<no_options>, reassembly<no_reassembly>, delivery<registered_endpoints<4, 8>>,
               icmp_rules<no_icmp_limit>, output<queue_output<8>>> {};

}  // namespace sluice
