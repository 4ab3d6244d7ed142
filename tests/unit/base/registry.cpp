// registry: registrations change during visits; compared with a list that is copied first.
#include <doctest/doctest.h>

#include <sluice/base/registry.hpp>

#include <algorithm>
#include <random>
#include <vector>

namespace base_registry {

namespace {

using namespace sluice;

using list = registry<int, 8>;
using latest = registry<int, 8, registry_order::latest_first>;

template <class List>
std::vector<int> met(const List& l) {
    std::vector<int> all;
    for (typename List::visit v{l}; const int* value = v.next();)
        all.push_back(*value);
    return all;
}

template <class List>
void remove(List& l, int value) {
    CHECK(l.remove_if([&](int other) { return other == value; }) == 1);
}

TEST_CASE("registry: entries are ordered by rank, then by age, up to the capacity") {
    list l;
    latest n;
    const struct {
        int value;
        i32 rank;
    } rows[] = {{.value = 1, .rank = 5},
                {.value = 2, .rank = 0},
                {.value = 3, .rank = 5},
                {.value = 4, .rank = -7},
                {.value = 5, .rank = 0}};
    for (const auto& r : rows) {
        CHECK(l.add(r.value, r.rank));
        CHECK(n.add(r.value, r.rank));
    }
    CHECK(met(l) == std::vector{4, 2, 5, 1, 3});
    CHECK(met(n) == std::vector{4, 5, 2, 3, 1});
    for (int i = 6; i <= 8; ++i)
        CHECK(l.add(i));
    CHECK(l.full());
    CHECK_FALSE(l.add(9));
    remove(l, 4);
    CHECK(l.size() == 7);
    CHECK(l[0] == 2);
    CHECK(l.remove_if([](int) { return false; }) == 0);
}

// What a visit of 1, 2, 3, 4 meets when the list changes once, at a value.
TEST_CASE("registry: one change during a visit") {
    const struct {
        const char* name;
        int when = 2;  // that value was met
        int goes = 0;  // 0: one is added,
        i32 rank = 0;  // of that rank
        std::vector<int> expected;
    } rows[] = {
        {.name = "the one that is met goes", .goes = 2, .expected = {1, 2, 3, 4}},
        {.name = "one before goes", .when = 3, .goes = 1, .expected = {1, 2, 3, 4}},
        {.name = "the next goes", .goes = 3, .expected = {1, 2, 4}},
        {.name = "a later one goes", .goes = 4, .expected = {1, 2, 3}},
        {.name = "the first goes at the first", .when = 1, .goes = 1, .expected = {1, 2, 3, 4}},
        {.name = "the last goes at the last", .when = 4, .goes = 4, .expected = {1, 2, 3, 4}},
        {.name = "one comes in front", .expected = {1, 2, 3, 4}},
        {.name = "one comes next", .rank = 2, .expected = {1, 2, 3, 4}},
        {.name = "one comes at the end", .when = 4, .rank = 9, .expected = {1, 2, 3, 4}},
    };
    for (const auto& r : rows) {
        CAPTURE(r.name);
        list l;
        for (int i = 1; i <= 4; ++i)
            REQUIRE(l.add(i, i));
        std::vector<int> seen;
        for (list::visit v{l}; const int* value = v.next();) {
            seen.push_back(*value);
            if (*value != r.when) continue;
            if (r.goes == 0) {
                REQUIRE(l.add(99, r.rank));
            } else {
                remove(l, r.goes);
            }
            CHECK(v.is_there() == (r.goes != r.when));
        }
        CHECK(seen == r.expected);
        CHECK(met(l).size() == (r.goes == 0 ? 5 : 3));
    }
}

TEST_CASE("registry: a visit within a visit, each with its own changes") {
    list l;
    for (int i = 1; i <= 4; ++i)
        REQUIRE(l.add(i));
    std::vector<int> outer;
    for (list::visit v{l}; const int* value = v.next();) {
        outer.push_back(*value);
        if (outer.size() != 2) continue;
        std::vector<int> inner;
        for (list::visit w{l}; const int* other = w.next();) {
            inner.push_back(*other);
            if (inner.size() == 1) remove(l, 1);
            if (inner.size() == 2) remove(l, 3);
        }
        CHECK(inner == std::vector{1, 2, 4});
    }
    CHECK(outer == std::vector{1, 2, 4});
    CHECK(met(l) == std::vector{2, 4});
}

// Random changes at random times; the naive model visits a copy and asks each time whether that
// very registration is still there. Values are never used twice.
template <class List>
void agrees_with_a_naive_model(bool latest_first) {
    struct entry {
        int value;
        i32 rank;
    };
    std::mt19937 random{16};
    for (int round = 0; round < 2000; ++round) {
        List l;
        std::vector<entry> naive;
        int next = 0;
        const auto add = [&] {
            const entry e{next++, static_cast<i32>(random() % 4)};
            const bool room = naive.size() < 8;
            CHECK(l.add(e.value, e.rank) == room);
            if (!room) return;
            naive.insert(std::find_if(naive.begin(), naive.end(),
                                      [&](const entry& o) {
                                          return latest_first ? o.rank >= e.rank : o.rank > e.rank;
                                      }),
                         e);
        };
        const auto remove_one = [&] {
            if (naive.empty()) return;
            const std::size_t at = random() % naive.size();
            remove(l, naive[at].value);
            naive.erase(naive.begin() + std::ptrdiff_t(at));
        };
        for (auto i = random() % 9; i > 0; --i)
            add();
        const std::vector<entry> before = naive;
        auto expected = before.begin();
        const auto skip_removed = [&] {
            while (expected != before.end() &&
                   std::none_of(naive.begin(), naive.end(),
                                [&](const entry& e) { return e.value == expected->value; }))
                ++expected;
        };
        for (typename List::visit v{l}; const int* value = v.next();) {
            REQUIRE(expected != before.end());
            CHECK(*value == expected->value);
            ++expected;
            for (auto i = random() % 4; i > 0; --i)
                random() % 2 == 0 ? add() : remove_one();
            skip_removed();
        }
        CHECK(expected == before.end());
    }
}
TEST_CASE("registry: random changes agree with a naive model") {
    agrees_with_a_naive_model<list>(false);
    agrees_with_a_naive_model<latest>(true);
}

constexpr int sum_while_the_first_goes() {
    list l;
    int sum = 0;
    for (int i = 1; i <= 3; ++i)
        static_cast<void>(l.add(i));
    for (list::visit v{l}; const int* value = v.next();) {
        sum += *value;
        if (*value == 2) l.remove_if([](int other) { return other == 1; });
    }
    return sum;
}
static_assert(sum_while_the_first_goes() == 6);

}  // namespace

}  // namespace base_registry
