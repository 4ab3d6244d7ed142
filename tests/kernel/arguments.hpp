// The command line of replay_vectors.
#pragma once

#include "replay.hpp"

namespace replay {

extern const char* const usage;

struct options {
    bool list = false;
    bool parse = false;
    bool self_test = false;
    bool brief = false;
    std::size_t sample = 3;
    std::string only;
    std::string family;
    std::string expected;
    std::string drawn;
    std::uint64_t draw = 0;
    std::vector<pass> passes{pass::single, pass::batch};
    compare_options compare{.drops = true};
#ifdef SLUICE_REPLAY_STACK
    subject_factory make = make_sluice_subject;
#else
    subject_factory make = make_null_subject;
#endif
    std::vector<std::string> paths;
};

// False, after a word on stderr, when the arguments make no sense.
[[nodiscard]] bool read_arguments(options& chosen, const std::vector<std::string>& arguments);

}  // namespace replay
