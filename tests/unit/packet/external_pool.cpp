// external_pool: its own packets and those in lent frames, copies, the reserve.
#include <doctest/doctest.h>

#include <sluice/packet/external_pool.hpp>

#include <array>
#include <cstring>
#include <vector>

namespace packet_external_pool {

namespace {

using namespace sluice;
using pool = external_pool<256, 8>;
using packet = pool::packet_type;

TEST_CASE("packets of the pool and in lent frames have one type, and can be distinguished") {
    static_assert(std::is_same_v<packet, borrowed_frames<1>::packet_type>);
    std::array<std::byte, 600> frame{};
    for (std::size_t i = 0; i < frame.size(); ++i)
        frame[i] = static_cast<std::byte>(i * 7);
    int back = 0;
    borrowed_frames<1> frames{[](void* n, u64) noexcept { ++*static_cast<int*>(n); }, &back};
    pool buffers;
    packet own = buffers.take();
    packet lent = frames.lend(frame, 14, 586, 1);
    REQUIRE(own);
    REQUIRE(lent);
    CHECK(buffers.owns(own));
    CHECK_FALSE(buffers.owns(lent));
    CHECK_FALSE(buffers.owns({}));

    lent.set_interface(3);
    lent.writable_metadata().mark = 9;
    lent = buffers.copy_of(lent);  // 128 bytes of headroom, then 128 and two times 256 bytes
    REQUIRE(lent);
    CHECK(back == 1);
    CHECK(buffers.owns(lent));
    CHECK(buffers.available() == 8 - 1 - 3);
    CHECK(lent.interface() == 3);
    CHECK(std::as_const(lent).metadata().mark == 9);
    std::array<std::byte, 586> content{};
    REQUIRE(lent.size() == content.size());
    lent.copy_to(content.data());
    CHECK(std::memcmp(content.data(), frame.data() + 14, 586) == 0);
    lent.reset();
    own.reset();
    CHECK(buffers.available() == 8);
}

TEST_CASE("no copy when the buffers do not suffice, and none is lost") {
    std::array<std::byte, 600> frame{};
    borrowed_frames<1> frames{[](void*, u64) noexcept {}, nullptr};
    pool buffers;
    const packet lent = frames.lend(frame, 0, 600, 1);
    std::vector<packet> out;
    for (int i = 0; i < 6; ++i)
        out.push_back(buffers.take());
    CHECK_FALSE(buffers.copy_of(lent));
    CHECK(buffers.available() == 2);
}

TEST_CASE("the reserve goes to take_reserved alone") {
    pool buffers;
    std::vector<packet> out;
    while (packet p = buffers.take())
        out.push_back(std::move(p));
    CHECK(out.size() == 8);
    CHECK(buffers.available() == 0);
    CHECK(buffers.take_reserved());
    packet first = buffers.take_reserved();
    packet second = buffers.take_reserved();
    CHECK(first);
    CHECK(second);
    CHECK_FALSE(buffers.take_reserved());
    CHECK_FALSE(buffers.take());
    out.clear();
    CHECK(buffers.available() == 6);  // those of the reserve are filled up first
    CHECK_FALSE(buffers.take(257));   // more headroom than a buffer has
    CHECK_FALSE(buffers.take_reserved(257));
}

}  // namespace

}  // namespace packet_external_pool
