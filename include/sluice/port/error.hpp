// port_error: why the system refused a call, as a value: the action, its object, the system's
// reason and an advice.
//
// Expects: `what` and `advice` are string literals.
// Never:   throws, allocates, exits.
// Cost:    about 80 bytes, made on failures only; message(error) is one line of text.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/wire/text.hpp>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>

namespace sluice::port {

namespace detail {

// strerror_r has two forms: POSIX's fills the buffer and returns a number, GNU's returns the text.
[[nodiscard]] inline const char* text_of(int failed, const char* filled) noexcept {
    return failed == 0 ? filled : "unknown error";
}
[[nodiscard]] inline const char* text_of(const char* text, const char*) noexcept {
    return text;
}

[[nodiscard]] inline const char* reason_in(std::span<char> room, int error_number) noexcept {
    return text_of(::strerror_r(error_number, room.data(), room.size()), room.data());
}

// The system's text, in English if the C library can; it may lie in `room`.
[[nodiscard]] inline const char* reason_of(int error_number,
                                           [[maybe_unused]] std::span<char> room) noexcept {
#if defined(__GLIBC__) && (__GLIBC__ > 2 || (__GLIBC__ == 2 && __GLIBC_MINOR__ >= 32))
    const char* const reason = ::strerrordesc_np(error_number);
    return reason != nullptr ? reason : "unknown error";
#else
    return reason_in(room, error_number);
#endif
}

}  // namespace detail

struct port_error {
    const char* what = "";    // the verb: "open", "read"
    int error_number = 0;     // errno; 0: the advice has the reason
    const char* advice = "";  // empty: no advice
    char object[48] = {};     // the name of the object, cut to fit, zero-terminated

    // The error of the system call that failed last.
    [[nodiscard]] static port_error last(const char* what, std::string_view object,
                                         const char* advice = "") noexcept {
        return make(what, object, errno, advice);
    }
    [[nodiscard]] static port_error make(const char* what, std::string_view object,
                                         int error_number, const char* advice = "") noexcept {
        port_error made{what, error_number, advice, {}};
        const std::size_t n =
            object.size() < sizeof made.object - 1 ? object.size() : sizeof made.object - 1;
        object.copy(made.object, n);
        return made;
    }
};

// "open tun0: Operation not permitted: needs CAP_NET_ADMIN", cut to fit.
[[nodiscard]] inline short_text<200> message(const port_error& error) noexcept {
    short_text<200> text;
    const auto add = [&text](std::string_view part) {
        text.length += part.copy(text.characters + text.length, 200 - text.length);
    };
    add(error.what);
    if (error.object[0] != '\0') {
        add(" ");
        add(error.object);
    }
    if (error.error_number != 0) {
        add(": ");
        char room[64];
        add(detail::reason_of(error.error_number, room));
    }
    const std::string_view advice = error.advice[0] != '\0'        ? error.advice
                                    : error.error_number == EMFILE ? "raise the limit (ulimit -n)"
                                                                   : "";
    if (!advice.empty()) {
        add(": ");
        add(advice);
    }
    return text;
}

}  // namespace sluice::port
