// Slots without policies<...> around them are no set of policies.
// first error: sluice: stack<P>: P must be a set of policies: struct edge : sluice::policies<
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

#ifdef SLUICE_COMPILE_FAIL
struct edge : sluice::routes<sluice::lpm_trie<16>> {};
#else
struct edge : sluice::policies<sluice::routes<sluice::lpm_trie<16>>> {};
#endif

void run(sluice::moment now) {
    static sluice::stack<edge> me{{.seed = sluice::testing::fixed_seed}};
    static_cast<void>(me.add_interface({.index = 2, .mtu = 1500}));
    me.receive(me.buffers().take(), now);
}
