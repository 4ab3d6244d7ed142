// source_rules: whether a source may come in by an interface, and whether it is on the link there
// (for redirects). Linux fib_validate_source, with and without a lookup.
#include <doctest/doctest.h>

#include <sluice/pipeline/source_rules.hpp>

#include "support/network.hpp"

namespace pipeline_source_rules {

namespace {

using namespace support;
using enum drop_reason;

void nothing(network&) {}

struct row {
    const char* name;
    ipv4::address source;
    u16 out = 0;  // egress; 0: to this host
    void (*change)(network&) = nothing;
    drop_reason reason = none;
    bool on_link = false;
};

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
    {.name = "neighbour", .source = "10.0.1.2"_ip},
    {.name = "unknown host", .source = "192.0.2.1"_ip},
    {.name = "a local address", .source = "10.0.2.1"_ip, .reason = source_local},
    {.name = "a local broadcast address", .source = "10.0.1.255"_ip},
    {.name = "no route of type local but of an address", .source = "10.50.0.1"_ip},
    {.name = "custom local route",
     .source = "10.50.0.1"_ip,
     .change = custom_local,
     .reason = source_local},
    // back by the same link: looked up for the redirect
    {.name = "neighbour, back", .source = "10.0.1.2"_ip, .out = 2, .on_link = true},
    {.name = "unknown host, back", .source = "192.0.2.1"_ip, .out = 2},
    {.name = "behind another link, back", .source = "10.0.2.2"_ip, .out = 2},
    {.name = "a local broadcast address, back",
     .source = "10.0.1.255"_ip,
     .out = 2,
     .reason = source_invalid},
    {.name = "a local address, back", .source = "10.0.1.1"_ip, .out = 2, .reason = source_local},
    // strict: RFC 3704 section 2.2
    {.name = "neighbour, strict",
     .source = "10.0.1.2"_ip,
     .out = 3,
     .change = filter<1>,
     .on_link = true},
    {.name = "behind another link, strict",
     .source = "10.0.2.2"_ip,
     .out = 3,
     .change = filter<1>,
     .reason = reverse_path},
    {.name = "behind a gateway of another link, strict",
     .source = "10.9.0.1"_ip,
     .change = filter<1>,
     .reason = reverse_path},
    {.name = "unknown host, strict",
     .source = "192.0.2.1"_ip,
     .change = filter<1>,
     .reason = reverse_path},
    {.name = "blackholed, strict",
     .source = "10.22.0.1"_ip,
     .change = filter<1>,
     .reason = reverse_path},
    {.name = "a local broadcast address, strict",
     .source = "10.0.1.255"_ip,
     .change = filter<1>,
     .reason = source_invalid},
    {.name = "a local address, strict",
     .source = "10.0.1.1"_ip,
     .change = filter<1>,
     .reason = source_local},
    {.name = "on an interface without addresses, strict",
     .source = "10.0.2.2"_ip,
     .change = [](network& n) { filter<1>(n), without_addresses(n); },
     .reason = reverse_path},
    // loose: RFC 3704 section 2.4
    {.name = "behind another link, loose", .source = "10.0.2.2"_ip, .out = 3, .change = filter<2>},
    {.name = "unknown host, loose",
     .source = "192.0.2.1"_ip,
     .change = filter<2>,
     .reason = reverse_path},
    {.name = "throw, loose", .source = "10.23.0.1"_ip, .change = filter<2>, .reason = reverse_path},
    {.name = "neighbour, loose", .source = "10.0.1.2"_ip, .change = filter<2>, .on_link = true},
    {.name = "on an interface without addresses, filter off",
     .source = "10.0.2.2"_ip,
     .out = 2,
     .change = without_addresses},
};

TEST_CASE("source rules: local sources, strict and loose mode, and on-link senders") {
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

TEST_CASE("source rules: accept_local accepts local sources on the right interface") {
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
