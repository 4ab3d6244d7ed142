// An endpoint whose header is not included is known by name: one error, which names it.
// first error: udp_endpoint.{0,80}incomplete type|undefined template .{0,30}udp_endpoint
// build error: udp_endpoint
#ifndef SLUICE_COMPILE_FAIL
#include <sluice/endpoint/udp_endpoint.hpp>
#endif
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

void run() {
    static sluice::stack<> me{{.seed = sluice::testing::fixed_seed}};
    static sluice::udp_endpoint<sluice::stack<>> echo{me};
    static_cast<void>(echo.bind({.port = 7}));
}
