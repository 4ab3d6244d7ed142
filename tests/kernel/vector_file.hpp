// Reads vector files into scenarios. Strict: a line that is not understood completely makes the
// scenario defective, and a defective scenario never passes.
#pragma once

#include "observation.hpp"
#include "words.hpp"

namespace replay {

// One line that acts, and the `>` lines below it.
struct step {
    std::size_t line = 0;  // number in the file, from 1
    std::string text;
    statement action;
    std::vector<std::string> result_lines;
    expectation expected;
};

struct scenario {
    std::string file;
    std::size_t line = 0;
    std::string family;  // name of the file without ".vec"; some hold several kinds of names
    std::string name;    // KIND/NAME
    std::string about;
    std::map<std::string, bool> taps;  // interface to "is a tap"
    std::vector<std::string> sockets;  // every name ever opened
    std::vector<step> configuration;
    std::vector<step> events;
    std::string defect;      // empty: read completely
    std::uint64_t draw = 0;  // which random numbers the subject draws; not part of the file
};

// An unreadable file, or text outside of scenarios, results in a defective scenario.
[[nodiscard]] std::vector<scenario> parse_vectors(const std::string& file, std::string_view text);

// One statement, added to what `about` knows of interfaces and sockets.
[[nodiscard]] statement parse_statement(words& line, scenario& about);

// The `>` lines of one event. The error is empty when all is well.
[[nodiscard]] std::string parse_results(const std::vector<std::string>& lines,
                                        const scenario& about, expectation& expected);

}  // namespace replay
