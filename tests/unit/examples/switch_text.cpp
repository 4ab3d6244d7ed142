// Settings by name: a row for every setting, and how the router parses `--set`.
#include <doctest/doctest.h>

#include "../../../examples/router/switch_text.hpp"

#include <algorithm>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

namespace examples_switch_text {

namespace {

using namespace sluice;
using router::switch_setting;

// The members of a struct or class of the settings' header, by its text.
std::vector<std::string> members_of(const std::string& what) {
    std::ifstream file{SLUICE_SOURCE "/include/sluice/packet/settings.hpp"};
    REQUIRE(file.good());
    std::vector<std::string> found;
    const std::regex member{"^    (bool|u8|u16|u32) (\\w+[^_]) = .*"};
    bool inside = false;
    for (std::string line; std::getline(file, line);) {
        inside = line == what + " {" || (inside && line != "};");
        if (std::smatch m; inside && std::regex_match(line, m, member)) found.push_back(m[2]);
    }
    return found;
}
// As members are called: dots are underscores, a unit may stand behind.
template <class Table>
bool has_row(const Table& table, const std::string& member) {
    for (const auto& row : table) {
        std::string name{row.name};
        std::replace(name.begin(), name.end(), '.', '_');
        if (name == "ip_local_port_range" && member.starts_with("ip_local_port_")) return true;
        if (member == name || member == name + "_ms") return true;
    }
    return false;
}

TEST_CASE("switches: every member of the settings has a row") {
    const auto globals = members_of("class settings");
    // The ports are two members of one switch; ip_forward has no member of its own.
    CHECK(globals.size() == named_settings.size());
    for (const std::string& member : globals)
        CHECK_MESSAGE(has_row(named_settings, member), member);
    const auto conf = members_of("struct interface_settings");
    CHECK(conf.size() == named_interface_settings.size());
    for (const std::string& member : conf)
        CHECK_MESSAGE(has_row(named_interface_settings, member), member);
}

TEST_CASE("switches: names as sysctl has them") {
    switch_setting found;
    settings s{};
    CHECK(router::parse_switch("net.ipv4.ip_default_ttl=32", found) == "");
    REQUIRE(found.global != nullptr);
    found.global->set(s, found.value);
    CHECK(s.ip_default_ttl == 32);
    CHECK(router::parse_switch("net.ipv4.ip_local_port_range=1024  2000", found) == "");
    found.global->set(s, found.value);
    CHECK(s.ip_local_port_first == 1024);
    CHECK(s.ip_local_port_last == 2000);
    CHECK(router::parse_switch("net.ipv4.route.min_pmtu=576", found) == "");
    found.global->set(s, found.value);
    CHECK(s.route_min_pmtu == 576);
    for (const char* name : {"all", "default", "eth1", "eth0.100", "lab:tun0"}) {
        const std::string text = std::string{"net.ipv4.conf."} + name + ".rp_filter=2";
        CHECK(router::parse_switch(text, found) == "");
        CHECK(found.interface == name);
        CHECK(found.global == nullptr);
        REQUIRE(found.of_interface != nullptr);
        interface_settings own{};
        found.of_interface->set(own, found.value);
        CHECK(own.rp_filter == 2);
    }
}

TEST_CASE("switches: an error names the wrong part") {
    const struct {
        const char* text;
        const char* problem;
    } rows[] = {
        {.text = "", .problem = "wants net.ipv4.NAME=VALUE, not: "},
        {.text = "ip_forward=1", .problem = "wants net.ipv4.NAME=VALUE, not: ip_forward=1"},
        {.text = "net.ipv4.ip_forward",
         .problem = "wants net.ipv4.NAME=VALUE, not: net.ipv4.ip_forward"},
        {.text = "net.ipv4.ip_forwarding=1", .problem = "knows no switch net.ipv4.ip_forwarding"},
        {.text = "net.ipv4.conf.rp_filter=1", .problem = "knows no switch net.ipv4.conf.rp_filter"},
        {.text = "net.ipv4.conf.all.rp_filters=1",
         .problem = "knows no switch net.ipv4.conf.all.rp_filters"},
        {.text = "net.ipv4.rp_filter=1", .problem = "knows no switch net.ipv4.rp_filter"},
        {.text = "net.ipv4.=1", .problem = "knows no switch net.ipv4."},
        {.text = "net.ipv4.conf.=1", .problem = "knows no switch net.ipv4.conf."},
        {.text = "net.ipv4.ip_default_ttl=0",
         .problem = "net.ipv4.ip_default_ttl wants a number from 1 to 255, not: 0"},
        {.text = "net.ipv4.ip_default_ttl=256",
         .problem = "net.ipv4.ip_default_ttl wants a number from 1 to 255, not: 256"},
        {.text = "net.ipv4.ip_default_ttl=64 64",
         .problem = "net.ipv4.ip_default_ttl wants a number from 1 to 255, not: 64 64"},
        {.text = "net.ipv4.ip_default_ttl=",
         .problem = "net.ipv4.ip_default_ttl wants a number from 1 to 255, not: "},
        {.text = "net.ipv4.ip_forward=yes",
         .problem = "net.ipv4.ip_forward wants a number from 0 to 1, not: yes"},
        {.text = "net.ipv4.conf.all.rp_filter=3",
         .problem = "net.ipv4.conf.all.rp_filter wants a number from 0 to 2, not: 3"},
        {.text = "net.ipv4.route.min_pmtu=67",
         .problem = "net.ipv4.route.min_pmtu wants a number from 68 to 2147483647, not: 67"},
        {.text = "net.ipv4.ip_local_port_range=1024",
         .problem = "net.ipv4.ip_local_port_range wants two numbers from 1 to 65535, not: 1024"},
        {.text = "net.ipv4.ip_local_port_range=3000 2000",
         .problem =
             "net.ipv4.ip_local_port_range wants two numbers from 1 to 65535, not: 3000 2000"},
        {.text = "net.ipv4.ip_local_port_range=1 2 3",
         .problem = "net.ipv4.ip_local_port_range wants two numbers from 1 to 65535, not: 1 2 3"},
        {.text = "net.ipv4.icmp_ratemask=4294967296",
         .problem = "net.ipv4.icmp_ratemask wants a number from 0 to 4294967295, not: 4294967296"},
    };
    for (const auto& r : rows) {
        CAPTURE(r.text);
        switch_setting found;
        CHECK(router::parse_switch(r.text, found) == r.problem);
    }
}

}  // namespace

}  // namespace examples_switch_text
