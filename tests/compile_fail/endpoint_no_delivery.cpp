// An endpoint on a stack whose delivery policy registers none.
// first error: sluice: the stack's delivery policy registers no endpoints
#include <sluice/endpoint/udp_endpoint.hpp>
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

#ifdef SLUICE_COMPILE_FAIL
struct edge : sluice::policies<sluice::delivery<sluice::no_delivery>> {};
#else
struct edge : sluice::policies<> {};
#endif

void run() {
    static sluice::stack<edge> me{{.seed = sluice::testing::fixed_seed}};
    static sluice::udp_endpoint<sluice::stack<edge>> echo{me};
    static_cast<void>(echo.bind({.port = 7}));
}
