// A misspelt slot is no template; the compiler suggests the right one and says little more.
// first error: route.{1,60}did you mean .{0,10}routes
// errors: 5: g++ parses on, and the class then has no policies
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

#ifdef SLUICE_COMPILE_FAIL
struct edge : sluice::policies<sluice::route<sluice::lpm_trie<16>>> {};
#else
struct edge : sluice::policies<sluice::routes<sluice::lpm_trie<16>>> {};
#endif

void run(sluice::moment now) {
    static sluice::stack<edge> me{{.seed = sluice::testing::fixed_seed}};
    static_cast<void>(me.add_interface({.index = 2, .mtu = 1500}));
    me.receive(me.buffers().take(), now);
}
