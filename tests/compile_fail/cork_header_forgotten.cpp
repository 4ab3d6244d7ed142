// The same for a corked datagram.
// first error: sluice: corked_send is only declared: add #include <sluice/endpoint/corked_send
// errors: 2: the compilers add that the class is incomplete
#ifndef SLUICE_COMPILE_FAIL
#include <sluice/endpoint/corked_send.hpp>
#endif
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

void run() {
    static sluice::stack<> me{{.seed = sluice::testing::fixed_seed}};
    static sluice::corked_send<sluice::stack<>> corked{me};
    corked.discard();
}
