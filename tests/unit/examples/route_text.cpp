// The router's route lines: read, refused with a reason, and written as `ip route` prints them.
#include <doctest/doctest.h>

#include "../../../examples/support/route_text.hpp"

#include <sluice/wire/literals.hpp>

namespace examples_route_text {

namespace {

using namespace sluice;
using namespace sluice::literals;

TEST_CASE("route lines: every word, in any order behind the prefix") {
    const struct {
        const char* text;
        router::route_line right;
    } rows[] = {
        {"10.0.0.0/8 via 192.0.2.1",
         {{.prefix = "10.0.0.0/8"_prefix, .gateway = "192.0.2.1"_ip}, ""}},
        {"default via 192.0.2.1 dev eth1",
         {{.prefix = "0.0.0.0/0"_prefix, .gateway = "192.0.2.1"_ip}, "eth1"}},
        {"unicast 10.0.0.1 dev lab:tun0", {{.prefix = "10.0.0.1/32"_prefix}, "lab:tun0"}},
        {"\t10.0.0.0/8  mtu 1400 metric 7 src 192.0.2.9 onlink tos 0x10 dev e via 192.0.2.1 \r",
         {{.prefix = "10.0.0.0/8"_prefix,
           .tos = 0x10,
           .on_link = true,
           .mtu = 1400,
           .gateway = "192.0.2.1"_ip,
           .preferred_source = "192.0.2.9"_ip,
           .metric = 7},
          "e"}},
        {"10.0.0.0/8 tos 10 dev e", {{.prefix = "10.0.0.0/8"_prefix, .tos = 0x10}, "e", ""}},
        {"10.0.0.0/8 mtu lock 600 dev e",
         {{.prefix = "10.0.0.0/8"_prefix, .mtu_locked = true, .mtu = 600}, "e"}},
        {"10.0.0.0/8 metric 4294967295 dev e",
         {{.prefix = "10.0.0.0/8"_prefix, .metric = 0xffffffff}, "e"}},
        {"10.0.0.0/8 mtu 100000 dev e", {{.prefix = "10.0.0.0/8"_prefix, .mtu = 65535}, "e"}},
        {"local 10.0.0.0/8 dev lo",
         {{.prefix = "10.0.0.0/8"_prefix, .type = route_type::local}, "lo"}},
        {"broadcast 10.255.255.255 dev e",
         {{.prefix = "10.255.255.255/32"_prefix, .type = route_type::broadcast}, "e"}},
        {"multicast 224.0.0.0/4 dev e",
         {{.prefix = "224.0.0.0/4"_prefix, .type = route_type::multicast}, "e"}},
        {"blackhole 10.0.0.0/8",
         {{.prefix = "10.0.0.0/8"_prefix, .type = route_type::blackhole}, ""}},
        {"unreachable default",
         {{.prefix = "0.0.0.0/0"_prefix, .type = route_type::unreachable}, ""}},
        {"prohibit 10.0.0.0/8 metric 9",
         {{.prefix = "10.0.0.0/8"_prefix, .type = route_type::prohibit, .metric = 9}, ""}},
        {"throw 10.0.0.0/8", {{.prefix = "10.0.0.0/8"_prefix, .type = route_type::throw_away}, ""}},
    };
    for (const auto& r : rows) {
        CAPTURE(r.text);
        router::route_line read;
        CHECK(router::parse_route(r.text, read) == "");
        CHECK(read == r.right);
        router::route_line again;
        CHECK(router::parse_route(router::to_text(read.route, read.device), again) == "");
        CHECK(again == r.right);
    }
}

TEST_CASE("route lines: what is wrong is named") {
    constexpr const char* prefix =
        "a route begins with its prefix, such as 10.0.0.0/8 or default, not: ";
    const struct {
        const char* text;
        std::string problem;
    } rows[] = {
        {"", std::string{prefix} + "nothing"},
        {"local", std::string{prefix} + "nothing"},
        {"via 10.0.0.1", std::string{prefix} + "via"},
        {"10.0.0.1/8 via 10.0.0.1", std::string{prefix} + "10.0.0.1/8"},
        {"10.0.0.0/33", std::string{prefix} + "10.0.0.0/33"},
        {"10.0.0.0/8 via", "via wants an address, not: nothing"},
        {"10.0.0.0/8 via 10.0.0.256", "via wants an address, not: 10.0.0.256"},
        {"10.0.0.0/8 src lo", "src wants an address, not: lo"},
        {"10.0.0.0/8 dev", "dev wants an interface, not: nothing"},
        {"10.0.0.0/8 metric -1", "metric wants a number, not: -1"},
        {"10.0.0.0/8 metric 4294967296", "metric wants a number, not: 4294967296"},
        {"10.0.0.0/8 mtu lock", "mtu wants a number, not: nothing"},
        {"10.0.0.0/8 mtu 1x", "mtu wants a number, not: 1x"},
        {"10.0.0.0/8 tos 100", "tos wants a number, not: 100"},
        {"10.0.0.0/8 tos 0x1g", "tos wants a number, not: 0x1g"},
        {"10.0.0.0/8 weight 3", "unknown word: weight"},
        {"nat 10.0.0.0/8", std::string{prefix} + "nat"},
        {"10.0.0.0/8 10.1.0.0/16", "unknown word: 10.1.0.0/16"},
    };
    for (const auto& r : rows) {
        CAPTURE(r.text);
        router::route_line read;
        CHECK(router::parse_route(r.text, read) == r.problem);
    }
}

TEST_CASE("route lines: written as the kernel's tool prints them") {
    const struct {
        route_entry route;
        const char* device;
        const char* text;
    } rows[] = {
        {.route = {.prefix = "10.0.0.0/24"_prefix,
                   .scope = scopes::link,
                   .preferred_source = "10.0.0.1"_ip},
         .device = "d2",
         .text = "10.0.0.0/24 dev d2 scope link src 10.0.0.1"},
        {.route = {.prefix = "30.16.0.0/16"_prefix, .on_link = true, .gateway = "0.0.0.5"_ip},
         .device = "d2",
         .text = "30.16.0.0/16 via 0.0.0.5 dev d2 onlink"},
        {.route = {.gateway = "10.0.0.9"_ip, .metric = 10},
         .device = "d2",
         .text = "default via 10.0.0.9 dev d2 metric 10"},
        {.route = {.prefix = "10.0.0.1/32"_prefix,
                   .type = route_type::local,
                   .scope = scopes::host},
         .device = "d2",
         .text = "local 10.0.0.1 dev d2 scope host"},
        {.route = {.prefix = "30.52.0.0/16"_prefix, .mtu_locked = true, .mtu = 100},
         .device = "",
         .text = "30.52.0.0/16 mtu lock 100"},
        {.route = {.prefix = "30.48.0.0/16"_prefix, .tos = 8},
         .device = "d2",
         .text = "30.48.0.0/16 tos 0x08 dev d2"},
    };
    for (const auto& r : rows)
        CHECK(router::to_text(r.route, r.device) == r.text);
}

}  // namespace

}  // namespace examples_route_text
