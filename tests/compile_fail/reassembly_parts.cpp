// A reassembly model that names its parts, but has no constructor for them: the slot says so.
// first error: sluice: reassembly<T>: T's model names its parts, so it must have the constructor
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

struct counted {
    template <class Packet>
    struct model : sluice::no_reassembly::model<Packet> {
        struct parts {
            int most = 0;
        };
#ifdef SLUICE_COMPILE_FAIL
        explicit model(sluice::hash_key key) noexcept : sluice::no_reassembly::model<Packet>(key) {}
#else
        model(sluice::hash_key key, const parts&) noexcept
            : sluice::no_reassembly::model<Packet>(key) {}
#endif
    };
};

struct edge : sluice::policies<sluice::reassembly<counted>> {};

void run(sluice::moment now) {
    static sluice::stack<edge> me{{.seed = sluice::testing::fixed_seed, .reassembly = {}}};
    static_cast<void>(me.add_interface({.index = 2, .mtu = 1500}));
    me.receive(me.buffers().take(), now);
}
