// The same for a table of routes.
// first error: sluice: lpm_table is only declared: add #include <sluice/route/lpm_table.hpp>
#ifndef SLUICE_COMPILE_FAIL
#include <sluice/route/lpm_table.hpp>
#endif
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

struct edge : sluice::policies<sluice::routes<sluice::lpm_table>> {};

void run(sluice::moment now) {
    static sluice::stack<edge> me{{.seed = sluice::testing::fixed_seed}};
    me.receive(me.buffers().take(), now);
}
