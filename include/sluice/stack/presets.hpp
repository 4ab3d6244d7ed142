// presets: sets of policies by use: linux_host, linux_router, tiny_host (hardened_router has a
// header of its own). Expects: to be used as they are or extended: `struct mine :
// policies<based_on<linux_router>, output<tun>> {...}`. Does: chooses sizes and switches. Never:
// differs from Linux but in tiny_host, which says where. Cost: as their policies.
#pragma once

#include <sluice/icmp/no_icmp.hpp>
#include <sluice/options/no_options.hpp>
#include <sluice/reassembly/no_reassembly.hpp>
#include <sluice/route/linear_routes.hpp>
#include <sluice/route/no_exceptions.hpp>
#include <sluice/stack/policies.hpp>

namespace sluice {

// Linux's 4 MiB of fragments hold some 5,000 alone: room for 3,584, which leave a quarter of the
// buffers. About 14 MiB, of which the buffers take none before they are used: not for a program's
// stack.
struct linux_memory : policies<buffers<fixed_pool<2048, 5120>>,
                               reassembly<bounded_cache<3584, overlap::reject_datagram, 3584>>> {};

// A host as Linux is out of the box.
struct linux_host : policies<based_on<linux_memory>> {};

// The same with net.ipv4.ip_forward = 1.
struct linux_router : policies<based_on<linux_memory>, routes<lpm_trie<1024>>,
                               exceptions<bounded_exceptions<128>>> {
    [[nodiscard]] static constexpr settings initial_settings() noexcept {
        return settings::of_router();
    }
};

// A host for small devices: static memory of about 30 KiB, no options, no reassembly, no
// learned path MTUs and redirects.
struct tiny_host
    : policies<buffers<fixed_pool<1600, 8>>, interfaces<interface_table<4>>,
               routes<linear_routes<16>>, exceptions<no_exceptions>, multicast<group_list<4>>,
               options<no_options>, reassembly<no_reassembly>, delivery<registered_endpoints<4, 8>>,
               icmp_limits<no_icmp_limit>, output<queue_output<8>>> {};

}  // namespace sluice
