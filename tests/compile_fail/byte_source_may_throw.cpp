// A byte source that may throw: the message says its form.
// first error: sluice: a byte source is bool next\(bytes to, u64& sum\) noexcept
#include <sluice/endpoint/corked_send.hpp>
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

#ifdef SLUICE_COMPILE_FAIL
#define WITHOUT
#else
#define WITHOUT noexcept
#endif

void run(sluice::moment now) {
    static sluice::stack<> me{{.seed = sluice::testing::fixed_seed}};
    static sluice::corked_send<sluice::stack<>> corked{me};
    static_cast<void>(
        corked.append(4, [](sluice::bytes, sluice::u64&) WITHOUT { return true; }, now));
}
