// A stack above the link: a next hop that does not answer causes host unreachable to the senders of
// the waiting packets, and to no other host. RFC 1812 section 5.2.7.1.
#include <doctest/doctest.h>

#include "linked_world.hpp"

namespace link_link_failed {

using namespace link_test;

namespace {

struct failing_world : linked_world<pool> {
    failing_world() { REQUIRE(link->set_permanent(2, "10.0.1.3"_ip, {{2, 0, 0, 0, 1, 3}}, at(0))); }

    packet_type datagram(ipv4::address from, ipv4::address to) {
        return packet(datagram_of({.source = from,
                                   .destination = to,
                                   .ttl = 9,
                                   .protocol = ipv4::protocols::udp,
                                   .payload = byte_vector(8)}));
    }
    // Until all questions have failed; to whom ICMP messages left, with their types and codes.
    std::vector<std::string> errors_after_failure() {
        for (i64 t : {1'000, 2'000, 3'000}) {
            CHECK(link->counters().unresolved == 0);
            device.sent.clear();
            link->poll(link_test::at(t), [&](packet_type&& p) {
                (**this).link_failed(std::move(p), {link_test::at(t)});
            });
        }
        return errors_left();
    }
    [[nodiscard]] std::vector<std::string> errors_left() const {
        std::vector<std::string> reported;
        for (const byte_vector& f : device.sent) {
            if (load_be<u16>(f.data() + 12) != ethernet::types::ipv4) continue;
            reported.push_back(hex_of(const_bytes{f}.subspan(30, 4)) + " " +
                               hex_of(const_bytes{f}.subspan(34, 2)));
        }
        return reported;
    }
};

}  // namespace

TEST_CASE("every sender of a waiting packet gets host unreachable after three seconds") {
    failing_world f;
    CHECK(f->receive(f.datagram("10.0.1.2"_ip, "10.0.2.77"_ip), {}) == fate::forwarded);
    CHECK(f->receive(f.datagram("10.0.1.3"_ip, "10.0.2.77"_ip), {}) == fate::forwarded);
    CHECK(f.device.sent.size() == 1);  // one question for both
    const auto reported = f.errors_after_failure();
    REQUIRE(reported.size() == 2);
    CHECK(reported[0] == "0a000102 0301");
    CHECK(reported[1] == "0a000103 0301");
}

// The error about a directed broadcast is sent by broadcast, as Linux 6.18 does: icmp_send looks at
// the source's class, not at its route.
TEST_CASE("no error goes to an address that cannot be a source") {
    const struct {
        const char* name;
        ipv4::address from;
        std::size_t errors;
    } rows[] = {
        {.name = "a host", .from = "10.0.1.2"_ip, .errors = 1},
        {.name = "directed broadcast", .from = "10.0.1.255"_ip, .errors = 1},
        {.name = "directed broadcast of the other link", .from = "10.0.2.255"_ip, .errors = 1},
        {.name = "limited broadcast", .from = "255.255.255.255"_ip, .errors = 0},
        {.name = "group", .from = "224.0.0.5"_ip, .errors = 0},
        {.name = "0.0.0.0", .from = "0.0.0.0"_ip, .errors = 0},
        {.name = "loopback", .from = "127.0.0.1"_ip, .errors = 0},
    };
    for (const auto& r : rows) {
        CAPTURE(r.name);
        failing_world f;
        f->link_failed(f.datagram(r.from, "10.0.2.77"_ip), {});
        CHECK(f.errors_left().size() == r.errors);
    }
}

}  // namespace link_link_failed
