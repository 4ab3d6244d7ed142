// Shared by the two halves of the statement parser.
#pragma once

#include "vector_file.hpp"

namespace replay {

// Traffic and time: in, send, advance, the membership calls, close, connect. Nothing for other
// verbs.
[[nodiscard]] std::optional<statement> parse_event(std::string_view verb, words& line,
                                                   const scenario& about);

// VIFs, entries and counters of multicast routing. Nothing for other verbs.
[[nodiscard]] std::optional<statement> parse_multicast(std::string_view verb, words& line,
                                                       scenario& about);

// Rules of unicast and multicast routing. Nothing for other verbs.
[[nodiscard]] std::optional<statement> parse_rule(std::string_view verb, words& line);
// A number, or a name as `main`.
[[nodiscard]] std::uint32_t table_of(words& line);

// Names that were declared before, or an error of the line.
[[nodiscard]] std::string known_interface(words& line, const scenario& about);
std::string known_interface_of(words& line, std::string_view name, const scenario& about);
[[nodiscard]] std::string known_socket(words& line, const scenario& about);

// Narrows a number whose range was checked.
template <class T>
[[nodiscard]] T small(std::uint64_t value) {
    return static_cast<T>(value);
}

}  // namespace replay
