// An endpoint of the policies instead of the stack.
// first error: sluice: an endpoint is of a stack, not of its policies: udp_endpoint<stack<edge>>
// errors: 2: the compilers add that the class is incomplete
#include <sluice/endpoint/udp_endpoint.hpp>
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

struct edge : sluice::policies<> {};

void run() {
    static sluice::stack<edge> me{{.seed = sluice::testing::fixed_seed}};
#ifdef SLUICE_COMPILE_FAIL
    static sluice::udp_endpoint<edge> echo{me};
#else
    static sluice::udp_endpoint<sluice::stack<edge>> echo{me};
#endif
    static_cast<void>(echo.bind({.port = 7}));
}
