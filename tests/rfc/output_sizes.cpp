// How large a datagram may be, and how programs learn it: the MTU of interfaces and paths.
#include "rfc/node.hpp"
#include "support/world.hpp"

#include <sluice/endpoint/udp_endpoint.hpp>

namespace rfc_output_sizes {

namespace {

using namespace rfc;

// Fragmentation needed, from a router on the path to `remote`, about a datagram of `protocol`.
byte_vector too_big(u32 mtu, u8 protocol = plain, const byte_vector& payload = pattern(8)) {
    byte_vector quote = datagram_of({.source = own_far,
                                     .destination = remote,
                                     .protocol = protocol,
                                     .flags_and_offset = df,
                                     .payload = payload});
    store_be<u16>(quote.data() + 2, 1400);
    return datagram_of({.source = gateway,
                        .destination = own_far,
                        .protocol = 1,
                        .payload = support::icmp_message(3, 4, mtu, summed(quote))});
}
// Whether a datagram of `size` octets leaves whole, with DF.
bool leaves_whole(node& n, std::size_t size, ipv4::address to = remote) {
    const bool accepted = n.send(pattern(size - 20), {.destination = to, .dont_fragment = true});
    const auto all = n.sent();
    CHECK(all.size() == (accepted ? 1u : 0u));
    return accepted && all[0].datagram.size() == size;
}

TEST_CASE("output: the MTU of each interface is configured, and bounds what is sent alone") {
    for (const auto& make : {host, router, hardened}) {
        const auto n = make();
        for (const u32 mtu : {68u, 576u, 1006u, 1500u}) {
            n->set_mtu(3, mtu);
            n->set_up(3, true);
            CHECK_RFC("R1122-133", leaves_whole(*n, mtu, far) && !leaves_whole(*n, mtu + 1, far));
            CHECK_RFC("R1812-004", leaves_whole(*n, mtu, far) && !leaves_whole(*n, mtu + 1, far));
            CHECK(leaves_whole(*n, 1500, peer));
            n->listen();
            CHECK_RFC("R1812-004", n->hears(datagram_of({.source = far,
                                                         .destination = own_far,
                                                         .payload = pattern(1480)}),
                                            3));
        }
    }
}

TEST_CASE("output: without a path MTU the interface's is used, also beyond the link") {
    const auto n = host();
    CHECK_RFC_DEVIATES("R1122-131", leaves_whole(*n, 1500));
}

TEST_CASE("output: a path MTU is raised after ten minutes, not earlier") {
    const auto n = host();
    n->listen();
    n->receive(too_big(1000), 3);
    REQUIRE_FALSE(leaves_whole(*n, 1001));
    for (int minute = 1; minute <= 9; ++minute) {
        n->wait(60_s);
        CHECK_RFC("R1191-004", !leaves_whole(*n, 1001) && leaves_whole(*n, 1000));
    }
    n->wait(61_s);
    CHECK(leaves_whole(*n, 1500));
}

struct sending : policies<based_on<stack_test::small_router>> {};
using socket_world = stack_test::world<sending>;
using socket =
    udp_endpoint<socket_world::stack_type, endpoint_sizes{.queue = 4, .errors = 4, .quote = 64}>;
constexpr endpoint_address there{.host = remote, .port = 9};

struct sender : socket_world {
    sender() : socket_world({.has_gateway = true}) {
        REQUIRE(e.bind({own_far, 5000}).has_value());
        REQUIRE(e.connect(there, now).has_value());
        e.options().receive_errors = true;
    }
    // From an ICMP error, which the endpoint reports once.
    void learn(u32 mtu) {
        receive(too_big(mtu, 17, udp_message(5000, 9, pattern(8))), 3);
        byte_vector room(64);
        REQUIRE(e.receive_error(room).has_value());
    }
    // Of the datagram that leaves with so many octets of UDP payload; 0: more than one, or none.
    u16 word_of(std::size_t size) {
        if (!e.send(pattern(size), now).has_value()) return 0;
        const auto all = sent();
        return all.size() == 1 ? u16{ip(all[0].datagram)[ipv4::flags_and_offset]} : u16{0};
    }
    socket e{**this};
};

TEST_CASE("output: UDP endpoints discover the path MTU") {
    sender b;
    CHECK_RFC("R1812-045", b.word_of(1472) == df);
    b.learn(1000);
    CHECK_RFC("R1812-045", b.word_of(972) == df);
    REQUIRE(b.e.send(pattern(973), b.now).has_value());
    const auto pieces = b.sent();
    CHECK_RFC("R1812-045", pieces.size() == 2 && pieces[0].datagram.size() <= 1000);
}

TEST_CASE("output: a program asks for DF, is refused what is too long, and learns how long") {
    for (const bool learns : {false, true}) {
        sender b;
        if (learns) b.learn(1000);
        const u32 mtu = learns ? 1000 : 1500;
        b.e.options().discovery = mtu_discovery::always;
        CHECK_RFC("R1191-014", b.word_of(mtu - 28) == df);
        const auto refused = b.e.send(pattern(mtu - 27), b.now);
        REQUIRE_FALSE(refused.has_value());
        CHECK_RFC("R1191-014", refused.error() == endpoint_error::too_big && b.is_quiet());
        byte_vector quote(64);
        const auto queued = b.e.receive_error(quote);
        REQUIRE(queued.has_value());
        CHECK_RFC("R1122-128", queued->info == mtu);
        // Without sending: the route of a datagram, and what fits on it.
        const send_request r{.destination = remote};
        const auto route = b->route(flow_of(r), b.now);
        REQUIRE(route.has_value());
        CHECK_RFC("R1122-128", mtu_of(b->tables(), r, *route) == mtu);
    }
}

}  // namespace

}  // namespace rfc_output_sizes
