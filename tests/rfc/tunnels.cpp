// Tunnels: what enters one, what leaves it, and what is told to the inner senders.
#include "rfc/record.hpp"
#include "support/tunnel_ends.hpp"

#include <algorithm>

namespace rfc_tunnels {

namespace {

using namespace support;

ipv4::const_view ip(const byte_vector& d) {
    return ipv4::const_view{d.data()};
}
byte_vector inside(const byte_vector& outer) {
    return part(outer, 20, outer.size());
}

// The tunnel's near end receives an ICMP error about this outer datagram.
void tell(tunnel_pair& t, const byte_vector& outer, u8 type, u8 code, u32 info = 0) {
    t.near.receive(
        datagram_of({.source = "192.0.2.77"_ip,
                     .destination = tunnel_end::near_outside,
                     .protocol = 1,
                     .payload = support::icmp_message(type, code, info, part(outer, 0, 48))}),
        3);
    static_cast<void>(t.near.all_sent());
}
// Type and code of the answer to the next inner datagram, which enters the tunnel too unless it is
// refused; 0: there is no answer.
int answer(tunnel_pair& t, const byte_vector& d = to_far()) {
    t.near.now.now = t.near.now.now + 1_s;
    t.near.receive(d, 2);
    const auto all = t.near.all_sent();
    const auto told =
        std::find_if(all.begin(), all.end(), [](const auto& one) { return one.to.interface == 2; });
    REQUIRE(all.size() <= 2);
    if (told == all.end()) return all.size() == 1 ? 0 : -1;
    return static_cast<int>(told->datagram[20]) << 8 | static_cast<int>(told->datagram[21]);
}

TEST_CASE("tunnels: the outer header") {
    tunnel_pair t;
    const byte_vector d = to_far({.ttl = 9,
                                  .tos = 0x2c,
                                  .flags_and_offset = 0x4000,
                                  .options = list({7, 7, 4, 0, 0, 0, 0, 0})});
    const byte_vector outer = t.into(d);
    CHECK_RFC("R2003-001", ip(outer)[ipv4::version] == 4 && ip(outer)[ipv4::protocol] == 4 &&
                               ip(outer)[ipv4::source] == tunnel_end::near_outside &&
                               ip(outer)[ipv4::destination] == tunnel_end::far_outside &&
                               ip(outer)[ipv4::tos] == 0x2c);
    CHECK_RFC("R2003-002", ip(outer)[ipv4::dont_fragment]);
    CHECK_RFC("R2003-006", ip(outer)[ipv4::ihl] == 5);
    const byte_vector inner = inside(outer);
    CHECK_RFC("R2003-003", ip(inner)[ipv4::ttl] == 8 && ip(inner)[ipv4::ihl] == 7);
    // A datagram of this host enters with its TTL as it is.
    auto own = t.near->buffers().take(default_headroom);
    REQUIRE(own.append(pattern(8)));
    REQUIRE(t.near->send(std::move(own), {.destination = "10.0.5.9"_ip, .protocol = 253, .ttl = 9},
                         t.near.now));
    CHECK_RFC("R2003-003", ip(inside(t.near.one_sent(3)))[ipv4::ttl] == 9);
}

TEST_CASE("tunnels: the inner TTL") {
    tunnel_pair t;
    CHECK_RFC("R2003-004", answer(t, to_far({.ttl = 1})) == 0x0b00);
    const byte_vector outer = t.into(to_far({.ttl = 9}));
    CHECK_RFC("R2003-005", ip(t.out_of(outer))[ipv4::ttl] == 7);  // 8 in the tunnel, 7 behind it
    byte_vector dead = outer;
    dead[20 + 8] = std::byte{0};
    ipv4::set_checksum(ipv4::view{dead.data() + 20});
    t.far.receive(dead, 3);
    CHECK_RFC("R2003-005", t.far.all_sent().empty());
}

TEST_CASE("tunnels: a datagram of the tunnel's own ends does not enter it") {
    tunnel_pair t;
    t.near->change_interface(2, [](interface_settings& s) { s.accept_local = true; });
    for (const ipv4::address from : {tunnel_end::far_outside, "10.0.1.1"_ip}) {
        t.near.receive(to_far({.source = from}), 2);
        CHECK_RFC("R2003-007", t.near.all_sent().empty());
    }
}

TEST_CASE("tunnels: errors from inside") {
    tunnel_pair t;
    const byte_vector outer = t.into(to_far({.flags_and_offset = 0x4000}));
    tell(t, outer, 3, 0);
    CHECK_RFC("R2003-008", answer(t) == 0x0300);
    for (const u8 code : std::initializer_list<u8>{1, 2}) {
        tell(t, outer, 3, code);
        CHECK_RFC("R2003-009", answer(t) == 0x0301);
    }
    tell(t, outer, 11, 0);
    CHECK_RFC("R2003-014", answer(t) == 0x0301);
    CHECK_RFC("R2003-016", answer(t) == 0);  // each error answers one datagram
    for (const u8 code : std::initializer_list<u8>{3, 5}) {
        tell(t, outer, 3, code);
        CHECK_RFC("R2003-010", answer(t) == 0);
    }
    tell(t, outer, 4, 0);
    CHECK_RFC("R2003-012", answer(t) == 0);
    tell(t, outer, 5, 1, ("192.0.2.99"_ip).value);
    CHECK_RFC("R2003-013", answer(t) == 0);
    tell(t, outer, 3, 4, 600);
    const byte_vector large = to_far({.flags_and_offset = 0x4000, .payload = pattern(700)});
    t.near.receive(large, 2);
    const byte_vector told = t.near.one_sent(2);
    CHECK_RFC("R2003-011", told[20] == std::byte{3} && told[21] == std::byte{4} &&
                               load_be<u16>(told.data() + 26) == 580);
    CHECK_RFC("R2003-017", answer(t, large) == 0x0304);
    CHECK_RFC("R2003-016", answer(t, large) == 0x0304);
}

TEST_CASE("tunnels: ECN") {
    tunnel_pair t;
    tunnel_pair compatible{{.copies_ecn = false}};
    const auto behind = [&](u8 inner, u8 outer) {
        byte_vector d = t.into(to_far({.tos = inner}));
        ipv4::view{d.data()}.set(ipv4::ecn, outer);
        ipv4::set_checksum(ipv4::view{d.data()});
        t.far.receive(d, 3);
        const auto all = t.far.all_sent();
        return all.empty() ? -1 : int{ip(all[0].datagram)[ipv4::ecn]};
    };
    for (u8 inner = 0; inner < 4; ++inner) {
        CHECK_RFC("R6040-001", ip(t.into(to_far({.tos = inner})))[ipv4::ecn] == inner);
        CHECK_RFC("R6040-001", ip(compatible.into(to_far({.tos = inner})))[ipv4::ecn] == 0);
    }
    namespace is = ipv4::ecn_codepoints;
    CHECK_RFC("R6040-002", behind(is::not_ect, is::ce) == -1);
    CHECK_RFC("R6040-003", behind(is::not_ect, is::ect0) == is::not_ect);
    CHECK_RFC("R6040-003", behind(is::not_ect, is::ect1) == is::not_ect);
    CHECK_RFC("R6040-004", behind(is::ect0, is::ect1) == is::ect1);
    CHECK_RFC("R6040-004", behind(is::ect1, is::ect0) == is::ect1);
    CHECK_RFC("R6040-004", behind(is::ect0, is::ce) == is::ce);
    CHECK_RFC("R6040-004", behind(is::ce, is::not_ect) == is::ce);
    // Counted, never logged. Unused above: Not-ECT three times, ECT(1) under ECT(0).
    CHECK_RFC("R6040-005", t.far.counted().ecn_unused == 4);
    CHECK_RFC("R6040-005", t.far.counted().ecn_dropped == 1);
}

}  // namespace

}  // namespace rfc_tunnels
