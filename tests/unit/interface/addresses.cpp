// Primary and secondary addresses, source selection, and which addresses are on a link: Linux
// __inet_insert_ifa, __inet_del_ifa, inet_select_addr and inet_addr_onlink.
#include <doctest/doctest.h>

#include <sluice/interface/interface_table.hpp>
#include <sluice/wire/literals.hpp>

#include <initializer_list>
#include <string>

namespace interface_addresses {

namespace {

using namespace sluice;
using namespace sluice::literals;

struct one_interface {
    interface_table<4> table;

    one_interface(std::initializer_list<assigned_address> addresses) {
        interface i{};
        i.index = 2;
        REQUIRE(table.add(i).has_value());
        for (const auto& a : addresses)
            REQUIRE(table.add_address(2, a).has_value());
    }
    const interface& get() const { return *table.find(2); }
    // The last bytes in the order in which they are kept, secondaries in brackets.
    std::string order() const {
        std::string text;
        for (const auto& a : get().addresses) {
            const std::string byte = std::to_string(a.net.address.byte(3));
            text += a.secondary ? "(" + byte + ")" : byte;
        }
        return text;
    }
};

assigned_address scoped(ipv4::interface_address net, u8 scope) {
    return {net, {}, scope, false};
}

TEST_CASE("the first of a subnet is primary") {
    const struct {
        const char* name;
        std::initializer_list<assigned_address> added;
        const char* order;
    } rows[] = {
        {.name = "alone", .added = {{"10.0.0.1/24"_net}}, .order = "1"},
        {.name = "two of a subnet",
         .added = {{"10.0.0.1/24"_net}, {"10.0.0.2/24"_net}},
         .order = "1(2)"},
        {.name = "other length, other subnet",
         .added = {{"10.0.0.1/24"_net}, {"10.0.0.2/25"_net}},
         .order = "12"},
        {.name = "primaries first",
         .added = {{"10.0.0.1/24"_net}, {"10.0.0.2/24"_net}, {"10.0.1.3/24"_net}},
         .order = "13(2)"},
        // As Linux 6.18 listed them.
        {.name = "narrow scope first",
         .added = {scoped("10.0.0.1/24"_net, scopes::universe),
                   scoped("10.0.1.2/24"_net, scopes::link), scoped("10.0.2.3/24"_net, scopes::host),
                   scoped("10.0.3.4/24"_net, scopes::universe)},
         .order = "3214"},
        {.name = "the caller's secondary flag is ignored",
         .added = {{"10.0.0.1/24"_net, {}, 0, true}},
         .order = "1"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.name);
        CHECK(one_interface{row.added}.order() == row.order);
    }
}

TEST_CASE("a secondary shares the scope of its primary, and no length is beyond 32") {
    one_interface made{{"10.0.0.1/24"_net}};
    const auto other_scope = scoped("10.0.0.2/24"_net, scopes::link);
    CHECK(made.table.add_address(2, other_scope).error() == interface_error::invalid);
    const assigned_address long_one{{"10.0.0.2"_ip, 33}, {}, 0, false};
    CHECK(made.table.add_address(2, long_one).error() == interface_error::invalid);
    CHECK(made.order() == "1");
    CHECK_FALSE(made.table.is_own("10.0.0.2"_ip));
}

TEST_CASE("removing a primary removes its secondaries alone") {
    const struct {
        ipv4::interface_address removed;
        const char* order;
    } rows[] = {
        {"10.0.0.1/24"_net, "45(6)"},       {"10.0.0.2/24"_net, "145(3)(6)"},
        {"10.0.0.4/25"_net, "15(2)(3)(6)"}, {"10.0.1.5/24"_net, "14(2)(3)"},
        {"10.0.1.6/24"_net, "145(2)(3)"},
    };
    for (const auto& row : rows) {
        one_interface made{{"10.0.0.1/24"_net}, {"10.0.0.2/24"_net}, {"10.0.0.3/24"_net},
                           {"10.0.0.4/25"_net}, {"10.0.1.5/24"_net}, {"10.0.1.6/24"_net}};
        REQUIRE(made.order() == "145(2)(3)(6)");
        REQUIRE(made.table.remove_address(2, row.removed).has_value());
        CHECK(made.order() == row.order);
        int own = 0;
        for (u32 a = 0x0a000000; a < 0x0a000200; ++a)
            own += made.table.is_own(ipv4::address{a}) ? 1 : 0;
        CHECK(own == static_cast<int>(made.get().addresses.size()));
    }
}

TEST_CASE("the source towards a destination") {
    const one_interface made{{"10.0.0.1/24"_net},
                             {"10.0.0.2/24"_net},
                             {"10.0.1.3/24"_net},
                             scoped("10.0.2.4/24"_net, scopes::link),
                             scoped("127.0.0.1/8"_net, scopes::host)};
    const struct {
        const char* name;
        ipv4::address destination;
        u8 scope = scopes::universe;
        ipv4::address source = "10.0.0.1"_ip;
    } rows[] = {
        {.name = "any", .destination = {}},
        {.name = "on a subnet", .destination = "10.0.1.9"_ip, .source = "10.0.1.3"_ip},
        {.name = "never a secondary", .destination = "10.0.0.2"_ip},
        {.name = "on no subnet: the first", .destination = "192.0.2.1"_ip},
        {.name = "nearer than asked for: the first", .destination = "10.0.2.9"_ip},
        {.name = "as near as asked for",
         .destination = "10.0.2.9"_ip,
         .scope = scopes::link,
         .source = "10.0.2.4"_ip},
        {.name = "host scope for a host",
         .destination = "127.0.0.9"_ip,
         .scope = scopes::host,
         .source = "127.0.0.1"_ip},
    };
    for (const auto& row : rows) {
        CAPTURE(row.name);
        CHECK(made.get().source_for(row.destination, row.scope) == row.source);
    }
    const one_interface local{scoped("127.0.0.1/8"_net, scopes::host)};
    CHECK(local.get().source_for("127.0.0.1"_ip, scopes::link).is_unspecified());
}

TEST_CASE("a secondary is never chosen as a source, in any order") {
    interface i{};
    REQUIRE(i.addresses.push_back({"10.0.0.2/24"_net, {}, scopes::universe, true}));
    CHECK(i.source_for("10.0.0.9"_ip, scopes::universe).is_unspecified());
    REQUIRE(i.addresses.push_back({"10.0.0.1/24"_net}));
    CHECK(i.source_for("10.0.0.9"_ip, scopes::universe) == "10.0.0.1"_ip);
}

TEST_CASE("which addresses are on the link") {
    const one_interface made{{"10.0.0.1/24"_net}, {"10.0.1.3/24"_net}};
    const struct {
        const char* name;
        ipv4::address first = "10.0.0.9"_ip;
        ipv4::address second = {};
        bool on_link = false;
    } rows[] = {
        {.name = "one", .on_link = true},
        {.name = "one of the other", .first = "10.0.1.9"_ip, .on_link = true},
        {.name = "none", .first = "10.0.2.9"_ip},
        {.name = "both of one subnet", .second = "10.0.0.8"_ip, .on_link = true},
        {.name = "of two subnets", .second = "10.0.1.8"_ip},
        {.name = "second elsewhere", .second = "10.0.2.8"_ip},
    };
    for (const auto& row : rows) {
        CAPTURE(row.name);
        CHECK(made.get().on_link(row.first, row.second) == row.on_link);
    }
    const interface bare{};
    CHECK_FALSE(bare.on_link("10.0.0.9"_ip, {}));
    CHECK(bare.source_for({}, scopes::host).is_unspecified());
}

TEST_CASE("an index is used once") {
    interface_table<4> table;
    interface first{};
    first.index = 2;
    first.mtu = 1400;
    REQUIRE(table.add(first).has_value());
    interface second{};
    second.index = 2;
    CHECK(table.add(second).error() == interface_error::exists);
    CHECK(table.find(2)->mtu == 1400);
}

TEST_CASE("a name has at most 15 bytes and ends with a zero") {
    const interface_name longer{"eth0123456789abcdef"};
    CHECK(std::string{longer.characters} == "eth0123456789ab");
    CHECK(longer == interface_name{"eth0123456789ab"});
    CHECK(std::string{interface_name{"lo"}.characters} == "lo");
    CHECK(interface_name{""}.empty());
    CHECK_FALSE(longer.empty());
}

}  // namespace

}  // namespace interface_addresses
