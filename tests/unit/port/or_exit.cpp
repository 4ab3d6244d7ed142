// or_exit: returns the value, or ends the program with a message.
#include <sluice/port/error.hpp>
#include <sluice/port/or_exit.hpp>
#include <sluice/route/entry.hpp>

#include <doctest/doctest.h>

#include <string>

#include <sys/wait.h>
#include <unistd.h>

namespace port_or_exit {

using namespace sluice;

// What a child that does this says on stderr, and its exit code.
template <class Do>
std::pair<int, std::string> child_that(Do&& does) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::dup2(ends[1], STDERR_FILENO);
        does();
        ::_exit(77);
    }
    ::close(ends[1]);
    std::string said;
    char room[256];
    for (ssize_t n = 0; (n = ::read(ends[0], room, sizeof room)) > 0;) {
        said.append(room, static_cast<std::size_t>(n));
    }
    ::close(ends[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    return {WEXITSTATUS(status), said};
}

TEST_CASE("or_exit returns the value, or nothing for result<void>") {
    CHECK(port::or_exit("test", result<int, route_error>{7}) == 7);
    port::or_exit("test", result<void, route_error>{});
}

TEST_CASE("an error ends the program with its message") {
    const auto of_enum = child_that(
        [] { port::or_exit("test", result<void, route_error>{failure{route_error::full}}); });
    CHECK(of_enum.first == 1);
    CHECK(of_enum.second == "test: " + std::string{message(route_error::full)} + "\n");
    const auto of_port = child_that([] {
        static_cast<void>(
            port::or_exit("test", result<int, port::port_error>{failure{
                                      port::port_error::make("open", "x", EPERM, "be root")}}));
    });
    CHECK(of_port.first == 1);
    CHECK(of_port.second == "test: open x: Operation not permitted: be root\n");
}

}  // namespace port_or_exit
