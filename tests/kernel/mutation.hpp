// Makes all single changes of one `>` line.
#pragma once

#include "vector_file.hpp"

#include <functional>

namespace replay {

// `kind` says what was changed ("out byte", "count value"); `lines` replace the original line:
// none when it was deleted, two when it was doubled.
using mutation_sink = std::function<void(const char* kind, const std::vector<std::string>& lines)>;

struct mutation_context {
    const scenario& about;
    std::vector<unsigned> groups;  // identification groups of the scenario, one entry a packet
    bool drops = false;            // drop lines are compared
    std::vector<std::string> ignored_counters;
};

void each_mutation(const std::string& line, const mutation_context& context,
                   const mutation_sink& sink);

}  // namespace replay
