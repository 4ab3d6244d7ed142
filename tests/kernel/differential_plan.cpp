#include "differential_plan.hpp"

#include <cstdio>
#include <cstdlib>

namespace replay {

std::string text_of(const plan& round, std::span<const std::vector<std::string>> results) {
    std::string text = "scenario " + round.name + "\nabout " + round.about + "\n";
    for (const std::string& line : round.configuration)
        text += line + "\n";
    text += "begin\n";
    for (std::size_t i = 0; i < round.events.size(); ++i) {
        text += round.events[i] + "\n";
        if (i < results.size())
            for (const std::string& line : results[i])
                text += "> " + line + "\n";
    }
    return text + "end\n";
}

scenario scenario_of(const plan& round, std::span<const std::vector<std::string>> results) {
    std::vector<scenario> made = parse_vectors("found.vec", text_of(round, results));
    if (made.size() == 1 && made.front().defect.empty()) return std::move(made.front());
    std::fprintf(stderr, "%s: %s\n", round.name.c_str(),
                 made.empty() ? "no scenario" : made.front().defect.c_str());
    std::exit(2);
}

std::string to_text(prefix net) {
    return to_text(net.base) + "/" + std::to_string(net.length);
}

}  // namespace replay
