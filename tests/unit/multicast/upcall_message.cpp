// upcall_message: the messages of a routing socket, byte by byte as Linux writes them
// (tests/kernel/vectors/multicast.vec, multicast2.vec).
#include <doctest/doctest.h>

#include <sluice/multicast/upcall_message.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/wire/literals.hpp>

#include "support/datagrams.hpp"

#include <vector>

namespace multicast_upcall_message {

namespace {

using namespace sluice;
using namespace sluice::literals;
using support::byte_vector;

using pool = fixed_pool<512, 4>;

byte_vector hex(const char* digits) {
    byte_vector made;
    const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    for (; digits[0] != '\0'; digits += 2)
        made.push_back(static_cast<std::byte>(value(digits[0]) * 16 + value(digits[1])));
    return made;
}

byte_vector written(const char* about, multicast_event_kind kind, u8 vif) {
    pool buffers;
    const auto packet = support::packet_of(buffers, hex(about));
    byte_vector room(600);
    const u32 size = write_upcall(room, {.kind = kind, .vif = vif}, packet);
    CHECK(size == upcall_size({.kind = kind}, packet));
    room.resize(size);
    return room;
}

TEST_CASE("a missing entry and a wrong interface: the header with its options, and eight bytes") {
    CHECK(written("450000201234000009fda3a90a000102ef01010100070e151c232a31383f464d",
                  multicast_event_kind::no_entry,
                  0) == hex("4500001c12340000010000000a000102ef0101010100000000000000"));
    CHECK(written("4500003c1234000009fda38d0a000102ef01010100070e151c232a31383f464d",
                  multicast_event_kind::wrong_interface,
                  1) == hex("4500001c12340000020001000a000102ef0101010200000000000000"));
    CHECK(written("460000241234000009fd0e9f0a000102ef0101039404000000070e151c232a31383f464d",
                  multicast_event_kind::no_entry,
                  0) == hex("4600002012340000010000000a000102ef010103940400000100000000000000"));
}

TEST_CASE("a register: a header without options, then the packet as it was received") {
    CHECK(written("450000201234000002fdaaa90a000102ef01010100070e151c232a31383f464d",
                  multicast_event_kind::whole_packet,
                  2) == hex("4500003412340000030002000a000102ef010101"
                            "450000201234000002fdaaa90a000102ef01010100070e151c232a31383f464d"));
    CHECK(written("4800002c1234000009fd95920a000102ef010101070b080a0001010000000000"
                  "00070e151c232a31383f464d",
                  multicast_event_kind::whole_packet,
                  2) == hex("4500004012340000030002000a000102ef010101"
                            "4800002c1234000009fd95920a000102ef010101070b080a000101000000000000"
                            "070e151c232a31383f464d"));
}

TEST_CASE("a packet by the wrong interface: as a register, with the VIF that it came by") {
    CHECK(written("450000201234000002fdaaa90a000102ef01010100070e151c232a31383f464d",
                  multicast_event_kind::wrong_interface_packet,
                  1) == hex("4500003412340000040001000a000102ef010101"
                            "450000201234000002fdaaa90a000102ef01010100070e151c232a31383f464d"));
}

TEST_CASE("an IGMP message comes as it is") {
    constexpr auto report = "4500001c123400000302aa9d0a000102ef01010c1600f9f1ef01010c";
    CHECK(written(report, multicast_event_kind::message, 0) == hex(report));
}

TEST_CASE("without room nothing is written") {
    pool buffers;
    const auto packet = support::packet_of(
        buffers, hex("450000201234000009fda3a90a000102ef01010100070e151c232a31383f464d"));
    byte_vector room(27, std::byte{0xee});
    CHECK(write_upcall(room, {.kind = multicast_event_kind::no_entry}, packet) == 0);
    CHECK(room == byte_vector(27, std::byte{0xee}));
}

}  // namespace

}  // namespace multicast_upcall_message
