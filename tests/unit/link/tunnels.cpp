// Two routers with a tunnel between them, and what breaks it.
#include "support/chains.hpp"
#include "support/segments.hpp"
#include "support/tunnel_ends.hpp"

namespace link_tunnels {

namespace {

using namespace support;
using stack_test::world;

constexpr tunnel_settings ip_in_ip{};
constexpr tunnel_settings plain_gre{.protocol = tunnel_protocol::gre};
constexpr tunnel_settings full_gre{.protocol = tunnel_protocol::gre,
                                   .receive_key = 7,
                                   .send_key = 0xcafe,
                                   .sums = true,
                                   .sequences = true};

ipv4::const_view ip(const byte_vector& d) {
    return ipv4::const_view{d.data()};
}
byte_vector behind(const byte_vector& d, std::size_t n) {
    return part(d, n, d.size());
}

TEST_CASE("tunnels: a forwarded datagram crosses the tunnel, its TTL lowered once at each end") {
    const struct {
        const char* name;
        tunnel_settings settings;
        u8 protocol;
        byte_vector own;
    } rows[] = {
        {.name = "IP in IP", .settings = ip_in_ip, .protocol = 4, .own = {}},
        {.name = "GRE", .settings = plain_gre, .protocol = 47, .own = list({0, 0, 8, 0})},
        {.name = "GRE with a key",
         .settings = {.protocol = tunnel_protocol::gre, .receive_key = 1, .send_key = 2},
         .protocol = 47,
         .own = list({0x20, 0, 8, 0, 0, 0, 0, 2})},
    };
    for (const auto& r : rows) {
        CAPTURE(r.name);
        tunnel_pair t{r.settings};
        const byte_vector d = to_far({.ttl = 33, .tos = 0xb8, .flags_and_offset = 0x4000});
        const byte_vector outer = t.into(d);
        byte_vector inside = d;
        ipv4::view{inside.data()}.set(ipv4::ttl, 32);
        ipv4::set_checksum(ipv4::view{inside.data()});
        check(outer, right_sums(), source(tunnel_end::near_outside),
              destination(tunnel_end::far_outside), protocol(r.protocol), ttl(64), tos(0xb8),
              flags_and_offset(0x4000));
        CHECK(part(outer, 20, 20 + r.own.size()) == r.own);
        CHECK(behind(outer, 20 + r.own.size()) == inside);
        const byte_vector arrived = t.out_of(outer);
        check(arrived, right_sums(), ttl(31), tos(0xb8), payload(payload_of(d)));
        CHECK(t.near.counted() == tunnel_counters{.sent = 1, .sent_bytes = d.size()});
        CHECK(t.far.counted() == tunnel_counters{.received = 1, .received_bytes = d.size()});
    }
}

TEST_CASE("tunnels: GRE carries key, checksum and sequence number, and the far end checks them") {
    tunnel_pair t{full_gre};
    byte_vector outers[3];
    for (byte_vector& o : outers)
        o = t.into(to_far());
    for (u8 i = 0; i < 3; ++i) {
        const byte_vector gre = behind(outers[i], 20);
        CHECK(part(gre, 0, 4) == list({0xb0, 0, 8, 0}));
        CHECK(checksum::verify(gre));
        CHECK(part(gre, 8, 16) == list({0, 0, 0xca, 0xfe, 0, 0, 0, i}));
    }
    check(t.out_of(outers[1]), right_sums());
    // Late, and twice.
    t.far.receive(outers[0], 3);
    t.far.receive(outers[1], 3);
    CHECK(t.far.all_sent().empty());
    CHECK(t.far.counted().late == 2);
    check(t.out_of(outers[2]), right_sums());
    outers[2].back() ^= std::byte{1};
    t.far.receive(outers[2], 3);
    CHECK(t.far.all_sent().empty());
    CHECK(t.far.ends->unknown() == 1);
}

TEST_CASE("tunnels: packets of another tunnel are refused, whatever they carry") {
    tunnel_pair t{{.protocol = tunnel_protocol::gre, .receive_key = 5, .send_key = 5}};
    const byte_vector good = t.into(to_far());
    const auto refused = [&](byte_vector outer) {
        ipv4::set_checksum(ipv4::view{outer.data()});
        t.far.receive(outer, 3);
        const auto all = t.far.all_sent();
        return all.size() == 1 && ip(all[0].datagram)[ipv4::protocol] == 1 &&
               all[0].datagram[20] == std::byte{3} && all[0].datagram[21] == std::byte{2};
    };
    byte_vector other = good;
    other[20 + 7] = std::byte{6};
    CHECK(refused(other));
    other = good;
    ipv4::view{other.data()}.set(ipv4::source, "192.0.2.9"_ip);
    CHECK(refused(other));
    CHECK(t.far.ends->unknown() == 2);
    CHECK(t.far.counted() == tunnel_counters{});
    check(t.out_of(good), right_sums());
}

TEST_CASE("tunnels: no cut, no flag and no inner nonsense gets through") {
    for (const tunnel_settings& s : {ip_in_ip, full_gre}) {
        tunnel_pair t{s};
        const byte_vector good = t.into(to_far());
        for (std::size_t n = 20; n < good.size(); ++n) {
            byte_vector cut = part(good, 0, n);
            ipv4::view{cut.data()}.set(ipv4::total_length, static_cast<u16>(n));
            ipv4::set_checksum(ipv4::view{cut.data()});
            t.far.receive(cut, 3);
        }
        const std::size_t inner = 20 + (s.protocol == tunnel_protocol::gre ? 16 : 0);
        for (const auto& [at, value] : {std::pair{inner, 0x65}, {inner, 0x44}, {inner + 8, 0}}) {
            byte_vector bad = good;
            bad[at] = static_cast<std::byte>(value);
            if (s.protocol == tunnel_protocol::gre) {
                store_be<u16>(bad.data() + 24, 0);
                store_be<u16>(bad.data() + 24, checksum::compute(const_bytes{bad}.subspan(20)));
            }
            t.far.receive(bad, 3);
        }
        CHECK(t.far.all_sent().empty());
        CHECK(t.far->counters()[mib::ip_forw_datagrams] == 0);
        CHECK(t.far.ends->unknown() + t.far.counted().malformed > 0);
    }
}

TEST_CASE("tunnels: DF and a smaller path MTU: the inner sender is told what fits") {
    tunnel_pair t;
    CHECK(t.near->interfaces().find(9)->mtu == 1480);
    const byte_vector d = to_far({.flags_and_offset = 0x4000, .payload = pattern(1300)});
    const byte_vector outer = t.into(d);
    // A router inside the tunnel has a link of 1,000 bytes.
    t.near.receive(datagram_of({.source = "192.0.2.77"_ip,
                                .destination = tunnel_end::near_outside,
                                .protocol = 1,
                                .payload = support::icmp_message(3, 4, 1000, part(outer, 0, 48))}),
                   3);
    CHECK(t.near.all_sent().empty());
    t.near.receive(d, 2);
    check(t.near.one_sent(2), right_sums(), destination("10.0.1.2"_ip), icmp_is(3, 4, 980));
    CHECK(t.near.counted().refused == 1);
    // Without DF inside, the outer datagram is fragmented, and the far end puts it together.
    const byte_vector may_be_cut = to_far({.payload = pattern(1300)});
    CHECK(t.near.receive(may_be_cut, 2) == fate::forwarded);
    const auto pieces = t.near.all_sent();
    REQUIRE(pieces.size() == 2);
    for (const auto& p : pieces) {
        CHECK(p.datagram.size() <= 1000);
        CHECK_FALSE(ip(p.datagram)[ipv4::dont_fragment]);
        t.far.receive(p.datagram, 3);
    }
    check(t.far.one_sent(2), right_sums(), payload(pattern(1300)));
}

TEST_CASE("tunnels: an error from inside the tunnel reaches the next inner senders, for 30 s") {
    tunnel_pair t;
    const byte_vector outer = t.into(to_far());
    const auto error = [&](u8 type, u8 code) {
        t.near.receive(
            datagram_of({.source = "192.0.2.77"_ip,
                         .destination = tunnel_end::near_outside,
                         .protocol = 1,
                         .payload = support::icmp_message(type, code, 0, part(outer, 0, 48))}),
            3);
        CHECK(t.near.all_sent().empty());
    };
    error(3, 1);
    error(11, 0);
    // The packet is sent all the same.
    const auto answers = [&](u8 code) {
        t.near.now.now = t.near.now.now + 1_s;
        CHECK(t.near.receive(to_far(), 2) == fate::forwarded);
        auto all = t.near.all_sent();
        REQUIRE(all.size() == 2);
        std::swap(all[0], all[all[0].to.interface == 2 ? 0 : 1]);
        check(all[0].datagram, right_sums(), destination("10.0.1.2"_ip), icmp_is(3, code));
        check(all[1].datagram, right_sums());
        CHECK(all[1].to.interface == 3);
        CHECK(balance_of(*t.near).is_even());
    };
    answers(1);
    answers(1);
    check(t.into(to_far()), right_sums());  // two errors, two answers
    CHECK(t.near.counted().refused == 0);
    error(3, 0);
    answers(0);
    for (int i = 0; i < 9; ++i)
        error(3, 1);
    t.near.now.now = t.near.now.now + 31_s;
    error(3, 1);  // old errors count no more
    answers(1);
    check(t.into(to_far()), right_sums());
    error(3, 1);
    t.near.now.now = t.near.now.now + 31_s;
    check(t.into(to_far()), right_sums());
    t.near.now.now = t.near.now.now + 1_s;
    for (const auto& [type, code] : {std::pair<u8, u8>{3, 3}, {3, 5}, {4, 0}, {12, 0}, {11, 1}}) {
        CAPTURE(int{type});
        error(type, code);
        check(t.into(to_far()), right_sums());
    }
}

TEST_CASE("tunnels: with an inherited TTL time exceeded says nothing about the tunnel") {
    tunnel_pair t{{.inherits_ttl = true}};
    const byte_vector outer = t.into(to_far());
    for (const u8 type : {u8{11}, u8{3}}) {
        t.near.receive(datagram_of({.source = "192.0.2.77"_ip,
                                    .destination = tunnel_end::near_outside,
                                    .protocol = 1,
                                    .payload = support::icmp_message(type, type == 3 ? 1 : 0, 0,
                                                                     part(outer, 0, 48))}),
                       3);
        t.near.receive(to_far(), 2);
        CHECK(t.near.all_sent().size() == (type == 3 ? 2 : 1));
    }
}

TEST_CASE("tunnels: a tunnel that leads into itself, or round, carries nothing") {
    tunnel_pair t;
    // The route to the other end leads into the tunnel.
    REQUIRE(t.near->add_route({.prefix = "192.0.2.2/32"_prefix, .gateway = "172.16.0.2"_ip}));
    t.near.receive(to_far(), 2);
    CHECK(t.near.all_sent().empty());
    CHECK(t.near.counted().collisions == 1);
    // Two tunnels, each by way of the other.
    tunnel_end e{true};
    e.connect(ip_in_ip, true);
    REQUIRE(e.ends->add({.index = 10, .address = "172.17.0.1/30"_net},
                        {.local = "192.0.2.1"_ip, .remote = "198.51.100.1"_ip}));
    REQUIRE(e->add_route({.prefix = "192.0.2.2/32"_prefix, .gateway = "172.17.0.2"_ip}));
    REQUIRE(e->add_route({.prefix = "198.51.100.1/32"_prefix, .gateway = "172.16.0.2"_ip}));
    e.receive(to_far(), 2);
    CHECK(e.all_sent().empty());
    CHECK(e.ends->counters(9)->sent + e.ends->counters(10)->sent <= 4);
    CHECK(e.ends->counters(9)->collisions + e.ends->counters(10)->collisions == 1);
}

TEST_CASE("tunnels: a packet that came out of the other end does not go back in") {
    tunnel_pair t;
    for (const ipv4::address from : {tunnel_end::far_outside, "172.16.0.1"_ip}) {
        t.near->change_interface(2, [](interface_settings& s) { s.accept_local = true; });
        t.near.receive(to_far({.source = from}), 2);
        CHECK(t.near.all_sent().empty());
    }
    CHECK(t.near.counted().collisions + t.near->counters()[mib::ip_in_discards] > 0);
}

TEST_CASE("tunnels: a nest of tunnels is opened four times at most") {
    tunnel_pair t;
    byte_vector d = to_far({.source = "172.16.0.1"_ip});
    for (int i = 0; i < 6; ++i)
        d = datagram_of({.source = tunnel_end::near_outside,
                         .destination = tunnel_end::far_outside,
                         .protocol = 4,
                         .payload = d});
    t.far->change([](settings& s) { s.all.rp_filter = 0; });
    t.far.receive(d, 3);
    CHECK(t.far.all_sent().empty());
    CHECK(t.far.counted().received == 4);
    CHECK(t.far.counted().malformed == 1);
}

TEST_CASE("tunnels: a packet of segments crosses each kind of tunnel") {
    for (const tunnel_settings& s :
         {ip_in_ip, plain_gre, tunnel_settings{.protocol = tunnel_protocol::gre, .sums = true},
          full_gre}) {
        tunnel_pair t{s};
        const flow f;
        const byte_vector whole = f.datagram(1, f.sequence, tcp_flags::ack, pattern(20'000));
        byte_vector moved = whole;
        ipv4::view{moved.data()}.set(ipv4::destination, "10.0.5.9"_ip);
        ipv4::set_checksum(ipv4::view{moved.data()});
        const u16 length = static_cast<u16>(moved.size() - 20);
        store_be<u16>(moved.data() + 36,
                      static_cast<u16>(~checksum::finish(checksum::pseudo_header(
                          "10.0.1.2"_ip, "10.0.5.9"_ip, ipv4::protocols::tcp, length))));
        auto p = chain_of(t.near->buffers(), moved);
        p.set_interface(2);
        metadata& m = p.writable_metadata();
        m.checksum = checksum_state::pending;
        m.checksum_start = 20;
        m.checksum_offset = 16;
        m.segmentation = segmentation_kind::tcp_ipv4;
        m.segment_size = 1400;
        CHECK(t.near->receive(std::move(p), t.near.now) == fate::forwarded);
        byte_vector arrived;
        u32 segments = 0;
        for (const auto& outer : t.near.all_sent()) {
            CHECK(outer.datagram.size() <= 1500);
            check(outer.datagram, right_sums());
            t.far.receive(outer.datagram, 3);
            for (const auto& inner : t.far.all_sent()) {
                check(inner.datagram, right_sums(), ttl(62));
                CHECK(load_be<u32>(inner.datagram.data() + 24) == f.sequence + 1400 * segments++);
                const byte_vector data = behind(inner.datagram, 40);
                arrived.insert(arrived.end(), data.begin(), data.end());
            }
        }
        CHECK(segments == 15);
        CHECK(arrived == pattern(20'000));
        CHECK(t.near.counted().refused == 0);
    }
}

TEST_CASE("tunnels: what cannot be added is refused, and leaves no trace") {
    tunnel_end e{true};
    e.connect(ip_in_ip, true);
    const tunnel_settings same{.local = "192.0.2.1"_ip, .remote = "192.0.2.2"_ip};
    tunnel_settings other = same;
    CHECK(e.ends->add({.index = 10}, same).error() == tunnel_error::exists);
    other.remote = "192.0.2.3"_ip;
    CHECK(e.ends->add({.index = 9}, other).error() == tunnel_error::exists);
    CHECK(e.ends->add({.index = 2}, other).error() == tunnel_error::refused_interface);
    for (u16 i = 10; i < 13; ++i) {
        other.remote = {other.remote.value + 1};
        CHECK(e.ends->add({.index = i, .mtu = 1400}, other).has_value());
    }
    other.remote = {other.remote.value + 1};
    CHECK(e.ends->add({.index = 13}, other).error() == tunnel_error::full);
    CHECK(e->interfaces().find(13) == nullptr);
    CHECK(e.ends->remove(13).error() == tunnel_error::no_tunnel);
    CHECK(e.ends->remove(12).has_value());
    CHECK(e.ends->counters(12) == nullptr);
    CHECK(e.ends->add({.index = 13}, other).has_value());
    for (const tunnel_error t : {tunnel_error::none, tunnel_error::full, tunnel_error::exists,
                                 tunnel_error::no_tunnel, tunnel_error::refused_interface})
        CHECK(message(t)[0] != 0);
    // The interfaces go with the object, and the handlers.
    e.ends.reset();
    CHECK(e->interfaces().find(9) == nullptr);
    CHECK(e->delivery().handler(4) == nullptr);
}

}  // namespace

}  // namespace link_tunnels
