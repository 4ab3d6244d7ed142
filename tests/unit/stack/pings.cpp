// Echo requests of this host: the reply, and an error, reach the endpoint that sent the request.
#include <doctest/doctest.h>

#include "support/world.hpp"

#include <sluice/delivery/receive_queue.hpp>

namespace stack_pings {

namespace {

using namespace stack_test;

using packet_type = world<>::packet_type;

struct pinger final : packet_sink<packet_type> {
    bool take(packet_type& p, const delivery_info& i) noexcept override {
        if (full) return false;
        ++replies;
        last = support::content_of(p);
        info = i;
        p.reset();
        return true;
    }
    void error(const icmp_error_notice& n) noexcept override {
        ++errors;
        notice = n;
        extension.assign(n.extension.begin(), n.extension.end());
        quoted.assign(n.quoted.begin(), n.quoted.end());
    }
    bool full = false;
    u32 replies = 0;
    u32 errors = 0;
    byte_vector last;
    byte_vector extension;
    byte_vector quoted;
    delivery_info info;
    icmp_error_notice notice;
};

byte_vector to_us(const byte_vector& message) {
    return datagram_of(
        {.source = "10.0.1.9"_ip, .destination = "10.0.1.1"_ip, .protocol = 1, .payload = message});
}

TEST_CASE("pings: a reply reaches the endpoint with the identifier") {
    world<> b;
    pinger mine;
    pinger other;
    REQUIRE(b->delivery().add_ping({.local_port = 7}, mine));
    REQUIRE(b->delivery().add_ping({.local_port = 8}, other));
    const byte_vector request = support::echo_request(20);
    REQUIRE(b->send(b.packet(request), {.destination = "10.0.1.9"_ip, .protocol = 1}, b.now)
                .has_value());
    CHECK((support::payload_of(b.sent_one()) == request));

    const byte_vector answer = support::icmp_message(0, 0, 0x00070001, pattern(20));
    CHECK(b.receive(to_us(answer)) == fate::delivered);
    CHECK(mine.replies == 1);
    CHECK(other.replies == 0);
    CHECK((mine.last == answer));
    CHECK(mine.info.source == "10.0.1.9"_ip);
    CHECK(mine.info.interface == 2);
    CHECK(b.receive(to_us(support::icmp_message(43, 0, 0x00080101))) == fate::delivered);
    CHECK(other.replies == 1);
    CHECK(b.is_quiet());
}

TEST_CASE("pings: an unexpected reply, or one without room, is dropped") {
    world<> b;
    pinger mine;
    REQUIRE(b->delivery().add_ping({.local_port = 7}, mine));
    CHECK(b.receive(to_us(support::icmp_message(0, 0, 0x00090001))) == fate::dropped);
    CHECK(b->counters()[drop_reason::no_endpoint] == 1);
    mine.full = true;
    CHECK(b.receive(to_us(support::icmp_message(0, 0, 0x00070001))) == fate::dropped);
    CHECK(b->counters()[drop_reason::ping_full] == 1);
    CHECK(b->counters()[mib::udp_in_errors] == 0);
    CHECK(b.is_quiet());
}

TEST_CASE("pings: a raw tap and a ping endpoint both get an answer") {
    world<> b;
    receive_queue<packet_type, 4> tap;
    pinger mine;
    REQUIRE(b->delivery().add_raw({.protocol = 1}, tap));
    REQUIRE(b->delivery().add_ping({.local_port = 7}, mine));
    const byte_vector answer = to_us(support::icmp_message(0, 0, 0x00070001, pattern(9)));
    CHECK(b.receive(answer) == fate::delivered);
    CHECK(mine.replies == 1);
    REQUIRE(tap.size() == 1);
    CHECK((support::content_of(tap.next().packet) == answer));
}

TEST_CASE("pings: an error about a request is reported with its extension") {
    world<> b;
    pinger mine;
    REQUIRE(b->delivery().add_ping({.local_port = 7}, mine));
    byte_vector quote = datagram_of({.source = "10.0.1.1"_ip,
                                     .destination = "10.8.8.8"_ip,
                                     .protocol = 1,
                                     .payload = support::echo_request(20)});
    const std::size_t datagram = quote.size();
    static const byte_vector structure = [] {
        byte_vector made = list({0x20, 0, 0, 0, 0, 8, 2, 8, 0, 0, 0, 5});
        icmp::finish_extension(made);
        return made;
    }();
    const struct {
        const char* name;
        u8 type = 11;
        u32 words;
        std::size_t padded = 128;
        byte_vector behind = structure;
        std::size_t extension = 0;
        std::size_t quoted = 140;
    } rows[] = {
        {.name = "time exceeded with an interface",
         .words = 32u << 16,
         .extension = 12,
         .quoted = 128},
        {.name = "unreachable with an interface",
         .type = 3,
         .words = 32u << 16,
         .extension = 12,
         .quoted = 128},
        {.name = "a longer quote",
         .words = 40u << 16,
         .padded = 160,
         .extension = 12,
         .quoted = 160},
        {.name = "no length field", .words = 0},
        {.name = "a length field that says too little", .words = 31u << 16},
        {.name = "a length field that says too much", .words = 36u << 16},
        {.name = "a wrong sum",
         .words = 32u << 16,
         .behind = list({0x20, 0, 1, 1, 0, 8, 2, 8, 0, 0, 0, 5})},
        {.name = "another version",
         .words = 32u << 16,
         .behind = list({0x10, 0, 0, 0, 0, 4, 2, 8}),
         .quoted = 136},
        {.name = "three bytes of structure",
         .words = 32u << 16,
         .behind = list({0x20, 0, 0}),
         .quoted = 131},
        {.name = "not in a source quench", .type = 4, .words = 32u << 16},
        {.name = "nothing behind",
         .words = 0,
         .padded = datagram,
         .behind = {},
         .quoted = datagram},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        quote.resize(datagram);
        quote.resize(r.padded);
        byte_vector data = quote;
        data.insert(data.end(), r.behind.begin(), r.behind.end());
        const u32 before = mine.errors;
        CHECK(b.receive(to_us(support::icmp_message(r.type, 0, r.words, data))) == fate::delivered);
        REQUIRE(mine.errors == before + 1);
        CHECK(mine.notice.source_port == 7);
        CHECK(mine.extension.size() == r.extension);
        if (r.extension != 0) CHECK((mine.extension == r.behind));
        CHECK((mine.quoted == byte_vector(data.begin(), data.begin() + std::ptrdiff_t(r.quoted))));
    }
    CHECK(b.is_quiet());
}

}  // namespace

}  // namespace stack_pings
