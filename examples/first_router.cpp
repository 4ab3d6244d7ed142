// A router between two TUN devices.
#include <sluice/output/by_interface.hpp>
#include <sluice/port/or_exit.hpp>
#include <sluice/port/poll_loop.hpp>
#include <sluice/port/system_seed.hpp>
#include <sluice/port/tun.hpp>
#include <sluice/sluice.hpp>

using namespace sluice;
struct edge : policies<based_on<linux_router>, output<by_interface<port::tun::sender>>> {};

int main() {
    auto left = port::or_exit("router", port::tun::open("left", {.interface = 2}));
    auto right = port::or_exit("router", port::tun::open("right", {.interface = 3}));
    static stack<edge> router{{.seed = port::or_exit("router", port::system_seed())}};
    if (!router.output().add(2, left.sender()) || !router.output().add(3, right.sender())) {
        return 1;
    }
    port::or_exit("10.0.1.1", router.add_interface({.index = 2, .address = "10.0.1.1/24"_net}));
    port::or_exit("10.0.2.1", router.add_interface({.index = 3, .address = "10.0.2.1/24"_net}));
    auto loop = port::or_exit("router", port::poll_loop::open());
    while (loop.step(router, left, right)) {
    }
    return loop.is_asked() ? 0 : 1;
}
