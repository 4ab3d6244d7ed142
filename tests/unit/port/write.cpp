// One packet is written by one call, with any number of blocks.
#include <sluice/port/descriptor.hpp>
#include <sluice/port/write.hpp>

#include <doctest/doctest.h>

#include <vector>

#include <sys/socket.h>

namespace port_write {
using namespace sluice;
using namespace sluice::port;

namespace {

// As much of a packet as write_packet asks for: `pieces` of three bytes.
struct scattered {
    std::size_t pieces;
    std::byte data[3] = {std::byte{1}, std::byte{2}, std::byte{3}};

    [[nodiscard]] u32 size() const { return static_cast<u32>(3 * pieces); }
    template <class F>
    void for_each_piece(F&& f) const {
        for (std::size_t i = 0; i < pieces; ++i) {
            f(const_bytes{data});
        }
    }
    void copy_to(std::byte* to) const {
        for_each_piece([&to](const_bytes piece) {
            copy_bytes(to, piece.data(), piece.size());
            to += piece.size();
        });
    }
};

}  // namespace

TEST_CASE("pieces arrive together and in order") {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    const descriptor left{ends[0]};
    const descriptor right{ends[1]};
    for (const std::size_t pieces : {1u, 2u, 64u, 65u, 1400u}) {
        CAPTURE(pieces);
        CHECK(write_packet(left.get(), scattered{pieces}) == 0);
        std::vector<std::byte> got(8192);
        const ssize_t n = ::recv(right.get(), got.data(), got.size(), MSG_DONTWAIT);
        REQUIRE(n == static_cast<ssize_t>(3 * pieces));
        bool in_order = true;
        for (std::size_t i = 0; i < 3 * pieces; ++i) {
            in_order = in_order && got[i] == static_cast<std::byte>(1 + i % 3);
        }
        CHECK(in_order);
    }
}

// A virtio header stands in front of the packet, whether that is gathered or copied.
TEST_CASE("a header precedes any number of pieces") {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    const descriptor left{ends[0]};
    const descriptor right{ends[1]};
    for (const std::size_t length : {10u, 12u, 64u}) {
        std::vector<std::byte> header(length);
        for (std::size_t i = 0; i < length; ++i) {
            header[i] = static_cast<std::byte>(200 + i % 32);
        }
        for (const std::size_t pieces : {1u, 62u, 63u, 64u, 65u, 66u, 1400u, 21'845u}) {
            CAPTURE(length);
            CAPTURE(pieces);
            CHECK(write_packet(left.get(), scattered{pieces}, header) == 0);
            std::vector<std::byte> got(70'000);
            const ssize_t n = ::recv(right.get(), got.data(), got.size(), MSG_DONTWAIT);
            REQUIRE(n == static_cast<ssize_t>(length + 3 * pieces));
            bool in_order = true;
            for (std::size_t i = 0; i < length + 3 * pieces; ++i) {
                const std::byte wanted =
                    i < length ? header[i] : static_cast<std::byte>(1 + (i - length) % 3);
                in_order = in_order && got[i] == wanted;
            }
            CHECK(in_order);
        }
        // There is room for 65535 bytes with their header.
        CHECK(write_packet(left.get(), scattered{21'845 + (64 - length) / 3}, header) == 0);
        std::byte one[1];
        CHECK(::recv(right.get(), one, sizeof one, MSG_DONTWAIT) == 1);
        CHECK(write_packet(left.get(), scattered{21'845 + (64 - length) / 3 + 1}, header) ==
              EMSGSIZE);
    }
}

TEST_CASE("refusals have the system's number") {
    CHECK(write_packet(-1, scattered{1}) == EBADF);
    CHECK(write_packet(-1, scattered{100}) == EBADF);
    CHECK(write_packet(-1, scattered{40'000}) == EMSGSIZE);
}

}  // namespace port_write
