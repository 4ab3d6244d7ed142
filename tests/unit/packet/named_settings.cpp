// named_settings: one row for each field, the bounds, and lookup of rows.
// tests/unit/examples/switch_text.cpp tests that every field has a row.
#include <doctest/doctest.h>

#include <sluice/packet/named_settings.hpp>

#include <set>
#include <string>
#include <string_view>

namespace packet_named_settings {

namespace {

using namespace sluice;

text_view text_of(std::string_view text) {
    return {text.data(), text.size()};
}

// Each row writes the field that it reads, and no two rows write one field.
template <class Owner, class Table>
void each_row_is_its_own(const Table& table) {
    std::set<std::string_view> names;
    for (const auto& row : table) {
        CAPTURE(std::string{row.name});
        CHECK(names.insert(row.name).second);
        for (const u32 n : {row.least, row.most}) {
            Owner changed{};
            row.set(changed, {n, n});
            CHECK(row.get(changed) == setting_value{n, n});
            const Owner fresh{};
            for (const auto& other : table) {
                if (&other != &row) CHECK(other.get(changed) == other.get(fresh));
            }
        }
    }
}

TEST_CASE("each name has a row, and each row its own field") {
    each_row_is_its_own<settings>(named_settings);
    each_row_is_its_own<interface_settings>(named_interface_settings);
}

TEST_CASE("the defaults are within the bounds") {
    const settings s{};
    for (const auto& row : named_settings) {
        CAPTURE(std::string{row.name});
        CHECK(row.takes(row.get(s)));
    }
    for (const auto& row : named_interface_settings)
        CHECK(row.takes(row.get(s.all)));
}

TEST_CASE("a row is found by its whole name, with dots or slashes") {
    for (const char* name : {"route.min_pmtu", "route/min_pmtu"}) {
        const auto* const row = find_setting(named_settings, text_of(name));
        REQUIRE(row != nullptr);
        CHECK(std::string_view{row->name} == "route.min_pmtu");
    }
    for (const char* name : {"", "ip_forwar", "ip_forwards", "route_min_pmtu", "rp_filter", "."})
        CHECK(find_setting(named_settings, text_of(name)) == nullptr);
    CHECK(find_setting(named_interface_settings, text_of("rp_filter")) != nullptr);
    CHECK(find_setting(named_interface_settings, text_of("ip_forward")) == nullptr);
}

TEST_CASE("which values a setting accepts") {
    const auto* const ttl = find_setting(named_settings, text_of("ip_default_ttl"));
    REQUIRE(ttl != nullptr);
    CHECK(ttl->takes({1}));
    CHECK(ttl->takes({255}));
    CHECK_FALSE(ttl->takes({0}));
    CHECK_FALSE(ttl->takes({256}));
    const auto* const ports = find_setting(named_settings, text_of("ip_local_port_range"));
    REQUIRE(ports != nullptr);
    CHECK(ports->numbers == 2);
    CHECK(ports->takes({1, 65'535}));
    CHECK(ports->takes({7, 7}));
    CHECK_FALSE(ports->takes({8, 7}));
    CHECK_FALSE(ports->takes({1, 65'536}));
    CHECK_FALSE(ports->takes({0, 7}));
}

TEST_CASE("ip_forward is the forwarding of all") {
    settings s{};
    const auto* const row = find_setting(named_settings, text_of("ip_forward"));
    REQUIRE(row != nullptr);
    row->set(s, {1});
    CHECK(s.all.forwarding);
    CHECK(s.defaults.forwarding);
    CHECK(row->get(s).first == 1);
}

}  // namespace

}  // namespace packet_named_settings
