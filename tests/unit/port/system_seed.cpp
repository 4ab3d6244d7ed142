// The system's seed: never equal twice, and an error instead of a constant if the system has no
// random numbers.
#include <sluice/port/system_seed.hpp>

#include <doctest/doctest.h>

#include <cerrno>
#include <cstddef>
#include <iterator>
#include <string_view>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace port_system_seed {
using namespace sluice;

namespace {

// From now on getrandom fails in this process. False: the system has no such filters.
bool refuse_random_numbers(unsigned error_number) {
    sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getrandom, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error_number),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog whole{static_cast<unsigned short>(std::size(program)), program};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole) == 0;
}

// The result for a child without random numbers, as its exit code.
int result_without_random_numbers(int error_number) {
    const pid_t child = ::fork();
    if (child == 0) {
        if (!refuse_random_numbers(static_cast<unsigned>(error_number))) {
            ::_exit(2);
        }
        const auto seed = port::system_seed();
        const bool says = !seed && seed.error().error_number == error_number &&
                          std::string_view{message(seed.error()).c_str()}.find("random source") !=
                              std::string_view::npos;
        ::_exit(says ? 0 : 1);
    }
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("system_seed: two are never the same") {
    const auto a = port::system_seed();
    const auto b = port::system_seed();
    REQUIRE(a.has_value());
    REQUIRE(b.has_value());
    CHECK((a->low != b->low || a->high != b->high));
    CHECK(a->low != a->high);
}

TEST_CASE("system_seed: without random numbers it returns an error, not a constant") {
    CHECK(result_without_random_numbers(ENOSYS) == 0);
    CHECK(result_without_random_numbers(EPERM) == 0);
    // Interrupted each time: it gives up after a while.
    CHECK(result_without_random_numbers(EINTR) == 0);
}

}  // namespace port_system_seed
