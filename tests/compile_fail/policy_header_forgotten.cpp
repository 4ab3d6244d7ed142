// A policy whose header is not included is known by name: the error names the header.
// first error: sluice: hook_chain is only declared: add #include <sluice/hooks/hook_chain.hpp>
#ifndef SLUICE_COMPILE_FAIL
#include <sluice/hooks/hook_chain.hpp>
#endif
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

struct edge : sluice::policies<sluice::hooks<sluice::hook_chain<>>> {};

void run(sluice::moment now) {
    static sluice::stack<edge> me{{.seed = sluice::testing::fixed_seed}};
    me.receive(me.buffers().take(), now);
}
