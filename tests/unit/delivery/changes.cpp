// Sinks that register and remove sinks, themselves too, while they are called: each that stays is
// called once, a removed one no more, a new one from the next packet on. For every list: taps,
// router alerts, UDP broadcasts, errors, and the check whether an endpoint sent a quoted packet.
#include <doctest/doctest.h>

#include "unit/delivery/registry.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace delivery_changes {

namespace {

using namespace delivery_test;

struct acting final : packet_sink<packet> {
    acting(std::string& page, char c) : page_(&page), letter_(c) {}

    bool take(packet& p, const delivery_info&) noexcept override {
        p.reset();
        called();
        return true;
    }
    void error(const icmp_error_notice&) noexcept override { called(); }
    bool believes(const icmp_error_notice&) const noexcept override {
        if (asked_believes) called();
        return !asked_believes;
    }
    std::function<void()> act;
    bool asked_believes = false;

private:
    void called() const {
        *page_ += letter_;
        if (act) act();
    }
    std::string* page_;
    char letter_;
};

constexpr delivery_info raw{.source = "10.0.1.2"_ip,
                            .destination = "10.0.1.1"_ip,
                            .local = "10.0.1.1"_ip,
                            .interface = 2,
                            .protocol = 253};
constexpr icmp_error_notice notice{
    .source = "10.0.1.1"_ip, .destination = "10.0.1.2"_ip, .interface = 2, .protocol = 253};

enum class list { taps, alerts, broadcasts, errors, believers };
constexpr const char* names[] = {"taps", "alerts", "broadcasts", "errors", "believers"};

struct room {
    explicit room(list of) : which(of) {
        for (char c = 'a'; c < 'f'; ++c) {
            sinks.push_back(std::make_unique<acting>(page, c));
            sinks.back()->asked_believes = of == list::believers;
        }
        for (std::size_t i = 0; i < 4; ++i)
            REQUIRE(add(i));
    }
    bool add(std::size_t i) {
        switch (which) {
        case list::alerts:
            return all.add_alert({.protocol = 253}, *sinks[i]);
        case list::broadcasts:
            return all.add_udp({.local_port = 7000, .reuse = true}, *sinks[i]);
        default:
            return all.add_raw({.protocol = 253}, *sinks[i]);
        }
    }
    std::string call() {
        page.clear();
        delivery_info udp = heard;
        udp.broadcast_or_multicast = true;
        delivery_count n;
        switch (which) {
        case list::taps:
            n = all.tap(datagram_from(pool), raw);
            break;
        case list::alerts:
            n = all.alert(datagram_from(pool), raw);
            break;
        case list::broadcasts:
            n = all.udp(pool.take(), udp);
            break;
        case list::errors:
            CHECK(all.report(notice));
            break;
        default:
            CHECK_FALSE(all.believes(notice));
        }
        if (which <= list::broadcasts) CHECK(n.taken == page.size());
        return page;
    }

    list which;
    pool_type pool;
    endpoints all;
    std::string page;
    std::vector<std::unique_ptr<acting>> sinks;  // a, b, c, d are registered, e is not
};

constexpr list lists[] = {list::taps, list::alerts, list::broadcasts, list::errors,
                          list::believers};

// The latest is called first: d, c, b, a.
TEST_CASE("a sink that removes a sink, or itself: the remaining ones are called once") {
    for (const list which : lists) {
        for (std::size_t actor = 0; actor < 4; ++actor) {
            for (std::size_t goes = 0; goes < 4; ++goes) {
                INFO(doctest::String{names[static_cast<int>(which)]});
                CAPTURE(actor);
                CAPTURE(goes);
                room r{which};
                r.sinks[actor]->act = [&] {
                    r.all.remove(*r.sinks[goes]);
                    if (goes != actor) r.sinks[goes].reset();
                    r.sinks[actor]->act = {};
                };
                std::string expected = "dcba";
                const char gone = static_cast<char>('a' + goes);
                if (goes < actor) std::erase(expected, gone);
                CHECK(r.call() == expected);
                std::erase(expected, gone);
                CHECK(r.call() == expected);
            }
        }
    }
}

TEST_CASE("a sink registered during delivery is called from the next packet on") {
    for (const list which : lists) {
        for (std::size_t actor = 0; actor < 4; ++actor) {
            INFO(doctest::String{names[static_cast<int>(which)]});
            CAPTURE(actor);
            room r{which};
            r.sinks[actor]->act = [&] {
                REQUIRE(r.add(4));
                r.sinks[actor]->act = {};
            };
            CHECK(r.call() == "dcba");
            CHECK(r.call() == "edcba");
        }
    }
}

// As endpoints do when they are bound or connected anew.
TEST_CASE("a sink removed and registered again during delivery counts as new") {
    for (const list which : lists) {
        for (std::size_t actor = 0; actor < 4; ++actor) {
            for (std::size_t moved = 0; moved < 4; ++moved) {
                INFO(doctest::String{names[static_cast<int>(which)]});
                CAPTURE(actor);
                CAPTURE(moved);
                room r{which};
                r.sinks[actor]->act = [&] {
                    r.all.remove(*r.sinks[moved]);
                    REQUIRE(r.add(moved));
                    r.sinks[actor]->act = {};
                };
                std::string expected = "dcba";
                const char again = static_cast<char>('a' + moved);
                if (moved < actor) std::erase(expected, again);
                CHECK(r.call() == expected);
                std::erase(expected, again);
                CHECK(r.call() == again + expected);
            }
        }
    }
}

TEST_CASE("random changes from within agree with a naive model") {
    struct entry {
        std::size_t who;
        int registration;
    };
    std::mt19937 random{163};
    for (int round = 0; round < 500; ++round) {
        for (const list which : lists) {
            room r{which};
            int registrations = 4;
            std::vector<entry> naive{{.who = 3, .registration = 3},
                                     {.who = 2, .registration = 2},
                                     {.who = 1, .registration = 1},
                                     {.who = 0, .registration = 0}};
            std::vector<entry> before = naive;
            std::string expected;
            std::size_t step = 0;
            const auto expect_next = [&] {
                while (step < before.size() && std::none_of(
                                                   naive.begin(), naive.end(),
                                                   [&](const entry& e) {
                                                       return e.registration ==
                                                              before[step].registration;
                                                   }))
                    ++step;
                if (step < before.size()) expected += static_cast<char>('a' + before[step++].who);
            };
            const auto change = [&] {
                const std::size_t who = random() % 5;
                if (random() % 2 == 0) {
                    r.all.remove(*r.sinks[who]);
                    std::erase_if(naive, [&](const entry& e) { return e.who == who; });
                } else if (r.add(who)) {
                    naive.insert(naive.begin(), {who, registrations++});
                }
            };
            for (auto& s : r.sinks) {
                s->act = [&] {
                    for (auto i = random() % 3; i > 0; --i)
                        change();
                    expect_next();
                };
            }
            expect_next();
            INFO(doctest::String{names[static_cast<int>(which)]});
            CHECK(r.call() == expected);
        }
    }
}

}  // namespace

}  // namespace delivery_changes
