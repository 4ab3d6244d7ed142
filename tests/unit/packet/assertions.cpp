// Debug builds abort when a program writes bytes that another handle reads.
#include <doctest/doctest.h>

#include <sluice/packet/pool_storage.hpp>

#include <csignal>
#include <cstddef>
#include <utility>

#include <sys/wait.h>
#include <unistd.h>

namespace packet_assertions {

namespace {

using namespace sluice;

#ifdef NDEBUG
constexpr bool asserts = false;
#else
constexpr bool asserts = true;
#endif

template <class F>
bool is_aborted(F&& f) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(2);
        ::signal(SIGABRT, SIG_DFL);  // not the test program's own handler
        f();
        ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

TEST_CASE("with assertions, a write to shared bytes or metadata is caught") {
    fixed_pool<128, 2, shared> pool;
    auto a = pool.take(20);
    fill_bytes(a.put(10), 10, std::byte{1});
    CHECK_FALSE(is_aborted([&] { a.writable()[0] = std::byte{2}; }));
    auto b = a.clone();
    CHECK(is_aborted([&] { a.writable()[0] = std::byte{2}; }) == asserts);
    CHECK(is_aborted([&] { b.writable_metadata().mark = 2; }) == asserts);
    // Reading is not writing; nor are bounds that move.
    CHECK_FALSE(is_aborted([&] {
        static_cast<void>(b.data()[0]);
        static_cast<void>(b.metadata().mark);
        static_cast<void>(b.pull(3) && b.unpull(3));
        b.trim(5);
    }));
    CHECK_FALSE(is_aborted([&] {
        if (b.unshare()) {
            b.writable()[0] = std::byte{2};
            b.writable_metadata().mark = 2;
        }
    }));
    a.reset();
    CHECK_FALSE(is_aborted([&] { b.writable()[0] = std::byte{2}; }));
}

}  // namespace

}  // namespace packet_assertions
