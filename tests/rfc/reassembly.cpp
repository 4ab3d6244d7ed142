// Datagrams for this host that arrive in fragments.
#include "rfc/node.hpp"

#include <algorithm>

namespace rfc_reassembly {

namespace {

using namespace rfc;

struct place {
    std::size_t from;  // of the data, in octets
    std::size_t to;
};
// The data of these tests; 96 octets unless a test says otherwise.
const byte_vector data = pattern(96);
constexpr place thirds[] = {{.from = 0, .to = 32}, {.from = 32, .to = 64}, {.from = 64, .to = 96}};

byte_vector fragment_of(place at, datagram_fields f = {}, const byte_vector& of = data) {
    f.destination = own;
    f.flags_and_offset = static_cast<u16>(at.from / 8 + (at.to < of.size() ? mf : 0));
    f.payload = support::part(of, at.from, at.to);
    return datagram_of(f);
}
std::unique_ptr<node> listening(std::unique_ptr<node> (*make)() = host) {
    auto n = make();
    n->listen();
    n->pace = {};
    return n;
}
// Whether one datagram with this data was delivered since the last call, and no other.
bool heard(node& n, const byte_vector& expected = data) {
    const auto all = std::exchange(n.heard, {});
    return all.size() == 1 && payload_of(all[0].datagram) == expected;
}

TEST_CASE("reassembly: fragments are grouped by source, destination, protocol, identification") {
    const datagram_fields ones[] = {{.identification = 1},
                                    {.identification = 2},
                                    {.source = "10.0.1.3"_ip, .identification = 1},
                                    {.protocol = 254, .identification = 1}};
    for (const auto& make : {host, router, hardened}) {
        const auto n = listening(make);
        n->listen(254);
        for (const place& p : {thirds[0], thirds[1]}) {
            for (const auto& one : ones)
                CHECK_RFC("R791-031", n->receive(fragment_of(p, one)) == fate::held);
        }
        for (const auto& one : ones) {
            n->receive(fragment_of(thirds[2], one));
            REQUIRE(n->heard.size() == 1);
            CHECK_RFC("R791-031", ip(n->heard[0].datagram)[ipv4::source] == one.source);
            CHECK_RFC("R791-031", ip(n->heard[0].datagram)[ipv4::protocol] == one.protocol);
            CHECK_RFC("R791-031",
                      ip(n->heard[0].datagram)[ipv4::identification] == one.identification);
            CHECK_RFC("R1122-021", heard(*n));
            CHECK_RFC("R1122-122", n->heard.empty());
        }
    }
    // The same fragments to two addresses of this host.
    const auto n = listening();
    byte_vector elsewhere = fragment_of(thirds[2]);
    store_be<u32>(elsewhere.data() + 16, own_far.value);
    n->receive(fragment_of(thirds[0]));
    n->receive(fragment_of(thirds[1]));
    CHECK_RFC("R791-031", n->receive(summed(elsewhere)) == fate::held);
    n->receive(fragment_of(thirds[2]));
    CHECK_RFC("R791-031", heard(*n));
}

TEST_CASE("reassembly: a whole datagram with the identification of held fragments") {
    const auto n = listening();
    n->receive(fragment_of(thirds[0]));
    CHECK(n->hears(datagram_of({.destination = own})));
    n->heard.clear();
    n->receive(fragment_of(thirds[1]));
    n->receive(fragment_of(thirds[2]));
    CHECK_RFC_DEVIATES("R791-032", heard(*n));  // what was held is not released
}

TEST_CASE("reassembly: the timer, and the message to the sender") {
    for (const bool has_first : {true, false}) {
        for (const auto& make : {host, router}) {
            const auto n = listening(make);
            const byte_vector sent = fragment_of(has_first ? thirds[0] : thirds[1]);
            n->receive(sent);
            n->wait(duration::from_milliseconds(29'999));
            CHECK(n->sent().empty());
            CHECK_RFC_DEVIATES("R1122-127", n->count(mib::ip_reasm_timeout) == 0);
            n->wait(duration::from_milliseconds(1));
            CHECK_RFC_DEVIATES("R1122-127", n->count(mib::ip_reasm_timeout) == 1);
            CHECK_RFC("R1122-126", n->count(mib::ip_reasm_fails) == 1);
            const auto all = n->sent();
            CHECK_RFC("R1122-126", all.size() == (has_first ? 1 : 0));
            if (has_first && !all.empty()) {
                CHECK_RFC("R1122-126", is_icmp(all[0].datagram, 11, 1));
                CHECK_RFC("R1122-126", begins_with(icmp_data(all[0].datagram), sent));
            }
            // All parts are gone: the others make nothing whole.
            for (const place& p : thirds) {
                if (has_first != (p.from == 0)) n->receive(fragment_of(p));
            }
            CHECK_RFC("R791-034", n->heard.empty());
        }
    }
    const auto n = listening();
    n->change([](settings& s) { s.ipfrag_time = 60; });
    n->receive(fragment_of(thirds[0]));
    n->wait(59_s);
    CHECK(n->count(mib::ip_reasm_timeout) == 0);
    n->receive(fragment_of(thirds[1]));
    n->receive(fragment_of(thirds[2]));
    CHECK_RFC("R791-034", heard(*n));
}

TEST_CASE("reassembly: the header and the options are those of the fragment with offset 0") {
    const byte_vector route = list({7, 7, 8, 9, 9, 9, 9, 148, 4, 0, 0, 0});
    const byte_vector copied = list({148, 4, 0, 0});
    for (const bool first_comes_last : {true, false}) {
        const auto n = listening();
        const byte_vector first = fragment_of({0, 32}, {.ttl = 9, .tos = 0x10, .options = route});
        const byte_vector last = fragment_of({32, 96}, {.ttl = 99, .options = copied});
        n->receive(first_comes_last ? last : first);
        n->receive(first_comes_last ? first : last);
        REQUIRE(n->heard.size() == 1);
        const byte_vector d = n->heard[0].datagram;
        CHECK_RFC("R791-035", ip(d)[ipv4::total_length] == 32 + 96 && d.size() == 32 + 96);
        CHECK_RFC("R815-004", options(d) == route);
        CHECK_RFC("R815-004", ip(d)[ipv4::ttl] == 9 && ip(d)[ipv4::tos] == 0x10);
        CHECK_RFC("R791-035", ip(d)[ipv4::flags_and_offset] == 0);
        CHECK_RFC("R791-035",
                  ip(d)[ipv4::header_checksum] == naive_checksum(support::part(d, 0, 32)));
    }
}

TEST_CASE("reassembly: every order, also with duplicates, is whole when no hole is left") {
    const place four[] = {{.from = 0, .to = 24},
                          {.from = 24, .to = 48},
                          {.from = 48, .to = 88},
                          {.from = 88, .to = 96}};
    std::vector<std::size_t> order{0, 1, 2, 3};
    const auto n = listening();
    u16 identification = 0;
    do {
        for (std::size_t again = 0; again <= 4; ++again) {  // 4: no duplicate
            const datagram_fields f{.identification = ++identification};
            std::size_t early = 0;
            for (std::size_t i = 0; i < 4; ++i) {
                n->receive(fragment_of(four[order[i]], f));
                if (i == again && i < 3) n->receive(fragment_of(four[order[i]], f));
                early += i < 3 ? n->heard.size() : 0;
            }
            CHECK_RFC("R815-001", early == 0);
            const bool whole = heard(*n);
            CHECK_RFC("R815-001", whole);
            CHECK_RFC("R815-003", whole);
            CHECK_RFC("R6864-008", whole);
        }
    } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("reassembly: the last fragment fixes the end") {
    const byte_vector longer = pattern(200);
    const auto held_then_dropped = [&](const byte_vector& one, const byte_vector& other) {
        const auto n = listening();
        CHECK(n->receive(one) == fate::held);
        return n->receive(other) == fate::dropped && n->count(mib::ip_reasm_fails) == 1;
    };
    // Behind the end, with and without MF; an end below data that came.
    CHECK_RFC("R815-002",
              held_then_dropped(fragment_of({64, 96}), fragment_of({96, 104}, {}, longer)));
    CHECK_RFC("R815-002",
              held_then_dropped(fragment_of({64, 96}), fragment_of({96, 200}, {}, longer)));
    CHECK_RFC("R815-002",
              held_then_dropped(fragment_of({96, 104}, {}, longer), fragment_of({64, 96})));
}

TEST_CASE("reassembly: 65,535 octets, no more") {
    constexpr std::size_t most = ipv4::max_total_length - ipv4::min_header_length;  // MMS_R
    for (const auto& make : {host, router, hardened}) {
        for (const std::size_t length : {most, most + 1, std::size_t{65535 + 8}}) {
            const auto n = listening(make);
            const byte_vector large = pattern(length);
            for (std::size_t at = 0; at < length; at += 1480)
                n->receive(fragment_of({at, std::min(at + 1480, length)}, {}, large));
            if (length == most) {
                const bool whole = heard(*n, large);
                CHECK_RFC("R1122-123", whole);
                CHECK_RFC("R1122-124", whole);  // the length field expresses no more
                CHECK_RFC("R1122-125", whole);
            } else {
                CHECK_RFC("R815-005", n->heard.empty());
                CHECK_RFC("R815-005", n->count(mib::ip_reasm_fails) == 1);
            }
        }
    }
}

TEST_CASE("reassembly: a router reassembles what is for itself, and nothing else") {
    const auto n = listening(router);
    for (const place& p : thirds)
        n->receive(fragment_of(p));
    CHECK_RFC("R1812-025", heard(*n));
    byte_vector foreign = fragment_of(thirds[0]);
    store_be<u32>(foreign.data() + 16, far.value);
    CHECK_RFC("R1812-025", same_but_ttl(n->forward(summed(foreign)), summed(foreign)));
    CHECK_RFC("R1812-025", n->count(mib::ip_reasm_reqds) == 3);
}

TEST_CASE("reassembly: ECN of all sixteen sets of codepoints") {
    // Linux ip_frag_ecn_table: not-ECT with any other is refused.
    for (unsigned set = 1; set < 16; ++set) {
        const auto n = listening();
        std::vector<u8> codepoints;
        for (u8 c = 0; c < 4; ++c) {
            if ((set >> c & 1) != 0) codepoints.push_back(c);
        }
        while (codepoints.size() < 4)
            codepoints.push_back(codepoints.back());
        const place four[] = {{.from = 0, .to = 24},
                              {.from = 24, .to = 48},
                              {.from = 48, .to = 88},
                              {.from = 88, .to = 96}};
        for (std::size_t i = 0; i < 4; ++i)
            n->receive(fragment_of(four[i], {.tos = codepoints[i]}));
        const bool plain_too = (set & 1) != 0 && set != 1;
        const bool congested = (set & 8) != 0;
        const int ecn = n->heard.size() == 1 ? ip(n->heard[0].datagram)[ipv4::ecn] : -1;
        if (plain_too) {
            CHECK(ecn == -1);
            CHECK(n->count(mib::ip_reasm_fails) == 1);
            if (congested) {
                CHECK_RFC("R3168-006", ecn == -1);
            } else {
                CHECK_RFC("R3168-008", ecn == -1);
            }
        } else if (congested) {
            CHECK_RFC("R3168-005", ecn == 3);
        } else if (set == 6) {
            CHECK_RFC("R3168-008", ecn == codepoints[0]);
        }
        if (set == 1 || set == 2 || set == 4 || set == 8) {
            CHECK_RFC("R3168-007", ecn == codepoints[0]);
        }
    }
}

TEST_CASE("reassembly: a fragment that overlaps others ends the datagram, silently") {
    const place overlaps[] = {
        {.from = 24, .to = 40}, {.from = 16, .to = 64}, {.from = 24, .to = 64}};
    for (const auto& make : {host, router, hardened}) {
        for (const place& o : overlaps) {
            const auto n = listening(make);
            n->receive(fragment_of(thirds[0]));
            CHECK_RFC("R5722-001", n->receive(fragment_of(o)) == fate::dropped);
            CHECK_RFC("R6864-008", n->count(mib::ipext_reasm_overlaps) == 1);
            n->receive(fragment_of(thirds[1]));
            n->receive(fragment_of(thirds[2]));
            CHECK_RFC("R5722-001", n->heard.empty());
            CHECK_RFC("R5722-001", n->sent().empty());
        }
    }
}

TEST_CASE("reassembly: a flood of fragments starves no other datagrams") {
    for (const auto& make : {host, router, hardened}) {
        const auto n = listening(make);
        for (u16 i = 0; i < 5000; ++i) {
            n->receive(fragment_of(
                thirds[0], {.source = ipv4::address{0x0a000180u + i % 100}, .identification = i}));
        }
        CHECK_RFC("R8900-004", n->count(drop_reason::fragment_limit) > 0);
        CHECK_RFC("R8900-004", n->hears(datagram_of({.destination = own})));
        CHECK_RFC("R8900-004", is_icmp(n->ask(ping()), 0, 0));
    }
}

}  // namespace

}  // namespace rfc_reassembly
