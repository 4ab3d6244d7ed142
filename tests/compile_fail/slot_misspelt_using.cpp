// The same under `using namespace`, where the compilers have no suggestion.
// first error: route.{0,10}(was not declared|undeclared)|undeclared identifier .route
// errors: 5: the compilers parse on, and the class then has no policies
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

using namespace sluice;

#ifdef SLUICE_COMPILE_FAIL
struct edge : policies<route<lpm_trie<16>>> {};
#else
struct edge : policies<routes<lpm_trie<16>>> {};
#endif

void run(sluice::moment now) {
    static sluice::stack<edge> me{{.seed = sluice::testing::fixed_seed}};
    static_cast<void>(me.add_interface({.index = 2, .mtu = 1500}));
    me.receive(me.buffers().take(), now);
}
