// The sources and destinations that Linux's defaults and hardened_router forward.
#include "rfc/node.hpp"

namespace rfc_security_sources {

namespace {

using namespace rfc;

std::unique_ptr<node> with_default(std::unique_ptr<node> n) {
    REQUIRE(n->add_route({.prefix = "0.0.0.0/0"_prefix, .gateway = gateway}));
    return n;
}
byte_vector between(ipv4::address source, ipv4::address destination) {
    return datagram_of({.source = source, .destination = destination});
}
bool passes(node& n, ipv4::address source, ipv4::address destination) {
    return !n.forward(between(source, destination)).empty();
}
bool stops(node& n, ipv4::address source, ipv4::address destination) {
    static_cast<void>(n.sent());
    return n.receive(between(source, destination)) == fate::dropped && n.sent().empty();
}

TEST_CASE("security: loopback and the limited broadcast are not forwarded by anybody") {
    for (const auto& make : {router, hardened}) {
        const auto n = with_default(make());
        for (const auto a : {"127.0.0.1"_ip, "127.255.0.9"_ip}) {
            CHECK_RFC("R1812-130", stops(*n, a, far) && stops(*n, peer, a));
            CHECK_RFC("R6890-004", stops(*n, a, far) && stops(*n, peer, a));
            CHECK_RFC("R6890-004", stops(*n, a, own));
        }
        CHECK_RFC("R6890-011", stops(*n, ipv4::limited_broadcast, far));
        n->listen();
        CHECK_RFC("R6890-011",
                  n->hears(between(peer, ipv4::limited_broadcast)) && n->sent().empty());
        CHECK(stops(*n, ipv4::unspecified, far));
        CHECK(stops(*n, peer, ipv4::unspecified));
        CHECK(stops(*n, "224.0.0.9"_ip, far));
    }
}

TEST_CASE("security: special networks are plain unicast in Linux") {
    const auto n = with_default(router());
    const auto h = with_default(hardened());
    for (const auto a : {"240.0.0.1"_ip, "0.1.2.3"_ip, "10.0.1.255"_ip}) {
        CHECK_RFC_DEVIATES("R1812-129", passes(*n, a, far));
        CHECK_RFC_HARDENED("R1812-129", stops(*h, a, far));
    }
    CHECK_RFC_DEVIATES("R1812-131", passes(*n, peer, "240.0.0.1"_ip));
    CHECK_RFC_DEVIATES("R1812-131", passes(*n, peer, "0.1.2.3"_ip));
    CHECK_RFC_DEVIATES("R6890-001", passes(*n, peer, "0.1.2.3"_ip));
    CHECK_RFC_DEVIATES("R6890-001", passes(*n, "0.1.2.3"_ip, far));
    CHECK_RFC_DEVIATES("R6890-005", passes(*n, peer, "169.254.1.1"_ip));
    CHECK_RFC_DEVIATES("R6890-005", passes(*n, "169.254.1.1"_ip, far));
    CHECK_RFC_DEVIATES("R6890-006", passes(*n, peer, "192.0.0.11"_ip));
    for (const auto a : {"192.0.2.1"_ip, "198.51.100.1"_ip, "203.0.113.1"_ip})
        CHECK_RFC_DEVIATES("R6890-007", passes(*n, peer, a) && passes(*n, a, far));
    CHECK_RFC_DEVIATES("R6890-010", passes(*n, peer, "240.0.0.1"_ip));
    CHECK_RFC_DEVIATES("R6890-010", passes(*n, "240.0.0.1"_ip, far));
}

// Received by interface 3, the egress of the default route: it passes the reverse path filter.
bool is_no_source(node& n, ipv4::address source) {
    return n.drops(between(source, peer), drop_reason::source_invalid, 3);
}
bool is_no_destination(node& n, ipv4::address destination) {
    return n.drops(between(peer, destination), drop_reason::destination_invalid);
}

TEST_CASE("security: a hardened router forwards from and to no special network") {
    const auto h = with_default(hardened());
    for (const auto a : {"240.0.0.1"_ip, "255.255.255.254"_ip, "0.1.2.3"_ip}) {
        CHECK_RFC_HARDENED("R1812-129", is_no_source(*h, a));
        CHECK_RFC_HARDENED("R1812-131", is_no_destination(*h, a));
    }
    CHECK_RFC_HARDENED("R6890-001", is_no_source(*h, "0.1.2.3"_ip));
    CHECK_RFC_HARDENED("R6890-001", is_no_destination(*h, "0.1.2.3"_ip));
    CHECK_RFC_HARDENED("R6890-005", is_no_source(*h, "169.254.1.1"_ip));
    CHECK_RFC_HARDENED("R6890-005", is_no_destination(*h, "169.254.1.1"_ip));
    CHECK_RFC_HARDENED("R6890-006", is_no_source(*h, "192.0.0.11"_ip));
    CHECK_RFC_HARDENED("R6890-006", is_no_destination(*h, "192.0.0.255"_ip));
    CHECK_RFC_HARDENED("R6890-006", passes(*h, peer, "192.0.0.1"_ip));
    for (const auto a : {"192.0.2.1"_ip, "198.51.100.1"_ip, "203.0.113.1"_ip}) {
        CHECK_RFC_HARDENED("R6890-007", is_no_source(*h, a));
        CHECK_RFC_HARDENED("R6890-007", is_no_destination(*h, a));
        CHECK_RFC_HARDENED("R6890-007", !h->send(pattern(8), {.destination = a}));
    }
    CHECK_RFC_HARDENED("R6890-010", is_no_source(*h, "240.0.0.1"_ip));
    CHECK_RFC_HARDENED("R6890-010", is_no_destination(*h, "240.0.0.1"_ip));
    CHECK_RFC_HARDENED("R6890-010", !h->send(pattern(8), {.destination = "240.0.0.1"_ip}));
    CHECK(passes(*h, peer, remote));
}

TEST_CASE("security: the reverse path is checked where rp_filter demands it") {
    const auto n = with_default(router());
    CHECK_RFC("R1812-133",
              n->switches().all.rp_filter == 0 && n->switches().defaults.rp_filter == 0);
    CHECK_RFC("R1812-133", passes(*n, remote, far));  // its route back is by the other interface
    n->change([](settings& s) { s.all.rp_filter = 1; });
    CHECK_RFC("R1812-133", n->drops(between(remote, far), drop_reason::reverse_path));
    CHECK_RFC("R1812-133", passes(*n, peer, far));
    n->change([](settings& s) { s.all.rp_filter = 2; });
    CHECK_RFC("R1812-133", passes(*n, remote, far));
    CHECK_RFC("R1812-133",
              with_default(hardened())->drops(between(remote, far), drop_reason::reverse_path));
}

// What a filter of a user's does: no TCP to far, no echo requests, nothing to one prefix.
bool refuses(const byte_vector& d) {
    const auto h = ip(d);
    const bool echo = h[ipv4::protocol] == 1 && d.size() >= 28 && is_icmp(d, 8, 0);
    return echo || ("20.1.0.0/16"_prefix).contains(h[ipv4::destination]);
}

TEST_CASE("security: filters by prefix, by ICMP type and code, and of source routed datagrams") {
    const auto n = source_router();
    n->filter(hook_point::forward, refuses);
    n->filter(hook_point::local_in, refuses);
    CHECK_RFC("R1812-134", n->drops(between(peer, remote), drop_reason::hook));
    CHECK_RFC("R1812-134", passes(*n, peer, "20.2.0.1"_ip));
    CHECK_RFC("R5927-005", n->drops(ping(), drop_reason::hook));
    CHECK_RFC("R5927-005", n->drops(ping({.destination = far}), drop_reason::hook));
    const byte_vector stamp = datagram_of(
        {.destination = own, .protocol = 1, .payload = icmp_message(13, 0, 1, byte_vector(12))});
    CHECK_RFC("R5927-005", is_icmp(n->ask(stamp), 14, 0));
    const byte_vector routed = datagram_of(
        {.destination = own, .options = list({131, 11, 4, 10, 0, 2, 2, 20, 1, 1, 1, 0})});
    CHECK(!n->forward(routed).empty());
    const auto strict = source_router();
    strict->filter(hook_point::forward, [](const byte_vector& d) { return !options(d).empty(); });
    CHECK_RFC("R1122-146", strict->drops(routed, drop_reason::hook));
    CHECK_RFC("R1122-146", passes(*strict, peer, far));
}

}  // namespace

}  // namespace rfc_security_sources
