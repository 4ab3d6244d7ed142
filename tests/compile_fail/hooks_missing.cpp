// A hook for a stack whose policies name no hooks.
// first error: sluice: this stack has no hooks: name hooks<hook_chain<>> in its policies
#include <sluice/hooks/hook_chain.hpp>
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

#ifdef SLUICE_COMPILE_FAIL
struct edge : sluice::policies<> {};
#else
struct edge : sluice::policies<sluice::hooks<sluice::hook_chain<>>> {};
#endif

struct drop_all final : sluice::hook<sluice::stack<edge>::packet_type> {
    sluice::hook_verdict operator()(sluice::stack<edge>::packet_type&,
                                    const sluice::hook_context&) noexcept override {
        return sluice::hook_verdict::drop;
    }
};

void run() {
    static sluice::stack<edge> me{{.seed = sluice::testing::fixed_seed}};
    static drop_all filter;
    static_cast<void>(me.hooks().add(sluice::hook_point::forward, 0, filter));
}
