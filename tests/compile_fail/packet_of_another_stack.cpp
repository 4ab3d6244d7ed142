// A packet of other buffers than the stack's is another type.
// first error: sluice: stack<P>::receive\(std::move\(packet\), now\): move a packet of the
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

struct edge : sluice::policies<sluice::buffers<sluice::fixed_pool<1024, 8>>> {};

void run(sluice::moment now) {
    static sluice::stack<edge> me{{.seed = sluice::testing::fixed_seed}};
#ifdef SLUICE_COMPILE_FAIL
    static sluice::fixed_pool<2048, 8> buffers;
#else
    auto& buffers = me.buffers();
#endif
    me.receive(buffers.take(), now);
}
