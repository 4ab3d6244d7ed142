// ring and bounded_vector against the standard containers; removed values are destroyed.
#include <doctest/doctest.h>

#include <sluice/base/bounded_vector.hpp>
#include <sluice/base/random.hpp>
#include <sluice/base/ring.hpp>

#include <deque>
#include <memory>
#include <vector>

namespace base_containers {

namespace {

using namespace sluice;

TEST_CASE("ring: first in, first out, full at N and not beyond") {
    keyed_random random{hash_key{1, 1}};
    ring<int, 8> queue;
    std::deque<int> model;
    int refused = 0;
    for (int i = 0; i < 20'000; ++i) {
        if (random.below(2) == 0) {
            const bool room = model.size() < 8;
            CHECK(queue.push(int{i}) == room);
            if (room) model.push_back(i);
            refused += room ? 0 : 1;
        } else {
            CHECK(queue.pop() == (model.empty() ? 0 : model.front()));
            if (!model.empty()) model.pop_front();
        }
        CHECK(queue.size() == model.size());
        CHECK(queue.empty() == model.empty());
        CHECK(queue.full() == (model.size() == 8));
    }
    CHECK(refused > 100);
}

TEST_CASE("ring: a refused value stays with the caller, a popped one leaves nothing behind") {
    ring<std::shared_ptr<int>, 1> queue;
    auto kept = std::make_shared<int>(1);
    auto refused = std::make_shared<int>(2);
    CHECK(queue.push(std::shared_ptr<int>{kept}));
    CHECK_FALSE(queue.push(std::move(refused)));
    CHECK(refused != nullptr);
    CHECK(queue.pop() == kept);
    CHECK(kept.use_count() == 1);
    CHECK(queue.pop() == nullptr);
}

TEST_CASE("bounded_vector: insert, append and erase keep the order") {
    keyed_random random{hash_key{2, 1}};
    bounded_vector<u32, 10> list;
    std::vector<u32> model;
    for (u32 i = 0; i < 20'000; ++i) {
        const std::size_t at = random.below(13);
        switch (random.below(8)) {
        case 0:
        case 1:
        case 2: {
            const bool fits = model.size() < 10 && at <= model.size();
            CHECK(list.insert(at, i) == fits);
            if (fits) model.insert(model.begin() + static_cast<std::ptrdiff_t>(at), i);
            break;
        }
        case 3:
        case 4:
            CHECK(list.push_back(i) == (model.size() < 10));
            if (model.size() < 10) model.push_back(i);
            break;
        case 5:
        case 6:
            if (at < model.size()) {
                list.erase(at);
                model.erase(model.begin() + static_cast<std::ptrdiff_t>(at));
            }
            break;
        default:
            if (random.below(20) == 0) {
                list.clear();
                model.clear();
            }
        }
        CHECK(std::vector<u32>(list.begin(), list.end()) == model);
        CHECK(list.size() == model.size());
        CHECK(list.full() == (model.size() == 10));
    }
}

TEST_CASE("bounded_vector: erased and cleared elements are destroyed") {
    bounded_vector<std::shared_ptr<int>, 3> list;
    const auto one = std::make_shared<int>(1);
    const auto two = std::make_shared<int>(2);
    REQUIRE(list.push_back(one));
    REQUIRE(list.push_back(two));
    list.erase(0);
    CHECK(one.use_count() == 1);
    CHECK(list.back() == two);
    CHECK(list[0] == two);
    list.clear();
    CHECK(two.use_count() == 1);
    CHECK(list.empty());
    CHECK(decltype(list)::capacity() == 3);
}

TEST_CASE("ring: a claimed place holds nothing of the earlier value") {
    ring<int, 2> queue;
    for (int round = 0; round < 3; ++round) {
        int* const place = queue.claim();
        REQUIRE(place != nullptr);
        CHECK(*place == 0);
        *place = 7;
        CHECK(queue.pop() == 7);
    }
}

}  // namespace

}  // namespace base_containers
