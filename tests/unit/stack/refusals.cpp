// Errors to the senders of refused packets, and cases in which well-known stacks had faults.
#include <doctest/doctest.h>

#include "support/world.hpp"

namespace stack_refusals {

namespace {

using namespace stack_test;

constexpr u16 df = 0x4000;
const byte_vector ping = support::echo_request(20);

TEST_CASE("refusals: TTL 1 is not forwarded as 0, on the accept branch or the full path") {
    for (const byte_vector& options : {byte_vector{}, list({1, 1, 1, 1})}) {
        world<> b;
        for (const u8 ttl : {u8{0}, u8{1}}) {
            const byte_vector d = datagram_of({.ttl = ttl, .options = options});
            CHECK(b.receive(d) == fate::dropped);
            check(b.sent_one(), support::right_sums(), support::icmp_is(11, 0),
                  support::quotes(d, d.size()), support::destination("10.0.1.2"_ip));
        }
        CHECK(b.receive(datagram_of({.ttl = 2, .options = options})) == fate::forwarded);
        check(b.sent_one(), support::right_sums(), support::ttl(1));
    }
}

TEST_CASE("refusals: TTL 0 and 1 to this host are received") {
    world<> b;
    for (const u8 ttl : {u8{0}, u8{1}}) {
        CHECK(b.receive(datagram_of(
                  {.destination = "10.0.2.1"_ip, .ttl = ttl, .protocol = 1, .payload = ping})) ==
              fate::delivered);
        check(b.sent_one(), support::icmp_is(0, 0, 0x00070001), support::ttl(64));
    }
}

TEST_CASE("refusals: fragmentation needed carries the MTU of the next hop") {
    world<> b;
    REQUIRE(b->add_route({.prefix = "10.9.0.0/16"_prefix, .mtu = 1280, .gateway = "10.0.2.254"_ip})
                .has_value());
    REQUIRE(b->set_mtu(3, 1400).has_value());
    const struct {
        ipv4::address to;
        std::size_t payload;
        u32 mtu;
    } rows[] = {{.to = "10.0.2.2"_ip, .payload = 1381, .mtu = 1400},
                {.to = "10.9.1.1"_ip, .payload = 1261, .mtu = 1280}};
    for (const auto& r : rows) {
        const byte_vector d = datagram_of(
            {.destination = r.to, .flags_and_offset = df, .payload = pattern(r.payload)});
        CHECK(b.receive(d) == fate::dropped);
        check(b.sent_one(), support::icmp_is(3, 4, r.mtu), support::quotes(d, 548),
              support::size(576));
        CHECK(b.receive(datagram_of({.destination = r.to,
                                     .flags_and_offset = df,
                                     .payload = pattern(r.payload - 1)})) == fate::forwarded);
        CHECK(b.sent().size() == 1);
    }
}

TEST_CASE("refusals: a header length under 5 is dropped") {
    world<> b;
    for (int words = 0; words < 5; ++words) {
        byte_vector d = datagram_of({.destination = "10.0.1.1"_ip, .protocol = 1, .payload = ping});
        d[0] = static_cast<std::byte>(0x40 | words);
        store_be<u16>(d.data() + 10, 0);
        store_be<u16>(d.data() + 10, checksum::compute_header(d.data(), unsigned(words)));
        CHECK(b.receive(d) == fate::dropped);
    }
    CHECK(b->counters()[drop_reason::header_invalid] == 5);
    CHECK(b.is_quiet());
}

TEST_CASE("refusals: bad options are never copied into an answer") {
    world<> b;
    const struct {
        const char* name;
        byte_vector options;
        u32 pointer;
        byte_vector answered = {};  // the good options before the bad one are returned, as in Linux
    } rows[] = {
        {.name = "record route beyond the header", .options = list({7, 255, 4, 0}), .pointer = 20},
        {.name = "record route, pointer 3",
         .options = list({7, 7, 3, 0, 0, 0, 0, 0}),
         .pointer = 22},
        {.name = "timestamp of length 3", .options = list({68, 3, 5, 0}), .pointer = 21},
        {.name = "two record routes",
         .options = list({7, 3, 4, 7, 3, 4, 0, 0}),
         .pointer = 23,
         .answered = list({7, 3, 4, 0})},
        {.name = "a good one and one beyond",
         .options = list({7, 3, 4, 68, 40, 5, 0, 0}),
         .pointer = 23,
         .answered = list({7, 3, 4, 0})},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        const byte_vector d = datagram_of(
            {.destination = "10.0.1.1"_ip, .protocol = 1, .options = r.options, .payload = ping});
        CHECK(b.receive(d) == fate::dropped);
        const byte_vector sent = b.sent_one();
        check(sent, support::right_sums(), support::icmp_is(12, 0, r.pointer << 24),
              support::quotes(d, d.size()));
        CHECK((byte_vector(sent.begin() + 20,
                           sent.end() - 8 - static_cast<std::ptrdiff_t>(d.size())) == r.answered));
        b.now = {b.now.now + 10_s, 0};
    }
    CHECK(b->counters()[drop_reason::option_invalid] == std::size(rows));
}

TEST_CASE("refusals: a refused packet with options is quoted with them") {
    world<> b;
    const byte_vector d = datagram_of({.ttl = 1, .options = list({148, 4, 0, 1})});
    b.receive(d);
    check(b.sent_one(), support::icmp_is(11, 0), support::quotes(d, d.size()));
}

TEST_CASE("refusals: no error about an error, a later fragment, a broadcast or a multicast") {
    const byte_vector error = support::icmp_message(3, 1, 0, datagram_of({}));
    const struct {
        const char* name;
        support::datagram_fields fields;
        link_addressing seen_as;
    } rows[] = {
        {.name = "an error",
         .fields = {.ttl = 1, .protocol = 1, .payload = error},
         .seen_as = link_addressing::host},
        {.name = "a later fragment",
         .fields = {.ttl = 1, .flags_and_offset = 8},
         .seen_as = link_addressing::host},
        {.name = "link-layer broadcast",
         .fields = {.ttl = 1},
         .seen_as = link_addressing::broadcast},
        {.name = "link-layer multicast to this host",
         .fields = {.destination = "10.0.1.1"_ip},
         .seen_as = link_addressing::multicast},
        {.name = "to a local broadcast address",
         .fields = {.destination = "10.0.1.255"_ip},
         .seen_as = link_addressing::host},
        {.name = "to all systems",
         .fields = {.destination = "224.0.0.1"_ip},
         .seen_as = link_addressing::host},
        {.name = "for another host", .fields = {.ttl = 1}, .seen_as = link_addressing::other_host},
        {.name = "from a group",
         .fields = {.source = "239.1.1.1"_ip, .ttl = 1},
         .seen_as = link_addressing::host},
        {.name = "from 0.0.0.0",
         .fields = {.source = {}, .ttl = 1},
         .seen_as = link_addressing::host},
        {.name = "from the limited broadcast",
         .fields = {.source = ipv4::limited_broadcast},
         .seen_as = link_addressing::host},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        world<> b;
        CHECK(b.receive(datagram_of(r.fields), 2, r.seen_as) == fate::dropped);
        CHECK(b.is_quiet());
    }
}

TEST_CASE("refusals: a failed link causes host unreachable to the sender") {
    world<> b;
    const byte_vector d = datagram_of({.payload = pattern(40)});
    CHECK(b.receive(d) == fate::forwarded);
    auto item = b->output().next();
    const byte_vector forwarded = support::content_of(item.packet);
    b->link_failed(std::move(item.packet), b.now);
    check(b.sent_one(), support::right_sums(), support::icmp_is(3, 1),
          support::destination("10.0.1.2"_ip), support::source("10.0.1.1"_ip),
          support::quotes(forwarded, forwarded.size()));
    CHECK(b->counters()[drop_reason::neighbour_unreachable] == 1);
    b->link_failed({}, b.now);
    CHECK(b.is_quiet());
}

TEST_CASE("refusals: a failed link is reported to this host's own handler for its packet") {
    struct listener final : protocol_handler<world<>::packet_type> {
        u32 reported = 0;
        handler_result receive(world<>::packet_type&, const delivery_info&,
                               local_services<world<>::packet_type>&) noexcept override {
            return handler_result::taken();
        }
        bool error(const icmp_error_notice& n) noexcept override {
            reported += n.type == 3 && n.code == 1 && n.destination == "10.0.2.2"_ip ? 1u : 0u;
            return true;
        }
    };
    world<> b;
    listener own;
    REQUIRE(b->delivery().set_handler(253, &own).has_value());
    REQUIRE(b->send(b.packet(pattern(8)), {.destination = "10.0.2.2"_ip, .protocol = 253}, b.now)
                .has_value());
    auto item = b->output().next();
    b->link_failed(std::move(item.packet), b.now);
    CHECK(own.reported == 1);
    CHECK(b.is_quiet());
}

TEST_CASE("refusals: 65535 bytes in fragments arrive whole; one byte more never") {
    struct roomy : policies<based_on<small_router>, buffers<fixed_pool<2048, 128>>> {};
    world<roomy> b;
    const byte_vector data = pattern(65515);
    const std::size_t step = 1480;
    for (const std::size_t surplus : {std::size_t{0}, std::size_t{1}}) {
        fate last{};
        for (std::size_t from = 0; from < data.size(); from += step) {
            const bool more = from + step < data.size();
            byte_vector part(data.begin() + static_cast<std::ptrdiff_t>(from),
                             more ? data.begin() + static_cast<std::ptrdiff_t>(from + step)
                                  : data.end());
            if (!more) part.resize(part.size() + surplus);
            last = b.receive(
                datagram_of({.destination = "10.0.1.1"_ip,
                             .identification = static_cast<u16>(surplus),
                             .flags_and_offset = static_cast<u16>(from / 8 | (more ? 0x2000u : 0u)),
                             .payload = std::move(part)}));
        }
        CHECK(last == fate::dropped);
    }
    CHECK(b->counters()[drop_reason::protocol_unknown] == 1);
    CHECK(b->counters()[drop_reason::reassembled_too_long] == 1);
    CHECK(b.sent().size() == 1);
}

}  // namespace

}  // namespace stack_refusals
