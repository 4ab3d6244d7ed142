// Totals by family and the list of expected failures, and how to print both.
#pragma once

#include "replay.hpp"

namespace replay {

// Lines `NAME  reason`; `#` begins a comment. The error is empty when all is well.
struct expected_failures {
    std::map<std::string, std::string> reasons;
    std::string error;
};
[[nodiscard]] expected_failures parse_expected(std::string_view text);

enum class scenario_status { passed, failed, failed_as_expected, passed_unexpectedly };

class report {
public:
    report(const expected_failures& expected, bool brief) : expected_(expected), brief_(brief) {}

    // A scenario after both passes, or with a defect: `bad` is the first comparison that failed.
    void add(const scenario& about, const comparison* bad, const char* how);
    // A failure that belongs to no scenario.
    void add_failure(const std::string& what);
    void add_tally(const compare_tally& tally);

    // The table, and as last line "N passed, N failed". True when nothing failed.
    [[nodiscard]] bool finish() const;

private:
    struct family {
        std::size_t passed = 0;
        std::size_t failed = 0;
        std::size_t expected = 0;
    };

    expected_failures expected_;
    bool brief_;
    std::map<std::string, family> families_;
    compare_tally tally_;
};

// Numbers of a family as in vectors/summary.txt.
struct family_size {
    std::size_t scenarios = 0;
    std::size_t inputs = 0;
    std::size_t outputs = 0;
    std::size_t deliveries = 0;
    std::size_t counts_and_drops = 0;

    friend bool operator==(const family_size&, const family_size&) = default;
};
using family_sizes = std::map<std::string, family_size>;
[[nodiscard]] family_sizes sizes_of(const std::vector<scenario>& all);
[[nodiscard]] family_sizes parse_summary(std::string_view text);

}  // namespace replay
