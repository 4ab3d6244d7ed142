// conformance::hooks: tests the properties of every hook_policy on yours.
//
//     const auto found = testing::conformance::hooks<my_hooks>();  // prints faults
//     return found.passed() ? 0 : 1;
//
// If hooks are added at run time (`add`, `remove`), the suite adds a hook that drops at each point
// in turn. If they are known at compile time, it only tests whether `active` agrees with `run`.
#pragma once

#include <sluice/hooks/concept.hpp>
#include <sluice/hooks/hook_chain.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/testing/checker.hpp>
#include <sluice/testing/datagrams.hpp>

#include <type_traits>

namespace sluice::testing::conformance {

namespace detail {

template <class Hooks>
class hooks_suite {
public:
    explicit hooks_suite(checker& check) : check_{check} {}

    void run() {
        pool_type pool;
        nothing_registered(pool);
        if constexpr (can_add) {
            each_point(pool);
        }
        check_.equal(pool.available(), buffers, "all buffers are back in the pool");
    }

private:
    static constexpr std::size_t buffers = 4;
    using pool_type = fixed_pool<512, buffers>;
    using packet = pool_type::packet_type;
    using model_type = typename Hooks::template model<packet>;
    static constexpr hook_point points[hook_points] = {hook_point::prerouting, hook_point::local_in,
                                                       hook_point::forward, hook_point::local_out,
                                                       hook_point::postrouting};

    struct refuser final : hook<packet> {
        hook_verdict operator()(packet&, const hook_context&) noexcept override {
            return hook_verdict::drop;
        }
    };
    static constexpr bool can_add = requires(model_type& m, refuser& h) {
        m.add(hook_point::forward, 0, h);
        m.remove(hook_point::forward, h);
    };

    void nothing_registered(pool_type& pool) {
        check_.begin("without hooks every packet passes unchanged");
        check_.holds(!model_type::never_active || std::is_empty_v<model_type>,
                     "a model that is never active has no data");
        model_type model;
        const byte_vector sent = datagram_of({});
        packet p = packet_of(pool, sent);
        for (const hook_point point : points) {
            check_.given("point", static_cast<u64>(point));
            if (model.active(point)) {
                check_.holds(!can_add && !model_type::never_active,
                             "active() is false at a point without hooks");
                continue;
            }
            check_.equal(model.run(point, p, {.in = 1, .out = 2}), hook_verdict::accept,
                         "run() accepts at a point that is not active");
        }
        check_.holds(content_of(p) == sent, "the packet is unchanged");
    }

    void each_point(pool_type& pool) {
        check_.begin("a hook runs only at its own point, until it is removed");
        model_type model;
        refuser h;
        packet p = packet_of(pool, datagram_of({}));
        for (const hook_point mine : points) {
            check_.given("added at point", static_cast<u64>(mine));
            check_.holds(bool{model.add(mine, 0, h)}, "add() accepts a hook");
            for (const hook_point point : points) {
                check_.equal(model.active(point), point == mine,
                             "active() is true only at the point of the hook");
                check_.equal(model.run(point, p, {}),
                             point == mine ? hook_verdict::drop : hook_verdict::accept,
                             "run() returns the hook's verdict at its point and accepts elsewhere");
            }
            model.remove(mine, h);
            check_.holds(!model.active(mine), "active() is false after remove()");
        }
    }

    checker& check_;
};

}  // namespace detail

template <class Hooks>
    requires hook_policy<Hooks, fixed_pool<512, 4>::packet_type>
suite_result hooks(const reporter& report = print_broken) {
    checker check{"hooks", report};
    detail::hooks_suite<Hooks>{check}.run();
    return check.result();
}

}  // namespace sluice::testing::conformance
