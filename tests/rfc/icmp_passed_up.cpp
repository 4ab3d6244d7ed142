// Received ICMP errors about sent datagrams, and the endpoints to which they are reported.
#include "rfc/node.hpp"

namespace rfc_icmp_passed_up {

namespace {

using namespace rfc;

// A datagram of the node, as a router on the path quotes it.
byte_vector quoted(u8 protocol = plain, std::size_t size = 16) {
    return datagram_of(
        {.source = own, .destination = remote, .protocol = protocol, .payload = pattern(size)});
}
byte_vector about(u8 type, u8 code, u32 word, const byte_vector& quote) {
    return datagram_of({.source = "10.0.1.254"_ip,
                        .destination = own,
                        .protocol = 1,
                        .payload = icmp_message(type, code, word, quote)});
}

TEST_CASE("icmp: errors go to the protocol that the quote names, with the quote") {
    const auto n = host();
    n->listen(plain);
    const auto reported = [&](u8 type, u8 code, u32 word) {
        n->errors.clear();
        n->receive(about(type, code, word, quoted()));
        return n->errors.size() == 1 && n->errors[0].notice.type == type &&
               n->errors[0].notice.code == code;
    };
    for (const u8 code : {u8{0}, u8{1}, u8{2}, u8{3}, u8{4}, u8{5}}) {
        CHECK_RFC("R1122-056", reported(3, code, 1400));
        CHECK_RFC("R1122-047", reported(3, code, 1400));
    }
    for (u8 code = 6; code <= 12; ++code)
        CHECK_RFC("R1122-059", reported(3, code, 0));
    CHECK_RFC("R1122-069", reported(12, 0, 20u << 24) && n->errors[0].notice.info == 20);
    CHECK_RFC("R1122-070", reported(12, 0, 9u << 24) && n->errors[0].notice.info == 9);
    CHECK_RFC("R1122-071", reported(12, 1, 0));
    CHECK_RFC("R1122-065", reported(4, 0, 0));
    CHECK(reported(11, 0, 0));
    CHECK(reported(3, 3, 0));
    CHECK_RFC_DEVIATES("R1122-067", !reported(11, 1, 0));
    CHECK_RFC_DEVIATES("R1122-164", !reported(11, 1, 0));
    // The unused field of the message does not matter.
    CHECK_RFC("R792-004", reported(11, 0, 0xffffffff) && reported(3, 1, 0xffffffff));
    // An error about another protocol is not reported, and one without a full quote is ignored.
    n->errors.clear();
    n->receive(about(3, 1, 0, quoted(99)));
    CHECK_RFC("R1122-047", n->errors.empty());
    n->receive(about(3, 1, 0, byte_vector(12)));
    CHECK_RFC("R1122-047", n->errors.empty() && n->count(mib::icmp_in_errors) == 1);
}

TEST_CASE("icmp: the whole quote is passed up") {
    const auto n = host();
    n->listen(plain);
    for (const std::size_t size : {8u, 100u, 528u}) {
        n->errors.clear();
        n->receive(about(3, 1, 0, quoted(plain, size)));
        REQUIRE(n->errors.size() == 1);
        CHECK_RFC("R1122-165", begins_with(n->errors[0].quoted, quoted(plain, size)));
        CHECK_RFC("R1122-165", n->errors[0].notice.destination == remote);
        CHECK_RFC("R1122-165", n->errors[0].notice.offender == "10.0.1.254"_ip);
    }
}

TEST_CASE("icmp: net, host and source route unreachable are hints") {
    const auto n = host();
    n->listen(plain);
    for (const u8 code : {u8{0}, u8{1}, u8{5}}) {
        n->receive(about(3, code, 0, quoted()));
        const byte_vector sent = n->sends(pattern(16), {.destination = remote});
        CHECK_RFC("R1122-058", ip(sent)[ipv4::destination] == remote);
    }
}

TEST_CASE("icmp: source quench is neither sent nor heeded") {
    const auto n = router();
    CHECK_RFC("R6633-003", n->receive(about(4, 0, 0, quoted())) == fate::delivered);
    CHECK_RFC("R6633-003", n->sent().empty());
    for (int i = 0; i < 3; ++i)
        CHECK_RFC("R6633-003", !n->sends(pattern(900), {.destination = remote}).empty());
    // More than the output takes: dropped, and no word about it.
    n->pace = {};
    u64 refused = 0;
    for (int i = 0; i < 100; ++i)
        refused += n->receive(datagram_of({}), 2, link_addressing::host) == fate::dropped;
    CHECK(refused > 0);
    CHECK_RFC("R6633-001", n->count(drop_reason::output_refused) == refused);
    CHECK_RFC("R6633-001", n->count(mib::icmp_out_msgs) == 0);
    CHECK_RFC("R1812-128", n->count(mib::icmp_out_src_quenchs) == 0 && refused > 0);
    CHECK_RFC("R1812-068", n->count(mib::icmp_out_src_quenchs) == 0 && refused > 0);
    CHECK_RFC("R792-011", n->count(mib::icmp_out_src_quenchs) == 0 && refused > 0);
}

TEST_CASE("icmp: programs ask and are answered, and may refuse ports themselves") {
    const auto n = host();
    n->listen_raw(1);
    for (const u8 type : {u8{8}, u8{13}, u8{42}}) {
        const byte_vector question = icmp_message(type, 0, 0x00070001, byte_vector(12));
        const byte_vector sent = n->sends(question, {.destination = far, .protocol = 1});
        CHECK_RFC("R1122-163", is_icmp(sent, type, 0));
        if (type == 8) CHECK_RFC("R1122-073", is_icmp(sent, 8, 0));
    }
    const byte_vector refusal =
        icmp_message(3, 3, 0, datagram_of({.source = far, .destination = own_far}));
    CHECK_RFC("R1122-163", is_icmp(n->sends(refusal, {.destination = far, .protocol = 1}), 3, 3));
    const auto answer = [&](u8 type) {
        return datagram_of({.source = far,
                            .destination = own_far,
                            .protocol = 1,
                            .payload = icmp_message(type, 0, 0x00070001, byte_vector(12))});
    };
    n->receive(answer(0), 3);
    CHECK_RFC("R1122-078", n->heard.size() == 1 && n->heard[0].datagram == answer(0));
    CHECK_RFC("R1122-073", n->heard.size() == 1 && n->heard[0].datagram == answer(0));
    n->receive(answer(14), 3);
    CHECK_RFC("R1122-089", n->heard.size() == 2 && n->heard[1].datagram == answer(14));
}

}  // namespace

}  // namespace rfc_icmp_passed_up
