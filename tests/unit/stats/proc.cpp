// The counters against those of the running kernel: every name of its files is one of Sluice's, in
// the same order. An older kernel may have fewer. Skipped without /proc/net.
#include "support/skip.hpp"

#include <doctest/doctest.h>

#include <sluice/stats/print.hpp>
#include <sluice/stats/snmp_counters.hpp>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace stats_proc {

namespace {

using namespace sluice;

std::vector<std::string> words_of(const std::string& line) {
    std::istringstream in{line};
    std::vector<std::string> words;
    for (std::string word; in >> word;)
        words.push_back(word);
    return words;
}

// The names of a group: its first line. Empty when there is no such group.
std::vector<std::string> names_in(std::istream& from, const std::string& group) {
    for (std::string line; std::getline(from, line);)
        if (line.starts_with(group + ": ")) return words_of(line);
    return {};
}

std::vector<std::string> our_names(const std::string& group) {
    std::string all;
    print_snmp(snmp_counters{}, settings{}, [&](const char* piece) { all += piece; });
    std::istringstream in{all};
    return names_in(in, group);
}

// The first of `wanted` that does not come in `all` behind the one before; empty: all do.
std::string first_missing(const std::vector<std::string>& wanted,
                          const std::vector<std::string>& all) {
    std::size_t at = 0;
    for (const std::string& name : wanted) {
        while (at < all.size() && all[at] != name)
            ++at;
        if (at == all.size()) return name;
    }
    return {};
}

TEST_CASE("the names of this machine's /proc/net/snmp and netstat") {
    const struct {
        const char* file;
        const char* group;
    } rows[] = {{.file = "/proc/net/snmp", .group = "Ip"},
                {.file = "/proc/net/snmp", .group = "Icmp"},
                {.file = "/proc/net/snmp", .group = "Udp"},
                {.file = "/proc/net/snmp", .group = "UdpLite"},
                {.file = "/proc/net/netstat", .group = "IpExt"}};
    for (const auto& row : rows) {
        CAPTURE(row.group);
        std::ifstream file{row.file};
        if (!file.is_open()) {
            support::skip("needs /proc/net");
            return;
        }
        const auto wanted = names_in(file, row.group);
        REQUIRE(wanted.size() > 1);
        CHECK(first_missing(wanted, our_names(row.group)) == "");
    }
}

TEST_CASE("a missing or misplaced name is found") {
    const std::vector<std::string> all{"Ip:", "A", "B", "C"};
    CHECK(first_missing({"Ip:", "A", "C"}, all) == "");
    CHECK(first_missing({"Ip:", "B", "A"}, all) == "A");
    CHECK(first_missing({"Ip:", "D"}, all) == "D");
}

}  // namespace

}  // namespace stats_proc
