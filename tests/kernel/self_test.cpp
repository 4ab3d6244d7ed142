#include "self_test.hpp"
#include "mutation.hpp"

namespace replay {

namespace {

constexpr pass passes[] = {pass::single, pass::batch};

mutation_context context_of(const scenario& about, const compare_options& options) {
    mutation_context made{about, {}, options.drops, options.ignored_counters};
    for (const step& event : about.events) {
        for (const expected_departure& packet : event.expected.departures)
            if (packet.group) made.groups.push_back(*packet.group);
        for (const expected_delivery& packet : event.expected.deliveries)
            if (packet.group) made.groups.push_back(*packet.group);
    }
    return made;
}

// Whether the changed event `index` makes the scenario fail. It checks the event's own run first,
// which is nearly always enough; only identification groups span more.
bool is_noticed(const scenario& changed, std::size_t index, const recording& what,
                const compare_options& options) {
    const std::span<const step> events(changed.events);
    for (const recorded& run : what.runs) {
        if (index < run.first || index >= run.first + run.count) continue;
        comparer alone(changed, options);
        if (!alone.compare(events.subspan(run.first, run.count), run.seen).empty()) return true;
    }
    return !judge(changed, what, options).passed;
}

}  // namespace

std::size_t mutation_cost(const scenario& about) {
    std::size_t total = 0;
    for (const step& event : about.events)
        for (const std::string& line : event.result_lines)
            total += line.size() / 2;
    return total;
}

void mutate(const scenario& about, subject_factory make, const compare_options& options,
            self_test_result& result) {
    std::vector<recording> recordings;
    for (const pass how : passes) {
        recordings.push_back(record(about, how, *make(about)));
        if (!judge(about, recordings.back(), options).passed) return;
    }
    ++result.scenarios;
    const mutation_context context = context_of(about, options);
    scenario changed = about;
    for (std::size_t e = 0; e < about.events.size(); ++e) {
        const step& original = about.events[e];
        step& event = changed.events[e];
        for (std::size_t i = 0; i < original.result_lines.size(); ++i) {
            const mutation_sink sink = [&](const char* kind,
                                           const std::vector<std::string>& lines) {
                std::vector<std::string> all = original.result_lines;
                const auto at = all.erase(all.begin() + static_cast<std::ptrdiff_t>(i));
                all.insert(at, lines.begin(), lines.end());
                const bool refused = !parse_results(all, changed, event.expected).empty();
                mutation_count& count = result.kinds[kind];
                for (const recording& what : recordings) {
                    ++count.tried;
                    if (refused || is_noticed(changed, e, what, options))
                        ++count.noticed;
                    else
                        result.unnoticed.push_back(about.file + ":" +
                                                   std::to_string(original.line) + ": " + kind +
                                                   ": " + original.result_lines[i].substr(0, 120));
                }
            };
            each_mutation(original.result_lines[i], context, sink);
        }
        event.expected = original.expected;
    }
}

}  // namespace replay
