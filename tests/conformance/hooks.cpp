// What every hook_policy must do, asked of each model.
#include <doctest/doctest.h>

#include <sluice/hooks/hook_chain.hpp>
#include <sluice/hooks/no_hooks.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/testing/archetypes.hpp>

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
struct without_fact {
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
static_assert(!hook_policy<without_fact, packet>);

#define SLUICE_HOOK_MODELS no_hooks, hook_chain<1>, hook_chain<8>

constexpr hook_point points[hook_points] = {hook_point::prerouting, hook_point::local_in,
                                            hook_point::forward, hook_point::local_out,
                                            hook_point::postrouting};

TEST_CASE_TEMPLATE("it models the concept", Hooks, SLUICE_HOOK_MODELS) {
    static_assert(hook_policy<Hooks, packet>);
    using model = typename Hooks::template model<packet>;
    static_assert(!model::never_active || sizeof(model) == 1);
}

TEST_CASE_TEMPLATE("where nothing is registered every packet passes as it is", Hooks,
                   SLUICE_HOOK_MODELS) {
    pool_type pool;
    typename Hooks::template model<packet> model;
    packet p = pool.take();
    *p.put(1) = std::byte{42};
    for (const hook_point point : points) {
        CHECK_FALSE(model.active(point));
        CHECK(model.run(point, p, {.in = 1, .out = 2}) == hook_verdict::accept);
    }
    REQUIRE(p.size() == 1);
    CHECK(p.data()[0] == std::byte{42});
}

struct refuser final : hook<packet> {
    hook_verdict operator()(packet&, const hook_context&) noexcept override {
        return hook_verdict::drop;
    }
};

TEST_CASE_TEMPLATE("what is registered at a point acts there alone, until removed", Hooks,
                   SLUICE_HOOK_MODELS) {
    typename Hooks::template model<packet> model;
    if constexpr (!decltype(model)::never_active) {
        refuser h;
        packet p;
        for (const hook_point mine : points) {
            REQUIRE(model.add(mine, 0, h));
            for (const hook_point point : points) {
                CHECK(model.active(point) == (point == mine));
                const hook_verdict v = model.run(point, p, {});
                CHECK(v == (point == mine ? hook_verdict::drop : hook_verdict::accept));
            }
            model.remove(mine, h);
            CHECK_FALSE(model.active(mine));
        }
    }
}

}  // namespace

}  // namespace conformance_hooks
