// Datagrams that are not forwarded: broadcasts, link broadcast and multicast frames, groups of one
// link.
#include "rfc/node.hpp"

namespace rfc_forward_broadcast {

namespace {

using namespace rfc;

const byte_vector to_all = datagram_of({.destination = ipv4::limited_broadcast});
const byte_vector to_far_net = datagram_of({.destination = "10.0.2.255"_ip});

std::unique_ptr<node> broadcasting() {
    auto n = router();
    n->change([](settings& s) { s.all.bc_forwarding = true; });
    for (const u16 index : {u16{2}, u16{3}})
        n->change_interface(index, [](interface_settings& s) { s.bc_forwarding = true; });
    return n;
}

TEST_CASE("forward: the limited broadcast is received and never forwarded") {
    for (const auto& make : {router, hardened, broadcasting}) {
        const auto n = make();
        n->listen();
        REQUIRE(n->add_route({.prefix = "0.0.0.0/0"_prefix, .gateway = gateway}));
        CHECK_RFC("R919-002", n->hears(to_all) && n->sent().empty());
        CHECK_RFC("R1812-126", n->hears(to_all));  // not discarded either
        CHECK_RFC("R1812-126", n->sent().empty());
        CHECK_RFC("R919-002", n->count(mib::ip_forw_datagrams) == 0);
    }
}

TEST_CASE("forward: directed broadcasts are blocked unless switched on") {
    const auto n = router();
    CHECK_RFC("R2644-001",
              !n->switches().all.bc_forwarding && !n->switches().defaults.bc_forwarding);
    CHECK_RFC("R2644-001", n->forward(to_far_net).empty());
    CHECK_RFC_DEVIATES("R1812-127", n->forward(to_far_net).empty());
    const auto on = broadcasting();
    CHECK_RFC("R922-001", on->receive(to_far_net) == fate::forwarded);
    const auto all = on->sent();
    REQUIRE(all.size() == 1);
    CHECK_RFC("R922-001", all[0].to == egress{3, link_destination::broadcast, "10.0.2.255"_ip});
    CHECK_RFC("R922-002",
              on->drops(datagram_of({.destination = "10.0.1.255"_ip}),
                        drop_reason::not_addressed_to_host, 2, link_addressing::broadcast));
}

TEST_CASE("forward: a datagram in a broadcast or multicast frame is forwarded only to a group") {
    for (const auto& make : {router, broadcasting}) {
        const auto n = make();
        for (const byte_vector& d :
             {datagram_of({}), datagram_of({.destination = remote, .ttl = 1})}) {
            CHECK_RFC("R1812-122", n->drops(d, drop_reason::not_addressed_to_host, 2,
                                            link_addressing::broadcast));
            CHECK_RFC("R1812-123", n->drops(d, drop_reason::not_addressed_to_host, 2,
                                            link_addressing::multicast));
        }
        CHECK_RFC("R1812-122", !n->forward(datagram_of({})).empty());
        CHECK_RFC("R1812-123", !n->forward(datagram_of({.destination = remote})).empty());
    }
    const auto h = hardened();
    CHECK_RFC("R1812-122", h->drops(datagram_of({}), drop_reason::unicast_in_link_multicast, 2,
                                    link_addressing::broadcast));
}

TEST_CASE("forward: groups of one link are never forwarded") {
    const auto n = router();
    n->change([](settings& s) { s.all.mc_forwarding = true; });
    for (const u16 index : {u16{2}, u16{3}})
        n->change_interface(index, [](interface_settings& s) { s.mc_forwarding = true; });
    // There is a route for them.
    REQUIRE(n->add_route({.prefix = "224.0.0.0/4"_prefix, .gateway = gateway}));
    REQUIRE(n->join(2, "224.0.0.2"_ip));
    n->listen();
    for (u32 last = 0; last < 256; ++last) {
        const ipv4::address group{"224.0.0.0"_ip.value + last};
        const bool is_local = last == 1 || last == 2;
        const byte_vector d = datagram_of({.destination = group, .ttl = 255});
        CHECK_RFC("R1812-096", is_local ? n->hears(d, 2, link_addressing::multicast)
                                        : n->drops(d, drop_reason::no_multicast_member, 2,
                                                   link_addressing::multicast));
        CHECK_RFC("R1812-096", n->sent().empty());
    }
    for (const u8 ttl : {u8{1}, u8{2}, u8{64}, u8{255}}) {
        const byte_vector d = datagram_of({.destination = "224.0.0.1"_ip, .ttl = ttl});
        CHECK_RFC("R1112-014", n->hears(d, 2, link_addressing::multicast) && n->sent().empty());
    }
    CHECK_RFC("R1112-014", n->count(mib::ip_forw_datagrams) == 0);
}

TEST_CASE("forward: link-local addresses are forwarded by Linux") {
    const auto n = router();
    REQUIRE(n->add_route({.prefix = "169.254.0.0/16"_prefix, .gateway = gateway}));
    const byte_vector to = datagram_of({.destination = "169.254.1.1"_ip});
    const byte_vector from = datagram_of({.source = "169.254.1.1"_ip});
    CHECK_RFC_DEVIATES("R3927-002", same_but_ttl(n->forward(to), to));
    CHECK_RFC_DEVIATES("R3927-002", same_but_ttl(n->forward(from), from));
    const auto h = hardened();
    REQUIRE(h->add_interface(4, "169.254.0.1/16"_net));
    h->listen();
    CHECK_RFC_HARDENED("R3927-002", h->drops(to, drop_reason::destination_invalid));
    CHECK_RFC_HARDENED("R3927-002", h->drops(from, drop_reason::source_invalid, 4));
    // On its own link it is an address like others.
    CHECK(h->hears(datagram_of({.source = "169.254.1.1"_ip, .destination = "169.254.0.1"_ip}), 4));
}

}  // namespace

}  // namespace rfc_forward_broadcast
