#include <doctest/doctest.h>

#include <sluice/base/bytes.hpp>

#include <array>
#include <cstring>

namespace base_bytes {
using namespace sluice;

namespace {

std::array<std::byte, 16> counted() {
    std::array<std::byte, 16> made{};
    for (std::size_t i = 0; i < made.size(); ++i)
        made[i] = static_cast<std::byte>(0x10 + i);
    return made;
}

}  // namespace

TEST_CASE("bytes: loads read network order at any alignment") {
    const auto data = counted();
    CHECK(load_be<u8>(data.data()) == 0x10);
    CHECK(load_be<u16>(data.data() + 1) == 0x1112);
    CHECK(load_be<u32>(data.data() + 3) == 0x13141516);
    CHECK(load_be<u64>(data.data() + 5) == 0x15161718191a1b1c);
    CHECK(load_be_bytes<3>(data.data() + 1) == 0x111213);
    CHECK(load_be_bytes<6>(data.data()) == 0x101112131415);
}

TEST_CASE("bytes: stores write network order and nothing else") {
    auto data = counted();
    store_be<u16>(data.data() + 1, 0xabcd);
    store_be<u32>(data.data() + 5, 0x01020304);
    store_be_bytes<6>(data.data() + 10, 0xffff'a1a2a3a4a5a6);
    const unsigned char expected[16] = {0x10, 0xab, 0xcd, 0x13, 0x14, 1,    2,    3,
                                        4,    0x19, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6};
    CHECK(std::memcmp(data.data(), expected, 16) == 0);
}

TEST_CASE("bytes: a stored value is loaded again") {
    std::array<std::byte, 8> data{};
    for (u64 value : {u64{0}, u64{1}, u64{0x80}, u64{0x8000}, ~u64{0}, u64{0x0123456789abcdef}}) {
        store_be<u64>(data.data(), value);
        CHECK(load_be<u64>(data.data()) == value);
        store_be<u32>(data.data(), static_cast<u32>(value));
        CHECK(load_be<u32>(data.data()) == static_cast<u32>(value));
    }
}

TEST_CASE("bytes: move_bytes is right for every overlap, in both directions") {
    std::array<std::byte, 640> before{};
    for (std::size_t i = 0; i < before.size(); ++i)
        before[i] = static_cast<std::byte>(i * 7 + i / 256);
    for (std::size_t count : {std::size_t{8}, std::size_t{100}, std::size_t{500}}) {
        for (std::size_t from = 0; from <= 100; from += 20) {
            for (std::size_t to = 0; to <= 100; to += 4) {
                auto moved = before;
                move_bytes(moved.data() + to, moved.data() + from, count);
                CHECK(std::memcmp(moved.data() + to, before.data() + from, count) == 0);
                CHECK(std::memcmp(moved.data(), before.data(), to) == 0);
                CHECK(moved[to + count] == before[to + count]);
            }
        }
    }
}

TEST_CASE("bytes: empty operations accept null") {
    copy_bytes(nullptr, nullptr, 0);
    move_bytes(nullptr, nullptr, 0);
    fill_bytes(nullptr, 0, std::byte{1});
    CHECK(equal_bytes({}, {}));
}

TEST_CASE("bytes: equality looks at length and at every byte") {
    const auto left = counted();
    CHECK(equal_bytes(left, left));
    CHECK_FALSE(equal_bytes(left, const_bytes{left}.first(15)));
    CHECK_FALSE(equal_bytes(const_bytes{left}.first(15), left));
    for (std::size_t i = 0; i < left.size(); ++i) {
        auto right = left;
        right[i] ^= std::byte{1};
        CHECK_FALSE(equal_bytes(left, right));
    }
}

TEST_CASE("bytes: constant evaluation and run time agree") {
    constexpr auto moved = [] {
        std::array<std::byte, 6> data{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
        move_bytes(data.data() + 1, data.data(), 4);
        fill_bytes(data.data() + 5, 1, std::byte{9});
        return data;
    }();
    static_assert(load_be<u32>(moved.data()) == 0x01010203);
    static_assert(load_be<u16>(moved.data() + 4) == 0x0409);
    static_assert(equal_bytes(moved, moved));
    CHECK(load_be<u16>(moved.data() + 4) == 0x0409);
}

}  // namespace base_bytes
