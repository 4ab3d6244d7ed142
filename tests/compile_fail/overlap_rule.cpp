// An overlap rule under another name: the cache says which functions a rule has.
// first error: sluice: bounded_cache<N, Overlap>: Overlap must have .{1,20}overlap_answer settle\(
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

namespace mine {

struct keep_first {
#ifdef SLUICE_COMPILE_FAIL
    static sluice::overlap_answer decide(sluice::byte_range, sluice::byte_range) noexcept {
#else
    static sluice::overlap_answer settle(sluice::byte_range, sluice::byte_range) noexcept {
#endif
        return sluice::overlap_answer::keep_held;
    }
};

}  // namespace mine

struct edge : sluice::policies<sluice::reassembly<sluice::bounded_cache<8, mine::keep_first>>> {};

void run(sluice::moment now) {
    static sluice::stack<edge> me{{.seed = sluice::testing::fixed_seed}};
    static_cast<void>(me.add_interface({.index = 2, .mtu = 1500}));
    me.receive(me.buffers().take(), now);
}
