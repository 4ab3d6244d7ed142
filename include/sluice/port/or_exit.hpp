// or_exit: returns the value of a result, or ends the program with the reason on stderr.
//
//     auto device = port::or_exit("router", port::tun::open("tun0"));
//
// Use it in main(), where the only remedy for an error is to report it.
//
// Errors: prints "PROGRAM: MESSAGE", the message(error) of the result's error, and exits with 1.
#pragma once

#include <sluice/base/result.hpp>

#include <cstdio>
#include <cstdlib>
#include <type_traits>
#include <utility>

namespace sluice::port {

namespace detail {

inline const char* c_string(const char* text) noexcept {
    return text;
}
template <class Text>
const char* c_string(const Text& text) noexcept {
    return text.c_str();
}

}  // namespace detail

template <class T, class E>
T or_exit(const char* program, result<T, E>&& value_or_error) noexcept {
    if (!value_or_error.has_value()) {
        std::fprintf(stderr, "%s: %s\n", program,
                     detail::c_string(message(value_or_error.error())));
        std::exit(1);
    }
    if constexpr (!std::is_void_v<T>) {
        return std::move(value_or_error).value();
    }
}

}  // namespace sluice::port
