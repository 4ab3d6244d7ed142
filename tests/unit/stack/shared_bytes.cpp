// Packets with a second handle: a hook that keeps a clone, a raw endpoint, a program that sends one
// payload to several hosts. The stack's changes to its handle do not change the other one.
#include <doctest/doctest.h>

#include "support/world.hpp"

#include <sluice/delivery/receive_queue.hpp>
#include <sluice/hooks/hook_chain.hpp>

#include <algorithm>
#include <vector>

namespace stack_shared_bytes {

namespace {

using namespace stack_test;
using support::part;

template <class Ownership, std::size_t Blocks = 128>
struct router_of : policies<based_on<linux_router>, buffers<fixed_pool<2048, Blocks, Ownership>>,
                            hooks<hook_chain<8>>, output<queue_output<64>>> {};
using shared_world = world<router_of<shared>>;
using packet_type = shared_world::packet_type;
using queue = receive_queue<packet_type, 8>;

// Keeps a clone of each packet, and the bytes that it had.
template <class Packet>
struct keeper_of final : hook<Packet> {
    struct kept {
        Packet packet;
        byte_vector content;
        checksum_state checksum;
    };
    std::vector<kept> all;

    hook_verdict operator()(Packet& p, const hook_context&) noexcept override {
        all.push_back({p.clone(), support::content_of(p), std::as_const(p).metadata().checksum});
        return hook_verdict::accept;
    }
    bool is_intact() const {
        return std::all_of(all.begin(), all.end(), [](const kept& k) {
            return support::content_of(k.packet) == k.content &&
                   k.packet.metadata().checksum == k.checksum;
        });
    }
};
using keeper = keeper_of<packet_type>;

// The datagram in fragments with this number of data bytes.
std::vector<byte_vector> cut(const byte_vector& datagram, std::size_t each) {
    const byte_vector data = support::payload_of(datagram);
    const ipv4::const_view ip{datagram.data()};
    std::vector<byte_vector> pieces;
    for (std::size_t at = 0; at < data.size(); at += each) {
        const bool more = at + each < data.size();
        pieces.push_back(
            datagram_of({.source = ip[ipv4::source],
                         .destination = ip[ipv4::destination],
                         .protocol = ip[ipv4::protocol],
                         .flags_and_offset = static_cast<u16>((more ? 0x2000 : 0) | at / 8),
                         .payload = part(data, at, at + each)}));
    }
    return pieces;
}

byte_vector to_us(u8 protocol, const byte_vector& payload) {
    return datagram_of({.destination = "10.0.1.1"_ip, .protocol = protocol, .payload = payload});
}

TEST_CASE("a padded UDP datagram of 40 fragments is whole for the raw endpoint, trimmed for UDP") {
    shared_world b;
    queue raw;
    queue udp;
    REQUIRE(b->delivery().add_raw({.protocol = 17}, raw));
    REQUIRE(b->delivery().add_udp({.local_port = 7000}, udp));
    byte_vector message = support::udp_message(9, 7000, pattern(56'000 - 8));
    store_be<u16>(message.data() + 4,
                  600);  // RFC 768: bytes behind it do not belong to the datagram
    const byte_vector whole = to_us(17, message);
    const auto pieces = cut(whole, 1400);
    REQUIRE(pieces.size() == 40);
    for (const byte_vector& piece : pieces) {
        static_cast<void>(b.receive(piece));
    }
    const auto heard = udp.next();
    CHECK((support::content_of(heard.packet) == part(message, 8, 600)));
    const auto tapped = raw.next();
    REQUIRE(tapped.packet.size() == 56'020);
    CHECK((support::payload_of(support::content_of(tapped.packet)) == message));
}

TEST_CASE("a sent clone is trimmed to its total length, and the program's handle is not") {
    shared_world b;
    const byte_vector datagram =
        datagram_of({.destination = "10.0.2.2"_ip, .payload = pattern(500)});
    byte_vector padded = datagram;
    padded.resize(datagram.size() + 40, std::byte{0xdd});
    auto own = b.packet(part(padded, 0, 300));
    own.append(b.packet(part(padded, 300, 400)));
    own.append(b.packet(part(padded, 400, 560)));
    REQUIRE(b->send(own.clone(), b.now).has_value());
    CHECK((b.sent_one() == datagram));
    CHECK((support::content_of(own) == padded));
    REQUIRE(b->send(std::move(own), b.now).has_value());
    CHECK((b.sent_one() == datagram));
}

TEST_CASE("one payload goes to two, each with a header of its own") {
    shared_world b;
    const byte_vector payload = pattern(40);
    auto own = b.packet(payload);
    REQUIRE(
        b->send(own.clone(), {.destination = "10.0.1.9"_ip, .protocol = 253}, b.now).has_value());
    REQUIRE(
        b->send(own.clone(), {.destination = "10.0.2.9"_ip, .protocol = 254}, b.now).has_value());
    const auto left = b.sent();
    REQUIRE(left.size() == 2);
    check(left[0].datagram, support::destination("10.0.1.9"_ip), support::protocol(253),
          support::source("10.0.1.1"_ip), support::right_sums(), support::payload(payload));
    check(left[1].datagram, support::destination("10.0.2.9"_ip), support::protocol(254),
          support::source("10.0.2.1"_ip), support::right_sums(), support::payload(payload));
    CHECK((support::content_of(own) == payload));
}

TEST_CASE("one header is completed for two") {
    shared_world b;
    const byte_vector given = datagram_of({.source = {}, .destination = "10.0.9.9"_ip});
    const auto own = b.packet(given);
    REQUIRE(b->send_raw(own.clone(), {.destination = "10.0.1.9"_ip}, b.now).has_value());
    REQUIRE(b->send_raw(own.clone(), {.destination = "10.0.2.9"_ip}, b.now).has_value());
    const auto left = b.sent();
    REQUIRE(left.size() == 2);
    check(left[0].datagram, support::source("10.0.1.1"_ip), support::right_sums());
    check(left[1].datagram, support::source("10.0.2.1"_ip), support::right_sums());
    CHECK((support::content_of(own) == given));
}

TEST_CASE("a hook's clone of a forwarded packet stays unchanged") {
    for (const hook_point point : {hook_point::prerouting, hook_point::forward}) {
        CAPTURE(static_cast<int>(point));
        shared_world b;
        keeper seen;
        keeper leaving;
        REQUIRE(b->hooks().add(point, 0, seen));
        REQUIRE(b->hooks().add(hook_point::postrouting, 0, leaving));
        REQUIRE(b.receive(datagram_of({.ttl = 9})) == fate::forwarded);
        // Record route and a timestamp, both with room for one more.
        const byte_vector options =
            list({7, 7, 4, 0, 0, 0, 0, 68, 12, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0});
        REQUIRE(b.receive(datagram_of({.ttl = 9, .options = options})) == fate::forwarded);
        const auto left = b.sent();
        REQUIRE(left.size() == 2);
        check(left[0].datagram, support::ttl(8), support::right_sums());
        check(left[1].datagram, support::ttl(8), support::right_sums());
        CHECK(left[1].datagram[22] == std::byte{8});
        CHECK(left[1].datagram[29] == std::byte{13});
        CHECK(seen.all.size() == 2);
        CHECK(seen.is_intact());
        CHECK(leaving.is_intact());
        const u8 then = point == hook_point::prerouting ? 9 : 8;
        check(support::content_of(seen.all[0].packet), support::ttl(then));
    }
}

TEST_CASE("a hook's clone of a sent packet stays unchanged") {
    shared_world b;
    keeper out;
    keeper leaving;
    keeper in;
    queue raw;
    REQUIRE(b->hooks().add(hook_point::local_out, 0, out));
    REQUIRE(b->hooks().add(hook_point::postrouting, 0, leaving));
    REQUIRE(b->hooks().add(hook_point::local_in, 0, in));
    REQUIRE(b->delivery().add_raw({.protocol = 253}, raw));
    // To ourselves, to all on the link (which we hear), in fragments.
    for (const ipv4::address to : {"10.0.1.1"_ip, "10.0.1.255"_ip}) {
        REQUIRE(b->send(b.packet(pattern(30)), {.destination = to, .protocol = 253}, b.now)
                    .has_value());
    }
    CHECK(raw.size() == 2);
    auto large = b.packet(pattern(1800));
    large.append(b.packet(pattern(1800)));
    REQUIRE(b->send(std::move(large), {.destination = "10.0.2.9"_ip, .protocol = 253}, b.now)
                .has_value());
    CHECK(b.sent().size() == 1 + 3);
    CHECK(out.all.size() == 3);
    CHECK(out.is_intact());
    CHECK(leaving.is_intact());
    CHECK(in.is_intact());
}

TEST_CASE_TEMPLATE("a large ping is answered, and the raw endpoint has the request", Ownership,
                   unique, shared) {
    world<router_of<Ownership>> b;
    using own_packet = typename world<router_of<Ownership>>::packet_type;
    for (const std::size_t size : {8u, 3'000u, 20'000u, 65'000u}) {
        CAPTURE(size);
        receive_queue<own_packet, 2> raw;
        REQUIRE(b->delivery().add_raw({.protocol = 1}, raw));
        const byte_vector request = to_us(1, support::echo_request(size));
        for (const byte_vector& piece : cut(request, 1480)) {
            static_cast<void>(b.receive(piece));
        }
        byte_vector reply;
        for (const auto& piece : b.sent()) {
            check(piece.datagram, support::destination("10.0.1.2"_ip));
            const byte_vector data = support::payload_of(piece.datagram);
            reply.insert(reply.end(), data.begin(), data.end());
        }
        CHECK((reply == support::icmp_message(0, 0, 0x00070001, pattern(size))));
        const auto tapped = raw.next();
        CHECK((support::payload_of(support::content_of(tapped.packet)) ==
               support::payload_of(request)));
        b->delivery().remove(raw);
    }
}

TEST_CASE("timestamps and probes are answered while a raw endpoint has them") {
    shared_world b;
    queue raw;
    REQUIRE(b->delivery().add_raw({.protocol = 1}, raw));
    b->change([](settings& s) { s.icmp_echo_enable_probe = true; });
    // A probe of interface 2 by its index. RFC 8335 section 2.
    byte_vector structure = list({0x20, 0, 0, 0, 0, 8, 3, 2, 0, 0, 0, 2});
    icmp::finish_extension(bytes{structure});
    const byte_vector probe = support::icmp_message(42, 0, 0x12345601, structure);
    for (const byte_vector& request :
         {support::icmp_message(13, 0, 0x00070001, pattern(12)), probe}) {
        REQUIRE(b.receive(to_us(1, request)) == fate::delivered);
        check(b.sent_one(), support::destination("10.0.1.2"_ip), support::right_sums());
        CHECK((support::payload_of(support::content_of(raw.next().packet)) == request));
    }
}

TEST_CASE("a packet that is received while its sender keeps it stays the sender's") {
    shared_world b;
    const byte_vector datagram = datagram_of({.ttl = 5});
    const auto own = b.packet(datagram);
    for (int i = 0; i < 3; ++i) {
        CHECK(b->receive(own.clone(), b.now) == fate::forwarded);
        check(b.sent_one(), support::ttl(4), support::right_sums());
        CHECK((support::content_of(own) == datagram));
    }
}

TEST_CASE(
    "without memory for a copy the packet is dropped and counted, and no shared byte changes") {
    using small = router_of<shared, 4>;
    world<small> b;
    keeper_of<world<small>::packet_type> seen;
    REQUIRE(b->hooks().add(hook_point::prerouting, 0, seen));
    const byte_vector datagram = datagram_of({.ttl = 5});
    std::vector<world<small>::packet_type> taken;
    for (int i = 0; i < 3; ++i) {
        taken.push_back(b->buffers().take());
    }
    CHECK(b.receive(datagram) == fate::dropped);
    CHECK(b->counters()[drop_reason::no_buffer] == 1);
    REQUIRE(seen.all.size() == 1);
    CHECK(seen.is_intact());
    // A payload with a second handle cannot get a header.
    seen.all.clear();
    const auto own = b.packet(pattern(20));
    const auto sent = b->send(own.clone(), {.destination = "10.0.1.9"_ip, .protocol = 253}, b.now);
    REQUIRE_FALSE(sent.has_value());
    CHECK(sent.error() == routing::send_error::no_buffer);
    CHECK((support::content_of(own) == pattern(20)));
    const auto raw = b->send_raw(own.clone(), {.destination = "10.0.1.9"_ip}, b.now);
    CHECK_FALSE(raw.has_value());
}

}  // namespace

}  // namespace stack_shared_bytes
