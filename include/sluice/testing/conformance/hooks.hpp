// conformance::hooks: tests the properties of every hook_policy on yours.
//
//     const auto found = testing::conformance::hooks<my_hooks>();  // prints faults
//     return found.passed() ? 0 : 1;
//
// If hooks are added at run time (`add`, `remove`), the suite adds a hook that drops at each point
// in turn, and, if hooks may queue packets, hooks in front of and behind one that does. If they are
// known at compile time, it only tests whether `active` agrees with `run`.
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
            if constexpr (hook_queue_capacity<model_type> != 0) {
                behind_a_queue(pool);
            }
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

    struct witness final : hook<packet> {
        hook_verdict answer = hook_verdict::accept;
        u32 calls = 0;
        hook_verdict operator()(packet&, const hook_context&) noexcept override {
            ++calls;
            return answer;
        }
    };

    void behind_a_queue(pool_type& pool) {
        check_.begin("a packet that a hook queued goes on behind this hook");
        packet p = packet_of(pool, datagram_of({}));
        for (const hook_point point : points) {
            check_.given("point", static_cast<u64>(point));
            model_type model;
            witness before;
            witness queues{};
            witness behind;
            queues.answer = hook_verdict::queue;
            if (!check_.holds(model.add(point, 1, before) && model.add(point, 2, queues) &&
                                  model.add(point, 3, behind),
                              "add() accepts three hooks")) {
                return;
            }
            check_.equal(model.run(point, p, {}), hook_verdict::queue,
                         "run() returns the verdict of the hook that queues");
            const hook_place at = model.queued_at();
            check_.equal(behind.calls, 0u, "no hook runs behind one that queues");
            check_.equal(model.run_again(point, p, {}, at), hook_verdict::queue,
                         "run_again() returns the verdict of the hook at the place");
            check_.equal(queues.calls, 2u, "run_again() calls the hook at the place");
            check_.equal(model.run_behind(point, p, {}, at), hook_verdict::accept,
                         "run_behind() accepts if no hook behind objects");
            check_.equal(before.calls, 1u, "no hook in front of the place is called again");
            check_.equal(queues.calls, 2u, "run_behind() leaves out the hook at the place");
            check_.equal(behind.calls, 1u, "run_behind() calls the hooks behind the place");
            model.remove(point, queues);
            check_.equal(model.run_again(point, p, {}, at), hook_verdict::accept,
                         "run_again() accepts when the hook is gone");
            check_.equal(model.run_behind(point, p, {}, at), hook_verdict::accept,
                         "run_behind() works when the hook is gone");
            check_.equal(before.calls, 1u, "no hook in front of the place of one that is gone");
            check_.equal(queues.calls, 2u, "a hook that is gone is not called");
            check_.equal(behind.calls, 2u, "the hooks behind the place of one that is gone");
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
