// A pool touches a block when it is first taken: a stack with many buffers uses memory only for
// those it takes.
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <new>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

namespace testing_untouched_blocks {
using namespace sluice;

namespace {

// Untouched memory, and how much of it was touched since.
class fresh_memory {
public:
    explicit fresh_memory(std::size_t size) : size_{size} {
        at_ = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        REQUIRE(at_ != MAP_FAILED);
        // Pages as small as they are, whatever the system likes.
        static_cast<void>(::madvise(at_, size, MADV_NOHUGEPAGE));
    }
    fresh_memory(const fresh_memory&) = delete;
    fresh_memory& operator=(const fresh_memory&) = delete;
    ~fresh_memory() { ::munmap(at_, size_); }

    [[nodiscard]] void* get() const { return at_; }
    [[nodiscard]] std::size_t touched() const {
        const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
        std::vector<unsigned char> resident((size_ + page - 1) / page);
        REQUIRE(::mincore(at_, size_, resident.data()) == 0);
        std::size_t pages = 0;
        for (const unsigned char r : resident) {
            pages += r & 1U;
        }
        return pages * page;
    }

private:
    std::size_t size_;
    void* at_ = nullptr;
};

}  // namespace

TEST_CASE("a pool touches no block before it is taken") {
    using pool = fixed_pool<2048, 4096>;
    const fresh_memory room{sizeof(pool)};
    auto* const p = ::new (room.get()) pool;
    CHECK(room.touched() <= 2 * 4096);
    {
        std::vector<pool::packet_type> some;
        for (int i = 0; i < 100; ++i) {
            some.push_back(p->take());
            REQUIRE(some.back().put(1) != nullptr);
        }
        CHECK(room.touched() >= 100 * 2048);
        CHECK(room.touched() <= 2 * 100 * 4096);
    }
    CHECK(p->available() == 4096);
    p->~pool();
}

TEST_CASE("linux_router takes no memory of its buffers before it uses them") {
    using router = stack<linux_router>;
    using pool = router::buffer_source_type;
    const fresh_memory room{sizeof(router)};
    auto* const r = ::new (room.get()) router{{.seed = testing::fixed_seed}};
    CHECK(room.touched() <= sizeof(router) - sizeof(pool) + 4 * 4096);
    r->~router();
}

}  // namespace testing_untouched_blocks
