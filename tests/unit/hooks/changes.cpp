// Hooks that add and remove hooks, themselves too, while they are called: each that stays is called
// once for a packet, a removed one no more, a new one from the next packet on.
#include <doctest/doctest.h>

#include <sluice/hooks/hook_chain.hpp>
#include <sluice/packet/pool_storage.hpp>

#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace hooks_changes {

namespace {

using namespace sluice;

using packet = fixed_pool<512, 4>::packet_type;
using chain = hook_chain<8>::model<packet>;
constexpr hook_point point = hook_point::forward;

// Writes its letter, then calls the given function.
struct acting final : hook<packet> {
    acting(std::string& page, char c) : page_(&page), letter(c) {}

    hook_verdict operator()(packet&, const hook_context&) noexcept override {
        *page_ += letter;
        return act ? act() : hook_verdict::accept;
    }
    std::function<hook_verdict()> act;

private:
    std::string* page_;

public:
    char letter;
};

struct four_hooks {
    four_hooks() {
        for (char c = 'a'; c < 'f'; ++c)
            hooks.push_back(std::make_unique<acting>(page, c));
        for (i32 i = 0; i < 4; ++i)
            REQUIRE(all.add(point, i, *hooks[std::size_t(i)]));
    }
    std::string run() {
        page.clear();
        fixed_pool<512, 4> pool;
        packet p = pool.take(0);
        CHECK(all.run(point, p, {}) == hook_verdict::accept);
        return page;
    }
    chain all;
    std::string page;
    std::vector<std::unique_ptr<acting>> hooks;  // a, b, c, d are registered, e is not
};

TEST_CASE("a hook that removes a hook, or itself: the remaining ones are called once") {
    // who acts, who goes, who is called, who is called next time
    const struct {
        char actor;
        char goes;
        const char* now;
        const char* then;
    } rows[] = {
        {.actor = 'a', .goes = 'a', .now = "abcd", .then = "bcd"},
        {.actor = 'a', .goes = 'b', .now = "acd", .then = "acd"},
        {.actor = 'a', .goes = 'd', .now = "abc", .then = "abc"},
        {.actor = 'b', .goes = 'a', .now = "abcd", .then = "bcd"},
        {.actor = 'b', .goes = 'b', .now = "abcd", .then = "acd"},
        {.actor = 'b', .goes = 'c', .now = "abd", .then = "abd"},
        {.actor = 'd', .goes = 'a', .now = "abcd", .then = "bcd"},
        {.actor = 'd', .goes = 'c', .now = "abcd", .then = "abd"},
        {.actor = 'd', .goes = 'd', .now = "abcd", .then = "abc"},
    };
    for (const auto& r : rows) {
        CAPTURE(r.actor);
        CAPTURE(r.goes);
        four_hooks f;
        f.hooks[std::size_t(r.actor - 'a')]->act = [&] {
            f.all.remove(point, *f.hooks[std::size_t(r.goes - 'a')]);
            return hook_verdict::accept;
        };
        CHECK(f.run() == r.now);
        CHECK(f.run() == r.then);
    }
}

TEST_CASE("a hook that is added is called from the next packet on, wherever it stands") {
    for (const i32 priority : {-5, 0, 1, 2, 9}) {
        CAPTURE(priority);
        four_hooks f;
        f.hooks[1]->act = [&] {
            REQUIRE(f.all.add(point, priority, *f.hooks[4]));
            f.hooks[1]->act = {};
            return hook_verdict::accept;
        };
        CHECK(f.run() == "abcd");
        CHECK(f.run().size() == 5);
    }
}

TEST_CASE("a hook that is destroyed by another is not called any more") {
    four_hooks f;
    f.hooks[0]->act = [&] {
        for (std::size_t i = 1; i < 4; ++i) {
            if (!f.hooks[i]) continue;
            f.all.remove(point, *f.hooks[i]);
            f.hooks[i].reset();
        }
        return hook_verdict::accept;
    };
    CHECK(f.run() == "a");
    CHECK(f.run() == "a");
}

TEST_CASE("a hook that removes itself and asks to be repeated is not called again") {
    four_hooks f;
    f.hooks[1]->act = [&] {
        f.all.remove(point, *f.hooks[1]);
        return hook_verdict::repeat;
    };
    CHECK(f.run() == "abcd");
    CHECK(f.run() == "acd");
}

TEST_CASE("the last hook of a point removes itself: the point is empty") {
    four_hooks f;
    for (std::size_t i = 0; i < 4; ++i) {
        f.hooks[i]->act = [&f, i] {
            f.all.remove(point, *f.hooks[i]);
            return hook_verdict::accept;
        };
    }
    CHECK(f.run() == "abcd");
    CHECK_FALSE(f.all.active(point));
    CHECK(f.run().empty());
}

// Each hook adds and removes at random; the model visits a copy of the list and asks each time
// whether that very registration is still there.
TEST_CASE("random changes from within agree with a naive model") {
    struct entry {
        i32 priority;
        std::size_t who;
        int registration;
    };
    std::mt19937 random{1616};
    for (int round = 0; round < 2000; ++round) {
        std::string page;
        std::vector<std::unique_ptr<acting>> hooks;
        chain all;
        std::vector<entry> naive;
        int registrations = 0;
        const auto change = [&] {
            const std::size_t who = random() % 6;
            if (random() % 2 == 0) {
                all.remove(point, *hooks[who]);
                std::erase_if(naive, [&](const entry& e) { return e.who == who; });
                return;
            }
            const i32 priority = static_cast<i32>(random() % 3);
            const bool room = naive.size() < 8;
            CHECK(all.add(point, priority, *hooks[who]) == room);
            if (!room) return;
            auto at = naive.begin();
            while (at != naive.end() && at->priority <= priority)
                ++at;
            naive.insert(at, {priority, who, registrations++});
        };
        std::vector<entry> before;
        std::string expected;
        std::size_t step = 0;
        // The model's next call, from those that are still there.
        const auto expect_next = [&] {
            while (step < before.size() &&
                   std::none_of(
                       naive.begin(), naive.end(),
                       [&](const entry& e) { return e.registration == before[step].registration; }))
                ++step;
            if (step < before.size()) expected += static_cast<char>('a' + before[step++].who);
        };
        for (char c = 'a'; c < 'g'; ++c) {
            hooks.push_back(std::make_unique<acting>(page, c));
            hooks.back()->act = [&] {
                for (auto i = random() % 3; i > 0; --i)
                    change();
                expect_next();
                return hook_verdict::accept;
            };
        }
        for (int i = 0; i < 10; ++i)
            change();
        before = naive;
        expect_next();
        fixed_pool<512, 4> pool;
        packet p = pool.take(0);
        CHECK(all.run(point, p, {}) == hook_verdict::accept);
        CHECK(page == expected);
    }
}

}  // namespace

}  // namespace hooks_changes
