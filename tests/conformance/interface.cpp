// Runs the conformance suite on each interface_policy of the library, and tests what the concept
// rejects.
#include "support/conformance.hpp"

#include <doctest/doctest.h>

#include <sluice/interface/interface_table.hpp>
#include <sluice/testing/archetypes.hpp>
#include <sluice/testing/conformance/interfaces.hpp>
#include <sluice/wire/literals.hpp>

namespace conformance_interface {

namespace {

using namespace sluice;
using archetypes::interfaces;

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

TEST_CASE_TEMPLATE("interfaces", Table, interface_table<4>, interface_table<64>) {
    support::conforms(testing::conformance::interfaces<Table>(support::to_doctest), 131'000);
}

}  // namespace

}  // namespace conformance_interface
