// skip(): a test case that this machine cannot run says so, where ctest and ./check see it.
//
// Expects: to be followed by a return from the test case. Does: prints `SKIPPED: CASE: REASON` on a
// line of its own (the scripts of tests/live print the same form), and has the program end with
// ctest's skip code 77 when every case that was chosen was skipped. As root a skip is a failure,
// exit code 1, unless the environment says SLUICE_ALLOW_SKIPS=1: root can run all of them.
#pragma once

namespace support {

// Defined beside main, in doctest_main.cpp.
void skip(const char* reason);

}  // namespace support
