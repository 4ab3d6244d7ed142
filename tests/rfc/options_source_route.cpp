// Source routes: followed, completed, reversed, originated, and refused on the path.
#include "rfc/node.hpp"

namespace rfc_options_source_route {

namespace {

using namespace rfc;

byte_vector local_datagram(const byte_vector& o, ipv4::address source = peer) {
    return datagram_of({.source = source, .destination = own, .options = o});
}
byte_vector loose(int pointer, const byte_vector& hops) {
    return list({131, 3 + int(hops.size()), pointer}) + hops + byte_vector(1);
}

TEST_CASE("options: a loose source route is followed if accept_source_route permits") {
    const auto n = source_router();
    n->listen();
    const byte_vector d = local_datagram(loose(4, of(remote) + of(far)));
    const byte_vector out = n->forward(d);
    CHECK_RFC("R791-015", ip(out)[ipv4::destination] == remote);
    CHECK_RFC("R791-015", options(out) == loose(8, of(own_far) + of(far)));
    CHECK_RFC("R791-015", ipv4::checksum_ok(ip(out)));
    // Recording options record on forwarding too.
    const byte_vector both = options(n->forward(local_datagram(
        list({131, 7, 4}) + of(far) + list({7, 7, 4, 0, 0, 0, 0, 68, 8, 5, 0, 0, 0, 0, 0}))));
    CHECK_RFC("R1122-143", both.size() == 24 && word_at(both, 10) == own_far.value);
    CHECK_RFC("R1122-143", both.size() == 24 && word_at(both, 18) == n->midnight_ms());
    CHECK_RFC("R1812-013", options(out) == loose(8, of(own_far) + of(far)));
    // The smallest pointer, and one route a datagram.
    CHECK_RFC("R791-014", icmp_word(n->ask(local_datagram(loose(3, of(far))))) == 22u << 24);
    CHECK_RFC("R791-014",
              icmp_word(n->ask(local_datagram(list({131, 3, 4, 131, 3, 4})))) == 23u << 24);
    CHECK_RFC("R1812-098",
              icmp_word(n->ask(local_datagram(list({131, 3, 4, 137, 3, 4})))) == 23u << 24);
    CHECK_RFC("R1812-098", n->count(drop_reason::option_invalid) == 3);
    CHECK_RFC("R791-014", ipv4::is_copied(131));
    // Used up: the destination field decides.
    const byte_vector used = loose(8, of(far));
    CHECK_RFC("R791-016", n->hears(local_datagram(used)) && options(n->heard[0].datagram) == used);
    const byte_vector passing = datagram_of({.options = used});
    CHECK_RFC("R791-016", same_but_ttl(n->forward(passing), passing));
    CHECK_RFC("R1122-037", n->hears(local_datagram(used)) && options(n->heard[1].datagram) == used);
    CHECK_RFC("R1812-008", n->hears(local_datagram(used)) && options(n->heard[2].datagram) == used);
    // In each fragment.
    n->set_mtu(3, 600);
    n->receive(datagram_of({.options = used, .payload = pattern(900)}));
    const auto pieces = n->sent();
    REQUIRE(pieces.size() == 2);
    for (const auto& piece : pieces)
        CHECK_RFC("R791-014", options(piece.datagram) == used);
}

TEST_CASE("options: the pointer skips this host's addresses, then the datagram is forwarded") {
    const auto n = source_router();
    n->listen();
    CHECK_RFC("R1812-095", n->hears(local_datagram(loose(4, of(own_far)))));
    const byte_vector out = n->forward(local_datagram(loose(4, of(own_far) + of(remote))));
    CHECK_RFC("R1812-095", ip(out)[ipv4::destination] == remote);
    CHECK_RFC("R1812-095", options(out).size() == 12 && options(out)[2] == std::byte{12});
}

TEST_CASE("options: each hop of a strict source route must be a neighbour") {
    const auto n = source_router();
    const auto strict = [](int pointer, const byte_vector& hops) {
        return list({137, 3 + int(hops.size()), pointer}) + hops + byte_vector(1);
    };
    const byte_vector out = n->forward(local_datagram(strict(4, of(far))));
    CHECK_RFC("R791-017", ip(out)[ipv4::destination] == far);
    CHECK_RFC("R791-017", options(out) == strict(8, of(own_far)));
    CHECK_RFC("R791-017", is_icmp(n->ask(local_datagram(strict(4, of(remote)))), 3, 5));
    CHECK_RFC("R1812-100", is_icmp(n->ask(local_datagram(strict(4, of(remote)))), 3, 5));
    CHECK_RFC("R791-017", ipv4::is_copied(137));
    // To another host, and this host is not a listed hop.
    const byte_vector passing = datagram_of({.options = strict(4, of(remote))});
    const u64 logged = n->count(drop_reason::source_route_refused);
    const byte_vector refusal = n->ask(passing);
    CHECK_RFC("R1812-092", is_icmp(refusal, 12, 0) && icmp_word(refusal) == 16u << 24);
    CHECK_RFC("R1812-092", n->count(drop_reason::source_route_refused) == logged + 1);
}

TEST_CASE("options: routes are refused by default") {
    for (const auto& make : {host, router, hardened}) {
        const auto n = make();
        CHECK(n->drops(local_datagram(loose(8, of(far))), drop_reason::source_route_refused));
        if (make == host) continue;
        CHECK_RFC_DEVIATES("R1812-142", n->drops(local_datagram(loose(4, of(far))),
                                                 drop_reason::source_route_refused));
        CHECK_RFC("R7126-002",
                  n->drops(local_datagram(loose(4, of(far))), drop_reason::source_route_refused));
        CHECK_RFC("R7126-003", n->drops(local_datagram(list({137, 7, 4, 10, 0, 2, 2, 0})),
                                        drop_reason::source_route_refused));
    }
    CHECK_RFC("R7126-002", !source_router()->forward(local_datagram(loose(4, of(far)))).empty());
    CHECK_RFC("R7126-003",
              !source_router()->forward(local_datagram(list({137, 7, 4, 10, 0, 2, 2, 0}))).empty());
}

TEST_CASE("options: answers go back along the route") {
    for (const bool twice : {false, true}) {
        const auto n = source_router();
        // 10.0.2.9 and 10.0.2.8 were passed; the sender may have listed itself first.
        const byte_vector hops =
            (twice ? of(remote) : byte_vector{}) + of("10.0.2.9"_ip) + of("10.0.2.8"_ip);
        const byte_vector o =
            list({131, 3 + int(hops.size()), 4 + int(hops.size())}) + hops + byte_vector(1);
        const byte_vector back = list({131, 11, 4, 10, 0, 2, 9, 20, 1, 2, 3, 0});
        const byte_vector reply =
            n->ask(ping({.source = remote, .destination = own, .options = o}), 3);
        CHECK_RFC("R1122-038", ip(reply)[ipv4::destination] == "10.0.2.8"_ip);
        CHECK_RFC("R1122-038", options(reply) == back);
        CHECK_RFC("R1122-080", is_icmp(reply, 0, 0) && options(reply) == back);
        CHECK_RFC("R1812-010", options(reply) == back);
        CHECK_RFC("R1812-010", ip(reply)[ipv4::destination] == "10.0.2.8"_ip);
        const datagram_fields f{.source = remote,
                                .destination = own,
                                .protocol = 1,
                                .options = o,
                                .payload = icmp_message(13, 0, 0x00010002, byte_vector(12))};
        const byte_vector times = n->ask(datagram_of(f), 3);
        CHECK_RFC("R1122-088", is_icmp(times, 14, 0) && options(times) == back);
        CHECK_RFC("R1122-036", ip(times)[ipv4::destination] == "10.0.2.8"_ip);
        for (const u8 kind : {u8{131}, u8{137}}) {
            byte_vector route = o, turned = back;
            route[0] = turned[0] = std::byte{kind};
            const byte_vector error = n->ask(
                datagram_of(
                    {.source = remote, .destination = own, .protocol = 77, .options = route}),
                3);
            CHECK(is_icmp(error, 3, 2));
            CHECK(options(error) == turned);
        }
        // In transit only the part before the pointer is reversed, without the next hop.
        byte_vector underway = o;
        underway.resize(o.size() - 1);
        underway[1] = std::byte(o.size() - 1 + 4);  // one more hop than the pointer says
        underway = std::move(underway) + of("10.0.1.7"_ip) + byte_vector(1);
        const byte_vector expired = n->ask(
            datagram_of({.source = remote, .destination = own, .ttl = 1, .options = underway}), 3);
        CHECK(is_icmp(expired, 11, 0));
        CHECK(options(expired) == back);
        CHECK(ip(expired)[ipv4::destination] == "10.0.2.8"_ip);
        // The exception of the requirement, which Linux does not make.
        const byte_vector second = byte_vector(o.begin(), o.end() - 1) + list({137, 3, 4});
        const byte_vector problem =
            n->ask(datagram_of({.source = remote, .destination = own, .options = second}), 3);
        CHECK_RFC_DEVIATES("R1812-055", is_icmp(problem, 12, 0) && options(problem) == back);
    }
}

TEST_CASE("options: source routes that this host originates") {
    const auto n = host();
    const wanted w{.destination = remote,
                   .options = list({131, 11, 4, 10, 0, 2, 9, 10, 0, 2, 8, 0})};
    const byte_vector sent = n->sends(pattern(8), w);
    CHECK_RFC("R1122-036", ip(sent)[ipv4::destination] == "10.0.2.9"_ip);
    CHECK_RFC("R1122-036", options(sent) == list({131, 11, 4, 10, 0, 2, 8, 20, 1, 2, 3, 0}));
    CHECK_RFC("R1812-010", options(sent) == list({131, 11, 4, 10, 0, 2, 8, 20, 1, 2, 3, 0}));
    CHECK_RFC("R1122-030", !options(sent).empty());
    const byte_vector one = list({131, 7, 4, 10, 0, 2, 9});
    CHECK_RFC("R1122-039", n->may_send_options(one));
    CHECK_RFC("R1122-039", !n->may_send_options(one + list({137, 7, 4, 10, 0, 2, 9})));
    CHECK_RFC("R1812-009", !n->may_send_options(one + one));
}

}  // namespace

}  // namespace rfc_options_source_route
