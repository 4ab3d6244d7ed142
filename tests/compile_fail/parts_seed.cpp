// Parts that name an output and forget the seed are refused.
// first error: sluice: stack<P>: the parts name no .seed
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

void run() {
#ifdef SLUICE_COMPILE_FAIL
    static sluice::stack<> me{{.output = {}}};
#else
    static sluice::stack<> me{{.output = {}, .seed = sluice::testing::fixed_seed}};
#endif
    static_cast<void>(me.poll({}));
}
