// Gratuitous ARP, and other hosts that claim a local address.
#include "support.hpp"

#include <doctest/doctest.h>

namespace link_arp_conflicts {
using namespace link_test;
using frames = std::vector<std::string>;

namespace {

constexpr const char* all = "ffffffffffff";
constexpr const char* us = "020000000101";
constexpr const char* them = "020000000102";
constexpr const char* moved = "020000000166";
constexpr const char* zero = "000000000000";
constexpr ipv4::address peer = "10.0.1.2"_ip;

// Between 10.0.1.x; `operation` "1" or "2".
std::string arp_hex(const char* destination, const char* operation, const char* sender_mac,
                    const char* sender, const char* target_mac, const char* target) {
    return std::string{destination} + sender_mac + "0806000108000604000" + operation + sender_mac +
           "0a0001" + sender + target_mac + "0a0001" + target;
}

// Knows 10.0.1.2 at `them`, reachable.
void meet(linked_host<>& b) {
    static_cast<void>(b.link.resolve(2, peer, at(0)));
    b.hear(arp_hex(us, "2", them, "02", us, "01"), 2, at(0));
    REQUIRE(b.link.neighbours().find(2, peer)->state == neighbour_state::reachable);
    b.device.take();
}

}  // namespace

TEST_CASE("arp: a claim of a local address is counted and reported, not answered or learned") {
    struct row {
        const char* name;
        std::string frame;
        bool reported;
    };
    for (const row& r :
         {row{.name = "announcement",
              .frame = arp_hex(all, "1", moved, "01", zero, "01"),
              .reported = true},
          row{.name = "announcement as a reply",
              .frame = arp_hex(all, "2", moved, "01", moved, "01"),
              .reported = true},
          row{.name = "request for another",
              .frame = arp_hex(all, "1", moved, "01", zero, "63"),
              .reported = true},
          row{.name = "reply to this host",
              .frame = arp_hex(us, "2", moved, "01", us, "01"),
              .reported = true},
          row{.name = "a frame of this host, received again",
              .frame = arp_hex(all, "1", us, "01", zero, "01"),
              .reported = false},
          row{.name = "a probe",
              .frame = arp_hex(all, "1", moved, "01", zero, "01").replace(56, 8, "00000000"),
              .reported = false},
          row{.name = "another's announcement",
              .frame = arp_hex(all, "1", moved, "02", zero, "02"),
              .reported = false}}) {
        CAPTURE(r.name);
        linked_host<> b;
        b.hear(r.frame, 2, at(0));
        CHECK(b.link.counters().conflicts == (r.reported ? 1u : 0u));
        CHECK(b.addresses.conflicts == (r.reported ? frames{"2 257 102"} : frames{}));
        CHECK(b.link.neighbours().size() == 0);
        CHECK((b.device.take() == frames{}) == (std::string{r.name} != "a probe"));
    }
}

TEST_CASE("arp: an announcement updates a known neighbour at once") {
    struct row {
        const char* name;
        std::string frame;
        bool drop_gratuitous = false;
        u8 after;
    };
    const row rows[] = {
        {.name = "request", .frame = arp_hex(all, "1", moved, "02", zero, "02"), .after = 0x66},
        {.name = "reply", .frame = arp_hex(all, "2", moved, "02", moved, "02"), .after = 0x66},
        {.name = "reply that names another target",
         .frame = arp_hex(all, "2", moved, "02", zero, "02"),
         .after = 2},
        {.name = "broadcast reply about two",
         .frame = arp_hex(all, "2", moved, "02", zero, "63"),
         .after = 2},
        {.name = "request, but they are not believed",
         .frame = arp_hex(all, "1", moved, "02", zero, "02"),
         .drop_gratuitous = true,
         .after = 2},
        {.name = "request to this host",
         .frame = arp_hex(all, "1", moved, "02", zero, "01"),
         .drop_gratuitous = true,
         .after = 0x66},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        linked_host<> b;
        b.link.set_arp({.drop_gratuitous = r.drop_gratuitous});
        meet(b);
        b.hear(r.frame, 2, at(10));
        b.device.take();
        const auto* known = b.link.neighbours().find(2, peer);
        CHECK(known->hardware.parts[5] == r.after);
        CHECK(known->state == (r.after == 2 ? neighbour_state::reachable : neighbour_state::stale));
        b.send(datagram_hex, 2, peer, at(20));
        CHECK(b.device.take().at(0).substr(12, 2) == (r.after == 2 ? "02" : "66"));
    }
}

TEST_CASE("arp: an unknown sender is learned only if arp_accept says so") {
    struct row {
        const char* name;
        std::string frame;
        neighbour_state learned;  // with arp_accept
    };
    for (const row& r : {row{.name = "announcement",
                             .frame = arp_hex(all, "1", them, "02", zero, "02"),
                             .learned = neighbour_state::stale},
                         row{.name = "reply to this host",
                             .frame = arp_hex(us, "2", them, "02", us, "01"),
                             .learned = neighbour_state::reachable},
                         row{.name = "broadcast reply",
                             .frame = arp_hex(all, "2", them, "02", us, "01"),
                             .learned = neighbour_state::stale},
                         row{.name = "request for another",
                             .frame = arp_hex(all, "1", them, "02", zero, "63"),
                             .learned = neighbour_state::none}}) {
        CAPTURE(r.name);
        for (const bool accept : {false, true}) {
            CAPTURE(accept);
            linked_host<> b;
            b.link.set_arp({.accept = accept});
            b.hear(r.frame, 2, at(0));
            const auto* known = b.link.neighbours().find(2, peer);
            CHECK((known == nullptr ? neighbour_state::none : known->state) ==
                  (accept ? r.learned : neighbour_state::none));
        }
    }
}

TEST_CASE("arp: announce broadcasts the address as Linux does") {
    linked_host<> b;
    b.link.announce(2, "10.0.1.1"_ip, at(0));
    CHECK(b.device.take() == frames{"2 " + arp_hex(all, "1", us, "01", zero, "01")});
}

TEST_CASE("arp: waiting packets leave when the neighbour itself sends a request") {
    linked_host<> b;
    b.send(datagram_hex, 2, peer, at(0));
    b.device.take();
    b.hear(arp_hex(all, "1", them, "02", zero, "01"), 2, at(1));
    CHECK(b.device.take().size() == 2);  // the packet, and the answer
    CHECK(b.link.neighbours().find(2, peer)->state == neighbour_state::stale);
    CHECK(b.link.neighbours().held() == 0);
}

TEST_CASE("arp: target and source address of the requests") {
    constexpr std::string_view from_local = "4500001c0000000040010000"
                                            "0a0009010a000902"
                                            "0000000000000000";
    for (const bool ask_from_packet : {true, false}) {
        CAPTURE(ask_from_packet);
        linked_host<> b{{.spread = false}};
        b.link.set_arp({.ask_from_packet = ask_from_packet});
        b.send(from_local, 2, peer, at(0));
        CHECK(b.device.take().at(0).substr(58, 8) == (ask_from_packet ? "0a000901" : "0a000101"));
        b.hear(arp_hex(us, "2", them, "02", us, "01"), 2, at(1));
        // Confirmed later, when no packet waits: the sender address is the one for the target.
        b.send(from_local, 2, peer, at(40'000));
        b.device.take();
        b.link.poll(at(45'000), [](packet&&) {});
        CHECK(b.device.take().at(0).substr(58, 8) == "0a000101");
    }
}

}  // namespace link_arp_conflicts
