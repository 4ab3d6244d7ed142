// port_error: why the system refused something, as a value: what was tried, on which object, the
// system's reason, and what the reader may do about it.
//
// Expects: what and advice to be string literals. Does: writes one line of text into the caller's
// buffer. Never: throws, allocates, exits. Cost: about 80 octets, made on failures only.
#pragma once

#include <sluice/base/integer.hpp>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>

namespace sluice::port {

namespace detail {

// strerror_r is two functions: POSIX's fills the buffer and gives a number, GNU's gives the text.
[[nodiscard]] inline const char* text_of(int failed, const char* filled) noexcept {
    return failed == 0 ? filled : "unknown error";
}
[[nodiscard]] inline const char* text_of(const char* text, const char*) noexcept {
    return text;
}

[[nodiscard]] inline const char* reason_in(std::span<char> room, int error_number) noexcept {
    return text_of(::strerror_r(error_number, room.data(), room.size()), room.data());
}

// The system's text, in no language but English where the C library can; it may lie in `room`.
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
    int error_number = 0;     // errno; 0: the advice says it all
    const char* advice = "";  // empty: none
    char object[48] = {};     // the name it was about, cut to fit, zero-terminated

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

    // Writes "open tun0: Operation not permitted: needs CAP_NET_ADMIN" into out, cut to fit, and
    // returns the text; it is zero-terminated when out has room for more than nothing.
    [[nodiscard]] std::string_view message(std::span<char> out) const noexcept {
        if (out.empty()) {
            return {};
        }
        std::size_t used = 0;
        const auto add = [&](std::string_view text) {
            const std::size_t room = out.size() - 1 - used;
            used += text.copy(out.data() + used, room);
        };
        add(what);
        if (object[0] != '\0') {
            add(" ");
            add(object);
        }
        if (error_number != 0) {
            add(": ");
            char room[64];
            add(detail::reason_of(error_number, room));
        }
        if (advice[0] != '\0') {
            add(": ");
            add(advice);
        }
        out[used] = '\0';
        return {out.data(), used};
    }
};

}  // namespace sluice::port
