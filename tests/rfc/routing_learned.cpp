// What a host learns about the way to a destination: redirects and path MTUs, and how long it
// remembers them.
#include "rfc/node.hpp"

#include <algorithm>

namespace rfc_routing_learned {

namespace {

using namespace rfc;

constexpr auto better = "10.0.2.253"_ip;  // on the link of `gateway`
constexpr auto neighbour_of_remote = "20.1.2.4"_ip;

// An ICMP message about a datagram of this host to `remote`, which comes on interface 3.
byte_vector about(u8 type, u8 code, u32 word, ipv4::address from, u8 tos = 0) {
    const byte_vector quote = datagram_of({.source = own_far,
                                           .destination = remote,
                                           .tos = tos,
                                           .flags_and_offset = df,
                                           .payload = pattern(1300)});
    return datagram_of({.source = from,
                        .destination = own_far,
                        .protocol = 1,
                        .payload = icmp_message(type, code, word, support::part(quote, 0, 28))});
}
byte_vector redirect(u8 code = 1, ipv4::address to = better, ipv4::address from = gateway) {
    return about(5, code, to.value, from);
}
ipv4::address next_hop_of(node& n, ipv4::address to, u8 tos = 0) {
    REQUIRE(n.send(pattern(8), {.destination = to, .tos = tos}));
    const auto all = n.sent();
    REQUIRE(all.size() == 1);
    return all[0].to.next_hop;
}
std::unique_ptr<node> listening(std::unique_ptr<node> n = host()) {
    n->listen();
    return n;
}
std::size_t longest(node& n, ipv4::address to) {
    REQUIRE(n.send(pattern(1480), {.destination = to}));
    std::size_t size = 0;
    for (const auto& s : n.sent())
        size = std::max(size, s.datagram.size());
    return size;
}

TEST_CASE("routing: a redirect of any code changes the next hop of its destination alone") {
    for (u8 code = 0; code < 4; ++code) {
        const auto n = listening();
        CHECK(next_hop_of(*n, remote) == gateway);
        n->receive(redirect(code), 3);
        CHECK_RFC("R1122-061", next_hop_of(*n, remote) == better);
        CHECK_RFC("R1122-062", next_hop_of(*n, remote) == better);
        CHECK_RFC("R1122-106", next_hop_of(*n, remote) == better);
        CHECK_RFC("R1122-106", next_hop_of(*n, neighbour_of_remote) == gateway);
        CHECK_RFC("R1122-107", next_hop_of(*n, neighbour_of_remote) == gateway);
        // For any TOS: RFC 1122 has it in the key.
        CHECK_RFC_DEVIATES("R1122-113", next_hop_of(*n, remote, 0x10) == better);
    }
    const auto n = listening();
    n->receive(redirect(4), 3);
    CHECK(next_hop_of(*n, remote) == gateway);
}

TEST_CASE("routing: redirects of others are ignored; to a gateway elsewhere without shared media") {
    const auto ignored = [](node& n, const byte_vector& d) {
        n.receive(d, 3);
        return next_hop_of(n, remote) == gateway;
    };
    const auto n = listening();
    CHECK_RFC_DEVIATES("R1122-063", ignored(*n, redirect(1, better, "10.0.2.77"_ip)));
    CHECK_RFC_DEVIATES("R1122-063", ignored(*n, redirect(1, better, "99.1.1.1"_ip)));
    const auto apart = listening();
    apart->change([](settings& s) { s.all.shared_media = s.all.secure_redirects = false; });
    apart->change_interface(
        3, [](interface_settings& s) { s.shared_media = s.secure_redirects = false; });
    for (const auto to : {"99.1.1.1"_ip, "10.0.1.9"_ip})
        CHECK_RFC_DEVIATES("R1122-063", ignored(*apart, redirect(1, to)));
    CHECK(!ignored(*apart, redirect()));
    // Linux's default.
    const auto shared = listening();
    for (const auto to : {own_far, "10.0.2.255"_ip})
        CHECK(ignored(*shared, redirect(1, to)));
    CHECK_RFC_DEVIATES("R1122-063", !ignored(*shared, redirect(1, "10.0.9.9"_ip)));
}

TEST_CASE("routing: a router learns no next hop from redirects") {
    for (const auto& make : {router, hardened}) {
        const auto n = listening(make());
        n->receive(redirect(), 3);
        const byte_vector d = datagram_of({.destination = remote});
        n->receive(d);
        CHECK_RFC("R1812-113", n->sent().at(0).to.next_hop == gateway);
        CHECK_RFC("R1812-113", next_hop_of(*n, remote) == gateway);
    }
}

TEST_CASE("routing: what was learned is forgotten") {
    const auto n = listening();
    n->receive(redirect(), 3);
    n->wait(290_s);
    CHECK(next_hop_of(*n, remote) == better);
    n->wait(11_s);
    CHECK_RFC("R1122-115", next_hop_of(*n, remote) == gateway);

    n->receive(about(3, 4, 1000, gateway), 3);
    CHECK_RFC("R1191-011", longest(*n, remote) <= 1000);
    CHECK_RFC("R1191-011", longest(*n, neighbour_of_remote) == 1500);
    CHECK_RFC("R1191-011", longest(*n, far) == 1500);
    n->wait(590_s);
    CHECK_RFC("R1191-013", longest(*n, remote) <= 1000);
    n->wait(11_s);
    CHECK_RFC("R1191-013", longest(*n, remote) == 1500);
}

}  // namespace

}  // namespace rfc_routing_learned
