// source_rules: whether a source may come by an interface, and whether it is a neighbour there
// (which decides about redirects). Linux fib_validate_source, and its two ways: with and without a
// lookup.
#include <doctest/doctest.h>

#include <sluice/pipeline/source_rules.hpp>

#include "support/network.hpp"

namespace pipeline_source_rules {

namespace {

using namespace support;
using enum drop_reason;

struct row {
    const char* name;
    ipv4::address source;
    u16 out;  // forwarded by it; 0: for us
    void (*change)(network&);
    drop_reason reason;
    bool on_link;
};

void nothing(network&) {}
template <u8 Filter>
void filter(network& n) {
    n.set_link(2, [](interface_settings& s) { s.rp_filter = Filter; });
}
void without_addresses(network& n) {
    static_cast<void>(n.interfaces.remove_address(2, "10.0.1.1/24"_net));
    static_cast<void>(n.routes.remove({.prefix = "10.0.1.0/24"_prefix, .interface = 2}));
}
void custom_local(network& n) {
    n.add("10.50.0.0/16"_prefix,
          {.type = route_type::local, .scope = scopes::host, .interface = 2});
    n.custom_local_routes = true;
}

const row rows[] = {
    // filter off, not back by the same link: nothing is looked up, so nothing is known
    {"neighbour", "10.0.1.2"_ip, 0, nothing, none, false},
    {"stranger", "192.0.2.1"_ip, 0, nothing, none, false},
    {"our address", "10.0.2.1"_ip, 0, nothing, source_local, false},
    {"our broadcast address", "10.0.1.255"_ip, 0, nothing, none, false},
    {"no route of type local but of an address", "10.50.0.1"_ip, 0, nothing, none, false},
    {"custom local route", "10.50.0.1"_ip, 0, custom_local, source_local, false},
    // back by the same link: looked up for the redirect
    {"neighbour, back", "10.0.1.2"_ip, 2, nothing, none, true},
    {"stranger, back", "192.0.2.1"_ip, 2, nothing, none, false},
    {"behind another link, back", "10.0.2.2"_ip, 2, nothing, none, false},
    {"our broadcast address, back", "10.0.1.255"_ip, 2, nothing, source_invalid, false},
    {"our address, back", "10.0.1.1"_ip, 2, nothing, source_local, false},
    // strict: RFC 3704 section 2.2
    {"neighbour, strict", "10.0.1.2"_ip, 3, filter<1>, none, true},
    {"behind another link, strict", "10.0.2.2"_ip, 3, filter<1>, reverse_path, false},
    {"behind a gateway of another link, strict", "10.9.0.1"_ip, 0, filter<1>, reverse_path, false},
    {"stranger, strict", "192.0.2.1"_ip, 0, filter<1>, reverse_path, false},
    {"blackholed, strict", "10.22.0.1"_ip, 0, filter<1>, reverse_path, false},
    {"our broadcast address, strict", "10.0.1.255"_ip, 0, filter<1>, source_invalid, false},
    {"our address, strict", "10.0.1.1"_ip, 0, filter<1>, source_local, false},
    {"on an interface without addresses, strict", "10.0.2.2"_ip, 0,
     [](network& n) { filter<1>(n), without_addresses(n); }, reverse_path, false},
    // loose: RFC 3704 section 2.4
    {"behind another link, loose", "10.0.2.2"_ip, 3, filter<2>, none, false},
    {"stranger, loose", "192.0.2.1"_ip, 0, filter<2>, reverse_path, false},
    {"throw, loose", "10.23.0.1"_ip, 0, filter<2>, reverse_path, false},
    {"neighbour, loose", "10.0.1.2"_ip, 0, filter<2>, none, true},
    {"on an interface without addresses, filter off", "10.0.2.2"_ip, 2, without_addresses, none,
     false},
};

TEST_CASE("source rules: own, strict, loose, and who is a neighbour") {
    for (const row& r : rows) {
        INFO(doctest::String{r.name});
        network n;
        r.change(n);
        n.refresh();
        const auto v = pipeline::check_source(n.tables(), r.source, 0, n.link(2), r.out);
        CHECK(v.reason == r.reason);
        CHECK(v.on_link == r.on_link);
    }
}

TEST_CASE("source rules: the larger of all and the interface's filter is in force") {
    for (const u8 all : {u8{0}, u8{1}, u8{2}}) {
        for (const u8 own : {u8{0}, u8{1}, u8{2}}) {
            CAPTURE(int{all});
            CAPTURE(int{own});
            network n;
            n.switches.all.rp_filter = all;
            n.set_link(2, [own](interface_settings& s) { s.rp_filter = own; });
            const auto v = pipeline::check_source(n.tables(), "10.0.2.2"_ip, 0, n.link(2), 0);
            const bool strict = all != 2 && own != 2 && (all == 1 || own == 1);
            CHECK((v.reason == reverse_path) == strict);
        }
    }
}

TEST_CASE("source rules: accept_local lets our own addresses in, by the right interface") {
    network n;
    n.set_link(2, [](interface_settings& s) { s.accept_local = true; });
    CHECK(pipeline::check_source(n.tables(), "10.0.1.1"_ip, 0, n.link(2), 0).reason == none);
    n.set_link(2, [](interface_settings& s) { s.rp_filter = 1; });
    CHECK(pipeline::check_source(n.tables(), "10.0.1.1"_ip, 0, n.link(2), 0).reason == none);
    CHECK(pipeline::check_source(n.tables(), "10.0.2.1"_ip, 0, n.link(2), 0).reason ==
          reverse_path);
}

}  // namespace

}  // namespace pipeline_source_rules
