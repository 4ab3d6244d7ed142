// Runs the conformance suite on each options_policy of the library.
#include "support/conformance.hpp"

#include <doctest/doctest.h>

#include <sluice/options/linux_options.hpp>
#include <sluice/options/no_options.hpp>
#include <sluice/testing/conformance/options.hpp>

namespace conformance_options {

namespace {

using namespace sluice;

TEST_CASE_TEMPLATE("options", Model, linux_options, no_options) {
    support::conforms(testing::conformance::options<Model>(support::to_doctest));
}

}  // namespace

}  // namespace conformance_options
