// The one main of all test binaries. It also reports skipped test cases (skip.hpp).
#define DOCTEST_CONFIG_IMPLEMENT
#include "quiet_listener.hpp"
#include "skip.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include <unistd.h>

namespace {

// A test case that runs once for each of its subcases is skipped once.
struct run_record {
    std::string current;
    bool said = false;
    int started = 0;
    int skipped = 0;
};
run_record& record() {
    static run_record one;
    return one;
}

struct listener final : support::quiet_listener {
    using quiet_listener::quiet_listener;
    void test_case_start(const doctest::TestCaseData& data) override {
        record().current = data.m_name;
        record().said = false;
        ++record().started;
    }
};
DOCTEST_REGISTER_LISTENER("skips", 1, listener);

}  // namespace

void support::skip(const char* reason) {
    run_record& r = record();
    if (r.said) {
        return;
    }
    r.said = true;
    ++r.skipped;
    std::printf("SKIPPED: %s: %s\n", r.current.c_str(), reason);
    std::fflush(stdout);
}

int main(int argc, char** argv) {
    constexpr int skip_code = 77;  // as in SKIP_RETURN_CODE
    const int result = doctest::Context{argc, argv}.run();
    const run_record& r = record();
    if (result != 0 || r.skipped == 0) {
        return result;
    }
    const char* const allowed = std::getenv("SLUICE_ALLOW_SKIPS");
    if (::geteuid() == 0 && (allowed == nullptr || *allowed == '\0')) {
        std::printf("%d skipped as root, which can run them: SLUICE_ALLOW_SKIPS=1 permits it\n",
                    r.skipped);
        return 1;
    }
    return r.skipped == r.started ? skip_code : 0;
}
