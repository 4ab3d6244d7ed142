// Frames of packets with several handles, and frames of empty packets.
#include <doctest/doctest.h>

#include "unit/link/support.hpp"

#include <memory>
#include <string>
#include <vector>

namespace link_shared_frames {

namespace {

using namespace link_test;

using shared_pool = fixed_pool<1024, 8, shared>;
using shared_packet = shared_pool::packet_type;

struct shared_sink {
    static constexpr bool takes_segmented = true;
    bool refuses = false;
    std::vector<shared_packet> frames{};

    bool send_frame(shared_packet& frame, u16, instant) noexcept {
        if (refuses) {
            return false;
        }
        frames.push_back(std::move(frame));
        return true;
    }
    void flush() noexcept {}
};

std::vector<std::byte> content(const shared_packet& p) {
    std::vector<std::byte> all;
    p.for_each_piece([&](const_bytes piece) { all.insert(all.end(), piece.begin(), piece.end()); });
    return all;
}

constexpr hash_key key{1, 2};
constexpr instant now = instant{} + 1_s;

TEST_CASE("one packet leaves by two interfaces, each time with its own link header") {
    shared_pool source;
    host here;
    shared_sink out;
    ethernet_link<shared_pool, host, shared_sink, 8> link{source, here, out, key};
    auto own = source.take(32);
    fill_bytes(own.put(40), 40, std::byte{0x45});
    const auto before = content(own);
    for (const u16 interface : {u16{2}, u16{3}}) {
        auto p = own.clone();
        REQUIRE(link.output(p, {interface, link_destination::broadcast, {}}, now));
        CHECK_FALSE(p);
    }
    CHECK((content(own) == before));
    REQUIRE(out.frames.size() == 2);
    const ethernet::const_view first{std::as_const(out.frames[0]).data()};
    const ethernet::const_view second{std::as_const(out.frames[1]).data()};
    CHECK(first[ethernet::source] == mac0);
    CHECK(second[ethernet::source] == mac1);
    CHECK(out.frames[0].size() == 54);
    // What is refused is as it was.
    out.refuses = true;
    auto p = own.clone();
    CHECK_FALSE(link.output(p, {2, link_destination::broadcast, {}}, now));
    CHECK((content(p) == before));
    CHECK((content(own) == before));
}

TEST_CASE("an empty handle is neither a frame nor waits for an address") {
    pool source;
    host here;
    sink out;
    ethernet_link<pool, host, sink, 8> link{source, here, out, key};
    packet none;
    CHECK(link.input(none, now) == frame_kind::dropped);
    for (const auto kind :
         {link_destination::unicast, link_destination::broadcast, link_destination::multicast}) {
        CHECK_FALSE(link.output(none, {2, kind, "10.0.1.9"_ip}, now));
    }
    CHECK(out.take().empty());
    CHECK(link.neighbours().held() == 0);
    // The ones before and behind it are sent when the address is known.
    auto first = source.take(32);
    REQUIRE(first.put(20) != nullptr);
    fill_bytes(first.data(), 20, std::byte{0});
    REQUIRE(link.output(first, {2, link_destination::unicast, "10.0.1.9"_ip}, now));
    CHECK_FALSE(link.output(none, {2, link_destination::unicast, "10.0.1.9"_ip}, now));
    auto second = source.take(32);
    REQUIRE(second.put(20) != nullptr);
    fill_bytes(second.data(), 20, std::byte{0});
    REQUIRE(link.output(second, {2, link_destination::unicast, "10.0.1.9"_ip}, now));
    CHECK(out.take().size() == 1);  // the question
    REQUIRE(link.set_permanent(2, "10.0.1.9"_ip, mac1, now));
    CHECK(out.take().size() == 2);
    CHECK(source.available() == 64);
}

}  // namespace

}  // namespace link_shared_frames
