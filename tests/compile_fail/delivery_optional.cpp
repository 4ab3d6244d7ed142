// An optional function of a delivery policy with another result: the stack would never call it.
// first error: sluice: delivery<T>: the stack would never call has_listener
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

struct taps_only {
    template <class Packet>
    struct model : sluice::no_delivery::model<Packet> {
#ifdef SLUICE_COMPILE_FAIL
        int has_listener(sluice::u8) const noexcept { return 1; }
#else
        bool has_listener(sluice::u8) const noexcept { return true; }
#endif
    };
};

struct edge : sluice::policies<sluice::delivery<taps_only>> {};

void run(sluice::moment now) {
    static sluice::stack<edge> me{{.seed = sluice::testing::fixed_seed}};
    me.receive(me.buffers().take(), now);
}
