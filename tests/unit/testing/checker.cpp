// checker: each line of a suite is reported at most three times in a case, and counted each time.
#include <sluice/testing/checker.hpp>

#include <doctest/doctest.h>

#include <map>
#include <string>

namespace testing_checker {
using namespace sluice;

TEST_CASE("checker: each broken line is reported at most three times a case") {
    std::map<std::string, int> reports;
    testing::checker c{"trial",
                       [&](const testing::broken_requirement& b) { ++reports[b.sentence]; }};
    for (int round = 1; round <= 2; ++round) {
        c.begin("a case");
        for (int i = 0; i < 10; ++i) {
            CHECK_FALSE(c.holds(false, "one"));
            CHECK_FALSE(c.equal(i, -1, "other"));
            CHECK(c.holds(true, "good"));
        }
        CHECK(reports["one"] == 3 * round);
        CHECK(reports["other"] == 3 * round);
        CHECK(reports.count("good") == 0);
    }
    CHECK(c.result().broken == 40);
    CHECK(c.result().checks == 60);
    CHECK_FALSE(c.result().passed());
}

}  // namespace testing_checker
