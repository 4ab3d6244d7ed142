// Runs the conformance suite on each exceptions_policy of the library, and tests what the concept
// rejects.
#include "support/conformance.hpp"

#include <doctest/doctest.h>

#include <sluice/route/bounded_exceptions.hpp>
#include <sluice/route/no_exceptions.hpp>
#include <sluice/testing/archetypes.hpp>
#include <sluice/testing/conformance/exceptions.hpp>
#include <sluice/testing/fixed_seed.hpp>

namespace conformance_exceptions {

namespace {

using namespace sluice;
using archetypes::exceptions;

// One requirement less each.
struct without_key : exceptions {
    without_key() noexcept : exceptions(testing::fixed_seed) {}
};
struct with_numeric_any : exceptions {
    using exceptions::exceptions;
    int any() const noexcept { return 0; }
};
struct with_find_by_value : exceptions {
    using exceptions::exceptions;
    route_exception find(const exception_key&, instant) const noexcept { return {}; }
};
struct with_find_that_changes : exceptions {
    using exceptions::exceptions;
    const route_exception* find(const exception_key&, instant) noexcept { return nullptr; }
};
struct with_learn_that_may_throw : exceptions {
    using exceptions::exceptions;
    void learn(const exception_key&, const route_exception&, instant) {}
};
struct without_keep_if : exceptions {
    using exceptions::exceptions;
    template <class F>
    void keep_if(F&&) = delete;
};
struct with_silent_expire : exceptions {
    using exceptions::exceptions;
    void expire(instant) noexcept {}
};
static_assert(exceptions_policy<exceptions>);
static_assert(!exceptions_policy<without_key>);
static_assert(!exceptions_policy<with_numeric_any>);
static_assert(!exceptions_policy<with_find_by_value>);
static_assert(!exceptions_policy<with_find_that_changes>);
static_assert(!exceptions_policy<with_learn_that_may_throw>);
static_assert(!exceptions_policy<without_keep_if>);
static_assert(!exceptions_policy<with_silent_expire>);

TEST_CASE_TEMPLATE("exceptions", Model, bounded_exceptions<1>, bounded_exceptions<32>,
                   no_exceptions) {
    support::conforms(testing::conformance::exceptions<Model>(support::to_doctest));
}

}  // namespace

}  // namespace conformance_exceptions
