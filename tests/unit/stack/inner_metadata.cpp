// The metadata of an outer header is cleared when a handler unwraps the inner packet, when a packet
// is received again, and when a received one is sent.
#include <doctest/doctest.h>

#include "support/packet_checks.hpp"
#include "unit/stack/recorder.hpp"

#include <sluice/delivery/receive_queue.hpp>

namespace stack_inner_metadata {

namespace {

using namespace stack_test;

// Takes the headers of IP and of the tunnel off and has the inner datagram delivered.
struct tunnel_end final : protocol_handler<packet> {
    u32 shim = 0;
    bool anew = false;  // the inner datagram comes in a buffer of its own
    handler_result receive(packet& p, const delivery_info&, services& s) noexcept override {
        const u32 off = static_cast<u32>(ipv4::header_length(ipv4::const_view{p.data()})) + shim;
        if (!p.may_pull(off + 20) || !p.pull(off)) return handler_result::ignored();
        if (anew) {
            packet inner = s.buffer();
            const byte_vector content = support::content_of(p);
            copy_bytes(inner.put(static_cast<u32>(content.size())), content.data(), content.size());
            inner.set_interface(p.interface());
            p = std::move(inner);
        }
        return handler_result::again(ipv4::const_view{p.data()}[ipv4::protocol]);
    }
};

const byte_vector record_route = list({7, 7, 4, 0, 0, 0, 0, 1});
const byte_vector timestamp = list({68, 12, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0});

byte_vector unknown_inside(byte_vector options = {}) {
    return datagram_of({.source = "10.0.1.2"_ip,
                        .destination = "10.0.1.1"_ip,
                        .protocol = 77,
                        .options = std::move(options)});
}
byte_vector outside(const byte_vector& inner, byte_vector options = {}, u8 protocol = 4) {
    return datagram_of({.destination = "10.0.1.1"_ip,
                        .protocol = protocol,
                        .options = std::move(options),
                        .payload = inner});
}

TEST_CASE("inner metadata: outer options do not change an inner error") {
    const byte_vector inner = unknown_inside();
    for (const bool anew : {false, true}) {
        for (const byte_vector& options : {byte_vector{}, record_route, timestamp,
                                           list({148, 4, 0, 0}), byte_vector(40, std::byte{1})}) {
            CAPTURE(anew);
            CAPTURE(options.size());
            world<> b;
            tunnel_end end;
            end.anew = anew;
            REQUIRE(b->delivery().set_handler(4, &end).has_value());
            CHECK(b.receive(outside(inner, options)) == fate::dropped);
            const byte_vector error = b.sent_one();
            check(error, support::right_sums(), support::icmp_is(3, 2),
                  support::quotes(inner, inner.size()));
            CHECK(ipv4::header_length(ipv4::const_view{error.data()}) == 20);
        }
    }
}

TEST_CASE("inner metadata: the inner header's options are processed") {
    world<> b;
    tunnel_end end;
    REQUIRE(b->delivery().set_handler(4, &end).has_value());
    CHECK(b.receive(outside(unknown_inside(record_route))) == fate::dropped);
    const byte_vector error = b.sent_one();
    check(error, support::right_sums());
    CHECK(ipv4::header_length(ipv4::const_view{error.data()}) == 28);
    // Malformed ones are refused as of any datagram.
    CHECK(b.receive(outside(unknown_inside(list({7, 2, 4, 1})))) == fate::dropped);
    CHECK(b->counters()[drop_reason::option_invalid] == 1);
    check(b.sent_one(), support::icmp_is(12, 0, 21u << 24));
}

TEST_CASE("inner metadata: the reply to an inner ping ignores the outer fragment size") {
    world<> b;
    tunnel_end end;
    REQUIRE(b->delivery().set_handler(4, &end).has_value());
    const byte_vector ping = datagram_of(
        {.destination = "10.0.1.1"_ip, .protocol = 1, .payload = support::echo_request(600)});
    const byte_vector whole = outside(ping);
    for (const std::size_t cut : {std::size_t{400}, std::size_t{600}}) {
        b.receive(datagram_of({.destination = "10.0.1.1"_ip,
                               .protocol = 4,
                               .identification = u16(cut),
                               .flags_and_offset = 0x2000,
                               .payload = byte_vector(whole.begin() + 20,
                                                      whole.begin() + 20 + std::ptrdiff_t(cut))}));
        b.receive(datagram_of(
            {.destination = "10.0.1.1"_ip,
             .protocol = 4,
             .identification = u16(cut),
             .flags_and_offset = u16(cut / 8),
             .payload = byte_vector(whole.begin() + 20 + std::ptrdiff_t(cut), whole.end())}));
        check(b.sent_one(), support::right_sums(), support::icmp_is(0, 0, 0x00070001));
    }
}

// CHECKSUM_UNNECESSARY is of the first transport checksum in the packet: IP in IP has none.
TEST_CASE("inner metadata: a verified outer checksum does not verify the inner one") {
    const struct {
        const char* name;
        u8 protocol = 17;
        checksum_state state = checksum_state::verified;
        bool right = false;
        bool delivered = false;
    } rows[] = {
        {.name = "UDP carries it, verified, inner wrong"},
        {.name = "UDP carries it, verified, inner right", .right = true, .delivered = true},
        {.name = "GRE carries it, verified, inner wrong", .protocol = 47},
        {.name = "IP carries it, unknown, inner wrong",
         .protocol = 4,
         .state = checksum_state::unknown},
        {.name = "IP carries it, verified: the inner one was", .protocol = 4, .delivered = true},
        {.name = "pending in the removed header, inner one wrong",
         .state = checksum_state::pending},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        world<> b;
        tunnel_end end;
        end.shim = r.protocol == 4 ? 0 : 8;
        receive_queue<packet, 4> at_7000;
        REQUIRE(b->delivery().set_handler(r.protocol, &end).has_value());
        REQUIRE(b->delivery().add_udp({.local_port = 7000}, at_7000));
        byte_vector message = support::udp_message(9, 7000, pattern(8));
        udp::set_checksum("172.16.0.1"_ip, "10.0.2.1"_ip, message);
        if (!r.right) message[6] ^= std::byte{1};
        byte_vector shimmed(end.shim);
        const byte_vector inner = datagram_of({.source = "172.16.0.1"_ip,
                                               .destination = "10.0.2.1"_ip,
                                               .protocol = 17,
                                               .payload = message});
        shimmed.insert(shimmed.end(), inner.begin(), inner.end());
        if (r.protocol == 17) {
            // The handler of UDP unwraps the outer; the inner goes to the endpoint.
            end.shim = 8;
        }
        packet p = b.packet(outside(shimmed, {}, r.protocol));
        p.metadata().checksum = r.state;
        p.metadata().checksum_start = 20;
        p.metadata().checksum_offset = 6;
        if (r.protocol == 17) {
            struct once final : protocol_handler<packet> {
                tunnel_end* first = nullptr;
                bool done = false;
                handler_result receive(packet& q, const delivery_info& i,
                                       services& s) noexcept override {
                    return std::exchange(done, true) ? handler_result::built_in()
                                                     : first->receive(q, i, s);
                }
            } wrap;
            wrap.first = &end;
            REQUIRE(b->delivery().set_handler(17, &wrap).has_value());
            CHECK((b->receive(std::move(p), b.now) == fate::delivered) == r.delivered);
        } else {
            CHECK((b->receive(std::move(p), b.now) == fate::delivered) == r.delivered);
        }
        CHECK(b->counters()[drop_reason::udp_checksum] == (r.delivered ? 0 : 1));
        static_cast<void>(at_7000.next());
    }
}

// Offload metadata stays: the pending checksum begins at the inner transport header.
TEST_CASE("inner metadata: a pending inner checksum stays pending at its new offset") {
    world<> b;
    tunnel_end end;
    receive_queue<packet, 4> tap;
    REQUIRE(b->delivery().set_handler(4, &end).has_value());
    REQUIRE(b->delivery().add_raw({.protocol = 17}, tap));
    const byte_vector inner = datagram_of(
        {.destination = "10.0.1.1"_ip, .protocol = 17, .payload = byte_vector(16, std::byte{0})});
    packet p = b.packet(outside(inner, record_route));
    p.metadata().checksum = checksum_state::pending;
    p.metadata().checksum_start = 28 + 20;
    p.metadata().checksum_offset = 6;
    p.metadata().mark = 5;
    p.metadata().forwarded_in_hardware = true;
    static_cast<void>(b->receive(std::move(p), b.now));
    const auto item = tap.next();
    REQUIRE(item.packet);
    const metadata& m = std::as_const(item.packet).metadata();
    CHECK(m.checksum == checksum_state::pending);
    CHECK(m.checksum_start == 20);
    CHECK(m.mark == 5);
    CHECK_FALSE(m.forwarded_in_hardware);  // that was the outer one
    CHECK(m.options == option_offsets{});
    static_cast<void>(b.sent());
}

TEST_CASE("inner metadata: sending a received packet resets its metadata") {
    struct sender final : protocol_handler<packet> {
        packet kept;
        handler_result receive(packet& p, const delivery_info&, services&) noexcept override {
            kept = std::move(p);
            return handler_result::taken();
        }
    } keeping;
    world<> b;
    REQUIRE(b->delivery().set_handler(253, &keeping).has_value());
    const byte_vector data = pattern(1000);
    const auto fragment = [&](u16 word, std::size_t from, std::size_t to) {
        b.receive(datagram_of({.destination = "10.0.1.1"_ip,
                               .identification = 5,
                               .flags_and_offset = word,
                               .options = list({148, 4, 0, 0}),
                               .payload = byte_vector(data.begin() + std::ptrdiff_t(from),
                                                      data.begin() + std::ptrdiff_t(to))}));
    };
    fragment(0x2000, 0, 496);
    fragment(62, 496, 1000);
    REQUIRE(keeping.kept);
    CHECK(std::as_const(keeping.kept).metadata().largest_fragment != 0);
    REQUIRE(keeping.kept.pull(24));
    keeping.kept.set_forwarded();
    REQUIRE(b->send(std::move(keeping.kept), {.destination = "10.0.2.9"_ip, .protocol = 253}, b.now)
                .has_value());
    REQUIRE(b->output().size() == 1);
    const auto item = b->output().next();
    CHECK(item.packet.size() == 1020);
    CHECK_FALSE(item.packet.is_forwarded());
    CHECK(std::as_const(item.packet).metadata().options == option_offsets{});
}

}  // namespace

}  // namespace stack_inner_metadata
