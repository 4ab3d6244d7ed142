// conformance::exceptions: tests whether your exceptions policy finds, merges, forgets and expires
// as every exceptions_policy does.
//
//     const auto found = testing::conformance::exceptions<my_exceptions>();  // prints faults
//     return found.passed() ? 0 : 1;
//
// A policy whose `never_learns` is true must have no exception at any time.
//
// Expects: a policy that is constructed from a secret, with room for two destinations.
#pragma once

#include <sluice/route/exceptions.hpp>
#include <sluice/testing/checker.hpp>
#include <sluice/testing/fixed_seed.hpp>
#include <sluice/wire/literals.hpp>

#include <memory>

namespace sluice::testing::conformance {

namespace detail {

template <class Model>
class exceptions_suite {
public:
    explicit exceptions_suite(checker& check) : check_{check} {}

    void run() {
        using self = exceptions_suite;
        for (const auto each : {&self::empty, &self::found, &self::keys, &self::merged,
                                &self::expired_is_not_found, &self::kept, &self::expired}) {
            const auto made = std::make_unique<Model>(fixed_seed);
            (this->*each)(*made);
        }
    }

private:
    static constexpr instant now = instant{} + 1000_s;
    static constexpr exception_key key{"192.0.2.1"_ip, "10.0.1.254"_ip, 2};
    static constexpr exception_key other{"192.0.2.2"_ip, {}, 3};
    static constexpr route_exception narrow{
        .mtu = 1000, .mtu_locked = true, .expires = now + 600_s};
    static constexpr route_exception redirected{.gateway = "10.0.1.9"_ip, .expires = now + 300_s};

    void empty(Model& m) {
        check_.begin("a new object is empty");
        check_.holds(sizeof(Model) <= Model::memory_limit + 64,
                     "the object is at most 64 bytes larger than memory_limit");
        has_none(m);
        check_.holds(m.find(key, now) == nullptr, "find() finds no exception in a new object");
    }

    void found(Model& m) {
        check_.begin("a learned exception is found until it expires");
        m.learn(key, narrow, now);
        check_.equal(m.any(), !Model::never_learns,
                     "any() is true after learn(), unless the policy never learns");
        const route_exception* e = find(m, key, now + 599_s);
        if (e != nullptr) {
            check_.equal(e->mtu, u16{1000}, "find() returns the learned MTU");
            check_.holds(e->mtu_locked, "find() returns the learned MTU lock");
            check_.holds(e->gateway.is_unspecified(),
                         "an exception learned without a gateway has no gateway");
            check_.equal(e->expires, narrow.expires, "find() returns the learned expiry time");
        }
        check_.holds(m.find(key, now + 600_s) == nullptr, "an expired exception is not found");
    }

    void keys(Model& m) {
        check_.begin("a learned exception is found only under its own key");
        m.learn(key, narrow, now);
        const struct {
            const char* name;
            exception_key asked;
        } rows[] = {
            {"another destination", {"192.0.2.2"_ip, key.gateway, key.interface}},
            {"another gateway", {key.destination, "10.0.1.253"_ip, key.interface}},
            {"another interface", {key.destination, key.gateway, 3}},
        };
        for (const auto& row : rows) {
            check_.given(row.name);
            check_.holds(m.find(row.asked, now) == nullptr,
                         "find() finds no exception under another key");
        }
    }

    void merged(Model& m) {
        check_.begin(
            "a second learn() keeps the fields that it does not set, and sets the lifetime");
        m.learn(key, narrow, now);
        m.learn(key, redirected, now);
        if (const route_exception* e = find(m, key, now)) {
            check_.equal(e->mtu, u16{1000}, "learning a gateway keeps the learned MTU");
            check_.holds(e->mtu_locked, "learning a gateway keeps the learned MTU lock");
            check_.equal(e->gateway, "10.0.1.9"_ip, "learning a gateway replaces the old gateway");
            check_.equal(e->expires, redirected.expires,
                         "find() returns the expiry time that was learned last");
        }
        m.learn(key, {.mtu = 1200, .expires = now + 700_s}, now + 1_s);
        if (const route_exception* e = find(m, key, now + 1_s)) {
            check_.equal(e->mtu, u16{1200}, "learning an MTU replaces the old MTU");
            check_.holds(!e->mtu_locked, "learning an MTU replaces the old MTU lock");
            check_.equal(e->gateway, "10.0.1.9"_ip, "learning an MTU keeps the learned gateway");
        }
    }

    void expired_is_not_found(Model& m) {
        check_.begin("an expired exception is not merged with a new one");
        m.learn(key, redirected, now);
        m.learn(key, {.mtu = 900, .expires = now + 1400_s}, now + 800_s);
        if (const route_exception* e = find(m, key, now + 800_s)) {
            check_.equal(e->mtu, u16{900},
                         "an MTU learned after the expiry replaces the expired exception");
            check_.holds(e->gateway.is_unspecified(),
                         "the gateway of an expired exception is not merged with a new MTU");
        }
    }

    void kept(Model& m) {
        check_.begin("keep_if() visits each exception, may change it, and removes it on request");
        m.learn(key, narrow, now);
        m.learn(other, narrow, now);
        u32 asked = 0;
        m.keep_if([&asked](const exception_key& k, route_exception& e) {
            ++asked;
            e.mtu = 800;
            return k == other;
        });
        check_.equal(asked, Model::never_learns ? 0U : 2U, "keep_if() visits each exception once");
        check_.holds(m.find(key, now) == nullptr,
                     "keep_if() removes an exception when the function returns false");
        if (const route_exception* e = find(m, other, now)) {
            check_.equal(e->mtu, u16{800}, "keep_if() stores the change that the function made");
        }
        m.keep_if([](const exception_key&, route_exception&) { return false; });
        has_none(m);
    }

    void expired(Model& m) {
        check_.begin("expire() removes expired exceptions and returns the next expiry time");
        m.learn(key, narrow, now);
        m.learn(other, redirected, now);
        if constexpr (!Model::never_learns) {
            check_.equal(m.expire(now), redirected.expires,
                         "expire() returns the next expiry time");
            check_.equal(m.expire(redirected.expires), narrow.expires,
                         "expire() removes an expired exception");
            find(m, key, redirected.expires);
            check_.holds(m.any(), "any() is true while an exception is left");
        }
        check_.equal(m.expire(narrow.expires), instant::never(),
                     "expire() returns never when no exception is left");
        check_.holds(!m.any(), "any() is false when no exception is left");
    }

    void has_none(Model& m) {
        check_.holds(!m.any(), "any() is false without exceptions");
        check_.equal(m.expire(now), instant::never(), "expire() returns never without exceptions");
    }
    // nullptr if the policy never learns.
    const route_exception* find(const Model& m, const exception_key& k, instant at) {
        const route_exception* e = m.find(k, at);
        check_.equal(e != nullptr, !Model::never_learns,
                     "find() finds a learned exception, unless the policy never learns");
        return e;
    }

    checker& check_;
};

}  // namespace detail

template <exceptions_policy Model>
suite_result exceptions(const reporter& report = print_broken) {
    checker check{"exceptions", report};
    detail::exceptions_suite<Model>{check}.run();
    return check.result();
}

}  // namespace sluice::testing::conformance
