// While no buffer is free, a readable device is not polled in a busy loop; when buffers return, it
// continues. Needs root; else skipped.
#include <sluice/port/poll_loop.hpp>
#include <sluice/port/tun.hpp>

#include "own_namespace.hpp"
#include "support/world.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace port_empty_pool {
using namespace sluice;
using namespace sluice::literals;
using namespace port_test;
namespace tun = sluice::port::tun;

namespace {

using pool = fixed_pool<2048, 64>;
struct host : policies<buffers<pool>, output<tun::sender>> {};

}  // namespace

TEST_CASE("a loop whose pool is empty rests") {
    const own_namespace ns{"empty"};
    if (!ns.made) {
        support::skip("needs root, ip netns and ping");
        return;
    }
    auto device = tun::open_in_namespace(ns.path(), "sl0", {.interface = 2});
    REQUIRE(device.has_value());
    REQUIRE((ns.ip("addr add 10.9.0.1/24 dev sl0") && ns.ip("link set sl0 up")));
    stack_test::world<host> s({.links = {{.index = 2, .address = "10.9.0.2/24"_net}}},
                              {.output = device->sender(), .seed = testing::fixed_seed});
    std::vector<pool::packet_type> held;
    for (auto p = s->buffers().take(); p; p = s->buffers().take()) {
        held.push_back(std::move(p));
    }
    REQUIRE(held.size() == 64);
    sigset_t before;
    ::sigprocmask(SIG_BLOCK, nullptr, &before);
    auto loop = port::poll_loop::open();
    REQUIRE(loop.has_value());
    ns.start("ping -c 3 -i 0.3 -w 30 10.9.0.2");
    REQUIRE(wait_readable(device->fd()));
    const instant start = tun::device::now().now;
    int turns = 0;
    duration passed{};
    while (s->counters()[mib::icmp_out_echo_reps] < 3 && passed < 30_s) {
        REQUIRE(loop->step(*s, *device));
        ++turns;
        passed = tun::device::now().now - start;
        if (passed > 500_ms) {
            held.clear();  // before the second and third request
        }
    }
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    CHECK(ns.finished());  // every request was answered, the first late
    CHECK(device->counters().no_buffer > 0);
    // Eight at once, seven pauses up to 64 ms, then one each 64 ms; and the answers.
    CHECK(turns < 30 + (tun::device::now().now - start).milliseconds() / 64);
}

}  // namespace port_empty_pool
