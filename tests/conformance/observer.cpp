// Runs the conformance suite on each observer of the library, and tests what the concept rejects.
#include "support/conformance.hpp"

#include <doctest/doctest.h>

#include <sluice/stats/observers.hpp>
#include <sluice/testing/archetypes.hpp>
#include <sluice/testing/conformance/stats.hpp>

namespace conformance_observer {

namespace {

using namespace sluice;
using archetypes::trace;

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
struct without_constant {
    void observe(const trace_event&) noexcept {}
};
static_assert(observer<trace>);
static_assert(!observer<without_observe>);
static_assert(!observer<with_observe_that_may_throw>);
static_assert(!observer<with_observe_that_keeps_events>);
static_assert(!observer<without_constant>);

TEST_CASE_TEMPLATE("observer", Observer, null_observer, recording_observer<1>,
                   recording_observer<64>) {
    support::conforms(testing::conformance::observer<Observer>(support::to_doctest));
    CHECK(Observer::never_observes == (sizeof(Observer) == 1));
}

}  // namespace

}  // namespace conformance_observer
