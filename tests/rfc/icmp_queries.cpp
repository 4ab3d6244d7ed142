// Requests and replies: echo, timestamp, and withdrawn types.
#include "rfc/node.hpp"

#include <sluice/port/steady_clock.hpp>

namespace rfc_icmp_queries {

namespace {

using namespace rfc;

byte_vector asking(const byte_vector& message, ipv4::address to = own, u8 tos = 0) {
    return datagram_of({.destination = to, .protocol = 1, .tos = tos, .payload = message});
}
byte_vector message_of(const byte_vector& d) {
    return d.size() < 28 ? byte_vector(8) : payload_of(d);
}

TEST_CASE("icmp: echo") {
    for (const auto& make : {host, router, hardened}) {
        const auto n = make();
        for (const std::size_t size : {0u, 1u, 56u, 1472u}) {
            const byte_vector reply = n->ask(asking(echo_request(size)));
            CHECK_RFC("R792-014", is_icmp(reply, 0, 0) && icmp_word(reply) == 0x00070001);
            CHECK_RFC("R792-014", icmp_data(reply) == pattern(size));
            CHECK_RFC("R792-014",
                      ip(reply)[ipv4::source] == own && ip(reply)[ipv4::destination] == peer);
            CHECK_RFC("R1122-072", is_icmp(reply, 0, 0));
            CHECK_RFC("R1812-073", icmp_data(reply) == pattern(size));
        }
        CHECK_RFC("R792-015", is_icmp(n->ask(asking(icmp_message(8, 3, 0))), 0, 3));
        CHECK_RFC("R792-015", icmp_word(n->ask(asking(icmp_message(8, 0, 0)))) == 0);
        CHECK_RFC("R1122-076",
                  ip(n->ask(asking(echo_request(), own_far)))[ipv4::source] == own_far);
        CHECK_RFC("R1812-073",
                  ip(n->ask(asking(echo_request(), own_far)))[ipv4::source] == own_far);
        for (const u8 ttl : {u8{1}, u8{9}, u8{255}}) {
            CHECK_RFC("R1812-048",
                      ip(n->ask(ping({.destination = own, .ttl = ttl})))[ipv4::ttl] == 64);
        }
        byte_vector damaged = echo_request();
        damaged[3] ^= std::byte{1};
        CHECK_RFC("R792-001", n->drops(asking(damaged), drop_reason::icmp_checksum));
        CHECK_RFC("R792-001", icmp::checksum_ok(message_of(n->ask(asking(echo_request(7))))));
        // Protocol 1 and no other.
        CHECK_RFC("R792-001",
                  !is_icmp(n->ask(datagram_of(
                               {.destination = own, .protocol = 2, .payload = echo_request()})),
                           0, 0));
    }
}

TEST_CASE("icmp: an echo larger than the MTU is received and answered in fragments") {
    const auto n = router();
    n->pace = 1_ms;
    const byte_vector request = echo_request(4000);
    for (std::size_t at = 0; at < request.size(); at += 1480) {
        const bool more = at + 1480 < request.size();
        const auto end = more ? request.begin() + long(at + 1480) : request.end();
        n->receive(datagram_of({.destination = own,
                                .protocol = 1,
                                .flags_and_offset = u16((more ? mf : 0) | at / 8),
                                .payload = byte_vector(request.begin() + long(at), end)}));
    }
    byte_vector data;
    for (const auto& piece : n->sent())
        data = std::move(data) + payload_of(piece.datagram);
    CHECK_RFC("R1122-077", data.size() == 4008 && data[0] == std::byte{0});
    CHECK_RFC("R1122-077", byte_vector(data.begin() + 8, data.end()) == pattern(4000));
    CHECK_RFC("R1812-070", byte_vector(data.begin() + 8, data.end()) == pattern(4000));
}

TEST_CASE(
    "icmp: a broadcast echo is ignored by default, else answered from an address of this host") {
    const auto n = router();
    REQUIRE(n->join(2, "239.1.1.1"_ip));
    CHECK_RFC("R1122-074",
              n->drops(asking(echo_request(), "10.0.1.255"_ip), drop_reason::icmp_to_broadcast));
    CHECK_RFC("R1122-075",
              n->drops(asking(echo_request(), "239.1.1.1"_ip), drop_reason::icmp_to_broadcast));
    CHECK_RFC("R1812-071",
              n->drops(asking(echo_request(), "239.1.1.1"_ip), drop_reason::icmp_to_broadcast));
    const byte_vector time = icmp_message(13, 0, 1, byte_vector(12));
    CHECK_RFC("R1122-084", n->drops(asking(time, "10.0.1.255"_ip), drop_reason::icmp_to_broadcast));
    CHECK_RFC("R1122-085", n->drops(asking(time, "239.1.1.1"_ip), drop_reason::icmp_to_broadcast));
    n->change([](settings& s) { s.icmp_echo_ignore_broadcasts = false; });
    for (const auto to : {"10.0.1.255"_ip, ipv4::limited_broadcast, "239.1.1.1"_ip}) {
        CHECK_RFC("R1122-076", ip(n->ask(asking(echo_request(), to)))[ipv4::source] == own);
        CHECK_RFC("R1122-086", ip(n->ask(asking(time, to)))[ipv4::source] == own);
    }
    CHECK_RFC("R1812-072", !n->switches().icmp_echo_ignore_all);
    n->change([](settings& s) { s.icmp_echo_ignore_all = true; });
    CHECK_RFC("R1812-072", n->ask(asking(echo_request())).empty());
}

TEST_CASE("icmp: timestamps") {
    const auto n = host();
    byte_vector question =
        icmp_message(13, 0, 0x00050006, list({1, 2, 3, 4, 9, 9, 9, 9, 9, 9, 9, 9}));
    const byte_vector reply = n->ask(asking(question, own_far));
    const byte_vector times = icmp_data(reply);
    CHECK_RFC("R792-016", is_icmp(reply, 14, 0) && icmp_word(reply) == 0x00050006);
    CHECK_RFC("R792-016", times.size() == 12 && word_at(times, 0) == 0x01020304);
    CHECK_RFC("R792-016", word_at(times, 4) == n->midnight_ms());
    CHECK_RFC("R792-016", word_at(times, 8) == n->midnight_ms());
    CHECK_RFC("R1122-082", is_icmp(reply, 14, 0));
    CHECK_RFC("R1812-076", is_icmp(reply, 14, 0));
    CHECK_RFC("R1122-086", ip(reply)[ipv4::source] == own_far);
    n->pace = 1_ms;
    const u32 before = word_at(icmp_data(n->ask(asking(question))), 4);
    const u32 after = word_at(icmp_data(n->ask(asking(question))), 4);
    CHECK(after == before + 1);
}

// A stack takes its time from its program; this is the clock that the library has for programs.
TEST_CASE("icmp: the standard time value moves 15 times a second, and is right") {
    constexpr i64 day = 86'400'000;
    const i64 first = port::steady_clock::now().midnight_ms;
    timespec rest{.tv_sec = 0, .tv_nsec = 1'000'000'000 / 15};
    ::nanosleep(&rest, nullptr);
    const i64 second = port::steady_clock::now().midnight_ms;
    CHECK_RFC("R1122-090", second != first);
    const i64 wall = i64{::time(nullptr)} % 86'400 * 1000;
    const i64 off = (second - wall + day + day / 2) % day - day / 2;
    CHECK_RFC("R1122-090", (off > -60'000 && off < 60'000));
}

TEST_CASE("icmp: information, address mask and other obsolete requests are not answered") {
    for (const auto& make : {host, router, hardened}) {
        const auto n = make();
        const u8 deprecated[] = {6, 15, 16, 17, 18, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39};
        for (const u8 type : deprecated) {
            const byte_vector d = asking(icmp_message(type, 0, 0x00010002, byte_vector(4)));
            CHECK_RFC("R6918-001", n->ask(d).empty());
        }
        CHECK_RFC("R6918-001", n->count(mib::icmp_out_msgs) == 0);
        CHECK_RFC("R792-017", n->ask(asking(icmp_message(15, 0, 1))).empty());
        CHECK_RFC("R1122-081", n->ask(asking(icmp_message(15, 0, 1))).empty());
        CHECK_RFC("R1812-075", n->ask(asking(icmp_message(15, 0, 1))).empty());
        const byte_vector mask = icmp_message(17, 0, 1, byte_vector(4));
        CHECK_RFC("R1122-099", n->ask(asking(mask)).empty());
        // A second mask on the same link.
        REQUIRE(n->add_address(2, "172.16.5.1/16"_net));
        CHECK_RFC("R1812-079", n->ask(datagram_of({.source = ipv4::unspecified,
                                                   .destination = ipv4::limited_broadcast,
                                                   .protocol = 1,
                                                   .payload = mask}))
                                   .empty());
        CHECK_RFC_DEVIATES("R950-003", n->ask(asking(mask)).empty());
        CHECK_RFC_DEVIATES("R1812-077", n->ask(asking(mask)).empty());
        // A received mask reply changes nothing: 10.0.1.255 stays a broadcast address.
        n->receive(asking(icmp_message(18, 0, 1, list({255, 255, 255, 254}))));
        n->listen();
        const byte_vector to_net = datagram_of({.destination = "10.0.1.255"_ip});
        const bool is_broadcast = make == hardened
                                      ? n->drops(to_net, drop_reason::destination_invalid)
                                      : n->hears(to_net);
        CHECK_RFC("R1122-097", is_broadcast);
        CHECK_RFC("R1812-078", is_broadcast);
        CHECK_RFC("R1122-044",
                  n->drops(asking(icmp_message(99, 0, 0)), drop_reason::icmp_type_unknown));
        CHECK_RFC("R1122-044",
                  n->drops(asking(icmp_message(255, 0, 0)), drop_reason::icmp_type_unknown));
        CHECK_RFC("R1812-047",
                  n->drops(asking(icmp_message(200, 0, 0)), drop_reason::icmp_type_unknown));
    }
}

}  // namespace

}  // namespace rfc_icmp_queries
