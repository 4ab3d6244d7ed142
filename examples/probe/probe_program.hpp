// probe_program: what the programs ping and traceroute print in the same way.
#pragma once

#include "probe_arguments.hpp"

#include <cstdio>
#include <optional>
#include <string>

namespace examples {

// Answers are shown at once, also in a pipe.
inline void print(const std::string& text) {
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
}
inline void complain(const std::string& text) {
    std::fputs(text.c_str(), stderr);
}

// Prints the usage if --help is given, or the problem of the arguments. Returns the exit code;
// none: the program goes on.
template <class Arguments>
[[nodiscard]] std::optional<int> ends_early(const char* program, const char* usage,
                                            const Arguments& given) {
    if (given.help) {
        print(std::string{usage} + host_usage);
        return 0;
    }
    if (!given.problem.empty()) {
        complain(std::string{program} + ": " + given.problem + "\n");
        return 2;
    }
    return std::nullopt;
}

}  // namespace examples
