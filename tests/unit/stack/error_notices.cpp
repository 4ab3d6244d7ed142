// ICMP errors about sent datagrams: which endpoints get them, and how long the quote must be.
#include <doctest/doctest.h>

#include "unit/stack/recorder.hpp"

namespace stack_error_notices {

namespace {

using namespace stack_test;

TEST_CASE("error notices: an ICMP error reaches the handler of the protocol that it quotes") {
    world<> b;
    recorder h;
    REQUIRE(b->delivery().set_handler(253, &h).has_value());
    const byte_vector sent_datagram = datagram_of({.source = "10.0.1.1"_ip,
                                                   .destination = "10.0.2.9"_ip,
                                                   .options = list({7, 7, 4, 0, 0, 0, 0, 0}),
                                                   .payload = pattern(8)});
    const auto about = [&](const byte_vector& quoted) {
        return datagram_of({.source = "10.0.1.7"_ip,
                            .destination = "10.0.1.1"_ip,
                            .protocol = 1,
                            .payload = support::icmp_message(3, 4, 1234, quoted)});
    };
    CHECK(b.receive(about(sent_datagram)) == fate::delivered);
    REQUIRE(h.errors == 1);
    CHECK(h.notice.type == 3);
    CHECK(h.notice.code == 4);
    CHECK(h.notice.info == 1234);
    CHECK(h.notice.offender == "10.0.1.7"_ip);
    CHECK(h.notice.source == "10.0.1.1"_ip);
    CHECK(h.notice.destination == "10.0.2.9"_ip);
    CHECK((h.quoted.size() >= 28));
    CHECK(equal_bytes(h.quoted, const_bytes{sent_datagram}.first(h.quoted.size())));

    h.known = false;
    b.receive(about(sent_datagram));
    CHECK(h.errors == 2);
    CHECK(b->counters()[mib::icmp_in_errors] == 1);
    CHECK(b.is_quiet());
}

TEST_CASE("error notices: a quoted header is measured by its own length, within what came") {
    world<> b;
    recorder h;
    REQUIRE(b->delivery().set_handler(253, &h).has_value());
    const byte_vector sent_datagram = datagram_of({.source = "10.0.1.1"_ip,
                                                   .destination = "10.0.2.9"_ip,
                                                   .options = byte_vector(40, std::byte{1}),
                                                   .payload = pattern(8)});
    const struct {
        const char* name;
        std::size_t quoted = 68;
        int first = 0x4f;
        bool reported = false;
    } rows[] = {
        {.name = "60 bytes of header and 8", .reported = true},
        {.name = "one byte less", .quoted = 67},
        {.name = "a stated header of 60 bytes, 28 present", .quoted = 28},
        {.name = "header length 5", .quoted = 28, .first = 0x45, .reported = true},
        {.name = "header length 5, one byte less", .quoted = 27, .first = 0x45},
        {.name = "header length 4", .first = 0x44},
        {.name = "header length 0", .first = 0x40},
        {.name = "version 6 does not matter", .first = 0x6f, .reported = true},
        {.name = "nothing quoted", .quoted = 0},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        byte_vector quote = sent_datagram;
        quote[0] = static_cast<std::byte>(r.first);
        quote.resize(r.quoted);
        const u32 before = h.errors;
        b.receive(datagram_of({.source = "10.0.1.7"_ip,
                               .destination = "10.0.1.1"_ip,
                               .protocol = 1,
                               .payload = support::icmp_message(3, 1, 0, quote)}));
        CHECK((h.errors == before + 1) == r.reported);
        if (r.reported) CHECK((h.quoted == quote));
    }
    CHECK(b.is_quiet());
}

}  // namespace

}  // namespace stack_error_notices
