// keyed_slots against a map, to its last record, and with hashes that collide.
#include <sluice/base/random.hpp>
#include <sluice/base/siphash.hpp>
#include <sluice/reassembly/keyed_slots.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <vector>

#include <sys/mman.h>

namespace reassembly_keyed_slots {
using namespace sluice;

namespace {

struct record {
    u64 key = 0;
    u32 place = 0;
    u32 home = 0;
    u32 number = 0;
};
struct counting {
    static inline u32 count = 0;
    static void read() { ++count; }
};

u64 siphash_of(u64 key) {
    return siphash({3, 4}, key);
}
u32 hash_of(u64 key) {
    return static_cast<u32>(siphash_of(key));
}
struct other_half {
    u32 operator()(u64 key) const { return static_cast<u32>(siphash_of(key) >> 32); }
};
// As if an attacker knew both hashes.
struct always_seven {
    u32 operator()(u64) const { return 7; }
};

template <class Second>
struct subject {
    using table = detail::keyed_slots<record, Second, counting>;

    std::vector<record> records;
    std::vector<detail::slot_line> lines;
    std::vector<u32> numbers;
    table slots;

    explicit subject(std::size_t n)
        : records(n), lines(detail::slot_line::lines_for(n)), numbers(n),
          slots(records.data(), n, lines.data(), numbers.data(), Second{}) {}
};

}  // namespace

TEST_CASE("all records of a table can be used, and each is found") {
    for (const std::size_t n : {1u, 2u, 3u, 12u, 13u, 16u, 100u, 1024u, 3584u, 65'536u}) {
        CAPTURE(n);
        subject<other_half> s{n};
        u32 most = 0;
        for (u64 key = 0; key < n; ++key) {
            record* r = s.slots.take(hash_of(key), key);
            REQUIRE(r != nullptr);
            CHECK(r->key == key);
        }
        CHECK(s.slots.take(hash_of(n), n) == nullptr);
        for (u64 key = 0; key < 2 * n; ++key) {
            counting::count = 0;
            const record* r = s.slots.find(hash_of(key), key);
            most = std::max(most, counting::count);
            CHECK((r != nullptr && r->key == key) == (key < n));
        }
        CHECK(most <= 6);  // a line or two, and records whose byte matches
        for (u64 key = 0; key < n; ++key) {
            s.slots.release(*s.slots.find(hash_of(key), key));
            CHECK(s.slots.find(hash_of(key), key) == nullptr);
        }
        CHECK(s.slots.take(1, 2) != nullptr);
    }
}

TEST_CASE("the same as a map, whatever is taken and released") {
    subject<other_half> s{64};
    std::map<u64, record*> model;
    keyed_random random{hash_key{5, 6}};
    for (u32 i = 0; i < 100'000; ++i) {
        const u64 key = random.below(100);
        // Few different hashes, so that lines overflow.
        const u32 hash = hash_of(key % 40) & ~u32{8};
        record* const found = s.slots.find(hash, key);
        REQUIRE(found == (model.contains(key) ? model[key] : nullptr));
        if (found != nullptr && random.below(2) == 0) {
            s.slots.release(*found);
            model.erase(key);
        } else if (found == nullptr) {
            if (record* r = s.slots.take(hash, key); r != nullptr) {
                model[key] = r;
            }
        }
        REQUIRE(model.size() <= 64);
    }
}

TEST_CASE("keys whose first line is full are found by their second, also when the first has room") {
    subject<other_half> s{256};
    for (u64 key = 0; key < 60; ++key) {
        REQUIRE(s.slots.take(0, key) != nullptr);
    }
    for (u64 key = 0; key < 60; key += 2) {
        s.slots.release(*s.slots.find(0, key));
    }
    for (u64 key = 0; key < 60; ++key) {
        CHECK((s.slots.find(0, key) != nullptr) == (key % 2 == 1));
    }
}

TEST_CASE("keys with one hash fill two lines, then are refused; others are not") {
    subject<always_seven> s{64};
    for (u64 key = 0; key < 24; ++key) {
        REQUIRE(s.slots.take(0, key) != nullptr);
    }
    CHECK(s.slots.take(0, 24) == nullptr);
    // The most that an attacker brings about: two lines, and all records in them.
    counting::count = 0;
    CHECK(s.slots.find(0, 24) == nullptr);
    CHECK(counting::count == 2 + 24);
    CHECK(s.slots.take(5, 25) != nullptr);
    for (u64 key = 0; key < 24; ++key) {
        REQUIRE(s.slots.find(0, key) != nullptr);
    }
    s.slots.release(*s.slots.find(0, 3));
    CHECK(s.slots.take(0, 24) != nullptr);
    CHECK(s.slots.find(0, 24) != nullptr);
    CHECK(s.slots.find(0, 23) != nullptr);
}

// The most records that sized_cache has: their places need all of 32 bits. Pages that nobody
// touches take no memory.
TEST_CASE("keyed_slots: the last line of a table of 2^28 records") {
    constexpr std::size_t n = std::size_t{1} << 28;
    constexpr std::size_t lines = detail::slot_line::lines_for(n);
    constexpr u32 last = lines - 1;
    const auto room = [](std::size_t bytes) {
        void* const at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        REQUIRE(at != MAP_FAILED);
        return at;
    };
    constexpr std::size_t bytes[] = {n * sizeof(record), lines * sizeof(detail::slot_line),
                                     n * sizeof(u32)};
    void* const at[] = {room(bytes[0]), room(bytes[1]), room(bytes[2])};
    struct before_the_last {
        u32 operator()(u64) const { return last - 1; }
    };
    detail::keyed_slots<record, before_the_last> slots{static_cast<record*>(at[0]), n,
                                                       static_cast<detail::slot_line*>(at[1]),
                                                       static_cast<u32*>(at[2]), before_the_last{}};
    for (u64 key = 0; key < 24; ++key) {
        const record* const r = slots.take(last, key);
        REQUIRE(r != nullptr);
        const u32 place = r->place;
        CHECK((place >> 31 != 0 ? place & 0x7fff'ffff : place / 8) == (key < 12 ? last : last - 1));
    }
    CHECK(slots.take(last, 24) == nullptr);
    CHECK(slots.take(0, 25) != nullptr);  // another line than the last
    for (const u64 key : {0u, 11u, 12u, 23u, 25u}) {
        record* const r = slots.find(key == 25 ? 0 : last, key);
        REQUIRE(r != nullptr);
        slots.release(*r);
        CHECK(slots.find(key == 25 ? 0 : last, key) == nullptr);
    }
    for (u64 key = 1; key < 23; ++key) {
        CHECK((slots.find(last, key) != nullptr) == (key != 11 && key != 12));
    }
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(::munmap(at[i], bytes[i]) == 0);
    }
}

}  // namespace reassembly_keyed_slots
