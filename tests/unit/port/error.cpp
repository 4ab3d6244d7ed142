// The text of a port_error, and the clocks.
#include <sluice/port/error.hpp>
#include <sluice/port/steady_clock.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace port_error {
using sluice::port::port_error;

TEST_CASE("an error's text names the call, the object, the reason and the remedy") {
    struct row {
        const char* name;
        port_error error;
        std::string_view text;
    };
    const row rows[] = {
        {.name = "all parts",
         .error = port_error::make("open", "tun0", EPERM, "needs CAP_NET_ADMIN"),
         .text = "open tun0: Operation not permitted: needs CAP_NET_ADMIN"},
        {.name = "no advice",
         .error = port_error::make("read", "tun0", EIO),
         .text = "read tun0: Input/output error"},
        {.name = "too many open files",
         .error = port_error::make("open", "tun0", EMFILE),
         .text = "open tun0: Too many open files: raise the limit (ulimit -n)"},
        {.name = "no object, no reason",
         .error = port_error::make("flush", "", 0, "try again"),
         .text = "flush: try again"},
        {.name = "a number of no error",
         .error = port_error::make("read", "x", 9999),
         .text = "read x: unknown error"},
        {.name = "none", .error = {}, .text = ""},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(message(r.error).c_str() == r.text);
    }
}

TEST_CASE("the reason where the C library has no strerrordesc_np") {
    namespace detail = sluice::port::detail;
    char room[64] = "filled";
    CHECK(detail::reason_in(room, EPERM) == std::string_view{"Operation not permitted"});
    // Of POSIX's strerror_r, which musl has, and of GNU's.
    CHECK(detail::text_of(0, room) == room);
    CHECK(detail::text_of(EINVAL, room) == std::string_view{"unknown error"});
    CHECK(detail::text_of("Bad address", room) == std::string_view{"Bad address"});
}

TEST_CASE("long objects and long reasons are cut") {
    const std::string digits(60, '7');
    const auto long_name = message(port_error::make("open", digits, EPERM));
    CHECK(long_name.c_str() == "open " + digits.substr(0, 47) + ": Operation not permitted");
    const std::string advice(300, 'x');
    const auto whole = message(port_error::make("open", "a", 0, advice.c_str()));
    CHECK(whole.c_str() == "open a: " + advice.substr(0, 192));
    CHECK(whole.size() == 200);
}

TEST_CASE("the clock does not go back and midnight is within a day") {
    const auto first = sluice::port::steady_clock::now();
    const auto second = sluice::port::steady_clock::now();
    CHECK(second.now >= first.now);
    CHECK(second.midnight_ms < 86'400'000);
}

}  // namespace port_error
