// Options in general: bytes, padding, unknown options, stream identifiers and labels.
// security_options.cpp tests the options that a hardened router drops.
#include "rfc/node.hpp"

#include <sluice/options/fragment.hpp>

namespace rfc_options_walk {

namespace {

using namespace rfc;
namespace kinds = ipv4::option_kinds;

byte_vector local_datagram(const byte_vector& options) {
    return datagram_of({.destination = own, .options = options});
}
byte_vector through(const byte_vector& options) {
    return datagram_of({.options = options});
}

TEST_CASE("options: hosts and routers process the options of every datagram") {
    const byte_vector malformed = list({1, 7, 2, 4});  // a record route too short for its pointer
    for (const auto& make : {host, router, hardened}) {
        const auto n = make();
        CHECK_RFC("R791-010", is_icmp(n->ask(local_datagram(malformed)), 12, 0));
        if (make != host) CHECK_RFC("R791-010", is_icmp(n->ask(through(malformed)), 12, 0));
        if (make == hardened) continue;  // it drops the datagrams that follow
        n->listen();
        CHECK_RFC("R791-010", n->hears(local_datagram(list({1, 7, 7, 4, 0, 0, 0, 0}))));
        CHECK_RFC("R791-010", options(n->heard[0].datagram) == list({1, 7, 7, 8, 10, 0, 1, 1}));
    }
}

TEST_CASE("options: the kind byte has a copied flag, a class and a number") {
    const struct {
        u8 kind;
        bool copied = false;
        int of_class = 0;
        int number;
    } rows[] = {{.kind = kinds::record_route, .number = 7},
                {.kind = kinds::timestamp, .of_class = 2, .number = 4},
                {.kind = kinds::loose_source_route, .copied = true, .number = 3},
                {.kind = kinds::strict_source_route, .copied = true, .number = 9},
                {.kind = kinds::stream_id, .copied = true, .number = 8},
                {.kind = kinds::security, .copied = true, .number = 2},
                {.kind = kinds::router_alert, .copied = true, .number = 20},
                {.kind = kinds::traceroute, .of_class = 2, .number = 18}};
    for (const auto& r : rows) {
        CHECK_RFC("R791-011", ipv4::is_copied(r.kind) == r.copied);
        CHECK_RFC("R791-011", ipv4::option_class(r.kind) == r.of_class);
        CHECK_RFC("R791-011", ipv4::option_number(r.kind) == r.number);
    }
    // The copied flag applies to unknown kinds too.
    byte_vector area = list({0xdd, 4, 7, 7, 0x5d, 4, 7, 7});
    ip_options::fragment(bytes{area});
    CHECK_RFC("R791-011", area == list({0xdd, 4, 7, 7, 1, 1, 1, 1}));
}

TEST_CASE("options: the end of the list ends it, no operation is one byte") {
    const auto n = router();
    n->listen();
    // What follows the end is malformed and is not looked at.
    CHECK_RFC("R791-012", n->hears(local_datagram(list({1, 0, 7, 2}))));
    CHECK_RFC("R791-012", !n->forward(through(list({0, 131, 99, 4}))).empty());
    CHECK_RFC("R791-012", n->hears(local_datagram(list({148, 4, 0, 0, 0, 0xff, 0xff, 0xff}))));
    CHECK_RFC("R791-013", n->hears(local_datagram(list({1, 1, 1, 7, 7, 4, 0, 0, 0, 0, 1, 1}))));
    CHECK_RFC("R791-013",
              options(n->heard.back().datagram) == list({1, 1, 1, 7, 7, 8, 10, 0, 1, 1, 1, 1}));
    CHECK_RFC("R791-013", options(n->forward(through(list({1, 1, 1, 1})))) == list({1, 1, 1, 1}));
    CHECK_RFC("R1812-020", n->hears(local_datagram(list({1, 1, 1, 0}))));
    CHECK_RFC("R1812-020", n->hears(local_datagram(list({0x5d, 6, 1, 2, 3, 4, 1, 0}))));
    CHECK_RFC("R7126-001", !n->forward(through(list({1, 1, 1, 0}))).empty());
    CHECK_RFC("R7126-001", !hardened()->forward(through(list({1, 0, 0, 0}))).empty());
}

TEST_CASE("options: unknown options are delivered and forwarded unchanged") {
    for (const auto& make : {host, router}) {
        const auto n = make();
        n->listen();
        for (const u8 kind : {u8{0x5d}, u8{0xdd}, u8{25}, u8{82}, u8{130}, u8{142}, u8{222}}) {
            const byte_vector o = list({kind, 6, 9, 8, 7, 6, 1, 0});
            CHECK_RFC("R1122-032", n->hears(local_datagram(o)) && n->sent().empty());
            CHECK_RFC("R1122-031", options(n->heard.back().datagram) == o);
            CHECK_RFC("R1812-005", options(n->heard.back().datagram) == o);
            if (make == host) continue;
            const byte_vector out = n->forward(through(o));
            CHECK_RFC("R1812-140", options(out) == o && ipv4::checksum_ok(ip(out)));
        }
        CHECK_RFC(
            "R1122-032",
            options(n->ask(ping({.destination = own, .options = list({0x5d, 4, 1, 2})}))).empty());
    }
}

TEST_CASE("options: all received options are passed to the endpoint") {
    const auto n = source_router();
    n->listen();
    const byte_vector all = list({7, 7, 4, 0, 0, 0, 0, 68, 8, 5, 0, 0, 0, 0, 0, 148, 4, 0, 0, 1});
    CHECK(n->hears(local_datagram(all)));
    const byte_vector got = options(n->heard[0].datagram);
    CHECK_RFC("R1122-162",
              got.size() == 20 && begins_with(got, list({7, 7, 8, 10, 0, 1, 1, 68, 8, 9})));
    CHECK_RFC("R1122-162", byte_vector(got.begin() + 15, got.end()) == list({148, 4, 0, 0, 1}));
    CHECK_RFC("R1122-031", begins_with(got, list({7, 7, 8, 10, 0, 1, 1})));
    CHECK_RFC("R1812-005", byte_vector(got.begin() + 15, got.end()) == list({148, 4, 0, 0, 1}));
}

TEST_CASE("options: stream identifiers are ignored, and pass unchanged") {
    const byte_vector stream = list({136, 4, 0x12, 0x34});
    for (const auto& make : {host, router}) {
        const auto n = make();
        n->listen();
        CHECK_RFC("R1122-035", n->hears(local_datagram(stream)) && n->sent().empty());
        CHECK_RFC("R1812-007", n->hears(local_datagram(stream)));
        const byte_vector reply = n->ask(ping({.destination = own, .options = stream}));
        CHECK_RFC("R1122-034", is_icmp(reply, 0, 0) && options(reply).empty());
        CHECK_RFC("R1122-034", !n->may_send_options(stream));
        if (make != host) CHECK_RFC("R1812-141", options(n->forward(through(stream))) == stream);
    }
    // Known by number and length, and copied into each fragment.
    CHECK_RFC("R791-024", kinds::stream_id == 136 && ipv4::is_copied(136) && ipv4::is_copied(130));
    byte_vector area = stream + list({130, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
    const byte_vector before = area;
    ip_options::fragment(bytes{area});
    CHECK_RFC("R791-024", area == before);
    CHECK_RFC("R791-024", !router()->forward(through(before)).empty());
}

TEST_CASE("options: router alert is taken by listeners, for value 0 alone, and ignored by hosts") {
    const byte_vector alert = list({148, 4, 0, 0});
    const auto n = router();
    CHECK_RFC("R2113-002", options(n->forward(through(alert))) == alert);
    n->listen_alert(plain);
    CHECK_RFC("R2113-001", n->receive(through(alert)) == fate::absorbed && n->heard.size() == 1);
    CHECK_RFC("R2113-001", n->sent().empty() && ipv4::is_copied(148));
    for (const auto& reserved : {list({148, 4, 0, 1}), list({148, 4, 0xff, 0xff})}) {
        CHECK_RFC("R2113-001", options(n->forward(through(reserved))) == reserved);
        CHECK_RFC("R2113-002", n->heard.size() == 1);
    }
    CHECK_RFC("R2113-002",
              options(n->forward(datagram_of({.protocol = 99, .options = alert}))) == alert);
    const auto h = host();
    h->listen();
    CHECK_RFC("R2113-003", h->hears(local_datagram(alert)) && h->sent().empty());
    CHECK_RFC("R2113-003", options(h->ask(ping({.destination = own, .options = alert}))).empty());
}

}  // namespace

}  // namespace rfc_options_walk
