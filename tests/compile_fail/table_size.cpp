// The same for a policy that is no tag.
// first error: sluice: interface_table<N>: N is 2 .. 4096
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

#ifdef SLUICE_COMPILE_FAIL
struct edge : sluice::policies<sluice::interfaces<sluice::interface_table<1>>> {};
#else
struct edge : sluice::policies<sluice::interfaces<sluice::interface_table<16>>> {};
#endif

void run(sluice::moment now) {
    static sluice::stack<edge> me{{.seed = sluice::testing::fixed_seed}};
    me.receive(me.buffers().take(), now);
}
