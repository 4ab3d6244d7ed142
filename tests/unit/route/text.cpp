// Routes as text: parsed, refused with a reason, and written as `ip route` prints them.
#include <doctest/doctest.h>

#include <sluice/route/text.hpp>
#include <sluice/wire/literals.hpp>

#include <cstring>
#include <string>

namespace route_text {

namespace {

using namespace sluice;
using namespace sluice::literals;

std::string as_string(text_view text) {
    return {text.begin(), text.end()};
}

TEST_CASE("route lines: every word, in any order behind the prefix") {
    const struct {
        const char* text;
        route_entry route;
        const char* device;
    } rows[] = {
        {.text = "10.0.0.0/8 via 192.0.2.1",
         .route = {.prefix = "10.0.0.0/8"_prefix, .gateway = "192.0.2.1"_ip},
         .device = ""},
        {.text = "default via 192.0.2.1 dev eth1",
         .route = {.prefix = "0.0.0.0/0"_prefix, .gateway = "192.0.2.1"_ip},
         .device = "eth1"},
        {.text = "unicast 10.0.0.1 dev lab:tun0",
         .route = {.prefix = "10.0.0.1/32"_prefix},
         .device = "lab:tun0"},
        {.text =
             "\t10.0.0.0/8  mtu 1400 metric 7 src 192.0.2.9 onlink tos 0x10 dev e via 192.0.2.1 \r",
         .route = {.prefix = "10.0.0.0/8"_prefix,
                   .tos = 0x10,
                   .on_link = true,
                   .mtu = 1400,
                   .gateway = "192.0.2.1"_ip,
                   .preferred_source = "192.0.2.9"_ip,
                   .metric = 7},
         .device = "e"},
        {.text = "10.0.0.0/8 tos 10 dev e",
         .route = {.prefix = "10.0.0.0/8"_prefix, .tos = 0x10},
         .device = "e"},
        {.text = "10.0.0.0/8 mtu lock 600 dev e",
         .route = {.prefix = "10.0.0.0/8"_prefix, .mtu_locked = true, .mtu = 600},
         .device = "e"},
        {.text = "10.0.0.0/8 hoplimit 255 dev e",
         .route = {.prefix = "10.0.0.0/8"_prefix, .hop_limit = 255},
         .device = "e"},
        {.text = "10.0.0.0/8 metric 4294967295 dev e",
         .route = {.prefix = "10.0.0.0/8"_prefix, .metric = 0xffffffff},
         .device = "e"},
        {.text = "10.0.0.0/8 mtu 100000 dev e",
         .route = {.prefix = "10.0.0.0/8"_prefix, .mtu = 65535},
         .device = "e"},
        {.text = "local 10.0.0.0/8 dev lo",
         .route = {.prefix = "10.0.0.0/8"_prefix, .type = route_type::local},
         .device = "lo"},
        {.text = "broadcast 10.255.255.255 dev e",
         .route = {.prefix = "10.255.255.255/32"_prefix, .type = route_type::broadcast},
         .device = "e"},
        {.text = "multicast 224.0.0.0/4 dev e",
         .route = {.prefix = "224.0.0.0/4"_prefix, .type = route_type::multicast},
         .device = "e"},
        {.text = "blackhole 10.0.0.0/8",
         .route = {.prefix = "10.0.0.0/8"_prefix, .type = route_type::blackhole},
         .device = ""},
        {.text = "unreachable default",
         .route = {.prefix = "0.0.0.0/0"_prefix, .type = route_type::unreachable},
         .device = ""},
        {.text = "prohibit 10.0.0.0/8 metric 9",
         .route = {.prefix = "10.0.0.0/8"_prefix, .type = route_type::prohibit, .metric = 9},
         .device = ""},
        {.text = "throw 10.0.0.0/8",
         .route = {.prefix = "10.0.0.0/8"_prefix, .type = route_type::throw_away},
         .device = ""},
    };
    for (const auto& r : rows) {
        CAPTURE(r.text);
        const auto read = parse_route(r.text);
        REQUIRE(read.has_value());
        CHECK(read->route == r.route);
        CHECK(as_string(read->device) == r.device);
        const auto written = to_text(read->route, read->device);
        const auto again = parse_route(written);
        REQUIRE(again.has_value());
        CHECK(again->route == r.route);
        CHECK(as_string(again->device) == r.device);
    }
}

TEST_CASE("route lines: an error names the wrong part") {
    constexpr const char* prefix =
        "a route begins with its prefix, such as 10.0.0.0/8 or default, not: ";
    const struct {
        const char* text;
        std::string problem;
    } rows[] = {
        {.text = "", .problem = std::string{prefix} + "nothing"},
        {.text = "local", .problem = std::string{prefix} + "nothing"},
        {.text = "via 10.0.0.1", .problem = std::string{prefix} + "via"},
        {.text = "10.0.0.1/8 via 10.0.0.1", .problem = std::string{prefix} + "10.0.0.1/8"},
        {.text = "10.0.0.0/33", .problem = std::string{prefix} + "10.0.0.0/33"},
        {.text = "10.0.0.0/8 via", .problem = "via wants an address, not: nothing"},
        {.text = "10.0.0.0/8 via 10.0.0.256", .problem = "via wants an address, not: 10.0.0.256"},
        {.text = "10.0.0.0/8 src lo", .problem = "src wants an address, not: lo"},
        {.text = "10.0.0.0/8 dev", .problem = "dev wants an interface, not: nothing"},
        {.text = "10.0.0.0/8 metric -1", .problem = "metric wants a number, not: -1"},
        {.text = "10.0.0.0/8 metric 4294967296",
         .problem = "metric wants a number, not: 4294967296"},
        {.text = "10.0.0.0/8 mtu lock", .problem = "mtu wants a number, not: nothing"},
        {.text = "10.0.0.0/8 mtu 1x", .problem = "mtu wants a number, not: 1x"},
        {.text = "10.0.0.0/8 hoplimit 256", .problem = "hoplimit wants a number, not: 256"},
        {.text = "10.0.0.0/8 tos 100", .problem = "tos wants a number, not: 100"},
        {.text = "10.0.0.0/8 tos 0x1g", .problem = "tos wants a number, not: 0x1g"},
        {.text = "10.0.0.0/8 weight 3", .problem = "unknown word: weight"},
        {.text = "nat 10.0.0.0/8", .problem = std::string{prefix} + "nat"},
        {.text = "10.0.0.0/8 10.1.0.0/16", .problem = "unknown word: 10.1.0.0/16"},
    };
    for (const auto& r : rows) {
        CAPTURE(r.text);
        const auto read = parse_route(r.text);
        REQUIRE_FALSE(read.has_value());
        CHECK(message(read.error()).c_str() == r.problem);
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
        {.route = {.prefix = "30.53.0.0/16"_prefix, .hop_limit = 12, .mtu = 100},
         .device = "",
         .text = "30.53.0.0/16 mtu 100 hoplimit 12"},
        {.route = {.prefix = "30.48.0.0/16"_prefix, .tos = 8},
         .device = "d2",
         .text = "30.48.0.0/16 tos 0x08 dev d2"},
    };
    for (const auto& r : rows)
        CHECK(to_text(r.route, {r.device, std::strlen(r.device)}) == r.text);
}

TEST_CASE("a text of many lines: comments and empty lines count, and hold no route") {
    const std::string text =
        "# two routes\n\n10.0.0.0/8 dev a # first\r\n \t\r\n#\nblackhole default";
    route_lines lines{text};
    REQUIRE(lines.next());
    CHECK(lines.number() == 3);
    CHECK(as_string(lines.line()) == "10.0.0.0/8 dev a ");
    REQUIRE(lines.next());
    CHECK(lines.number() == 6);
    CHECK(parse_route(lines.line())->route.type == route_type::blackhole);
    CHECK_FALSE(lines.next());
    CHECK_FALSE(route_lines{text_view{}}.next());
}

TEST_CASE("long words are cut in messages and texts, and long numbers do not wrap") {
    const std::string word(500, 'w');
    CHECK(message(parse_route((word + " x").c_str()).error()).size() == 200);
    CHECK(message(parse_route(("default " + word).c_str()).error()).size() == 200);
    CHECK(to_text({}, word) == ("default dev " + std::string(80, 'w')).c_str());
    // 2 to the 64th and 7.
    CHECK_FALSE(parse_route("default metric 18446744073709551623").has_value());
    CHECK_FALSE(parse_route(("default tos 0x" + std::string(64, '0') + "100").c_str()).has_value());
    const text_view with_zero{"via\0gone", 8};
    CHECK_FALSE(parse_route(with_zero).has_value());
}

static_assert(parse_route("10.0.0.0/8 via 192.0.2.1 metric 5")->route.metric == 5);
static_assert(!parse_route("10.0.0.1/8"));

}  // namespace

}  // namespace route_text
