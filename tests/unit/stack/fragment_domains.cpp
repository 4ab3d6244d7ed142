// Which fragments of the same addresses, protocol and identification make one datagram: those that
// came by the interfaces of one routing domain (a VLAN is an interface), never those of two
// domains. Linux ip_defrag, whose key has l3mdev_master_ifindex.
#include <doctest/doctest.h>

#include "support/world.hpp"

#include <sluice/delivery/receive_queue.hpp>

#include <string>
#include <utility>

namespace stack_fragment_domains {

namespace {

using namespace stack_test;

constexpr auto own = "10.0.1.1"_ip;

// Interfaces 6 and 7 are of the domain of 4, 8 of that of 5; 2 and 3 of none.
struct domains : world<> {
    domains() {
        for (const auto& [index, master] :
             {std::pair<u16, u16>{4, 0}, {5, 0}, {6, 4}, {7, 4}, {8, 5}}) {
            REQUIRE((*this)->add_interface({.index = index, .master = master}).has_value());
        }
        REQUIRE((*this)->delivery().add_raw({.protocol = 253}, heard));
    }
    // Half of 32 octets, all of them `letter`. Raw endpoints get a copy: the packet is absorbed.
    fate receive_half(bool first, u16 interface, char letter) {
        return receive(datagram_of({.destination = own,
                                    .identification = 7,
                                    .flags_and_offset = static_cast<u16>(first ? 0x2000 : 2),
                                    .payload = byte_vector(16, static_cast<std::byte>(letter))}),
                       interface);
    }
    // The letters of the datagram that was delivered, one for each half.
    std::string next() {
        const auto packet = heard.next().packet;
        if (!packet) return "none";
        const byte_vector d = support::content_of(packet);
        REQUIRE(d.size() == 52);
        return {static_cast<char>(d[20]), static_cast<char>(d[51])};
    }
    receive_queue<world<>::packet_type, 4> heard;
};

struct way {
    const char* name;
    u16 first, second;  // interfaces
};

TEST_CASE("fragment domains: two interfaces of one domain make one datagram, in either order") {
    for (const way& w : {way{.name = "one interface", .first = 6, .second = 6},
                         {.name = "two of a domain", .first = 6, .second = 7},
                         {.name = "two without a domain", .first = 2, .second = 3}}) {
        for (const bool first : {true, false}) {
            CAPTURE(w.name);
            CAPTURE(first);
            domains b;
            CHECK(b.receive_half(first, w.first, 'a') == fate::held);
            CHECK(b.next() == "none");
            CHECK(b.receive_half(!first, w.second, 'b') == fate::absorbed);
            CHECK(b.next() == (first ? "ab" : "ba"));
            CHECK(b->held() == 0);
        }
    }
}

TEST_CASE("fragment domains: the fragments of two domains never meet") {
    for (const way& w : {way{.name = "two domains", .first = 6, .second = 8},
                         {.name = "one has none", .first = 2, .second = 7}}) {
        for (const bool first : {true, false}) {
            CAPTURE(w.name);
            CAPTURE(first);
            domains b;
            CHECK(b.receive_half(first, w.first, 'a') == fate::held);
            CHECK(b.receive_half(!first, w.second, 'b') == fate::held);
            CHECK(b->held() == 2);
            CHECK(b.next() == "none");
            // Each is still completed by its own, and neither by an overlap of the other.
            CHECK(b.receive_half(first, w.second, 'b') == fate::absorbed);
            CHECK(b.next() == "bb");
            CHECK(b.receive_half(!first, w.first, 'a') == fate::absorbed);
            CHECK(b.next() == "aa");
            CHECK(b->held() == 0);
            CHECK(b->counters()[mib::ip_reasm_oks] == 2);
            CHECK(b->counters()[mib::ip_reasm_fails] == 0);
        }
    }
}

}  // namespace

}  // namespace stack_fragment_domains
