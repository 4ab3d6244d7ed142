// The same for a flow.
// first error: sluice: sending_flow is only declared: add #include <sluice/endpoint/sending_flow
// errors: 2: the compilers add that the class is incomplete
#ifndef SLUICE_COMPILE_FAIL
#include <sluice/endpoint/sending_flow.hpp>
#endif
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

void run(sluice::ipv4::address peer) {
    static sluice::stack<> me{{.seed = sluice::testing::fixed_seed}};
    static sluice::sending_flow<sluice::stack<>> flow{me, {.destination = peer, .protocol = 6}};
    static_cast<void>(flow.source());
}
