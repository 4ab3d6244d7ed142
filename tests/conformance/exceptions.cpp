// What every exceptions_policy must do, asked of each model.
#include <doctest/doctest.h>

#include <sluice/route/bounded_exceptions.hpp>
#include <sluice/route/no_exceptions.hpp>
#include <sluice/testing/archetypes.hpp>
#include <sluice/testing/fixed_seed.hpp>
#include <sluice/wire/literals.hpp>

#include <memory>

namespace conformance_exceptions {

namespace {

using namespace sluice;
using namespace sluice::literals;
using archetypes::exceptions;

#define SLUICE_EXCEPTIONS_MODELS bounded_exceptions<1>, bounded_exceptions<32>, no_exceptions

// One requirement less each.
struct without_key : exceptions {
    without_key() noexcept : exceptions(testing::fixed_seed) {}
};
struct with_numeric_any : exceptions {
    using exceptions::exceptions;
    int any() const noexcept { return 0; }
};
struct with_find_by_value : exceptions {
    using exceptions::exceptions;
    route_exception find(const exception_key&, instant) const noexcept { return {}; }
};
struct with_find_that_changes : exceptions {
    using exceptions::exceptions;
    const route_exception* find(const exception_key&, instant) noexcept { return nullptr; }
};
struct with_learn_that_may_throw : exceptions {
    using exceptions::exceptions;
    void learn(const exception_key&, const route_exception&, instant) {}
};
struct without_keep_if : exceptions {
    using exceptions::exceptions;
    template <class F>
    void keep_if(F&&) = delete;
};
struct with_silent_expire : exceptions {
    using exceptions::exceptions;
    void expire(instant) noexcept {}
};
static_assert(exceptions_policy<exceptions>);
static_assert(!exceptions_policy<without_key>);
static_assert(!exceptions_policy<with_numeric_any>);
static_assert(!exceptions_policy<with_find_by_value>);
static_assert(!exceptions_policy<with_find_that_changes>);
static_assert(!exceptions_policy<with_learn_that_may_throw>);
static_assert(!exceptions_policy<without_keep_if>);
static_assert(!exceptions_policy<with_silent_expire>);

constexpr instant now = instant{} + 1000_s;
constexpr exception_key key{"192.0.2.1"_ip, "10.0.1.254"_ip, 2};
constexpr route_exception narrow{.mtu = 1000, .mtu_locked = true, .expires = now + 600_s};
constexpr route_exception redirected{.gateway = "10.0.1.9"_ip, .expires = now + 300_s};

template <class Model>
auto made() {
    return std::make_unique<Model>(hash_key{1, 2});
}

TEST_CASE_TEMPLATE("it models the concept, and is as large as it says", Model,
                   SLUICE_EXCEPTIONS_MODELS) {
    static_assert(exceptions_policy<Model>);
    CHECK(sizeof(Model) <= Model::memory_limit + 64);
}

TEST_CASE_TEMPLATE("at first there is none", Model, SLUICE_EXCEPTIONS_MODELS) {
    const auto m = made<Model>();
    CHECK_FALSE(m->any());
    CHECK(m->find(key, now) == nullptr);
    CHECK(m->expire(now) == instant::never());
}

TEST_CASE_TEMPLATE("what was learned is found until it expires, under its key alone", Model,
                   SLUICE_EXCEPTIONS_MODELS) {
    const auto m = made<Model>();
    m->learn(key, narrow, now);
    CHECK(m->any() != Model::never_learns);
    const route_exception* e = m->find(key, now + 599_s);
    REQUIRE((e != nullptr) != Model::never_learns);
    if (e != nullptr) {
        CHECK(e->mtu == 1000);
        CHECK(e->mtu_locked);
        CHECK(e->gateway.is_unspecified());
        CHECK(e->expires == narrow.expires);
    }
    CHECK(m->find(key, now + 600_s) == nullptr);
    CHECK(m->find({"192.0.2.2"_ip, key.gateway, key.interface}, now) == nullptr);
    CHECK(m->find({key.destination, "10.0.1.253"_ip, key.interface}, now) == nullptr);
    CHECK(m->find({key.destination, key.gateway, 3}, now) == nullptr);
}

TEST_CASE_TEMPLATE("what the news do not mention stays, and the whole lives as they say", Model,
                   SLUICE_EXCEPTIONS_MODELS) {
    const auto m = made<Model>();
    m->learn(key, narrow, now);
    m->learn(key, redirected, now);
    if (const route_exception* e = m->find(key, now)) {
        CHECK(e->mtu == 1000);
        CHECK(e->mtu_locked);
        CHECK(e->gateway == "10.0.1.9"_ip);
        CHECK(e->expires == redirected.expires);
    }
    m->learn(key, {.mtu = 1200, .expires = now + 700_s}, now + 1_s);
    if (const route_exception* e = m->find(key, now + 1_s)) {
        CHECK(e->mtu == 1200);
        CHECK_FALSE(e->mtu_locked);
        CHECK(e->gateway == "10.0.1.9"_ip);
    }
    // Expired knowledge is not taken up again.
    m->learn(key, redirected, now + 700_s);
    m->learn(key, {.mtu = 900, .expires = now + 1400_s}, now + 800_s);
    if (const route_exception* e = m->find(key, now + 800_s)) {
        CHECK(e->mtu == 900);
        CHECK(e->gateway.is_unspecified());
    }
}

TEST_CASE_TEMPLATE("keep_if asks about each, may change it, and drops it", Model,
                   SLUICE_EXCEPTIONS_MODELS) {
    const auto m = made<Model>();
    const exception_key other{"192.0.2.2"_ip, {}, 3};
    m->learn(key, narrow, now);
    m->learn(other, narrow, now);
    u32 asked = 0;
    m->keep_if([&](const exception_key& k, route_exception& e) {
        ++asked;
        e.mtu = 800;
        return k == other;
    });
    CHECK(asked == (Model::never_learns ? 0 : 2));
    CHECK(m->find(key, now) == nullptr);
    if (const route_exception* e = m->find(other, now)) CHECK(e->mtu == 800);
    m->keep_if([](const exception_key&, route_exception&) { return false; });
    CHECK_FALSE(m->any());
    CHECK(m->expire(now) == instant::never());
}

TEST_CASE_TEMPLATE("expire drops what is too old and says when to come again", Model,
                   SLUICE_EXCEPTIONS_MODELS) {
    const auto m = made<Model>();
    m->learn(key, narrow, now);
    m->learn({"192.0.2.2"_ip, {}, 3}, redirected, now);
    if constexpr (!Model::never_learns) {
        CHECK(m->expire(now) == redirected.expires);
        CHECK(m->expire(redirected.expires) == narrow.expires);
        CHECK(m->find(key, redirected.expires) != nullptr);
        CHECK(m->any());
    }
    CHECK(m->expire(narrow.expires) == instant::never());
    CHECK_FALSE(m->any());
}

}  // namespace

}  // namespace conformance_exceptions
