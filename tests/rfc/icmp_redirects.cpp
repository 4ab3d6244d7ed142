// Redirects: when a router sends one, its gateway and its source address.
#include "rfc/node.hpp"

namespace rfc_icmp_redirects {

namespace {

using namespace rfc;

constexpr auto better = "10.0.1.254"_ip;  // a gateway on the sender's own link
constexpr auto beyond = "30.1.1.1"_ip;

std::unique_ptr<node> with_better_gateway(std::unique_ptr<node> n) {
    REQUIRE(n->add_route({.prefix = "30.0.0.0/8"_prefix, .gateway = better}));
    return n;
}
byte_vector to_beyond(datagram_fields f = {}) {
    f.destination = beyond;
    return datagram_of(f);
}
// The redirect among the packets that the datagram caused (it is forwarded itself); empty: none.
byte_vector redirect_for(node& n, const byte_vector& d, u16 interface = 2) {
    static_cast<void>(n.sent());
    n.receive(d, interface);
    const auto all = n.sent();
    REQUIRE_FALSE(all.empty());
    for (const auto& s : all)
        if (ip(s.datagram)[ipv4::protocol] == 1) return s.datagram;
    return {};
}

TEST_CASE("icmp: a redirect names the better gateway, and the datagram is forwarded") {
    const auto n = with_better_gateway(router());
    const byte_vector d = to_beyond();
    CHECK_RFC("R792-012", n->receive(d) == fate::forwarded);
    const auto both = n->sent();
    REQUIRE(both.size() == 2);
    const byte_vector redirect = both[0].datagram;
    CHECK_RFC("R792-012", is_icmp(redirect, 5, 1) && icmp_word(redirect) == better.value);
    CHECK_RFC("R792-012", same_but_ttl(both[1].datagram, d));
    CHECK_RFC("R1812-110", is_icmp(redirect, 5, 1));
    CHECK_RFC("R1812-112",
              ip(redirect)[ipv4::source] == own && ip(redirect)[ipv4::destination] == peer);
    CHECK_RFC("R792-012", same_but_ttl(icmp_data(redirect), d));
    // Also towards a network route, and with a TOS: never codes 0, 2 or 3.
    n->wait(1000_s);
    CHECK_RFC("R1812-110", is_icmp(redirect_for(*n, to_beyond({.tos = 0x10})), 5, 1));
    // A neighbour of the sender is its own best next hop.
    const byte_vector neighbour =
        datagram_of({.source = "10.0.1.3"_ip, .destination = "10.0.1.9"_ip});
    CHECK_RFC("R792-012", icmp_word(redirect_for(*n, neighbour)) == ("10.0.1.9"_ip).value);
}

TEST_CASE("icmp: a redirect's source is the address in the sender's own network") {
    const auto n = with_better_gateway(router());
    REQUIRE(n->add_address(2, "192.168.5.1/24"_net));
    const byte_vector redirect = redirect_for(*n, to_beyond({.source = "192.168.5.9"_ip}));
    CHECK_RFC("R1812-112", is_icmp(redirect, 5, 1));
    CHECK_RFC("R1812-112", ip(redirect)[ipv4::source] == "192.168.5.1"_ip);
}

TEST_CASE("icmp: no redirect unless sender and next hop share the link, and without source route") {
    const auto n = with_better_gateway(source_router());
    CHECK_RFC("R1812-111", !redirect_for(*n, to_beyond()).empty());
    CHECK_RFC("R1812-111", redirect_for(*n, to_beyond({.source = far}), 3).empty());
    CHECK_RFC("R1812-111", redirect_for(*n, to_beyond({.source = "99.1.1.1"_ip})).empty());
    CHECK_RFC("R1812-111", redirect_for(*n, to_beyond({.source = remote})).empty());
    const byte_vector routed = datagram_of({.source = "10.0.1.7"_ip,
                                            .destination = own,
                                            .options = list({131, 7, 4, 30, 1, 1, 1, 0})});
    CHECK(n->receive(routed) == fate::forwarded);
    CHECK(n->sent().size() == 1);
    CHECK_RFC("R1812-111", redirect_for(*n, routed).empty());
    CHECK_RFC("R792-013", redirect_for(*n, routed).empty());
    CHECK_RFC("R792-013", n->count(mib::icmp_out_redirects) == 1);
}

TEST_CASE("icmp: hosts and routers that do not forward send no redirects") {
    const auto h = with_better_gateway(host());
    CHECK_RFC("R1122-060", h->drops(to_beyond(), drop_reason::not_forwarding));
    const auto n = with_better_gateway(router());
    CHECK_RFC("R1812-137", !redirect_for(*n, to_beyond()).empty());
    n->wait(1000_s);
    n->set_forwarding(false);
    CHECK_RFC("R1812-137", n->drops(to_beyond(), drop_reason::not_forwarding));
    CHECK(redirect_for(*with_better_gateway(hardened()), to_beyond()).empty());
}

}  // namespace

}  // namespace rfc_icmp_redirects
