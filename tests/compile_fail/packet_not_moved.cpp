// A packet that is not moved: the stack takes packets over.
// first error: sluice: stack<P>::receive\(std::move\(packet\), now\): move a packet
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

void run(sluice::moment now) {
    static sluice::stack<> me{{.seed = sluice::testing::fixed_seed}};
    auto packet = me.buffers().take();
#ifdef SLUICE_COMPILE_FAIL
    me.receive(packet, now);
#else
    me.receive(std::move(packet), now);
#endif
}
