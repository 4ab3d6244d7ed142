// conforms(result), to_doctest: report findings of the suites and packet checks of testing/ to
// doctest.
#pragma once

#include <doctest/doctest.h>

#include <sluice/testing/checker.hpp>

#include <set>
#include <string>

namespace support {

inline void to_doctest(const sluice::testing::broken_requirement& b) {
    ADD_FAIL_CHECK_AT(b.file, static_cast<int>(b.line), b.text());
}

// A suite found nothing broken, and made at least this number of checks.
inline void conforms(const sluice::testing::suite_result& found, sluice::u64 checks = 1) {
    CHECK(found.broken == 0);
    CHECK_MESSAGE(found.checks >= checks, found.cases << " cases, " << found.checks << " checks");
}

// The sentences of a suite about a model that is broken on purpose, each once.
template <class Suite>
std::set<std::string> said_by(Suite run) {
    std::set<std::string> all;
    const sluice::testing::suite_result found =
        run([&all](const sluice::testing::broken_requirement& b) { all.insert(b.sentence); });
    CHECK(found.broken >= all.size());
    CHECK(found.passed() == all.empty());
    return all;
}

// For a model that names its own fault.
template <class Model, class Suite>
void finds(Suite run) {
    INFO(Model::broken);
    CHECK(said_by(run).contains(Model::broken));
}

}  // namespace support
