// Runs the conformance suite on each hook_policy of the library, and tests what the concept
// rejects.
#include "support/conformance.hpp"

#include <doctest/doctest.h>

#include <sluice/hooks/hook_chain.hpp>
#include <sluice/hooks/no_hooks.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/testing/archetypes.hpp>
#include <sluice/testing/conformance/hooks.hpp>

#include <type_traits>

namespace conformance_hooks {

namespace {

using namespace sluice;
using archetypes::hooks;

using pool_type = fixed_pool<512, 4>;
using packet = pool_type::packet_type;

// One requirement less each.
struct without_run {
    template <class Packet>
    struct model : hooks::model<Packet> {
        void run(hook_point, Packet&, const hook_context&) = delete;
    };
};
struct with_yes_or_no {
    template <class Packet>
    struct model : hooks::model<Packet> {
        bool run(hook_point, Packet&, const hook_context&) noexcept { return true; }
    };
};
struct with_run_that_may_throw {
    template <class Packet>
    struct model : hooks::model<Packet> {
        hook_verdict run(hook_point, Packet&, const hook_context&) { return {}; }
    };
};
struct with_active_that_changes {
    template <class Packet>
    struct model : hooks::model<Packet> {
        bool active(hook_point) noexcept { return false; }
    };
};
struct without_constant {
    template <class Packet>
    struct model {
        using packet_type = Packet;
        bool active(hook_point) const noexcept { return false; }
        hook_verdict run(hook_point, Packet&, const hook_context&) noexcept { return {}; }
    };
};
static_assert(hook_policy<hooks, packet>);
static_assert(hook_policy<hooks, archetypes::packet>);
static_assert(!hook_policy<without_run, packet>);
static_assert(!hook_policy<with_yes_or_no, packet>);
static_assert(!hook_policy<with_run_that_may_throw, packet>);
static_assert(!hook_policy<with_active_that_changes, packet>);
static_assert(!hook_policy<without_constant, packet>);

TEST_CASE_TEMPLATE("hooks", Hooks, no_hooks, hook_chain<1>, hook_chain<8>, hook_chain<8, 16>) {
    static_assert(Hooks::template model<packet>::never_active == std::is_same_v<Hooks, no_hooks>);
    support::conforms(testing::conformance::hooks<Hooks>(support::to_doctest));
}

}  // namespace

}  // namespace conformance_hooks
