// How a datagram that exceeds the MTU is cut, of others and of this host's own.
#include "rfc/node.hpp"

namespace rfc_fragment {

namespace {

using namespace rfc;

// What leaves by interface 3 because this datagram came.
std::vector<byte_vector> cut(node& n, const byte_vector& d) {
    CHECK(n.receive(d) == fate::forwarded);
    std::vector<byte_vector> all;
    for (const auto& s : n.sent())
        all.push_back(s.datagram);
    return all;
}
std::unique_ptr<node> narrow(u32 mtu) {
    auto n = router();
    n->set_mtu(3, mtu);
    return n;
}
u16 word(const byte_vector& d) {
    return ip(d)[ipv4::flags_and_offset];
}
std::size_t data_of(const byte_vector& d) {
    return d.size() - ipv4::header_length(ip(d));
}
bool is_right(const byte_vector& d) {
    const std::size_t header = ipv4::header_length(ip(d));
    return ip(d)[ipv4::total_length] == d.size() &&
           ip(d)[ipv4::header_checksum] == naive_checksum(support::part(d, 0, header));
}

TEST_CASE("fragment: flags and offsets of fragments") {
    const auto n = narrow(600);
    const auto pieces =
        cut(*n, datagram_of({.flags_and_offset = 0x8000, .payload = pattern(1700)}));
    REQUIRE(pieces.size() == 3);
    for (const byte_vector& p : pieces) {
        CHECK_RFC("R791-005", (word(p) & 0xc000) == 0);  // the reserved flag and DF
    }
    CHECK_RFC("R791-005", word(pieces[0]) == mf);
    CHECK_RFC("R791-006", (word(pieces[0]) & 0x1fff) == 0);
    CHECK_RFC("R791-006", word(pieces[1]) == (mf | 576 / 8));
    CHECK_RFC("R791-006", word(pieces[2]) == 2 * 576 / 8);
    const byte_vector own_one = n->sends(pattern(16), {});
    CHECK_RFC("R791-005", (word(own_one) & 0x8000) == 0);
}

TEST_CASE("fragment: 68 octets pass every link that carries IPv4") {
    const auto n = narrow(68);
    const byte_vector smallest =
        datagram_of({.options = byte_vector(40, std::byte{1}), .payload = pattern(8)});
    REQUIRE(smallest.size() == 68);
    CHECK_RFC("R791-025", n->forward(smallest).size() == 68);
    CHECK_RFC("R791-025", word(n->forward(smallest)) == 0);
    const auto pieces =
        cut(*n, datagram_of({.options = byte_vector(40, std::byte{1}), .payload = pattern(17)}));
    REQUIRE(pieces.size() == 3);
    CHECK_RFC("R791-025", pieces[0].size() == 68);
    n->set_mtu(3, 67);
    CHECK(n->receive(datagram_of({})) == fate::dropped);
}

TEST_CASE("fragment: a datagram with DF is never cut, and keeps DF") {
    for (const auto& make : {router, hardened}) {
        const auto n = make();
        n->set_mtu(3, 600);
        const byte_vector d = datagram_of({.flags_and_offset = df, .payload = pattern(581)});
        const byte_vector answer = n->ask(d);
        CHECK_RFC("R791-026", is_icmp(answer, 3, 4));
        CHECK_RFC("R791-026", n->count(mib::ip_frag_fails) == 1);
        CHECK_RFC("R6864-006", n->count(mib::ip_frag_creates) == 0);
        const byte_vector passes =
            n->forward(datagram_of({.flags_and_offset = df, .payload = pattern(580)}));
        CHECK_RFC("R6864-006", word(passes) == df);
        CHECK_RFC("R791-026", passes.size() == 600);
    }
}

TEST_CASE("fragment: the rule NFB = (MTU - IHL*4) / 8, as few as can be, in order of offset") {
    for (const u32 mtu : {68u, 100u, 296u, 576u, 1006u, 1492u}) {
        for (const std::size_t options : {0u, 4u, 12u}) {
            for (const std::size_t payload : {1500u, 1600u, 1700u, 1744u, 1748u}) {
                const auto n = narrow(mtu);
                const byte_vector d = datagram_of(
                    {.options = byte_vector(options, std::byte{1}), .payload = pattern(payload)});
                const auto pieces = cut(*n, d);
                const std::size_t header = 20 + options;
                const std::size_t blocks = (mtu - header) / 8;
                std::size_t done = 0;
                std::size_t wrong = 0;
                std::size_t smaller_before = 0;
                for (std::size_t i = 0; i < pieces.size(); ++i) {
                    const bool last = i + 1 == pieces.size();
                    wrong += !last && data_of(pieces[i]) != blocks * 8 ? 1u : 0u;
                    wrong += pieces[i].size() > mtu ? 1u : 0u;
                    smaller_before += ipv4::offset_in_bytes(ip(pieces[i])) != done ? 1u : 0u;
                    done += data_of(pieces[i]);
                }
                const std::size_t limit = mtu - header;
                const std::size_t least =
                    payload <= limit ? 1 : 1 + (payload - limit + blocks * 8 - 1) / (blocks * 8);
                CHECK_RFC("R791-027", wrong == 0);
                CHECK_RFC("R1812-021", done == payload);
                CHECK_RFC("R1812-022", pieces.size() == least);
                CHECK_RFC("R1812-023", smaller_before == 0);
            }
        }
    }
}

TEST_CASE("fragment: the header of each, with its own length, place and checksum") {
    const auto n = narrow(600);
    for (const u16 flags : {u16{0}, mf, u16(mf | 100), u16{100}}) {
        const byte_vector d = datagram_of({.source = "10.0.1.77"_ip,
                                           .destination = remote,
                                           .ttl = 33,
                                           .tos = 0xb8,
                                           .identification = 0xbeef,
                                           .flags_and_offset = flags,
                                           .payload = pattern(1704)});
        const auto pieces = cut(*n, d);
        REQUIRE(pieces.size() == 3);
        for (std::size_t i = 0; i < 3; ++i) {
            const byte_vector& p = pieces[i];
            CHECK_RFC("R791-028", p[0] == d[0] && p[1] == d[1] && p[9] == d[9]);
            CHECK_RFC("R791-028", ip(p)[ipv4::identification] == 0xbeef && ip(p)[ipv4::ttl] == 32);
            CHECK_RFC("R791-028", support::part(p, 12, 20) == support::part(d, 12, 20));
            CHECK_RFC("R791-028", ip(p)[ipv4::more_fragments] == (i < 2 || (flags & mf) != 0));
            CHECK_RFC("R791-030", is_right(p));
            CHECK_RFC("R791-030", ip(p)[ipv4::fragment_offset] == (flags & 0x1fff) + i * 72);
            CHECK_RFC("R791-030", support::part(p, 20, p.size()) ==
                                      support::part(d, 20 + i * 576, 20 + i * 576 + data_of(p)));
        }
    }
}

TEST_CASE("fragment: options without the copied flag are in the first fragment alone") {
    const auto n = narrow(600);
    const byte_vector both = list({7, 7, 8, 9, 9, 9, 9, 148, 4, 0, 0, 0});  // record route, alert
    const auto pieces = cut(*n, datagram_of({.options = both, .payload = pattern(1000)}));
    REQUIRE(pieces.size() == 2);
    CHECK_RFC("R791-029", options(pieces[0]) == both);
    // As many octets, so that the header stays as long.
    CHECK_RFC("R791-029", options(pieces[1]) == list({1, 1, 1, 1, 1, 1, 1, 148, 4, 0, 0, 0}));
    CHECK_RFC("R791-030", is_right(pieces[0]) && is_right(pieces[1]));
    const auto later =
        cut(*n, datagram_of({.flags_and_offset = 5, .options = both, .payload = pattern(1000)}));
    REQUIRE(later.size() == 2);
    CHECK(options(later[0]) == both);  // what a later fragment has was copied
    CHECK(options(later[1]) == both);
}

TEST_CASE("fragment: this host's own datagrams, and what it may not cut") {
    for (const auto& make : {host, router, hardened}) {
        const auto n = make();
        n->set_mtu(3, 600);
        REQUIRE(n->send(pattern(1700), {}));
        std::size_t done = 0;
        for (const auto& s : n->sent()) {
            CHECK_RFC("R1122-129", s.datagram.size() <= 600 && is_right(s.datagram));
            CHECK_RFC("R1122-129", ipv4::offset_in_bytes(ip(s.datagram)) == done);
            done += data_of(s.datagram);
        }
        CHECK_RFC("R1122-129", done == 1700);
        CHECK_RFC("R1122-130", !n->send(pattern(581), {.dont_fragment = true}));
        CHECK_RFC("R1122-130", n->sent().empty());
        CHECK_RFC("R1122-130", n->send(pattern(580), {.dont_fragment = true}));
        CHECK(n->sent().size() == 1);
    }
}

}  // namespace

}  // namespace rfc_fragment
