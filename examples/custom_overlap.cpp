// custom_overlap: an overlap rule of your own in ten lines, tested, and beside the rules of others.
//
// Shows: a rule as a type with one function of two byte ranges; the conformance suite for rules;
// what each rule makes of the published fragments of Novak's paper.
// Run: ./custom_overlap
#include <sluice/testing/conformance/overlap.hpp>

#include <cstdio>

namespace {

using sluice::overlap_answer;

// The longer fragment wins.
struct longer_wins {
    static constexpr overlap_answer settle(sluice::byte_range held,
                                           sluice::byte_range incoming) noexcept {
        return held.size() >= incoming.size() ? overlap_answer::keep_held
                                              : overlap_answer::keep_incoming;
    }
};

template <class Rule>
void print(const char* name) {
    std::printf("%-12s %s\n", name,
                sluice::testing::assembled<Rule>(sluice::testing::novak).c_str());
}

}  // namespace

int main() {
    namespace rules = sluice::overlap;
    print<rules::keep_first>("first");
    print<rules::keep_last>("last");
    print<rules::bsd>("bsd");
    print<rules::bsd_right>("bsd-right");
    print<rules::old_linux>("linux");
    print<rules::windows>("windows");
    print<rules::solaris>("solaris");
    print<longer_wins>("longer");
    const auto found = sluice::testing::conformance::overlap_rule<longer_wins>();
    std::printf("custom_overlap: %llu checks, %llu broken\n",
                static_cast<unsigned long long>(found.checks),
                static_cast<unsigned long long>(found.broken));
    return found.passed() ? 0 : 1;
}
