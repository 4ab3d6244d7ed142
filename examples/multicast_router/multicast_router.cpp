// multicast_router: an IPv4 multicast router and IGMP proxy between Ethernet interfaces.
//
//   multicast_router --downstream eth1:10.0.1.1/24 --downstream eth2:10.0.2.1/24 ...
// `--help` lists the options and exit codes.
#include "multicast_router.hpp"

#include <sluice/multicast/print.hpp>
#include <sluice/port/or_exit.hpp>
#include <sluice/port/poll_loop.hpp>
#include <sluice/port/system_seed.hpp>

#include <array>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace {

using namespace multicast_router;
using devices = std::vector<sluice::port::af_packet::device>;

void print(program& router, const arguments& given) {
    const auto write = [](const char* text) { std::fputs(text, stdout); };
    const auto name_of = [&](u16 interface) {
        return given.networks[interface - first_interface].name.c_str();
    };
    print_vifs(router.tables(), name_of, write);
    print_multicast_routes(router.tables(), write);
    std::puts("");
    std::fflush(stdout);
}

// Returns the exit code.
template <std::size_t... I>
int run(sluice::port::poll_loop& loop, program& router, const arguments& given, devices& from,
        std::index_sequence<I...>) {
    while (loop.step(router, from[I]...)) {
        if (loop.last_signal() == sluice::port::signal_event::report) {
            print(router, given);
        }
    }
    if (!loop.is_asked()) {
        std::fputs("multicast_router: an interface is gone\n", stderr);
    }
    return loop.is_asked() ? 0 : 1;
}

// The loop takes its devices as arguments: a loop for each number of them.
template <std::size_t Count = most_networks>
int run_all(sluice::port::poll_loop& loop, program& router, const arguments& given, devices& from) {
    if constexpr (Count > 2) {
        if (from.size() < Count) {
            return run_all<Count - 1>(loop, router, given, from);
        }
    }
    return run(loop, router, given, from, std::make_index_sequence<Count>{});
}

}  // namespace

int main(int argc, char** argv) {
    const arguments given = parse(argc, argv);
    if (given.help) {
        std::fputs(usage, stdout);
        return 0;
    }
    if (!given.problem.empty()) {
        std::fprintf(stderr, "multicast_router: %s (--help lists the options)\n",
                     given.problem.c_str());
        return 2;
    }
    constexpr const char* name = "multicast_router";
    auto loop = sluice::port::or_exit(name, sluice::port::poll_loop::open());
    const auto seed = sluice::port::or_exit(name, sluice::port::system_seed());
    u8 upstream = sluice::no_vif;
    devices from;
    for (const network& n : given.networks) {
        const auto vif = static_cast<u8>(from.size());
        upstream = n.is_upstream ? vif : upstream;
        from.push_back(sluice::port::or_exit(
            name, sluice::port::af_packet::open(
                      n.name.c_str(), {.interface = static_cast<u16>(vif + first_interface),
                                       .promiscuous = true})));  // all groups
    }
    const auto router = std::make_unique<program>(seed, upstream);
    const moment now = sluice::port::steady_clock::now();
    bool is_ready = router->open(now);
    for (std::size_t i = 0; i < from.size() && is_ready; ++i) {
        is_ready = from[i].is_ethernet() &&
                   router->add(static_cast<u8>(i), given.networks[i], from[i], given.querier, now);
        if (!is_ready) {
            std::fprintf(stderr,
                         "multicast_router: %s: refused; the interface has to be Ethernet, and its "
                         "address one of a host\n",
                         given.networks[i].name.c_str());
        }
    }
    if (!is_ready) {
        return 1;
    }
    std::puts("ready");
    std::fflush(stdout);
    return run_all(loop, *router, given, from);
}
