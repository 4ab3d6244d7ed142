// Shared hops in exactly the stated memory, to the last byte and the last hop.
#include <doctest/doctest.h>

#include <sluice/route/shared_hops.hpp>

#include "support/zeros.hpp"

namespace route_shared_hops {

namespace {

using namespace sluice;
using support::zeros;

hop_entry hop_number(std::size_t n) {
    return {.interface = static_cast<u16>(n)};
}

TEST_CASE("shared hops: any number takes as much memory as was said, and keeps them apart") {
    const struct {
        std::size_t capacity;
        std::size_t size;  // of 22 for each and the one of no route, and 2 for each chain
    } rows[] = {{.capacity = 1, .size = 2 * 22 + 2 * 2},   {.capacity = 2, .size = 3 * 22 + 4 * 2},
                {.capacity = 3, .size = 4 * 22 + 4 * 2},   {.capacity = 4, .size = 5 * 22 + 8 * 2},
                {.capacity = 7, .size = 8 * 22 + 8 * 2},   {.capacity = 8, .size = 9 * 22 + 16 * 2},
                {.capacity = 63, .size = 64 * 22 + 64 * 2}};
    for (const auto& r : rows) {
        CAPTURE(r.capacity);
        CHECK(detail::shared_hops::memory_for(r.capacity) == r.size);
        const zeros memory{r.size};
        std::byte* next = memory.all().data();
        detail::shared_hops hops{next, r.capacity};
        CHECK(next == memory.all().data() + r.size);
        for (std::size_t round = 1; round <= 2; ++round) {
            for (std::size_t i = 1; i <= r.capacity; ++i)
                CHECK(hops.acquire(hop_number(i)) == i);
        }
        CHECK(hops.in_use() == r.capacity);
        CHECK(hops.acquire(hop_number(r.capacity + 1)) == 0);
        CHECK(hops.at(0) == hop_of(nowhere));
        for (std::size_t i = 1; i <= r.capacity; ++i)
            CHECK(hops.at(static_cast<u16>(i)) == hop_number(i));
        for (std::size_t round = 1; round <= 2; ++round) {
            CHECK(hops.in_use() == r.capacity);
            for (std::size_t i = 1; i <= r.capacity; ++i)
                hops.release(static_cast<u16>(i));
        }
        CHECK(hops.in_use() == 0);
    }
}

TEST_CASE("a default hop equals the hop of a default route") {
    CHECK(hop_of(route_entry{}) == hop_entry{});
    CHECK(hop_entry{}.interface == 0);
    CHECK(hop_entry{}.mtu == 0);
}

}  // namespace

}  // namespace route_shared_hops
