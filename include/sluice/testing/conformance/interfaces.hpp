// conformance::interfaces: tests the properties of every interface_policy on yours.
//
//     const auto found = testing::conformance::interfaces<my_table>();  // prints faults
//     return found.passed() ? 0 : 1;
//
// Expects: a default-constructible table with room for interfaces 1 and 3 and an address each.
#pragma once

#include <sluice/interface/concept.hpp>
#include <sluice/testing/checker.hpp>
#include <sluice/wire/literals.hpp>

#include <memory>

namespace sluice::testing::conformance {

namespace detail {

template <class Table>
class interface_suite {
public:
    explicit interface_suite(checker& check) : check_{check} {}

    void run() {
        empty();
        using self = interface_suite;
        for (const auto each : {&self::found, &self::refused, &self::own_addresses, &self::paths}) {
            const auto table = std::make_unique<Table>();
            (this->*each)(*table);
        }
    }

private:
    void empty() {
        check_.begin("a new object is empty");
        const auto made = std::make_unique<Table>();
        const Table& table = *made;
        int seen = 0;
        table.for_each([&seen](const interface&) { ++seen; });
        check_.equal(seen, 0, "for_each() visits no interface");
        check_.holds(!table.is_own("10.0.0.1"_ip),
                     "a table without addresses has no local address");
    }

    void found(Table& table) {
        check_.begin("find() finds the added interfaces and no other");
        add_two(table);
        const Table& unchanged = table;
        for (u32 index = 0; index <= 0xffff; ++index) {
            check_.given("index", index);
            const auto i = static_cast<u16>(index);
            const interface* const got = table.find(i);
            check_.equal(got != nullptr, i == 1 || i == 3, "find() finds only an added interface");
            check_.holds(unchanged.find(i) == got,
                         "find() of a constant table returns the same object");
            if (got != nullptr) {
                check_.equal(got->index, i, "find() returns the interface with this index");
            }
        }
        check_.clear_given();
        u32 sum = 0;
        table.for_each([&sum](const interface& i) { sum = sum * 10 + i.index; });
        check_.holds(sum == 13 || sum == 31, "for_each() visits each interface once");
    }

    void refused(Table& table) {
        check_.begin("an invalid change is refused with its error");
        using enum interface_error;
        add_two(table);
        const auto net = "10.0.0.1/8"_net;
        check_.refused(table.add(numbered(0)), invalid, "add() refuses interface 0");
        check_.refused(table.add(numbered(3)), exists, "add() refuses an index that exists");
        check_.refused(table.add(numbered(0xffff)), invalid,
                       "add() refuses an index beyond the table");
        check_.refused(table.add_address(2, {net}), not_found,
                       "add_address() refuses an interface that was not added");
        check_.refused(table.add_address(0xffff, {net}), not_found,
                       "add_address() refuses an index beyond the table");
        check_.refused(table.add_address(1, {"0.0.0.0/8"_net}), invalid,
                       "add_address() refuses 0.0.0.0");
        check_.refused(table.remove_address(1, net), not_found,
                       "remove_address() refuses an address that was not added");
        check_.holds(table.add_address(1, {net}).has_value(), "add_address() accepts an address");
        check_.refused(table.add_address(1, {net}), exists,
                       "add_address() refuses an address that the interface has");
        check_.refused(table.remove_address(1, "10.0.0.1/16"_net), not_found,
                       "remove_address() refuses an address with another prefix length");
        check_.holds(table.is_own("10.0.0.1"_ip),
                     "an address stays local after a refused remove_address()");
    }

    void own_addresses(Table& table) {
        check_.begin("an address is local while an interface has it");
        add_two(table);
        check_.holds(table.add_address(1, {"10.0.0.1/8"_net}).has_value(),
                     "add_address() accepts an address");
        check_.holds(table.add_address(3, {"10.0.0.1/24"_net}).has_value(),
                     "add_address() accepts the same address on another interface");
        check_.holds(table.is_own("10.0.0.1"_ip), "an added address is local");
        check_.holds(!table.is_own("10.0.0.2"_ip), "another address of the network is not local");
        check_.holds(!table.is_own("0.0.0.0"_ip), "0.0.0.0 is not local");
        check_.holds(table.remove_address(1, "10.0.0.1/8"_net).has_value(),
                     "remove_address() removes the address from the first interface");
        check_.holds(table.is_own("10.0.0.1"_ip),
                     "the address is local while the other interface has it");
        check_.holds(table.remove_address(3, "10.0.0.1/24"_net).has_value(),
                     "remove_address() removes the address from the other interface");
        check_.holds(!table.is_own("10.0.0.1"_ip),
                     "the address is not local when no interface has it");
    }

    void paths(Table& table) {
        check_.begin("path_of() is closed, with MTU 0, for an interface that was not added");
        add_two(table);
        interface* const first = table.find(1);
        if (!check_.holds(first != nullptr, "find() finds only an added interface")) {
            return;
        }
        const interface_settings all;
        first->own.forwarding = true;
        for (const u16 index : {u16{0}, u16{1}, u16{2}, u16{3}, u16{0xffff}}) {
            table.refresh(index, all);
        }
        check_.holds(table.path_of(1).accept_fast,
                     "path_of() of a forwarding interface permits the accept branch");
        check_.equal(table.path_of(1).output_mtu, u16{1500},
                     "path_of() has the MTU of the interface");
        for (const u16 index : {u16{0}, u16{2}, u16{63}, u16{64}, u16{0xffff}}) {
            check_.given("index", index);
            check_.holds(!table.path_of(index).accept_fast,
                         "path_of() of an unknown interface permits no accept branch");
            check_.equal(table.path_of(index).output_mtu, u16{0},
                         "path_of() of an unknown interface has MTU 0");
        }
    }

    [[nodiscard]] static interface numbered(u16 index) {
        interface i{};
        i.index = index;
        return i;
    }
    void add_two(Table& table) {
        check_.holds(table.add(numbered(1)).has_value(), "add() accepts interface 1");
        check_.holds(table.add(numbered(3)).has_value(), "add() accepts interface 3");
    }

    checker& check_;
};

}  // namespace detail

template <interface_policy Table>
suite_result interfaces(const reporter& report = print_broken) {
    checker check{"interfaces", report};
    detail::interface_suite<Table>{check}.run();
    return check.result();
}

}  // namespace sluice::testing::conformance
