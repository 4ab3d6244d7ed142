// checker: counts the requirements that a test checks, and reports broken ones to a function, or on
// standard output.
//
// The conformance suites (testing/conformance) and packet checks use it; it belongs to no test
// framework. A framework gets the reports by a function:
//
//     conformance::route<my_table>([](const testing::broken_requirement& b) {
//         ADD_FAIL_CHECK_AT(b.file, int(b.line), b.text());  // doctest
//     });
//
// Expects: sentences and names that live as long as the program.
// Never:   throws, ends the program, or reports one line of a suite more than three times in a
//          case. The result counts all of them.
// Cost:    a comparison and a counter for a requirement that holds; text only for a broken one.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>
#include <sluice/base/time.hpp>
#include <sluice/testing/enumerator_name.hpp>
#include <sluice/wire/text.hpp>

#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace sluice::testing {

// A requirement that does not hold, and the place where it was checked.
struct broken_requirement {
    const char* file;
    u32 line;
    const char* suite;  // "route"
    const char* about;  // what the suite tried: "an empty table has no route"; may be empty
    const char* sentence;
    std::string detail;  // "to 10.1.2.128; expected 8, got 7"; may be empty

    [[nodiscard]] std::string text() const {
        std::string all = std::string{suite} + ": " + about;
        all += *about == 0 ? sentence : std::string{": "} + sentence;
        return detail.empty() ? all : all + " (" + detail + ")";
    }
};

using reporter = std::function<void(const broken_requirement&)>;

// Prints one line per report: file, line, text.
inline void print_broken(const broken_requirement& b) {
    std::printf("%s:%u: %s\n", b.file, static_cast<unsigned>(b.line), b.text().c_str());
}

struct suite_result {
    u64 cases = 0;
    u64 checks = 0;
    u64 broken = 0;

    [[nodiscard]] constexpr bool passed() const noexcept { return broken == 0 && checks > 0; }
};

namespace detail {

template <class T>
[[nodiscard]] std::string value_text(const T& value) {
    if constexpr (std::is_same_v<T, bool>) {
        return value ? "true" : "false";
    } else if constexpr (requires { std::string{message(value)}; }) {
        return message(value);
    } else if constexpr (std::is_enum_v<T>) {
        return enumerator_name(value);
    } else if constexpr (std::is_integral_v<T>) {
        return std::to_string(value);
    } else if constexpr (std::is_same_v<T, instant>) {
        return value == instant::never() ? "never" : std::to_string(value.nanoseconds) + " ns";
    } else if constexpr (requires { ipv4::to_text(value); }) {
        return ipv4::to_text(value).c_str();
    } else {
        return {};
    }
}

// The difference of two byte sequences: sizes, and up to eight bytes of both from the first
// difference on.
[[nodiscard]] inline std::string bytes_text(const_bytes got, const_bytes expected) {
    std::size_t same = 0;
    while (same < got.size() && same < expected.size() && got[same] == expected[same]) {
        ++same;
    }
    const auto digits = [same](const_bytes all) {
        std::string text;
        for (std::size_t i = same; i < all.size() && i < same + 8; ++i) {
            constexpr const char* hexadecimal = "0123456789abcdef";
            text += hexadecimal[std::to_integer<unsigned>(all[i]) >> 4];
            text += hexadecimal[std::to_integer<unsigned>(all[i]) & 15];
            text += ' ';
        }
        return text.empty() ? "its end" : text + "...";
    };
    return "from byte " + std::to_string(same) + " expected " + digits(expected) + ", got " +
           digits(got) + "; " + std::to_string(expected.size()) + " bytes expected, " +
           std::to_string(got.size()) + " got";
}

}  // namespace detail

class checker {
public:
    using place = std::source_location;

    checker(const char* suite, reporter report) : suite_{suite}, report_{std::move(report)} {}

    // Begins a case: `about` says what it tries.
    void begin(const char* about) {
        about_ = about;
        clear_given();
        reported_.clear();
        ++result_.cases;
    }
    // Names the input of the next checks: a name, and a number or an address.
    void given(const char* name) { given_ = {.name = name, .number = 0, .kind = input_kind::name}; }
    void given(const char* name, u64 number) {
        given_ = {.name = name, .number = number, .kind = input_kind::number};
    }
    void given(const char* name, ipv4::address a) {
        given_ = {.name = name, .number = a.value, .kind = input_kind::address};
    }
    void clear_given() { given_ = {}; }

    // Returns whether it holds: a suite may then skip checks that depend on it.
    bool holds(bool does, const char* sentence, place at = place::current()) {
        return count(does) || fail(sentence, {}, at);
    }
    template <class Got, class Expected>
    bool equal(const Got& got, const Expected& expected, const char* sentence,
               place at = place::current()) {
        if (count(got == expected)) {
            return true;
        }
        const std::string left = detail::value_text(static_cast<Expected>(got));
        const std::string right = detail::value_text(expected);
        return fail(sentence, left.empty() ? left : "expected " + right + ", got " + left, at);
    }
    // The detail says where the bytes begin to differ.
    bool same_bytes(const_bytes got, const_bytes expected, const char* sentence,
                    place at = place::current()) {
        return count(equal_bytes(got, expected)) ||
               fail(sentence, testing::detail::bytes_text(got, expected), at);
    }
    // Checks that a call failed with this error.
    template <class Result, class Error>
    bool refused(const Result& got, Error expected, const char* sentence,
                 place at = place::current()) {
        return got.has_value() ? holds(false, sentence, at)
                               : equal(got.error(), expected, sentence, at);
    }

    [[nodiscard]] const suite_result& result() const noexcept { return result_; }

private:
    enum class input_kind : u8 { none, name, number, address };
    struct input {
        const char* name = "";
        u64 number = 0;
        input_kind kind = input_kind::none;
    };
    static constexpr u32 reports_of_a_line = 3;

    bool count(bool does) {
        ++result_.checks;
        result_.broken += does ? 0 : 1;
        return does;
    }
    bool fail(const char* sentence, std::string detail, place at) {
        if (++reported_[{at.file_name(), at.line()}] <= reports_of_a_line) {
            const std::string with = given_text();
            const char* const between = with.empty() || detail.empty() ? "" : "; ";
            report_({.file = at.file_name(),
                     .line = static_cast<u32>(at.line()),
                     .suite = suite_,
                     .about = about_,
                     .sentence = sentence,
                     .detail = with + between + detail});
        }
        return false;
    }
    [[nodiscard]] std::string given_text() const {
        switch (given_.kind) {
        case input_kind::none:
            return {};
        case input_kind::name:
            return given_.name;
        case input_kind::number:
            return std::string{given_.name} + " " + std::to_string(given_.number);
        case input_kind::address:
            break;
        }
        const ipv4::address a{static_cast<u32>(given_.number)};
        return std::string{given_.name} + " " + detail::value_text(a);
    }

    const char* suite_;
    reporter report_;
    const char* about_ = "";
    input given_{};
    // How often each line was broken in this case.
    std::map<std::pair<std::string_view, std::uint_least32_t>, u32> reported_;
    suite_result result_{};
};

}  // namespace sluice::testing
