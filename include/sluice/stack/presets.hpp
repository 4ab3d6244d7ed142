// presets: sets of policies by use: linux_host, linux_router, tiny_host. hardened_router has a
// header of its own.
//
// Use them as they are, or extend them:
//
//     struct mine : policies<based_on<linux_router>, output<tun>> {...};
//
// They choose sizes and switches. Only tiny_host differs from Linux.
//
// Cost: that of their policies.
#pragma once

#include <sluice/icmp/no_icmp.hpp>
#include <sluice/options/no_options.hpp>
#include <sluice/reassembly/no_reassembly.hpp>
#include <sluice/route/linear_routes.hpp>
#include <sluice/route/no_exceptions.hpp>
#include <sluice/stack/policies.hpp>

namespace sluice {

// Linux's 4 MiB of fragments would take some 5,000 buffers; the cache keeps at most 3,584, so that
// more than a quarter of the buffers stay free. A stack has about 14 MiB (unused buffers take no
// memory): do not put it on a program's stack.
struct linux_memory : policies<buffers<fixed_pool<2048, 5120>>,
                               reassembly<bounded_cache<3584, overlap::reject_datagram, 3584>>> {};

// A host like Linux without configuration.
struct linux_host : policies<based_on<linux_memory>> {};

// A router like Linux with net.ipv4.ip_forward = 1.
struct linux_router : policies<based_on<linux_memory>, routes<lpm_trie<1024>>,
                               exceptions<bounded_exceptions<128>>> {
    [[nodiscard]] static constexpr settings initial_settings() noexcept {
        return settings::of_router();
    }
};

// A host for small devices: about 30 KiB of static memory; no options, no reassembly, no learned
// path MTUs or redirects.
struct tiny_host
    : policies<buffers<fixed_pool<1600, 8>>, interfaces<interface_table<4>>,
               routes<linear_routes<16>>, exceptions<no_exceptions>, multicast<group_list<4>>,
               options<no_options>, reassembly<no_reassembly>, delivery<registered_endpoints<4, 8>>,
               icmp_limits<no_icmp_limit>, identification<basic_keyed_identification<256>>,
               output<queue_output<8>>> {};

}  // namespace sluice
