#include "report.hpp"

#include <cstdio>

namespace replay {

namespace {

constexpr std::size_t shown_differences = 8;

void print_comparison(const comparison& bad, bool brief) {
    std::printf("  %s: %s\n", bad.where.c_str(), bad.event.substr(0, 200).c_str());
    std::size_t shown = 0;
    for (const difference& item : bad.differences) {
        if (++shown > shown_differences) {
            std::printf("    and %zu more differences\n", bad.differences.size() - shown + 1);
            break;
        }
        std::printf("    %s\n", item.what.c_str());
        if (!brief) std::fputs(item.detail.c_str(), stdout);
    }
}

}  // namespace

expected_failures parse_expected(std::string_view text) {
    expected_failures made;
    std::size_t number = 0;
    while (!text.empty() && made.error.empty()) {
        const std::size_t end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
        ++number;
        if (line.empty() || line.front() == '#') continue;
        const std::size_t space = line.find(' ');
        const std::size_t reason = line.find_first_not_of(' ', space);
        const std::string name(line.substr(0, space));
        if (space == std::string_view::npos || reason == std::string_view::npos)
            made.error = "line " + std::to_string(number) + ": no reason for " + name;
        else if (!made.reasons.emplace(name, line.substr(reason)).second)
            made.error = "line " + std::to_string(number) + ": " + name + " is named twice";
    }
    return made;
}

void report::add(const scenario& about, const comparison* bad, const char* how) {
    family& total = families_[about.family];
    const auto listed = expected_.reasons.find(about.name);
    const bool is_listed = listed != expected_.reasons.end();
    if (bad == nullptr) {
        if (is_listed) {
            std::printf("FAIL %s: passes, but is listed as expected failure (%s)\n",
                        about.name.c_str(), listed->second.c_str());
            ++total.failed;
            return;
        }
        ++total.passed;
        return;
    }
    if (is_listed) {
        std::printf("expected failure %s: %s\n", about.name.c_str(), listed->second.c_str());
        ++total.expected;
        return;
    }
    ++total.failed;
    std::printf("FAIL %s (%s)\n", about.name.c_str(), how);
    print_comparison(*bad, brief_);
}

void report::add_failure(const std::string& what) {
    ++families_["(run)"].failed;
    std::printf("FAIL %s\n", what.c_str());
}

void report::add_tally(const compare_tally& tally) {
    tally_.drops_ignored += tally.drops_ignored;
    tally_.counts_ignored += tally.counts_ignored;
    tally_.checksums_forgiven += tally.checksums_forgiven;
}

bool report::finish() const {
    family all;
    std::printf("%-14s %9s %9s %9s\n", "family", "passed", "failed", "expected");
    for (const auto& [name, total] : families_) {
        std::printf("%-14s %9zu %9zu %9zu\n", name.c_str(), total.passed, total.failed,
                    total.expected);
        all.passed += total.passed;
        all.failed += total.failed;
        all.expected += total.expected;
    }
    if (tally_.drops_ignored != 0)
        std::printf("%llu drop lines not compared, as asked for\n",
                    static_cast<unsigned long long>(tally_.drops_ignored));
    if (tally_.counts_ignored != 0)
        std::printf("%llu counter values not compared, as asked for\n",
                    static_cast<unsigned long long>(tally_.counts_ignored));
    if (tally_.checksums_forgiven != 0)
        std::printf("%llu stale header checksums not compared, as asked for\n",
                    static_cast<unsigned long long>(tally_.checksums_forgiven));
    if (all.expected != 0) std::printf("%zu failed as expected\n", all.expected);
    std::printf("%zu passed, %zu failed\n", all.passed, all.failed);
    return all.failed == 0;
}

family_sizes sizes_of(const std::vector<scenario>& all) {
    family_sizes sizes;
    for (const scenario& about : all) {
        for (family_size* size : {&sizes[about.family], &sizes["total"]}) {
            ++size->scenarios;
            for (const step& event : about.events) {
                const bool input = std::holds_alternative<in_line>(event.action) ||
                                   std::holds_alternative<send_line>(event.action);
                size->inputs += input ? 1 : 0;
                size->outputs += event.expected.departures.size();
                size->deliveries += event.expected.deliveries.size();
                size->counts_and_drops += event.expected.counts.size() +
                                          event.expected.drops.size() + event.expected.released;
            }
        }
    }
    return sizes;
}

family_sizes parse_summary(std::string_view text) {
    family_sizes sizes;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        words line(text.substr(0, end));
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
        const std::string name(line.next("family"));
        if (name.empty() || name == "#") continue;
        family_size& size = sizes[name];
        for (std::size_t* field : {&size.scenarios, &size.inputs, &size.outputs, &size.deliveries,
                                   &size.counts_and_drops})
            *field = line.number("number", 0xffffffff);
    }
    return sizes;
}

}  // namespace replay
