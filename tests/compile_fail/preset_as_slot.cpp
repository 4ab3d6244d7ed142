// A preset between the slots: based_on<> takes it.
// first error: sluice: policies<...>: a set of policies to start from goes into based_on<...>
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

#ifdef SLUICE_COMPILE_FAIL
struct edge : sluice::policies<sluice::linux_router, sluice::output<sluice::queue_output<16>>> {};
#else
struct edge : sluice::policies<sluice::based_on<sluice::linux_router>,
                               sluice::output<sluice::queue_output<16>>> {};
#endif

void run(sluice::moment now) {
    static sluice::stack<edge> me{{.seed = sluice::testing::fixed_seed}};
    me.receive(me.buffers().take(), now);
}
