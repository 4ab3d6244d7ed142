// A packet of a pool that ends before it.
// first error: sluice: fixed_pool: a pool must outlive its packets: give it a name
#include <sluice/packet/pool_storage.hpp>

using pool = sluice::fixed_pool<2048, 4>;

bool run() {
#ifdef SLUICE_COMPILE_FAIL
    const auto packet = pool{}.take();
#else
    pool buffers;
    const auto packet = buffers.take();
#endif
    return static_cast<bool>(packet);
}
