// The same for a datagram made in one step.
// first error: sluice: a byte source is bool next\(bytes to, u64& sum\) noexcept
#include <sluice/identification/random_identification.hpp>
#include <sluice/sluice.hpp>
#include <sluice/stack/make_datagram.hpp>
#include <sluice/testing/fixed_seed.hpp>

#ifdef SLUICE_COMPILE_FAIL
#define WITHOUT
#else
#define WITHOUT noexcept
#endif

void run(sluice::moment now) {
    static sluice::stack<> me{{.seed = sluice::testing::fixed_seed}};
    sluice::random_identification ids{sluice::testing::fixed_seed};
    static_cast<void>(sluice::make_datagram(
        me.view(), me.buffers(), ids, {}, {.size = 4},
        [](sluice::bytes, sluice::u64&) WITHOUT { return true; },
        [](auto&, const auto&, sluice::u64) noexcept {}, now));
}
