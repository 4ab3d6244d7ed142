// What every interface_policy must do, asked of each model.
#include <doctest/doctest.h>

#include <sluice/interface/interface_table.hpp>
#include <sluice/testing/archetypes.hpp>
#include <sluice/wire/literals.hpp>

#include <memory>

namespace conformance_interface {

namespace {

using namespace sluice;
using namespace sluice::literals;
using archetypes::interfaces;

#define SLUICE_INTERFACE_MODELS interface_table<4>, interface_table<64>

// One requirement less each.
struct without_find : interfaces {
    void find(u16) = delete;
};
struct with_find_that_may_throw : interfaces {
    interface* find(u16) { return nullptr; }
    const interface* find(u16) const { return nullptr; }
};
struct with_numeric_answer : interfaces {
    int is_own(ipv4::address) const noexcept { return 0; }
};
struct with_own_that_changes : interfaces {
    bool is_own(ipv4::address) noexcept { return false; }
};
struct without_add : interfaces {
    void add(const interface&) = delete;
};
struct with_silent_add_address : interfaces {
    bool add_address(u16, const assigned_address&) noexcept { return true; }
};
struct without_remove_address : interfaces {
    void remove_address(u16, ipv4::interface_address) = delete;
};
struct without_refresh : interfaces {
    void refresh(u16, const interface_settings&) = delete;
};
struct with_path_by_value : interfaces {
    interface_path path_of(u16) const noexcept { return {}; }
};
struct without_for_each : interfaces {
    template <class F>
    void for_each(F&&) const = delete;
};
static_assert(interface_policy<interfaces>);
static_assert(!interface_policy<without_find>);
static_assert(!interface_policy<with_find_that_may_throw>);
static_assert(!interface_policy<with_numeric_answer>);
static_assert(!interface_policy<with_own_that_changes>);
static_assert(!interface_policy<without_add>);
static_assert(!interface_policy<with_silent_add_address>);
static_assert(!interface_policy<without_remove_address>);
static_assert(!interface_policy<without_refresh>);
static_assert(!interface_policy<with_path_by_value>);
static_assert(!interface_policy<without_for_each>);

interface numbered(u16 index) {
    interface i{};
    i.index = index;
    return i;
}

template <class Table>
std::unique_ptr<Table> with_two() {
    auto table = std::make_unique<Table>();
    REQUIRE(table->add(numbered(1)).has_value());
    REQUIRE(table->add(numbered(3)).has_value());
    return table;
}

TEST_CASE_TEMPLATE("it models the concept", Table, SLUICE_INTERFACE_MODELS) {
    static_assert(interface_policy<Table>);
    const Table table{};
    int seen = 0;
    table.for_each([&](const interface&) { ++seen; });
    CHECK(seen == 0);
    CHECK_FALSE(table.is_own("10.0.0.1"_ip));
}

TEST_CASE_TEMPLATE("what was added is found, and nothing else", Table, SLUICE_INTERFACE_MODELS) {
    auto table = with_two<Table>();
    const Table& unchanged = *table;
    for (u32 index = 0; index <= 0xffff; ++index) {
        const auto i = static_cast<u16>(index);
        const bool there = i == 1 || i == 3;
        CHECK((table->find(i) != nullptr) == there);
        CHECK(unchanged.find(i) == table->find(i));
        if (there) CHECK(table->find(i)->index == i);
    }
    u32 sum = 0;
    table->for_each([&](const interface& i) { sum = sum * 10 + i.index; });
    CHECK((sum == 13 || sum == 31));
}

TEST_CASE_TEMPLATE("what cannot be done is said", Table, SLUICE_INTERFACE_MODELS) {
    auto table = with_two<Table>();
    CHECK(table->add(numbered(0)).error() == interface_error::invalid);
    CHECK(table->add(numbered(3)).error() == interface_error::exists);
    CHECK(table->add(numbered(0xffff)).error() == interface_error::invalid);
    CHECK(table->add_address(2, {"10.0.0.1/8"_net}).error() == interface_error::not_found);
    CHECK(table->add_address(0xffff, {"10.0.0.1/8"_net}).error() == interface_error::not_found);
    CHECK(table->add_address(1, {"0.0.0.0/8"_net}).error() == interface_error::invalid);
    CHECK(table->remove_address(1, "10.0.0.1/8"_net).error() == interface_error::not_found);
    REQUIRE(table->add_address(1, {"10.0.0.1/8"_net}).has_value());
    CHECK(table->add_address(1, {"10.0.0.1/8"_net}).error() == interface_error::exists);
    CHECK(table->remove_address(1, "10.0.0.1/16"_net).error() == interface_error::not_found);
    CHECK(table->is_own("10.0.0.1"_ip));
}

TEST_CASE_TEMPLATE("an address is ours while an interface has it", Table, SLUICE_INTERFACE_MODELS) {
    auto table = with_two<Table>();
    REQUIRE(table->add_address(1, {"10.0.0.1/8"_net}).has_value());
    REQUIRE(table->add_address(3, {"10.0.0.1/24"_net}).has_value());
    CHECK(table->is_own("10.0.0.1"_ip));
    CHECK_FALSE(table->is_own("10.0.0.2"_ip));
    CHECK_FALSE(table->is_own("0.0.0.0"_ip));
    REQUIRE(table->remove_address(1, "10.0.0.1/8"_net).has_value());
    CHECK(table->is_own("10.0.0.1"_ip));
    REQUIRE(table->remove_address(3, "10.0.0.1/24"_net).has_value());
    CHECK_FALSE(table->is_own("10.0.0.1"_ip));
}

TEST_CASE_TEMPLATE("paths of interfaces that are not here lead nowhere", Table,
                   SLUICE_INTERFACE_MODELS) {
    auto table = with_two<Table>();
    interface_settings all;
    table->find(1)->own.forwarding = true;
    for (const u16 index : {u16{0}, u16{1}, u16{2}, u16{3}, u16{0xffff}})
        table->refresh(index, all);
    CHECK(table->path_of(1).accept_fast);
    CHECK(table->path_of(1).output_mtu == 1500);
    for (const u16 index : {u16{0}, u16{2}, u16{63}, u16{64}, u16{0xffff}}) {
        CHECK_FALSE(table->path_of(index).accept_fast);
        CHECK(table->path_of(index).output_mtu == 0);
    }
}

}  // namespace

}  // namespace conformance_interface
