// option_walk: bad options, recording, and one step of a source route, against tables.
#include <doctest/doctest.h>

#include <sluice/options/linux_options.hpp>
#include <sluice/options/no_options.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/pipeline/validate.hpp>
#include <sluice/rewrite/option_walk.hpp>

#include "support/network.hpp"
#include "support/packet_checks.hpp"
#include "support/validated.hpp"

namespace rewrite_option_walk {

namespace {

using namespace support;
using support::check;
using support::list;

struct walk {
    decision decided = decision::proceed();
    pipeline::classification after;
    byte_vector datagram;
    option_offsets found;
};

template <class Options = linux_options>
walk walked(const byte_vector& options, ipv4::address to, bool accepted = true,
            link_addressing seen_as = link_addressing::host) {
    network n;
    n.switches.all.accept_source_route = accepted;
    n.refresh();
    fixed_pool<256, 1> pool;
    auto d = support::validated(support::packet_of(
        pool, support::datagram_of({.destination = to, .options = options}), 2, seen_as));
    walk w;
    REQUIRE(d.has_value());
    w.after = pipeline::classify(n.tables(), d->header(), to, n.link(2));
    unsummed_datagram<fixed_pool<256, 1>::packet_type> walking = std::move(*d);
    w.decided = rewrite::option_walk<Options>(n.tables(), walking, n.link(2), w.after, 0x01020304);
    w.datagram = support::content_of(walking.packet());
    w.found = walking.packet().metadata().options;
    return w;
}

constexpr auto own = "10.0.1.1"_ip;
constexpr auto far = "10.0.2.2"_ip;

TEST_CASE("option walk: a bad option is refused with the byte that is bad") {
    const struct {
        const char* name;
        byte_vector options;
        u8 pointer;
    } bad[] = {
        {.name = "length 1", .options = list({7, 1, 4, 0}), .pointer = 20},
        {.name = "length beyond the header", .options = list({7, 39, 4, 0}), .pointer = 20},
        {.name = "pointer 3", .options = list({7, 7, 3, 0, 0, 0, 0, 0}), .pointer = 22},
        {.name = "second source route",
         .options = list({131, 3, 4, 137, 3, 4, 0, 0}),
         .pointer = 23},
        {.name = "kind without a length at the end", .options = list({1, 1, 1, 7}), .pointer = 23},
    };
    for (const auto& b : bad) {
        INFO(doctest::String{b.name});
        for (const ipv4::address to : {own, far}) {
            const walk w = walked(b.options, to);
            CHECK(w.decided == decision::reject(drop_reason::option_invalid,
                                                icmp_request::parameter_problem(b.pointer)));
        }
    }
}

TEST_CASE("option walk: a record route gets our address, and the checksum waits for forwarding") {
    const walk w = walked(list({7, 7, 4, 0, 0, 0, 0, 0}), own);
    CHECK(w.decided.proceeds());
    check(w.datagram, support::destination(own));
    CHECK((byte_vector(w.datagram.begin() + 20, w.datagram.begin() + 27) ==
           list({7, 7, 8, 10, 0, 1, 1})));
    CHECK(w.found.record_route == 20);
    CHECK(w.found.changed);
    CHECK_FALSE(ipv4::checksum_ok(ipv4::const_view{w.datagram.data()}));
}

TEST_CASE("option walk: a timestamp gets the time of arrival") {
    const walk w = walked(list({68, 8, 5, 0, 0, 0, 0, 0}), far);
    CHECK(w.decided.proceeds());
    CHECK((byte_vector(w.datagram.begin() + 20, w.datagram.end() - 16) ==
           list({68, 8, 9, 0, 1, 2, 3, 4})));
}

byte_vector route_by(std::initializer_list<ipv4::address> hops, u8 kind = 131) {
    byte_vector o{std::byte{kind}, static_cast<std::byte>(3 + 4 * hops.size()), std::byte{4}};
    for (const ipv4::address a : hops)
        for (unsigned i = 0; i < 4; ++i)
            o.push_back(static_cast<std::byte>(a.byte(i)));
    return o;
}

struct route_row {
    const char* name;
    byte_vector options;
    ipv4::address to = own;
    bool accepted;
    link_addressing seen_as = link_addressing::host;
    decision decided;
    decision_kind then;  // the classification afterwards
    ipv4::address next_hop = {};
};
const decision refused = decision::drop(drop_reason::source_route_refused);
const decision go = decision::proceed();
using enum link_addressing;
const route_row routes[] = {
    {.name = "to a neighbour",
     .options = route_by({far}),
     .accepted = true,
     .decided = go,
     .then = decision_kind::forward,
     .next_hop = far},
    {.name = "to another own address, then on",
     .options = route_by({"10.0.2.1"_ip, "10.0.3.3"_ip}),
     .accepted = true,
     .decided = go,
     .then = decision_kind::forward,
     .next_hop = "10.0.3.3"_ip},
    {.name = "to local addresses only",
     .options = route_by({"10.0.2.1"_ip, "10.0.3.1"_ip}),
     .accepted = true,
     .decided = go,
     .then = decision_kind::deliver},
    {.name = "empty route",
     .options = route_by({}),
     .accepted = true,
     .decided = go,
     .then = decision_kind::deliver},
    {.name = "not accepted",
     .options = route_by({far}),
     .accepted = false,
     .decided = refused,
     .then = decision_kind::deliver},
    {.name = "not accepted, to another host",
     .options = route_by({far}),
     .to = far,
     .accepted = false,
     .decided = refused,
     .then = decision_kind::forward},
    {.name = "a hop without a route",
     .options = route_by({"192.0.2.1"_ip}),
     .accepted = true,
     .decided = refused,
     .then = decision_kind::deliver},
    {.name = "a hop that is a group",
     .options = route_by({"224.0.0.1"_ip}),
     .accepted = true,
     .decided = refused,
     .then = decision_kind::deliver},
    {.name = "a hop that is a broadcast",
     .options = route_by({"10.0.2.255"_ip}),
     .accepted = true,
     .decided = refused,
     .then = decision_kind::deliver},
    {.name = "a hop that is 0.0.0.0",
     .options = route_by({{}}),
     .accepted = true,
     .decided = refused,
     .then = decision_kind::deliver},
    {.name = "by link-layer broadcast",
     .options = route_by({far}),
     .accepted = true,
     .seen_as = broadcast,
     .decided = refused,
     .then = decision_kind::deliver},
    {.name = "loose, to another host: no effect",
     .options = route_by({"10.0.3.3"_ip}),
     .to = far,
     .accepted = true,
     .decided = go,
     .then = decision_kind::forward},
    {.name = "strict, to another host",
     .options = route_by({"10.0.3.3"_ip}, 137),
     .to = far,
     .accepted = true,
     .decided =
         decision::reject(drop_reason::source_route_refused, icmp_request::parameter_problem(16)),
     .then = decision_kind::forward},
    {.name = "to a local broadcast",
     .options = route_by({far}),
     .to = "10.0.1.255"_ip,
     .accepted = true,
     .decided = refused,
     .then = decision_kind::deliver},
};

TEST_CASE("option walk: source routes") {
    for (const route_row& r : routes) {
        INFO(doctest::String{r.name});
        const walk w = walked(r.options, r.to, r.accepted, r.seen_as);
        CHECK(w.decided == r.decided);
        CHECK(w.after.decided.kind() == r.then);
        CHECK(w.found.next_hop == r.next_hop);
        CHECK(bool{w.found.route_hit} == !r.next_hop.is_unspecified());
    }
}

TEST_CASE("option walk: no_options drops unsupported options silently") {
    CHECK(walked<no_options>(list({7, 7, 4, 0, 0, 0, 0, 0}), own).decided ==
          decision::drop(drop_reason::option_invalid));
}

}  // namespace

}  // namespace rewrite_option_walk
