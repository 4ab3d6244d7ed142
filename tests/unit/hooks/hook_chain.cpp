// hook_chain: order by priority, verdicts, the bound on repeats, conditional hooks.
#include <doctest/doctest.h>

#include <sluice/hooks/hook_chain.hpp>
#include <sluice/packet/pool_storage.hpp>

#include <random>
#include <string>
#include <vector>

namespace hooks_hook_chain {

namespace {

using namespace sluice;

using pool_type = fixed_pool<512, 4>;
using packet = pool_type::packet_type;
using chain = hook_chain<8>::model<packet>;

// Writes its letter, then answers.
struct letter final : hook<packet> {
    letter(std::string& page, char c, hook_verdict answer = hook_verdict::accept)
        : verdict(answer), page_(&page), letter_(c) {}

    hook_verdict operator()(packet&, const hook_context& c) noexcept override {
        *page_ += letter_;
        context = c;
        return verdict;
    }
    hook_verdict verdict;
    hook_context context{};

private:
    std::string* page_;
    char letter_;
};

TEST_CASE("a default context names no interface") {
    CHECK(hook_context{}.in == 0);
    CHECK(hook_context{}.out == 0);
}

TEST_CASE("lower priority numbers first, equals in order of registration") {
    const struct {
        const char* name;
        std::vector<i32> priorities;  // of a, b, c, ...
        const char* order;
    } rows[] = {
        {.name = "in order", .priorities = {1, 2, 3}, .order = "abc"},
        {.name = "reversed", .priorities = {3, 2, 1}, .order = "cba"},
        {.name = "equals", .priorities = {0, 0, 0}, .order = "abc"},
        {.name = "equals among others", .priorities = {5, 0, 5, 0}, .order = "bdac"},
        {.name = "negative, extremes",
         .priorities = {0x7fffffff, -0x7fffffff - 1, 0, -1},
         .order = "bdca"},
    };
    for (const auto& row : rows) {
        std::string page;
        std::vector<letter> hooks;
        for (std::size_t i = 0; i < row.priorities.size(); ++i)
            hooks.emplace_back(page, static_cast<char>('a' + i));
        chain all;
        for (std::size_t i = 0; i < hooks.size(); ++i)
            REQUIRE(all.add(hook_point::forward, row.priorities[i], hooks[i]));
        packet p;
        CAPTURE(row.name);
        CHECK(all.run(hook_point::forward, p, {}) == hook_verdict::accept);
        CHECK(page == row.order);
    }
}

TEST_CASE("the first verdict that is not accept ends the chain") {
    for (const hook_verdict v : {hook_verdict::drop, hook_verdict::stolen, hook_verdict::queue}) {
        std::string page;
        letter a{page, 'a'};
        letter b{page, 'b', v};
        letter c{page, 'c'};
        chain all;
        REQUIRE(all.add(hook_point::local_in, 3, c));
        REQUIRE(all.add(hook_point::local_in, 2, b));
        REQUIRE(all.add(hook_point::local_in, 1, a));
        packet p;
        CHECK(all.run(hook_point::local_in, p, {.in = 4, .out = 5}) == v);
        CHECK(page == "ab");
        CHECK(b.context.in == 4);
        CHECK(b.context.out == 5);
    }
}

struct repeater final : hook<packet> {
    explicit repeater(unsigned n) : times(n) {}
    hook_verdict operator()(packet&, const hook_context&) noexcept override {
        ++calls;
        return calls <= times ? hook_verdict::repeat : hook_verdict::accept;
    }
    unsigned times;
    unsigned calls = 0;
};

TEST_CASE("a hook that repeats is called a limited number of times, then the packet is dropped") {
    for (unsigned times = 0; times <= chain::max_repeats + 3; ++times) {
        std::string page;
        repeater r{times};
        letter after{page, 'x'};
        chain all;
        REQUIRE(all.add(hook_point::prerouting, 0, r));
        REQUIRE(all.add(hook_point::prerouting, 1, after));
        packet p;
        const bool passes = times <= chain::max_repeats;
        CAPTURE(times);
        CHECK(all.run(hook_point::prerouting, p, {}) ==
              (passes ? hook_verdict::accept : hook_verdict::drop));
        CHECK(r.calls == (passes ? times : chain::max_repeats) + 1);
        CHECK(page == (passes ? "x" : ""));
    }
}

TEST_CASE("a disabled hook is skipped, and keeps its place") {
    std::string page;
    letter a{page, 'a', hook_verdict::drop};
    letter b{page, 'b'};
    chain all;
    REQUIRE(all.add(hook_point::local_out, 0, a));
    REQUIRE(all.add(hook_point::local_out, 1, b));
    packet p;
    CHECK(a.enabled());
    a.set_enabled(false);
    CHECK(all.active(hook_point::local_out));
    CHECK(all.run(hook_point::local_out, p, {}) == hook_verdict::accept);
    a.set_enabled(true);
    CHECK(all.run(hook_point::local_out, p, {}) == hook_verdict::drop);
    CHECK(page == "ba");
}

TEST_CASE("the next hook sees a hook's changes; a stolen packet ends the chain") {
    pool_type pool;
    struct changer final : hook<packet> {
        hook_verdict operator()(packet& p, const hook_context&) noexcept override {
            p.data()[0] = std::byte{7};
            return hook_verdict::accept;
        }
    } changing;
    struct thief final : hook<packet> {
        hook_verdict operator()(packet& p, const hook_context&) noexcept override {
            kept = std::move(p);
            return hook_verdict::stolen;
        }
        packet kept;
    } stealing;
    chain all;
    REQUIRE(all.add(hook_point::postrouting, 2, stealing));
    REQUIRE(all.add(hook_point::postrouting, 1, changing));
    packet p = pool.take();
    *p.put(1) = std::byte{0};
    CHECK(all.run(hook_point::postrouting, p, {}) == hook_verdict::stolen);
    CHECK_FALSE(p);
    REQUIRE(stealing.kept);
    CHECK(stealing.kept.data()[0] == std::byte{7});
}

// Random registrations and removals, against a list that is searched by priority.
TEST_CASE("additions and removals agree with a naive model") {
    struct entry {
        hook_point point;
        i32 priority;
        std::size_t who;
    };
    std::mt19937 random{11};
    std::string page;
    std::vector<letter> hooks;
    for (char c = 'a'; c < 'g'; ++c)
        hooks.emplace_back(page, c);
    chain all;
    std::vector<entry> naive;
    packet p;
    for (int step = 0; step < 3000; ++step) {
        const auto point = static_cast<hook_point>(random() % hook_points);
        const std::size_t who = random() % hooks.size();
        if (random() % 2 == 0) {
            const i32 priority = static_cast<i32>(random() % 5) - 2;
            const bool room = naive.size() < 8;
            CHECK(all.add(point, priority, hooks[who]) == room);
            if (room) naive.push_back({point, priority, who});
        } else {
            all.remove(point, hooks[who]);
            std::erase_if(naive, [&](const entry& e) { return e.point == point && e.who == who; });
        }
        std::string expected;
        for (i32 priority = -2; priority <= 2; ++priority) {
            for (const auto& e : naive) {
                if (e.point == point && e.priority == priority)
                    expected += static_cast<char>('a' + e.who);
            }
        }
        page.clear();
        CHECK(all.run(point, p, {}) == hook_verdict::accept);
        CHECK(page == expected);
        CHECK(all.active(point) == !expected.empty());
    }
}

}  // namespace

}  // namespace hooks_hook_chain
