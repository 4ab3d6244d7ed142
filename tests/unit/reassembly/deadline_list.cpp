// deadline_list against a stable sort, and the steps that it takes.
#include <sluice/base/random.hpp>
#include <sluice/reassembly/deadline_list.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <compare>
#include <vector>

namespace reassembly_deadline_list {
using namespace sluice;

namespace {

// A deadline that counts how often it is compared.
struct counted {
    i64 at = 0;
    static inline u64 comparisons = 0;

    friend std::strong_ordering operator<=>(const counted& a, const counted& b) {
        ++comparisons;
        return a.at <=> b.at;
    }
};
struct record : detail::deadline_links {
    counted deadline;
    u32 number = 0;
};
using list_type = detail::deadline_list<record>;

std::vector<u32> numbers_of(const list_type& list) {
    std::vector<u32> all;
    const record* before = nullptr;
    for (const record* r = list.first(); r != nullptr; before = r, r = list.behind(*r)) {
        CHECK((before == nullptr || r->earlier == before));
        all.push_back(r->number);
    }
    return all;
}

}  // namespace

TEST_CASE("records are in order of their deadlines, equal ones as they came") {
    keyed_random random{hash_key{1, 2}};
    std::vector<record> records(60);
    std::vector<record*> model;
    list_type list;
    std::vector<record*> idle;
    for (record& r : records) {
        idle.push_back(&r);
    }
    u32 number = 0;
    i64 timeout = 30;
    for (i64 now = 0; now < 20'000; ++now) {
        if (random.below(100) == 0) {
            timeout = 1 + random.below(60);
        }
        if (!idle.empty() && random.below(5) != 0) {
            record& r = *idle.back();
            idle.pop_back();
            r.number = ++number;
            r.deadline.at = now / 3 + timeout;
            list.add(r);
            model.insert(std::upper_bound(model.begin(), model.end(), &r,
                                          [](const record* a, const record* b) {
                                              return a->deadline.at < b->deadline.at;
                                          }),
                         &r);
        } else if (!model.empty()) {
            const u32 which =
                random.below(3) == 0 ? 0 : random.below(static_cast<u32>(model.size()));
            list.remove(*model[which]);
            idle.push_back(model[which]);
            model.erase(model.begin() + which);
        }
        std::vector<u32> expected;
        for (const record* r : model) {
            expected.push_back(r->number);
        }
        REQUIRE(numbers_of(list) == expected);
    }
}

TEST_CASE("after the timeout was made shorter, adding takes a search once and then a few steps") {
    constexpr u32 many = 4'000;
    std::vector<record> longer(many);
    std::vector<record> shorter(many);
    list_type list;
    for (u32 i = 0; i < many; ++i) {
        longer[i].deadline.at = 30'000 + i;
        list.add(longer[i]);
    }
    u64 most = 0;
    u64 sum = 0;
    for (u32 i = 0; i < many; ++i) {
        counted::comparisons = 0;
        shorter[i].deadline.at = 5'000 + 10 * i;  // passes the longer ones in the end
        list.add(shorter[i]);
        if (i > 0) {
            most = std::max(most, counted::comparisons);
            sum += counted::comparisons;
        }
    }
    CHECK(most <= 20);
    CHECK(sum <= 4 * u64{many});
    CHECK(numbers_of(list).size() == 2 * many);
    CHECK(std::is_sorted(shorter.begin(), shorter.end(), [](const record& a, const record& b) {
        return a.deadline.at < b.deadline.at;
    }));
}

}  // namespace reassembly_deadline_list
