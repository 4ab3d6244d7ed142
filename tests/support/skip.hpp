// skip(): marks a test case that this machine cannot run, visibly for ctest and ./check.
//
// It prints `SKIPPED: CASE: REASON` on a line of its own (the scripts of tests/live print the same
// form). If every chosen case was skipped, the program ends with ctest's skip code 77. As root a
// skip is a failure, exit code 1, unless the environment has SLUICE_ALLOW_SKIPS=1: root can run all
// cases.
//
// Expects: a return from the test case right after it.
#pragma once

namespace support {

// Defined beside main, in doctest_main.cpp.
void skip(const char* reason);

}  // namespace support
