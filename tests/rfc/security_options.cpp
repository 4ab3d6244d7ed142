// Options that RFC 7126 drops or passes, attacks by fragments, and identifications.
#include "rfc/node.hpp"

#include <set>

namespace rfc_security_options {

namespace {

using namespace rfc;

byte_vector through(const byte_vector& o) {
    return datagram_of({.options = o});
}

constexpr int obsolete[] = {11, 12, 82, 142, 145, 147, 149, 151, 152};

TEST_CASE("security: Linux processes or ignores the options that RFC 7126 would drop") {
    const auto n = router();
    CHECK_RFC_DEVIATES("R7126-004", options(n->forward(through(list({7, 7, 4, 0, 0, 0, 0, 0})))) ==
                                        list({7, 7, 8, 10, 0, 2, 1, 0}));
    const byte_vector stream = list({136, 4, 1, 2});
    CHECK_RFC_DEVIATES("R7126-005", options(n->forward(through(stream))) == stream);
    CHECK_RFC_DEVIATES("R7126-006", !n->forward(through(list({68, 8, 5, 0, 0, 0, 0, 0}))).empty());
    for (const int kind : obsolete) {
        const byte_vector o = list({kind, 4, 0, 0});
        CHECK_RFC_DEVIATES("R7126-008", options(n->forward(through(o))) == o);
    }
    // Experimental and unknown kinds; no switch drops them.
    for (const int kind : {30, 94, 158, 222, 99, 255}) {
        const byte_vector o = list({kind, 4, 0, 0});
        CHECK_RFC_DEVIATES("R7126-010", options(n->forward(through(o))) == o);
    }
    const auto hears = router();
    hears->listen_alert(plain);
    CHECK_RFC("R7126-007", hears->receive(through(list({148, 4, 0, 0}))) == fate::absorbed);
}

TEST_CASE("security: options that are no reason to drop pass every router") {
    for (const auto& make : {router, hardened}) {
        const auto n = make();
        const byte_vector alert = list({148, 4, 0, 0});
        CHECK_RFC("R7126-007", options(n->forward(through(alert))) == alert);
        for (const int kind : {130, 133}) {
            const byte_vector o = list({kind, 4, 0x5a, 0});
            CHECK_RFC("R7126-009", options(n->forward(through(o))) == o);
        }
        const byte_vector quick_start = list({25, 4, 0, 0});
        CHECK(options(n->forward(through(quick_start))) == quick_start);
        const byte_vector padding = list({1, 1, 1, 0});
        CHECK_RFC("R7126-001", options(n->forward(through(padding))) == padding);
    }
}

TEST_CASE("security: a hardened router drops the other options, silently and counted") {
    const auto n = hardened();
    n->listen();
    const auto refused = [&](const byte_vector& o) {
        return n->drops(through(o), drop_reason::option_refused) &&
               n->drops(datagram_of({.destination = own, .options = o}),
                        drop_reason::option_refused);
    };
    CHECK_RFC_HARDENED("R7126-004", refused(list({7, 7, 4, 0, 0, 0, 0, 0})));
    CHECK_RFC_HARDENED("R7126-005", refused(list({136, 4, 1, 2})));
    CHECK_RFC_HARDENED("R7126-006", refused(list({68, 8, 5, 0, 0, 0, 0, 0})));
    for (const int kind : obsolete)
        CHECK_RFC_HARDENED("R7126-008", refused(list({kind, 4, 0, 0})));
    for (const int kind : {30, 94, 158, 222, 99, 255})
        CHECK_RFC_HARDENED("R7126-010", refused(list({kind, 4, 0, 0})));
}

TEST_CASE("security: tiny first fragments and offset 1 pass a router, as in Linux") {
    const auto n = router();
    const auto h = hardened();
    const auto piece = [](u16 word, std::size_t size) {
        return datagram_of({.protocol = 6, .flags_and_offset = word, .payload = pattern(size)});
    };
    const byte_vector tiny = piece(mf, 8), second = piece(1, 8);
    CHECK_RFC_DEVIATES("R1858-001", same_but_ttl(n->forward(tiny), tiny));
    CHECK_RFC_DEVIATES("R1858-002", same_but_ttl(n->forward(second), second));
    CHECK_RFC_DEVIATES("R3128-001", same_but_ttl(n->forward(second), second));
    CHECK_RFC_HARDENED("R1858-001", h->drops(tiny, drop_reason::tiny_fragment));
    CHECK_RFC_HARDENED("R1858-002", h->drops(second, drop_reason::tiny_fragment));
    for (const byte_vector& d : {tiny, second})
        CHECK_RFC_HARDENED("R3128-001", h->drops(d, drop_reason::tiny_fragment));
    for (const byte_vector& d : {piece(mf, 16), piece(2, 8)})
        CHECK_RFC_HARDENED("R3128-001", same_but_ttl(h->forward(d), d));
}

TEST_CASE("security: a second first fragment never replaces the first") {
    const auto n = host();
    n->listen();
    const auto piece = [](u16 word, const byte_vector& data) {
        return datagram_of({.destination = own, .flags_and_offset = word, .payload = data});
    };
    const byte_vector good = pattern(32), evil(32, std::byte{0xee});
    n->receive(piece(mf, good));
    n->receive(piece(mf, evil));
    n->receive(piece(4, pattern(8)));
    CHECK_RFC("R3128-002",
              n->heard.size() == 1 && payload_of(n->heard[0].datagram) == good + pattern(8));
    // A longer one ends the whole.
    n->receive(piece(mf, good));
    n->receive(piece(mf, byte_vector(40, std::byte{0xee})));
    n->receive(piece(5, pattern(8)));
    CHECK_RFC("R3128-002", n->heard.size() == 1);
}

u16 identification_of(node& n, ipv4::address to) {
    return ip(n.sends(pattern(8), {.destination = to}))[ipv4::identification];
}

TEST_CASE("security: identifications of one flow do not predict those of another") {
    const auto n = host();
    n->pace = 1_ms;
    // One counter for all would give consecutive values; each flow begins elsewhere.
    std::set<u16> first;
    std::size_t consecutive = 0;
    u16 before = 0;
    for (u32 i = 0; i < 64; ++i) {
        const u16 id = identification_of(*n, ipv4::address{remote.value + i});
        consecutive += u16(id - before) <= 64;
        first.insert(id);
        before = id;
    }
    CHECK_RFC("R7739-001", first.size() > 60 && consecutive < 8);
    // Of one flow they do not repeat for long.
    std::set<u16> of_flow;
    for (int i = 0; i < 500; ++i)
        of_flow.insert(identification_of(*n, remote));
    CHECK_RFC("R7739-002", of_flow.size() == 500);
    // Datagrams to another destination do not advance the identification by a countable step.
    n->pace = 1_s;
    std::set<u16> steps;
    for (int i = 0; i < 20; ++i) {
        const u16 a = identification_of(*n, far);
        steps.insert(u16(identification_of(*n, far) - a));
    }
    CHECK_RFC("R7739-002", steps.size() > 10);
}

}  // namespace

}  // namespace rfc_security_options
