// for_each_counter: the numbers that print_snmp prints, Ip.Forwarding and Ip.DefaultTTL included.
#include <doctest/doctest.h>

#include <sluice/stats/print.hpp>
#include <sluice/stats/snmp_counters.hpp>

#include <sstream>
#include <string>
#include <vector>

namespace stats_for_each_counter {
using namespace sluice;

namespace {

// Each counter another value, so that none is taken for another.
snmp_counters all_different() {
    snmp_counters c;
    for (std::size_t i = 1; i < mib_count; ++i) {
        c.add(static_cast<mib>(i), 1000 + i);
    }
    return c;
}

std::vector<std::string> by_name(const snmp_counters& c, const settings& s) {
    std::vector<std::string> all;
    for_each_counter(c, s, [&](const char* group, const char* field, u64 value) {
        all.push_back(std::string(group) + "." + field + " " + std::to_string(value));
    });
    return all;
}

// The same from the printed lines: names, then values.
std::vector<std::string> as_printed(const snmp_counters& c, const settings& s) {
    std::string text;
    print_snmp(c, s, [&](const char* piece) { text += piece; });
    std::vector<std::string> all;
    std::istringstream lines{text};
    for (std::string names, values; std::getline(lines, names) && std::getline(lines, values);) {
        std::istringstream name{names};
        std::istringstream value{values};
        std::string group;
        std::string field;
        std::string number;
        name >> group;
        value >> number;
        while (name >> field && value >> number) {
            all.push_back(group.substr(0, group.size() - 1) + "." + field + " " + number);
        }
    }
    return all;
}

}  // namespace

TEST_CASE("for_each_counter: the counters of print_snmp in its order") {
    settings router = settings::of_router();
    router.ip_default_ttl = 77;
    for (const settings& s : {settings{}, router}) {
        const auto named = by_name(all_different(), s);
        CHECK(named.size() == mib_count + 1);
        CHECK(named == as_printed(all_different(), s));
    }
}

TEST_CASE("for_each_counter: forwarding is 1 or 2 (RFC 4293), the TTL that of the switches") {
    CHECK(by_name({}, settings{})[0] == "Ip.Forwarding 2");
    CHECK(by_name({}, settings{})[1] == "Ip.DefaultTTL 64");
    settings s = settings::of_router();
    s.ip_default_ttl = 77;
    CHECK(by_name({}, s)[0] == "Ip.Forwarding 1");
    CHECK(by_name({}, s)[1] == "Ip.DefaultTTL 77");
}

}  // namespace stats_for_each_counter
