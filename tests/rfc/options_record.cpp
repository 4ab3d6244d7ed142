// Record route and timestamp: layout, limits, recorded values and their place.
#include "rfc/node.hpp"

namespace rfc_options_record {

namespace {

using namespace rfc;

byte_vector local_datagram(const byte_vector& o) {
    return datagram_of({.destination = own, .options = o});
}
byte_vector through(const byte_vector& o) {
    return datagram_of({.options = o});
}
bool problem_at(const byte_vector& answer, u32 pointer) {
    return is_icmp(answer, 12, 0) && icmp_word(answer) == pointer << 24;
}
byte_vector received(node& n, const byte_vector& o) {
    return n.hears(local_datagram(o)) ? options(n.heard.back().datagram) : byte_vector{};
}

TEST_CASE("options: record route") {
    const auto n = router();
    n->listen();
    const byte_vector out = n->forward(through(list({7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0})));
    const byte_vector recorded = list({7, 11, 8, 10, 0, 2, 1, 0, 0, 0, 0, 0});
    CHECK_RFC("R791-018", options(out) == recorded && ipv4::checksum_ok(ip(out)));
    CHECK_RFC("R1812-143", options(out) == recorded);
    CHECK_RFC("R1812-013", options(out) == recorded);  // of the interface it leaves by
    CHECK_RFC("R1812-084", options(out) == recorded);
    CHECK_RFC("R1122-040",
              received(*n, list({7, 7, 4, 0, 0, 0, 0, 0})) == list({7, 7, 8, 10, 0, 1, 1, 0}));
    const byte_vector full = list({7, 7, 8, 1, 2, 3, 4, 0});
    CHECK_RFC("R791-019", options(n->forward(through(full))) == full);
    CHECK_RFC("R791-019", received(*n, full) == full);
    CHECK_RFC("R791-018",
              problem_at(n->ask(through(list({7, 9, 8, 1, 2, 3, 4, 0, 0, 0, 0, 0}))), 22));
    CHECK_RFC("R791-018", problem_at(n->ask(through(list({7, 7, 3, 0, 0, 0, 0, 0}))), 22));
    CHECK_RFC("R791-018", problem_at(n->ask(through(list({7, 3, 4, 7, 3, 4, 0, 0}))), 23));
    // Not in later fragments.
    n->set_mtu(3, 600);
    n->receive(datagram_of({.options = list({7, 7, 4, 0, 0, 0, 0, 0}), .payload = pattern(900)}));
    const auto pieces = n->sent();
    REQUIRE(pieces.size() == 2);
    CHECK_RFC("R791-018", options(pieces[0].datagram) == list({7, 7, 8, 10, 0, 2, 1, 0}));
    CHECK_RFC("R791-018", options(pieces[1].datagram) == list({1, 1, 1, 1, 1, 1, 1, 0}));
}

TEST_CASE("options: timestamps by flag") {
    const auto n = router();
    n->listen();
    const auto stamp = [&] { return n->midnight_ms(); };
    byte_vector got = received(*n, list({68, 12, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
    CHECK_RFC("R791-021", begins_with(got, list({68, 12, 9, 0})) && word_at(got, 4) == stamp());
    CHECK_RFC("R791-022", word_at(got, 4) == stamp() && stamp() > 43'200'000);
    CHECK_RFC("R1122-041", word_at(got, 4) == stamp());
    CHECK_RFC("R1122-043", word_at(got, 4) == stamp() && word_at(got, 8) == 0);
    CHECK_RFC("R1812-012", word_at(got, 4) == stamp());
    got = received(*n, list({68, 12, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0}));
    CHECK_RFC("R791-021", begins_with(got, list({68, 12, 13, 1, 10, 0, 1, 1})));
    CHECK_RFC("R791-021", word_at(got, 8) == stamp());
    got = received(*n, list({68, 12, 5, 3, 10, 0, 1, 1, 0, 0, 0, 0}));
    CHECK_RFC("R791-021", got[2] == std::byte{13} && word_at(got, 8) == stamp());
    const byte_vector of_others = list({68, 12, 5, 3, 10, 0, 9, 9, 0, 0, 0, 0});
    CHECK_RFC("R791-021", received(*n, of_others) == of_others);
    byte_vector out = options(n->forward(through(list({68, 12, 5, 3, 10, 0, 2, 1, 0, 0, 0, 0}))));
    CHECK_RFC("R1812-144", word_at(out, 8) == stamp());  // a local address, of any interface
    out = options(n->forward(through(list({68, 12, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0}))));
    CHECK_RFC("R1812-144", word_at(out, 4) == stamp() && out[2] == std::byte{9});
    CHECK_RFC("R791-020", !ipv4::is_copied(68) && out.size() == 12);
}

TEST_CASE("options: timestamps, limits") {
    const auto n = router();
    n->listen();
    CHECK_RFC("R791-020", problem_at(n->ask(through(list({68, 8, 4, 0, 0, 0, 0, 0}))), 22));
    CHECK_RFC("R791-020", problem_at(n->ask(through(list({68, 3, 5, 0}))), 21));
    CHECK_RFC("R791-020", problem_at(n->ask(through(list({68, 4, 5, 0, 68, 4, 5, 0}))), 24));
    byte_vector longest = list({68, 40, 37, 0}) + byte_vector(36);
    CHECK_RFC("R791-020",
              received(*n, longest).size() == 40 && n->heard.back().datagram[22] == std::byte{41});
    const byte_vector full = list({68, 8, 9, 0x20, 1, 2, 3, 4});
    CHECK_RFC("R791-023", options(n->forward(through(full))) == list({68, 8, 9, 0x30, 1, 2, 3, 4}));
    CHECK_RFC("R791-023", received(*n, full) == list({68, 8, 9, 0x30, 1, 2, 3, 4}));
    CHECK_RFC("R1812-012", received(*n, full) == list({68, 8, 9, 0x30, 1, 2, 3, 4}));
    CHECK_RFC("R791-023", problem_at(n->ask(through(list({68, 8, 9, 0xf0, 1, 2, 3, 4}))), 23));
    CHECK_RFC("R791-023",
              problem_at(n->ask(through(list({68, 10, 9, 0, 1, 2, 3, 4, 5, 6, 0, 0}))), 22));
    CHECK_RFC("R791-023", problem_at(n->ask(through(list({68, 8, 5, 1, 0, 0, 0, 0}))), 22));
}

TEST_CASE("options: an answer carries the options of its request") {
    const auto n = host();
    const byte_vector route = list({7, 11, 8, 10, 0, 1, 2, 0, 0, 0, 0, 0});
    byte_vector reply = n->ask(ping({.destination = own, .options = route}));
    CHECK_RFC("R1122-079", options(reply) == list({7, 11, 12, 10, 0, 1, 2, 10, 0, 1, 1, 0}));
    CHECK_RFC("R1812-074", options(reply) == list({7, 11, 12, 10, 0, 1, 2, 10, 0, 1, 1, 0}));
    const byte_vector times = list({68, 12, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0});
    reply = n->ask(ping({.destination = own, .options = times}));
    CHECK_RFC("R1122-079", word_at(options(reply), 4) == n->midnight_ms());
    const byte_vector asked = icmp_message(13, 0, 0x00010002, byte_vector(12));
    const datagram_fields f{.destination = own, .protocol = 1, .options = route, .payload = asked};
    reply = n->ask(datagram_of(f));
    CHECK_RFC("R1122-087", is_icmp(reply, 14, 0));
    CHECK_RFC("R1122-087", options(reply) == list({7, 11, 12, 10, 0, 1, 2, 10, 0, 1, 1, 0}));
}

TEST_CASE("options: the host that originates a timestamp option records first") {
    for (const auto& make : {host, router}) {
        const auto n = make();
        const wanted plain_stamp{.options = list({68, 12, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0})};
        byte_vector sent = options(n->sends(pattern(8), plain_stamp));
        CHECK_RFC("R1122-042", word_at(sent, 4) == n->midnight_ms());
        CHECK_RFC("R1812-011", word_at(sent, 4) == n->midnight_ms());
        CHECK_RFC("R1122-030", sent.size() == 12);
        sent = options(
            n->sends(pattern(8), {.options = list({68, 12, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0})}));
        CHECK_RFC("R1122-042",
                  word_at(sent, 4) == own_far.value && word_at(sent, 8) == n->midnight_ms());
        const byte_vector of_other = list({68, 12, 5, 3, 10, 0, 2, 2, 0, 0, 0, 0});
        CHECK_RFC("R1812-011", options(n->sends(pattern(8), {.options = of_other})) == of_other);
    }
}

}  // namespace

}  // namespace rfc_options_record
