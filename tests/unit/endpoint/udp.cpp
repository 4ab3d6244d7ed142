// UDP endpoints: bound, connected, sending, receiving.
#include <doctest/doctest.h>

#include "unit/endpoint/support.hpp"

namespace endpoint_udp {

namespace {

using namespace endpoint_test;

TEST_CASE("udp endpoint: which addresses can be bound, and which are in use") {
    endpoint_world b;
    udp_socket first{*b};
    REQUIRE(first.bind({"10.0.1.1"_ip, 7000}).has_value());
    const struct {
        const char* name;
        endpoint_address at;
        u16 interface = 0;
        bool reuse = false;
        endpoint_error error = endpoint_error::none;
    } rows[] = {
        {.name = "another port", .at = {"10.0.1.1"_ip, 7001}},
        {.name = "the same", .at = {"10.0.1.1"_ip, 7000}, .error = endpoint_error::address_in_use},
        {.name = "the same port, any address",
         .at = {{}, 7000},
         .error = endpoint_error::address_in_use},
        {.name = "the same port, another address", .at = {"10.0.2.1"_ip, 7000}},
        {.name = "shared by one of both",
         .at = {"10.0.1.1"_ip, 7000},
         .reuse = true,
         .error = endpoint_error::address_in_use},
        {.name = "a group", .at = {"239.1.2.3"_ip, 7000}},
        {.name = "a broadcast address", .at = {"10.0.1.255"_ip, 7000}},
        {.name = "not a local address",
         .at = {"10.0.1.7"_ip, 7002},
         .error = endpoint_error::address_not_available},
        {.name = "loopback", .at = {"127.0.0.9"_ip, 7002}},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        udp_socket other{*b};
        other.options().interface = r.interface;
        other.options().reuse = r.reuse;
        CHECK(other.bind(r.at).error() == r.error);
    }
    CHECK(first.bind({"10.0.1.1"_ip, 7005}).error() == endpoint_error::invalid);
    first.close();
    first.options().reuse = true;
    REQUIRE(first.bind({{}, 7000}).has_value());
    udp_socket sharing{*b};
    sharing.options().reuse = true;
    CHECK(sharing.bind({{}, 7000}).has_value());
}

TEST_CASE("udp endpoint: an ephemeral port is in the range, free and random") {
    endpoint_world b;
    b->change([](settings& s) {
        s.ip_local_port_first = 40'000;
        s.ip_local_port_last = 40'003;
    });
    udp_socket all[4]{udp_socket{*b}, udp_socket{*b}, udp_socket{*b}, udp_socket{*b}};
    u32 sum = 0;
    for (auto& s : all) {
        REQUIRE(s.bind().has_value());
        sum += s.local().port;
    }
    CHECK(sum == 4 * 40'000 + 6);
    udp_socket fifth{*b};
    CHECK(fifth.bind().error() == endpoint_error::address_in_use);
    // A range that ends before it begins has no port.
    b->change([](settings& s) { s.ip_local_port_last = 39'999; });
    CHECK(fifth.bind().error() == endpoint_error::address_in_use);
    b->change([](settings& s) { s.ip_local_port_last = 60'000; });
    const u16 before = all[0].local().port;
    all[0].close();
    REQUIRE(all[0].bind().has_value());
    CHECK(all[0].local().port != before);
}

TEST_CASE("udp endpoint: a sent datagram has a header and a checksum") {
    endpoint_world b;
    udp_socket s{*b};
    s.options().tos = 0x10;
    const byte_vector data = pattern(13);
    CHECK(s.send(data, b.now).error() == endpoint_error::destination_required);
    CHECK(s.send(data, {"10.0.2.9"_ip, 0}, b.now).error() == endpoint_error::invalid);
    REQUIRE(s.send(data, {"10.0.2.9"_ip, 53}, b.now).has_value());
    byte_vector message = support::udp_message(s.local().port, 53, data);
    udp::set_checksum("10.0.2.1"_ip, "10.0.2.9"_ip, message);
    check(b.sent_one(), support::right_sums(), support::source("10.0.2.1"_ip),
          support::destination("10.0.2.9"_ip), support::tos(0x10), support::ttl(64),
          support::flags_and_offset(0x4000), support::payload(message));
    REQUIRE(s.send(data, {"10.0.1.9"_ip, 53}, b.now, {.source = "10.0.2.1"_ip, .ttl = 3, .tos = 0})
                .has_value());
    check(b.sent_one(), support::right_sums(), support::source("10.0.2.1"_ip), support::ttl(3),
          support::tos(0));
    CHECK(b->counters()[mib::udp_out_datagrams] == 2);
}

struct big_router
    : policies<based_on<linux_router>, buffers<fixed_pool<2048, 128>>, output<queue_output<64>>> {};

TEST_CASE("udp endpoint: larger than a buffer, and as large as there is") {
    world<big_router> b;
    udp_endpoint<world<big_router>::stack_type> s{*b};
    REQUIRE(s.bind({{}, 7000}).has_value());
    for (const std::size_t n : {1472u, 1473u, 1800u, 1801u, 5001u, 65507u}) {
        INFO(n);
        const byte_vector data = pattern(n);
        REQUIRE(s.send(data, {"10.0.2.9"_ip, 9}, b.now).has_value());
        byte_vector whole;
        for (const auto& piece : b.sent()) {
            const byte_vector part = support::payload_of(piece.datagram);
            whole.insert(whole.end(), part.begin(), part.end());
        }
        REQUIRE(whole.size() == n + 8);
        CHECK(udp::checksum_ok("10.0.2.1"_ip, "10.0.2.9"_ip, whole));
        CHECK(equal_bytes(const_bytes{whole}.subspan(8), data));
    }
    CHECK(s.send(pattern(65508), {"10.0.2.9"_ip, 9}, b.now).error() == endpoint_error::too_big);
    CHECK(b.is_quiet());
}

TEST_CASE("udp endpoint: a datagram is received with its addresses, cut to the buffer") {
    endpoint_world b;
    udp_socket s{*b};
    REQUIRE(s.bind({{}, 7000}).has_value());
    CHECK(hear_one(s).error == endpoint_error::would_block);
    CHECK(b.hear(1234, 7000, pattern(9)) == fate::delivered);
    CHECK(b.hear(1235, 7000, pattern(9)) == fate::delivered);
    const heard first = hear_one(s);
    CHECK((first.bytes == pattern(9)));
    CHECK((first.what.from == endpoint_address{"10.0.1.2"_ip, 1234}));
    CHECK(first.what.destination == "10.0.1.1"_ip);
    CHECK(first.what.local == "10.0.1.1"_ip);
    CHECK(first.what.interface == 2);
    CHECK(first.what.ttl == 64);
    CHECK_FALSE(first.what.truncated());
    CHECK_FALSE(first.what.broadcast_or_multicast);
    const heard cut = hear_one(s, 4);
    CHECK(cut.bytes.size() == 4);
    CHECK(cut.what.length == 9);
    CHECK(cut.what.truncated());
    CHECK(hear_one(s).error == endpoint_error::would_block);
}

TEST_CASE("udp endpoint: once connected, it receives from its peer alone, at the route's source") {
    endpoint_world b;
    udp_socket s{*b};
    REQUIRE(s.bind({{}, 7000}).has_value());
    REQUIRE(s.connect({"10.0.1.2"_ip, 9}, b.now).has_value());
    CHECK(s.local().host == "10.0.1.1"_ip);
    CHECK(b.hear(9, 7000, pattern(3)) == fate::delivered);
    CHECK(b.hear(10, 7000, pattern(3)) == fate::dropped);
    CHECK(b.hear(9, 7000, pattern(3), "10.0.1.1"_ip, "10.0.1.3"_ip) == fate::dropped);
    CHECK(b.sent().size() == 2);
    REQUIRE(s.send(pattern(2), b.now).has_value());
    check(b.sent_one(), support::destination("10.0.1.2"_ip));
    s.disconnect();
    CHECK(s.local().host.is_unspecified());
    CHECK(b.hear(10, 7000, pattern(3)) == fate::delivered);
    CHECK(s.send(pattern(2), b.now).error() == endpoint_error::destination_required);
}

TEST_CASE("udp endpoint: broadcasts are allowed only when they are wanted") {
    endpoint_world b;
    udp_socket s{*b};
    const endpoint_address all{"10.0.2.255"_ip, 9};
    CHECK(s.send(pattern(3), all, b.now).error() == endpoint_error::access_denied);
    CHECK(s.connect(all, b.now).error() == endpoint_error::access_denied);
    CHECK(b.is_quiet());
    s.options().may_broadcast = true;
    REQUIRE(s.send(pattern(3), all, b.now).has_value());
    CHECK(b.sent().size() == 1);
}

TEST_CASE("udp endpoint: multicasts use the multicast options") {
    endpoint_world b;
    udp_socket s{*b};
    REQUIRE(s.bind({{}, 7000}).has_value());
    REQUIRE(b->groups().join(3, "239.1.2.3"_ip));
    s.options().ttl = 9;
    s.options().multicast_ttl = 5;
    s.options().multicast_interface = 3;
    const endpoint_address group{"239.1.2.3"_ip, 7000};
    REQUIRE(s.send(pattern(3), group, b.now).has_value());
    check(b.sent_one(), support::ttl(5), support::source("10.0.2.1"_ip));
    CHECK(hear_one(s).what.broadcast_or_multicast);
    s.options().multicast_loop = false;
    REQUIRE(s.send(pattern(3), group, b.now).has_value());
    CHECK(b.sent().size() == 1);
    CHECK(s.waiting_packets() == 0);
    s.options().multicast_loop = true;
    s.options().multicast_ttl = 0;
    REQUIRE(s.send(pattern(3), group, b.now).has_value());
    CHECK(b.is_quiet());
    CHECK(s.waiting_packets() == 1);
}

TEST_CASE("udp endpoint: a full queue drops and counts; a closed one returns its buffers") {
    endpoint_world b;
    const std::size_t free = b->buffers().available();
    udp_socket s{*b};
    REQUIRE(s.bind({{}, 7000}).has_value());
    for (int i = 0; i < 6; ++i)
        CHECK(b.hear(9, 7000, pattern(3)) == (i < 4 ? fate::delivered : fate::dropped));
    CHECK(b->counters()[mib::udp_rcvbuf_errors] == 2);
    CHECK(b->counters()[drop_reason::endpoint_full] == 2);
    CHECK(b->buffers().available() + s.waiting_packets() == free);
    CHECK(hear_one(s).error == endpoint_error::none);
    CHECK(b.hear(9, 7000, pattern(3)) == fate::delivered);
    s.close();
    CHECK(b->buffers().available() == free);
    CHECK(b.hear(9, 7000, pattern(3)) == fate::dropped);
}

TEST_CASE("udp endpoint: without a buffer, and without a place") {
    endpoint_world b;
    std::vector<world<>::packet_type> taken;
    udp_socket s{*b};
    REQUIRE(s.bind().has_value());
    while (b->buffers().available() != 0)
        taken.push_back(b->buffers().take());
    CHECK(s.send(pattern(3), {"10.0.2.9"_ip, 9}, b.now).error() == endpoint_error::no_buffer);
    taken.clear();
    std::vector<std::unique_ptr<udp_socket>> others;
    for (int i = 0; i < 31; ++i) {
        others.push_back(std::make_unique<udp_socket>(*b));
        REQUIRE(others.back()->bind().has_value());
    }
    udp_socket late{*b};
    CHECK(late.bind().error() == endpoint_error::no_buffer);
    others.pop_back();
    CHECK(late.bind().has_value());
}

}  // namespace

}  // namespace endpoint_udp
