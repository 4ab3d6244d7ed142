// print_groups: the lines that a Linux 6.18 printed of the same groups; only its timers differ.
#include "../../support/igmp_model.hpp"

#include <doctest/doctest.h>

#include <sluice/multicast/print_groups.hpp>
#include <sluice/wire/literals.hpp>

#include <cstdio>
#include <string>

namespace multicast_print_groups {

namespace {

using namespace sluice;
using namespace sluice::literals;

const char* name_of(u16 index) {
    return index == 1 ? "lo" : index == 2 ? "if0" : "interface3";
}

// The listeners of the recording: two of one group, of which one blocks a source, and one of a
// source of another group; version 2 is forced.
struct host {
    host() {
        groups.set_terms(1, {.forced_version = 2});
        groups.set_up(1, true);
        groups.set_terms(2, {.forced_version = 2});
        groups.set_up(2, true);
        const ipv4::address blocked[] = {"10.7.0.1"_ip};
        const ipv4::address wanted[] = {"10.7.0.171"_ip};
        REQUIRE(groups.join(2, "239.1.2.3"_ip));
        REQUIRE(groups.join(2, "239.1.2.3"_ip));
        REQUIRE(groups.add_sources(2, "239.1.2.3"_ip, filter_mode::exclude, blocked));
        REQUIRE(groups.enter(2, "232.1.1.1"_ip, filter_mode::include));
        REQUIRE(groups.add_sources(2, "232.1.1.1"_ip, filter_mode::include, wanted));
    }
    std::string printed() {
        std::string text;
        print_groups(groups, name_of, [&](const char* piece) { text += piece; });
        return text;
    }
    igmp_host<8, 8, 4> groups{hash_key{1, 2}};
    igmp_model::wire sent;
};

TEST_CASE("igmp") {
    host h;
    while (h.groups.next_deadline() != instant::never())
        h.groups.poll(h.groups.next_deadline(), h.sent);
    CHECK(h.printed() == "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n"
                         "1\tlo        :     1      V2\n"
                         "\t\t\t\t010000E0     1 0:00000000\t\t0\n"
                         "2\tif0       :     3      V2\n"
                         "\t\t\t\t010101E8     1 0:00000000\t\t1\n"
                         "\t\t\t\t030201EF     2 0:00000000\t\t1\n"
                         "\t\t\t\t010000E0     1 0:00000000\t\t0\n");
    // A timer that runs shows the rest of its time.
    REQUIRE(
        h.groups.receive(2, igmp_model::short_message(igmp::types::query, 100, 0xef010203), true));
    const i64 left = (h.groups.next_deadline() - h.groups.now()).milliseconds() / 10;
    char timer[16];
    std::snprintf(timer, sizeof timer, "1:%08X", static_cast<unsigned>(left));
    CHECK(h.printed().find("030201EF     2 " + std::string(timer) + "\t\t1\n") !=
          std::string::npos);
}

TEST_CASE("mcfilter") {
    host h;
    h.groups.set_terms(3, {});
    h.groups.set_up(3, true);
    const ipv4::address source[] = {"192.0.2.1"_ip};
    REQUIRE(h.groups.enter(3, "232.1.1.1"_ip, filter_mode::include));
    REQUIRE(h.groups.add_sources(3, "232.1.1.1"_ip, filter_mode::include, source));
    std::string text;
    print_source_filters(h.groups, name_of, [&](const char* piece) { text += piece; });
    CHECK(text == "Idx Device        MCA        SRC    INC    EXC\n"
                  "  2    if0 0xe8010101 0x0a0700ab      1      0\n"
                  "  2    if0 0xef010203 0x0a070001      0      1\n"
                  "  3 interf 0xe8010101 0xc0000201      1      0\n");
}

}  // namespace

}  // namespace multicast_print_groups
