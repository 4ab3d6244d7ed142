// multicast_forward: what the tables' answer means for a received packet and for one of this host.
#include <doctest/doctest.h>

#include <sluice/pipeline/multicast_forward.hpp>

#include "support/datagrams.hpp"

namespace pipeline_multicast_forward {

namespace {

using namespace support;
using pipeline::multicast_step;

// Tables that give one answer and remember the question.
struct answering {
    multicast_route answer;
    mutable ipv4::address source{}, group{};
    mutable u16 interface = 0;
    mutable u8 ttl = 0;

    multicast_route find(ipv4::address s, ipv4::address g, u16 i, u8 t) const noexcept {
        source = s;
        group = g;
        interface = i;
        ttl = t;
        return answer;
    }
};

struct row {
    const char* name;
    multicast_route answer = {};
    bool sent_here = false;
    multicast_step step = multicast_step::forward;
};

const row rows[] = {
    {.name = "accepted",
     .answer = {.entry = 3, .ingress = 1, .upstream = 1, .is_accepted = true, .egress = 4}},
    {.name = "accepted, to nowhere",
     .answer = {.entry = 3, .ingress = 1, .upstream = 1, .is_accepted = true}},
    {.name = "own, accepted",
     .answer = {.entry = 3, .ingress = 1, .upstream = 1, .is_accepted = true, .egress = 4},
     .sent_here = true},
    {.name = "wrong interface",
     .answer = {.entry = 3, .ingress = 2, .upstream = 1},
     .step = multicast_step::wrong_interface},
    {.name = "wrong interface, which is no VIF",
     .answer = {.entry = 3, .upstream = 1},
     .step = multicast_step::wrong_interface},
    {.name = "own, by another interface",
     .answer = {.entry = 3, .ingress = 2, .upstream = 1},
     .sent_here = true,
     .step = multicast_step::ignore},
    {.name = "no entry", .answer = {.ingress = 2}, .step = multicast_step::no_entry},
    {.name = "own, no entry",
     .answer = {.ingress = 2},
     .sent_here = true,
     .step = multicast_step::no_entry},
    {.name = "no VIF", .answer = {}, .step = multicast_step::no_vif},
};

TEST_CASE("the step follows from the tables' answer") {
    const byte_vector d =
        datagram_of({.source = "10.0.1.2"_ip, .destination = "239.1.1.1"_ip, .ttl = 17});
    for (const row& r : rows) {
        CAPTURE(r.name);
        const answering tables{.answer = r.answer};
        const auto decided =
            pipeline::multicast_forward(tables, ipv4::const_view{d.data()}, 7, r.sent_here);
        CHECK(decided.step == r.step);
        CHECK(decided.route.entry == r.answer.entry);
        CHECK(decided.route.egress == r.answer.egress);
        CHECK(tables.source == "10.0.1.2"_ip);
        CHECK(tables.group == "239.1.1.1"_ip);
        CHECK(tables.interface == 7);
        CHECK(tables.ttl == 17);
    }
}

}  // namespace

}  // namespace pipeline_multicast_forward
