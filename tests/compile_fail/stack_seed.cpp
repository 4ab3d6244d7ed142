// A stack without a seed is refused: a public constant is no secret.
// first error: deleted (function|constructor).*stack
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

void run() {
#ifdef SLUICE_COMPILE_FAIL
    static sluice::stack<> me;
#else
    static sluice::stack<> me{{.seed = sluice::testing::fixed_seed}};
#endif
    static_cast<void>(me.poll({}));
}
