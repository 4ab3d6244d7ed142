// The suite for routes finds the faults of route policies that are broken on purpose.
#include "support/conformance.hpp"

#include <doctest/doctest.h>

#include <sluice/route/linear_routes.hpp>
#include <sluice/testing/conformance/route.hpp>
#include <sluice/testing/conformance/route_contents.hpp>

namespace testing_broken_routes {

namespace {

using namespace sluice;
using namespace sluice::literals;
using table = linear_routes<16>;

// Each struct adds one fault to `table`.
struct other_short_answer : table {
    static constexpr const char* broken =
        "lookup(address) equals lookup(query) with any interface and scope and TOS 0";
    using table::lookup;
    next_hop lookup(ipv4::address to) const noexcept {
        return table::lookup(ipv4::address{to.value ^ 1});
    }
};
struct changing_answer : table {
    static constexpr const char* broken = "a repeated lookup has the same answer";
    mutable unsigned asked = 0;
    using table::lookup;
    next_hop lookup(ipv4::address) const noexcept {
        return ++asked % 2 == 0 ? next_hop::none : next_hop{0};
    }
};
struct restless_version : table {
    static constexpr const char* broken = "a lookup leaves version() unchanged";
    mutable u32 version_ = 0;
    u32 version() const noexcept { return version_++; }
};
struct other_entry : table {
    static constexpr const char* broken = "the chosen route covers the destination";
    route_entry other{.prefix = "192.0.2.0/24"_prefix, .interface = 1};
    const route_entry& at(next_hop) const noexcept { return other; }
};
struct unknown_type : table {
    static constexpr const char* broken = "the route's type is one of route_type";
    route_entry other{.type = static_cast<route_type>(200), .interface = 1};
    const route_entry& at(next_hop) const noexcept { return other; }
};
struct other_hop : table {
    static constexpr const char* broken = "hop_for() agrees with the route";
    hop_entry hop_for(ipv4::address, u8) const noexcept { return {.interface = 99}; }
};
struct any_interface : table {
    static constexpr const char* broken =
        "a query with an interface finds a route of it or a refusal";
    using table::lookup;
    next_hop lookup(const route_query& q) const noexcept { return lookup(q.destination); }
};
struct never_without_answer : table {
    static constexpr const char* broken = "lookup(address) finds no route";
    next_hop lookup(const route_query&) const noexcept { return next_hop{0}; }
    next_hop lookup(ipv4::address) const noexcept { return next_hop{0}; }
};
struct no_dummy : table {
    static constexpr const char* broken = "at() returns `nowhere` for an id without a route";
    route_entry empty{};
    const route_entry& at(next_hop id) const noexcept {
        return table::at(id) == nowhere ? empty : table::at(id);
    }
};
struct late_version : table {
    static constexpr const char* broken = "version() of a new table is 0";
    u32 version() const noexcept { return table::version() + 1; }
};

// Answers with the best route by an order of its own.
template <class Better>
struct by_order : table {
    next_hop lookup(const route_query& q) const noexcept {
        next_hop best = next_hop::none;
        for (u32 id = 0; id < 16; ++id) {
            const route_entry& r = at(next_hop{id});
            if (r != nowhere && r.prefix.contains(q.destination) && answers(r, q) &&
                (best == next_hop::none || Better{}(r, at(best)))) {
                best = next_hop{id};
            }
        }
        return best;
    }
    next_hop lookup(ipv4::address to) const noexcept { return lookup({.destination = to}); }
};
struct shorter {
    bool operator()(const route_entry& a, const route_entry& b) const noexcept {
        return a.prefix.length < b.prefix.length;
    }
};
struct shortest_prefix : by_order<shorter> {
    static constexpr const char* broken = "lookup(address) chooses this egress (0: no route)";
};
struct longer_then_larger_metric {
    bool operator()(const route_entry& a, const route_entry& b) const noexcept {
        return a.prefix.length != b.prefix.length ? a.prefix.length > b.prefix.length
                                                  : a.metric > b.metric;
    }
};
struct largest_metric : by_order<longer_then_larger_metric> {
    static constexpr const char* broken = "lookup(address) chooses this egress (0: no route)";
};
struct longer_then_smaller_metric {
    bool operator()(const route_entry& a, const route_entry& b) const noexcept {
        return a.prefix.length != b.prefix.length ? a.prefix.length > b.prefix.length
                                                  : a.metric < b.metric;
    }
};
struct local_by_metric : by_order<longer_then_smaller_metric> {
    static constexpr const char* broken = "the chosen route has this type";
};
struct throw_as_route : by_order<longer_then_larger_metric> {
    static constexpr const char* broken = "lookup(address) finds no route at a throw route";
};
struct blind_to_tos : table {
    static constexpr const char* broken = "lookup(query) chooses this egress (0: no route)";
    using table::lookup;
    next_hop lookup(const route_query& q) const noexcept {
        return table::lookup({.destination = q.destination, .interface = q.interface});
    }
};
struct takes_anything : table {
    static constexpr const char* broken = "add() refuses the route with `invalid`";
    result<next_hop, route_error> add(const route_entry& r) noexcept {
        return is_valid_route(r) ? table::add(r) : next_hop{0};
    }
};
struct takes_nothing : table {
    static constexpr const char* broken = "add() accepts a new route";
    result<next_hop, route_error> add(const route_entry&) noexcept {
        return failure{route_error::full};
    }
};
struct full_at_once : takes_nothing {
    static constexpr const char* broken = "add() accepts the route";
};
struct takes_twice : table {
    static constexpr const char* broken =
        "add() refuses a second route with the same prefix, TOS and metric";
    result<next_hop, route_error> add(const route_entry& r) noexcept {
        const auto added = table::add(r);
        return added.has_value() ? added : next_hop{0};
    }
};
struct takes_equal_routes : table {
    static constexpr const char* broken = "append() refuses a route that the table has";
    result<next_hop, route_error> append(const route_entry& r) noexcept {
        const auto added = table::append(r);
        return added.has_value() ? added : next_hop{0};
    }
};
struct removes_anything : table {
    static constexpr const char* broken = "remove() refuses a different route with `not_found`";
    result<void, route_error> remove(const route_entry& r) noexcept {
        static_cast<void>(table::remove(r));
        return {};
    }
};
struct removes_nothing : table {
    static constexpr const char* broken = "remove() finds the route";
    result<void, route_error> remove(const route_entry&) noexcept {
        return failure{route_error::not_found};
    }
};
struct remembers_removed : table {
    static constexpr const char* broken = "at() returns `nowhere` for a removed route";
    route_entry last = nowhere;
    result<void, route_error> remove(const route_entry& r) noexcept {
        const route_entry removed = r;
        const auto done = table::remove(r);
        if (done.has_value()) last = removed;
        return done;
    }
    const route_entry& at(next_hop id) const noexcept {
        return id == next_hop{0} && table::at(id) == nowhere ? last : table::at(id);
    }
};
struct takes_local_twice : table {
    static constexpr const char* broken =
        "a local route refuses a broadcast route with the same key";
    result<next_hop, route_error> add(const route_entry& r) noexcept {
        return r.type == route_type::broadcast ? append(r) : table::add(r);
    }
};
struct counts_refused : table {
    static constexpr const char* broken = "a refused change leaves version() unchanged";
    u32 refused = 0;
    u32 version() const noexcept { return table::version() + refused; }
    result<next_hop, route_error> add(const route_entry& r) noexcept {
        const auto added = table::add(r);
        if (!added.has_value()) ++refused;
        return added;
    }
};
struct visits_in_part : table {
    static constexpr const char* broken =
        "for_each() visits exactly the routes added and not removed";
    template <class F>
    void for_each(F&& f) const {
        table::for_each([&f](const route_entry& r) {
            if (r.tos == 0) f(r);
        });
    }
};
struct removes_uncounted : table {
    static constexpr const char* broken = "remove_if() returns the number of removed routes";
    template <class F>
    u32 remove_if(F&& f) noexcept {
        return table::remove_if(f) / 2;
    }
};
struct removes_by_prefix : table {
    static constexpr const char* broken =
        "remove() returns not_found if no route has the given fields";
    result<void, route_error> remove(const route_entry& r) noexcept {
        return table::remove({.prefix = r.prefix});
    }
};
struct takes_unreachable : takes_anything {
    static constexpr const char* broken = "add() refuses `nowhere`";
};
struct uncounted_changes : table {
    static constexpr const char* broken = "add() increments version() by 1";
    u32 version() const noexcept { return 0; }
};

}  // namespace

TEST_CASE_TEMPLATE("a broken table is found", Table, other_short_answer, changing_answer,
                   restless_version, other_entry, unknown_type, other_hop, any_interface, no_dummy,
                   never_without_answer, late_version, shortest_prefix, largest_metric,
                   local_by_metric, remembers_removed, takes_local_twice, counts_refused,
                   throw_as_route, blind_to_tos, takes_anything, takes_nothing, full_at_once,
                   takes_twice, takes_equal_routes, removes_anything, removes_nothing,
                   uncounted_changes) {
    static_assert(mutable_route_policy<Table>);
    support::finds<Table>([](auto report) { return testing::conformance::route<Table>(report); });
}

TEST_CASE_TEMPLATE("broken contents are found", Table, visits_in_part, removes_uncounted,
                   removes_by_prefix, takes_unreachable) {
    support::finds<Table>(
        [](auto report) { return testing::conformance::route_contents<Table>(report); });
}

TEST_CASE("correct behaviour is not reported; a report has the place, the rule and the inputs") {
    CHECK(support::said_by([](auto report) {
              return testing::conformance::route<table>(report);
          }).empty());
    std::vector<testing::broken_requirement> reports;
    const auto found = testing::conformance::route<shortest_prefix>(
        [&reports](const testing::broken_requirement& b) { reports.push_back(b); });
    REQUIRE(!reports.empty());
    const testing::broken_requirement& first = reports.front();
    CHECK(std::string{first.file}.ends_with("sluice/testing/conformance/route.hpp"));
    CHECK(first.line > 0);
    CHECK(first.text() ==
          "route: the route with the longest prefix is chosen: lookup(address) chooses "
          "this egress (0: no route) (destination 11.0.0.1; expected 2, got 1)");
    CHECK(found.broken > reports.size());  // a line reports three times at most in a case
    CHECK(found.cases == 11);
}

}  // namespace testing_broken_routes
