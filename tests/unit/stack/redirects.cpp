// Received redirects: which are followed, and their effects. RFC 1122 section 3.2.2.2.
#include <doctest/doctest.h>

#include "unit/stack/learning.hpp"

namespace stack_redirects {

namespace {

using namespace stack_test;

constexpr ipv4::address better = "10.0.2.3"_ip;

// A router that is set to follow redirects: forwarding turned that off (Linux
// inet_forward_change).
template <class Policies = small_router>
struct believing_world : learning_world<Policies> {
    believing_world() {
        (**this).change([](settings& s) { s.all.accept_redirects = true; });
    }
};

// Whether the redirect for `far` to `to` by `from` is followed.
struct trial {
    const char* name;
    ipv4::address to = better;
    ipv4::address from = gateway;
    u8 code = 1;
    bool followed = false;
    void (*change)(believing_world<>&) = [](believing_world<>&) {};
};

void shared(believing_world<>& b, bool is_shared, bool secure) {
    for (const u16 i : {u16{2}, u16{3}}) {
        b->change_interface(i, [=](interface_settings& s) {
            s.shared_media = is_shared;
            s.secure_redirects = secure;
        });
    }
    b->change([=](settings& s) {
        s.all.shared_media = is_shared;
        s.all.secure_redirects = secure;
    });
}

TEST_CASE("redirects: which are followed") {
    const trial rows[] = {
        {.name = "for the host, from the gateway in use", .followed = true},
        {.name = "for the net", .code = 0, .followed = true},
        {.name = "for TOS and net", .code = 2, .followed = true},
        {.name = "for TOS and host", .code = 3, .followed = true},
        {.name = "a code that there is not", .code = 4},
        {.name = "from another neighbour", .from = "10.0.2.4"_ip},
        {.name = "to the gateway itself", .to = gateway},
        {.name = "to ourselves", .to = "10.0.2.1"_ip},
        {.name = "to a local address of the other link", .to = "10.0.1.1"_ip},
        {.name = "to a directed broadcast", .to = "10.0.2.255"_ip},
        {.name = "to the limited broadcast", .to = "255.255.255.255"_ip},
        {.name = "to a group", .to = "224.0.0.1"_ip},
        {.name = "to nowhere", .to = {}},
        {.name = "to an address of 0/8, which Linux takes for unicast",
         .to = "0.0.0.1"_ip,
         .followed = true},
        {.name = "to the loopback net", .to = "127.0.0.1"_ip},
        {.name = "off the link, which may be shared", .to = "10.0.9.9"_ip, .followed = true},
        {.name = "off the link, which is not shared",
         .to = "10.0.9.9"_ip,
         .change = [](believing_world<>& b) { shared(b, false, false); }},
        {.name = "on the link, which is not shared",
         .followed = true,
         .change = [](believing_world<>& b) { shared(b, false, false); }},
        {.name = "secure, not shared: to no gateway",
         .change = [](believing_world<>& b) { shared(b, false, true); }},
        {.name = "secure, not shared: to a gateway of some route",
         .followed = true,
         .change =
             [](believing_world<>& b) {
                 shared(b, false, true);
                 REQUIRE(b->add_route({.prefix = "10.77.0.0/16"_prefix, .gateway = better})
                             .has_value());
             }},
        {.name = "secure, shared: to no gateway",
         .followed = true,
         .change = [](believing_world<>& b) { shared(b, true, true); }},
        {.name = "accept_redirects off on a router's interface",
         .change =
             [](believing_world<>& b) {
                 b->change_interface(3, [](interface_settings& s) { s.accept_redirects = false; });
             }},
        {.name = "the same on a host, where conf.all says yes",
         .followed = true,
         .change =
             [](believing_world<>& b) {
                 b->set_ip_forward(false);
                 b->change_interface(3, [](interface_settings& s) { s.accept_redirects = false; });
             }},
        {.name = "from a destination on the link, about itself",
         .from = far,
         .change =
             [](believing_world<>& b) {
                 REQUIRE(b->add_route({.prefix = {far, 32}, .interface = 3}).has_value());
             }},
        {.name = "the program does not believe it",
         .change = [](believing_world<>& b) { b.us.believing = false; }},
    };
    for (const trial& r : rows) {
        INFO(doctest::String{r.name});
        believing_world<> b;
        r.change(b);
        b.error(5, r.code, r.to.value, b.datagram_to(far), r.from);
        CHECK((b.route_used(far).neighbour == r.to && !r.to.is_unspecified() && r.to != gateway) ==
              r.followed);
        CHECK(b->exceptions().any() == r.followed);
        CHECK(b.route_used(farther).neighbour == gateway);
        CHECK(b->counters()[mib::icmp_in_redirects] == 1);
    }
}

TEST_CASE("redirects: sent and forwarded packets use the new gateway for 300 s") {
    believing_world<> b;
    const byte_vector through = datagram_of({.destination = far});
    const auto leaves_by = [&](ipv4::address expected) {
        REQUIRE(b->send(b.packet(pattern(9)), {.destination = far, .protocol = 253}, b.now)
                    .has_value());
        REQUIRE(b.receive(through) == fate::forwarded);
        const auto both = b.sent();
        REQUIRE(both.size() == 2);
        for (const auto& s : both)
            CHECK(s.to == egress{3, link_destination::unicast, expected});
    };
    leaves_by(gateway);
    b.error(5, 1, better.value, b.datagram_to(far));
    leaves_by(better);
    b.too_big(1000, b.datagram_to(far));  // both are kept
    leaves_by(better);
    CHECK(b.mtu(far) == 1000);
    // The next redirect is the new gateway's to send.
    b.error(5, 1, "10.0.2.4"_ip.value, b.datagram_to(far), gateway);
    leaves_by(better);
    b.error(5, 1, "10.0.2.4"_ip.value, b.datagram_to(far), better);
    leaves_by("10.0.2.4"_ip);
    b.now.now = b.now.now + 300_s;
    leaves_by(gateway);
}

// The route of the packet before is not taken past an exception, nor past its end.
TEST_CASE("redirects: in the midst of a batch") {
    believing_world<> b;
    const byte_vector through = datagram_of({.destination = far});
    const byte_vector redirect =
        datagram_of({.source = gateway,
                     .destination = "10.0.2.1"_ip,
                     .protocol = 1,
                     .payload = support::icmp_message(5, 1, better.value, b.datagram_to(far))});
    std::vector<world<>::packet_type> batch;
    batch.push_back(b.packet(through));
    batch.push_back(b.packet(through));
    batch.push_back(b.packet(redirect, 3));
    batch.push_back(b.packet(through));
    batch.push_back(b.packet(datagram_of({.destination = farther})));
    batch.push_back(b.packet(through));
    b->receive(std::span{batch}, b.now);
    const ipv4::address expected[] = {gateway, gateway, better, gateway, better};
    const auto all = b.sent();
    REQUIRE(all.size() == 5);
    for (std::size_t i = 0; i < 5; ++i)
        CHECK(all[i].to.next_hop == expected[i]);
    CHECK(b->counters()[mib::ip_forw_datagrams] == 5);
}

// As on Ethernet, where the new gateway may be unknown.
struct asking_output {
    template <class Packet>
    struct model : queue_output<64>::model<Packet> {
        egress asked{};
        bool known = false;
        [[nodiscard]] bool resolve(const egress& to, instant) noexcept {
            asked = to;
            return known;
        }
    };
};
struct asking_router : policies<based_on<small_router>, output<asking_output>> {};

TEST_CASE("redirects: a gateway with an unknown link address is only resolved") {
    believing_world<asking_router> b;
    b.error(5, 1, better.value, b.datagram_to(far));
    CHECK(b->output().asked == egress{3, link_destination::unicast, better});
    CHECK(b.route_used(far).neighbour == gateway);
    b->output().known = true;
    b.error(5, 1, better.value, b.datagram_to(far));
    CHECK(b.route_used(far).neighbour == better);
}

}  // namespace

}  // namespace stack_redirects
