// sluice_forward: the forwarder with direct_table, the route policy for routers whose packets go
// everywhere.
#include "sluice_forward.hpp"

#include "sluice_module.hpp"

#include <sluice/route/direct_table.hpp>

namespace peers {

namespace {

constexpr sluice::direct_limits limits_for(std::size_t routes) {
    return {.routes = routes, .hops = 256, .groups = 8192};
}

}  // namespace

std::unique_ptr<forwarder> make_sluice_forwarder() {
    return std::make_unique<sluice_forwarder<sluice::direct_table, limits_for>>();
}

}  // namespace peers
