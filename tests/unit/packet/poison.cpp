// The address sanitizer's view of a pool: free blocks and bytes beyond a packet are inaccessible.
// Only sanitizer builds test it.
#include <doctest/doctest.h>

#include <sluice/base/poison.hpp>

#ifdef SLUICE_POISONS_MEMORY

#include <sluice/packet/pool_storage.hpp>
#include <sluice/packet/reader.hpp>

#include <cstddef>
#include <memory>
#include <new>

#include <sys/wait.h>
#include <unistd.h>

namespace packet_poison {

namespace {

using namespace sluice;

bool is_closed(const std::byte* at) {
    return __asan_address_is_poisoned(const_cast<std::byte*>(at)) != 0;
}
bool is_open(const std::byte* from, std::size_t n) {
    return __asan_region_is_poisoned(const_cast<std::byte*>(from), n) == nullptr;
}

// Whether the program is ended when it does that.
template <class F>
bool ends_the_program(F&& f) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(2);
        f();
        ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

TEST_CASE_TEMPLATE("only what lies within the bounds of a packet may be touched", Pool,
                   fixed_pool<256, 2>, fixed_pool<256, 2, shared>) {
    Pool pool;
    auto p = pool.take(64);
    CHECK(is_closed(p.data()));
    const std::byte* const first = p.put(21);
    CHECK(is_open(first, 21));
    CHECK(is_closed(first + 21));
    CHECK(is_closed(first - 1));
    REQUIRE(p.push(8) != nullptr);
    CHECK(is_open(first - 8, 29));
    CHECK(is_closed(first - 9));
    REQUIRE(p.pull(16));
    CHECK(is_closed(first - 1));
    CHECK(is_closed(first + 7));
    CHECK(is_open(first + 8, 13));
    REQUIRE(p.unpull(8));
    CHECK(is_open(first, 21));
    p.trim(10);
    CHECK(is_open(first, 10));
    CHECK(is_closed(first + 10));
    p.reset();
    CHECK(is_closed(first));
    CHECK(is_closed(first + 9));
    // The same block again: nothing of the packet before is in reach.
    const auto q = pool.take(64);
    CHECK(is_closed(first));
}

TEST_CASE("bytes of another handle stay accessible until that handle is reset") {
    fixed_pool<256, 3, shared> pool;
    auto p = pool.take(64);
    const std::byte* const first = p.put(40);
    auto q = p.clone();
    REQUIRE(q.pull(16));
    q.trim(8);
    CHECK(is_open(first, 40));
    auto rest = pool.take(0);
    REQUIRE(rest.attach(p, 0, 40));
    p.reset();
    q.reset();
    CHECK(is_open(first, 40));
    rest.reset();
    CHECK(is_closed(first));
}

TEST_CASE("chains: poison after trimming and gathering") {
    fixed_pool<256, 3> pool;
    auto p = pool.take(0);
    const std::byte* const first = p.put(10);
    auto tail = pool.take(0);
    const std::byte* const behind = tail.put(30);
    REQUIRE(p.append(std::move(tail)));
    p.trim(30);
    CHECK(is_open(behind, 20));
    CHECK(is_closed(behind + 20));
    REQUIRE(p.may_pull(18));
    CHECK(is_open(first, 18));
    CHECK(is_closed(first + 18));
    p.trim(4);
    CHECK(is_open(first, 4));
    CHECK(is_closed(first + 4));
    CHECK(is_closed(behind + 9));
}

TEST_CASE("memory of a destroyed pool is accessible again") {
    using pool = fixed_pool<256, 2>;
    alignas(pool) static std::byte room[sizeof(pool)];
    pool* const one = new (room) pool;
    CHECK(is_closed(one->take(0).data()));
    one->~pool();
    CHECK(is_open(room, sizeof room));
}

TEST_CASE("a look or a write beyond a packet ends the program") {
    static fixed_pool<256, 4> pool;
    static auto p = pool.take(64);
    REQUIRE(p.put(21) != nullptr);
    static volatile std::byte* const at = p.data();
    CHECK_FALSE(ends_the_program([] { static_cast<void>(at[20]); }));
    CHECK(ends_the_program([] { static_cast<void>(at[21]); }));
    CHECK(ends_the_program([] { at[-1] = std::byte{1}; }));
    CHECK(ends_the_program([] {
        p.trim(5);
        at[5] = std::byte{1};
    }));
    CHECK(ends_the_program([] {
        p.reset();
        static_cast<void>(at[0]);
    }));
    p.reset();
}

}  // namespace

}  // namespace packet_poison

#endif
