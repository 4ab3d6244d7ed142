// What every observer must do, asked of each model.
#include <doctest/doctest.h>

#include <sluice/stats/observers.hpp>
#include <sluice/testing/archetypes.hpp>

namespace conformance_observer {

namespace {

using namespace sluice;
using archetypes::trace;

#define SLUICE_OBSERVER_MODELS null_observer, recording_observer<1>, recording_observer<64>

// One requirement less each.
struct without_observe : trace {
    void observe(const trace_event&) = delete;
};
struct with_observe_that_may_throw : trace {
    void observe(const trace_event&) {}
};
struct with_observe_that_keeps_events : trace {
    void observe(trace_event&) noexcept {}
};
struct without_fact {
    void observe(const trace_event&) noexcept {}
};
static_assert(observer<trace>);
static_assert(!observer<without_observe>);
static_assert(!observer<with_observe_that_may_throw>);
static_assert(!observer<with_observe_that_keeps_events>);
static_assert(!observer<without_fact>);

TEST_CASE_TEMPLATE("it takes any event, more than it can keep", Observer, SLUICE_OBSERVER_MODELS) {
    static_assert(observer<Observer>);
    Observer o{};
    for (u32 i = 0; i < 1000; ++i)
        o.observe({.where = stage::classify, .what = outcome::forward, .value = i});
    if constexpr (!Observer::never_observes) {
        REQUIRE(o.size() > 0);
        for (std::size_t i = 0; i < o.size(); ++i)
            CHECK(o[i].value == 1000 - o.size() + i);
    }
}

TEST_CASE_TEMPLATE("one that never observes costs nothing", Observer, SLUICE_OBSERVER_MODELS) {
    CHECK(Observer::never_observes == (sizeof(Observer) == 1));
}

}  // namespace

}  // namespace conformance_observer
