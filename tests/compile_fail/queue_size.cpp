// A policy with a parameter out of its range: the error is that of the policy alone.
// first error: sluice: a ring or queue of N: N must be a power of two
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

#ifdef SLUICE_COMPILE_FAIL
struct edge : sluice::policies<sluice::output<sluice::queue_output<10>>> {};
#else
struct edge : sluice::policies<sluice::output<sluice::queue_output<16>>> {};
#endif

void run(sluice::moment now) {
    static sluice::stack<edge> me{{.seed = sluice::testing::fixed_seed}};
    me.receive(me.buffers().take(), now);
}
