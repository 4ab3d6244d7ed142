// Reads one line of a vector file word by word. Words are separated by exactly one space. error()
// keeps the first error; after it every reader returns an empty value, so that a caller may read a
// whole line and check once.
#pragma once

#include "statement.hpp"

#include <string_view>

namespace replay {

[[nodiscard]] std::string to_text(address host);
[[nodiscard]] std::string to_hex(const byte_vector& bytes);

class words {
public:
    explicit words(std::string_view line) : rest_(line), done_(line.empty()) {}

    [[nodiscard]] bool done() const { return done_ || !error_.empty(); }
    [[nodiscard]] const std::string& error() const { return error_; }
    void fail(std::string what);

    // The next word; `what` names it in the message when there is none.
    std::string_view next(std::string_view what);
    // Takes the next word if it is `word`.
    bool take(std::string_view word);
    // Fails when something is left.
    void end();

    std::uint64_t number(std::string_view what, std::uint64_t maximum);
    address host(std::string_view what);
    std::string interface() { return std::string(next("interface")); }

    // The same of a word that is at hand already.
    std::uint64_t number_of(std::string_view word, std::string_view what, std::uint64_t maximum);
    address host_of(std::string_view word, std::string_view what);
    prefix prefix_of(std::string_view word);
    endpoint endpoint_of(std::string_view word);
    hardware_address mac_of(std::string_view word);
    byte_vector hex_of(std::string_view word);

private:
    std::string_view rest_;
    bool done_;
    std::string error_;
};

// "key=value" in its two parts; a word without "=" is all key.
struct key_value {
    std::string_view key;
    std::string_view value;
    bool has_value = false;
};
[[nodiscard]] key_value split_key(std::string_view word);

}  // namespace replay
