// link_watch: an interface is created, set up, changed, deleted and created again. Needs root; else
// skipped.
#include <sluice/port/link_watch.hpp>
#include <sluice/port/namespace.hpp>

#include "own_namespace.hpp"

#include <doctest/doctest.h>

namespace port_link_watch {
namespace {

using namespace port_test;
using sluice::port::link_header;
using sluice::port::link_state;
using sluice::port::link_watch;

// Whether a change is reported, and the state then fulfils the condition.
template <class Condition>
bool reported(const link_watch& watch, Condition&& holds) {
    return wait_readable(watch.fd()) && wait_until([&] {
               static_cast<void>(watch.drain());
               const auto now = watch.state();
               return now && holds(*now);
           });
}

TEST_CASE("a name that no interface can have") {
    for (const char* name : {"", "a-name-that-is-too-long", "lo:5"}) {
        const auto watch = link_watch::open(name);
        REQUIRE_FALSE(watch);
        CHECK(watch.error().error_number == ENODEV);
    }
}

TEST_CASE("lo is there, of Ethernet's form, with an address of the kernel's") {
    const auto watch = link_watch::open("lo");
    REQUIRE(watch);
    const auto now = watch->state();
    REQUIRE(now);
    CHECK(now->index == 1);
    CHECK(now->header == link_header::ethernet);
    CHECK(now->type == 772);
    CHECK(watch->has_kernel_address() == now->up);
}

TEST_CASE("an interface appears, changes, disappears and is found again") {
    const own_namespace ns{"watch"};
    if (!ns.made) {
        return support::skip("needs root, ip and ping");
    }
    auto watch = sluice::port::in_namespace(ns.path(), [] { return link_watch::open("w0"); });
    REQUIRE(watch);
    CHECK(watch->state() == link_state{});
    CHECK(watch->drain());

    REQUIRE(ns.ip("link add w0 address 02:00:00:00:00:0a mtu 1400 type veth peer name w1"));
    CHECK(reported(*watch, [](const link_state& s) { return s.index != 0; }));
    const link_state made = watch->state().value();
    CHECK_FALSE(made.up);
    CHECK_FALSE(made.connected);
    CHECK(made.mtu == 1400);
    CHECK(made.type == 1);
    CHECK(made.header == link_header::ethernet);
    CHECK(made.hardware == sluice::ethernet::address{{2, 0, 0, 0, 0, 0x0a}});

    REQUIRE(ns.ip("link set w0 up"));
    CHECK(reported(*watch, [](const link_state& s) { return s.up && !s.connected; }));
    REQUIRE(ns.ip("link set w1 up"));
    CHECK(reported(*watch, [](const link_state& s) { return s.connected; }));
    CHECK_FALSE(watch->has_kernel_address());
    REQUIRE(ns.ip("addr add 10.9.0.1/24 dev w0"));
    CHECK(watch->has_kernel_address());
    REQUIRE(ns.ip("link set w0 mtu 1300"));
    CHECK(reported(*watch, [](const link_state& s) { return s.mtu == 1300; }));

    REQUIRE(ns.ip("link del w0"));
    CHECK(reported(*watch, [](const link_state& s) { return s == link_state{}; }));
    REQUIRE(ns.ip("link add w0 type veth peer name w1"));
    CHECK(reported(*watch, [](const link_state& s) { return s.index != 0; }));
    CHECK(watch->state()->index != made.index);
}

}  // namespace
}  // namespace port_link_watch
