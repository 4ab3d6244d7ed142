// An endpoint whose header is not included is known by name: the error names the header.
// first error: sluice: udp_endpoint is only declared: add #include <sluice/endpoint/udp_endpoint
// errors: 2: the compilers add that the class is incomplete
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
