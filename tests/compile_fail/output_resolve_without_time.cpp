// An output whose resolve does not take the time: it would never be asked.
// first error: sluice: output<T>: T must model sluice::output_policy \(output/concept.hpp\)
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

struct asking {
    template <class Packet>
    struct model : sluice::queue_output<64>::model<Packet> {
#ifdef SLUICE_COMPILE_FAIL
        bool resolve(const sluice::egress&) noexcept { return false; }
#else
        bool resolve(const sluice::egress&, sluice::instant) noexcept { return false; }
#endif
    };
};

struct edge : sluice::policies<sluice::output<asking>> {};

void run(sluice::moment now) {
    static sluice::stack<edge> me{{.seed = sluice::testing::fixed_seed}};
    static_cast<void>(me.add_interface({.index = 2, .mtu = 1500}));
    me.receive(me.buffers().take(), now);
}
