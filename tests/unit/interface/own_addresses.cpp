// The set of local addresses under additions and removals, against std::set and a naive model.
#include <doctest/doctest.h>

#include <sluice/interface/interface_table.hpp>
#include <sluice/wire/literals.hpp>

#include <memory>
#include <random>
#include <set>
#include <vector>

namespace interface_own_addresses {

namespace {

using namespace sluice;
using namespace sluice::literals;

interface numbered(u16 index) {
    interface i{};
    i.index = index;
    return i;
}

// The same rules once more, in the plainest form: a list of (interface, address) in order of
// addition; the first of a subnet on an interface is primary.
class naive_addresses {
public:
    interface_error add(u16 index, const ipv4::interface_address& net) {
        std::size_t on_interface = 0;
        for (const auto& e : entries_) {
            if (e.index != index) continue;
            if (e.net == net) return interface_error::exists;
            ++on_interface;
        }
        if (on_interface == max_interface_addresses) return interface_error::full;
        entries_.push_back({index, net});
        return interface_error::none;
    }
    interface_error remove(u16 index, const ipv4::interface_address& net) {
        if (!has(index, net)) return interface_error::not_found;
        const bool whole_subnet = is_primary(index, net);
        std::vector<entry> left;
        for (const auto& e : entries_) {
            const bool goes = e.index == index &&
                              (whole_subnet ? e.net.network() == net.network() : e.net == net);
            if (!goes) left.push_back(e);
        }
        entries_ = left;
        return interface_error::none;
    }
    void remove_interface(u16 index) {
        std::vector<entry> left;
        for (const auto& e : entries_) {
            if (e.index != index) left.push_back(e);
        }
        entries_ = left;
    }
    bool is_primary(u16 index, const ipv4::interface_address& net) const {
        for (const auto& e : entries_) {
            if (e.index == index && e.net.network() == net.network()) return e.net == net;
        }
        return false;
    }
    bool has(u16 index, const ipv4::interface_address& net) const {
        for (const auto& e : entries_) {
            if (e.index == index && e.net == net) return true;
        }
        return false;
    }
    std::size_t size() const { return entries_.size(); }
    std::set<u32> own() const {
        std::set<u32> all;
        for (const auto& e : entries_)
            all.insert(e.net.address.value);
        return all;
    }

private:
    struct entry {
        u16 index = 0;
        ipv4::interface_address net{};
    };
    std::vector<entry> entries_;
};

template <class Table>
void check_same(const Table& table, const naive_addresses& naive, u32 base) {
    const std::set<u32> own = naive.own();
    for (u32 a = base; a < base + 64; ++a)
        CHECK(table.is_own(ipv4::address{a}) == (own.count(a) != 0));
    std::size_t seen = 0;
    table.for_each([&](const interface& i) {
        for (const auto& a : i.addresses) {
            ++seen;
            CHECK(naive.has(i.index, a.net));
            CHECK(a.secondary == !naive.is_primary(i.index, a.net));
        }
    });
    CHECK(seen == naive.size());
}

TEST_CASE_TEMPLATE("own addresses under random changes agree with a naive model", Table,
                   interface_table<2>, interface_table<5>) {
    constexpr u32 base = 0x0a000100;
    std::mt19937 random{42};
    const auto below = [&](u32 n) { return static_cast<u32>(random() % n); };
    const auto table = std::make_unique<Table>();
    naive_addresses naive;
    for (u16 i = 1; i < Table::capacity(); ++i)
        REQUIRE(table->add(numbered(i)).has_value());
    for (int step = 0; step < 4000; ++step) {
        const auto index = static_cast<u16>(1 + below(Table::capacity() - 1));
        const ipv4::interface_address net{ipv4::address{base + below(64)},
                                          static_cast<u8>(24 + below(9))};
        const u32 act = below(100);
        if (act < 60) {
            CHECK(table->add_address(index, {net}).error() == naive.add(index, net));
        } else if (act < 99) {
            CHECK(table->remove_address(index, net).error() == naive.remove(index, net));
        } else {
            table->remove(index);
            naive.remove_interface(index);
            REQUIRE(table->add(numbered(index)).has_value());
        }
        if (step % 8 == 0) check_same(*table, naive, base);
    }
}

// Every place taken, all hashing where they like.
TEST_CASE("a full table knows all its addresses and no other") {
    const auto table = std::make_unique<interface_table<16>>();
    std::mt19937 random{7};
    std::set<u32> own;
    for (u16 i = 1; i < 16; ++i) {
        REQUIRE(table->add(numbered(i)).has_value());
        while (own.size() < i * max_interface_addresses) {
            const u32 a = static_cast<u32>(random());
            if (a == 0 || !own.insert(a).second) continue;
            REQUIRE(table->add_address(i, {{ipv4::address{a}, 32}}).has_value());
        }
        const ipv4::interface_address more{"192.0.2.1"_ip, 32};
        CHECK(table->add_address(i, {more}).error() == interface_error::full);
    }
    for (const u32 a : own)
        CHECK(table->is_own(ipv4::address{a}));
    for (int i = 0; i < 10000; ++i) {
        const u32 a = static_cast<u32>(random());
        CHECK(table->is_own(ipv4::address{a}) == (own.count(a) != 0));
    }
    CHECK_FALSE(table->is_own("0.0.0.0"_ip));
}

}  // namespace

}  // namespace interface_own_addresses
