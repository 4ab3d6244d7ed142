// A hook policy whose run answers a bool: the slot names the concept, the notes the requirement.
// first error: sluice: hooks<T>: T must model sluice::hook_policy \(hooks/concept.hpp\)
// build error: has_hook_run
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

struct drop_all {
    template <class Packet>
    struct model {
        using packet_type = Packet;
        static constexpr bool never_active = false;
        bool active(sluice::hook_point) const noexcept { return true; }
#ifdef SLUICE_COMPILE_FAIL
        bool run(sluice::hook_point, Packet&, const sluice::hook_context&) noexcept {
            return false;
        }
#else
        sluice::hook_verdict run(sluice::hook_point, Packet&,
                                 const sluice::hook_context&) noexcept {
            return sluice::hook_verdict::drop;
        }
#endif
    };
};

struct edge : sluice::policies<sluice::hooks<drop_all>> {};

void run(sluice::moment now) {
    static sluice::stack<edge> me{{.seed = sluice::testing::fixed_seed}};
    me.receive(me.buffers().take(), now);
}
