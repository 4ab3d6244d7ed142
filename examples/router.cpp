// router: an IPv4 router between TUN devices, in as many network namespaces as you like.
//
// Shows: a stack on several devices at once, an output policy of one's own, a loop that sleeps
// until a packet, a signal or a deadline comes, and receives in batches.
// Run (as root): ip netns add left; ip netns add right
//   ./router --tun left:tun0:10.0.1.1/24 --tun right:tun0:10.0.2.1/24 --stats &
//   ip -n left addr add 10.0.1.2/24 dev tun0; ip -n left link set tun0 up
//   ip -n left route add default via 10.0.1.1; and the same on the right
//   ip netns exec left ping 10.0.2.2
// `./router --help` tells the rest; `./demo` in the project's root does it all by itself.
#include "support/complain.hpp"
#include "support/print_counters.hpp"
#include "support/router_arguments.hpp"
#include "support/tun_loop.hpp"

#include <sluice/port/tun.hpp>
#include <sluice/sluice.hpp>

#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <sys/random.h>

namespace {

namespace tun = sluice::port::tun;
using sluice::u16;

constexpr u16 first_index = 2;  // 1 is lo
constexpr std::size_t most_links = 16;

// Each interface has a device of its own: the egress says which.
struct tun_outputs {
    template <class Packet>
    struct model {
        static constexpr bool takes_segmented = true;
        static constexpr bool takes_gso = false;
        std::array<typename tun::sender::model<Packet>, first_index + most_links> to_interface{};

        [[nodiscard]] bool transmit(Packet& packet, const sluice::egress& to) noexcept {
            return to_interface[to.interface].transmit(packet, to);
        }
        void flush() noexcept {}
    };
};

// More buffers than the reassembly cache ever holds fragments (2048), so that a batch always finds
// some.
struct edge : sluice::policies<sluice::based_on<sluice::linux_router>,
                               sluice::buffers<sluice::fixed_pool<2048, 4096>>,
                               sluice::output<tun_outputs>> {
    [[nodiscard]] static constexpr sluice::settings initial_settings() noexcept {
        return sluice::linux_router::initial_settings();
    }
};
using stack = sluice::stack<edge>;
using devices = std::vector<tun::device>;

bool open_devices(const router::arguments& given, devices& to) {
    for (const auto& link : given.links) {
        const tun::options how{.interface = static_cast<u16>(first_index + to.size())};
        auto opened = link.space.empty()
                          ? tun::open(link.name, how)
                          : tun::open_in_namespace("/run/netns/" + link.space, link.name, how);
        if (!opened) {
            examples::complain("router", opened.error());
            return false;
        }
        to.push_back(std::move(*opened));
    }
    return true;
}

bool configure(stack& s, const router::arguments& given) {
    for (std::size_t i = 0; i < given.links.size(); ++i) {
        const auto& link = given.links[i];
        if (!s.add_interface({.index = static_cast<u16>(first_index + i),
                              .address = link.address,
                              .mtu = link.mtu})) {
            std::fprintf(stderr, "router: %s: address refused\n", link.name.c_str());
            return false;
        }
    }
    for (const auto& route : given.routes) {
        if (!s.add_route({.prefix = route.to, .gateway = route.gateway})) {
            std::fprintf(stderr, "router: route via %s refused: no link leads there\n",
                         sluice::ipv4::to_text(route.gateway).c_str());
            return false;
        }
    }
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    const router::arguments given = router::parse_arguments(argc, argv);
    if (given.help || !given.problem.empty()) {
        std::fprintf(given.help ? stdout : stderr, "%s%s%s", given.problem.c_str(),
                     given.help ? "" : "\n", router::usage_text);
        return given.help ? 0 : 2;
    }
    if (given.links.size() > most_links) {
        std::fprintf(stderr, "router: at most %zu links\n", most_links);
        return 2;
    }
    examples::tun_loop loop;
    devices links;
    sluice::hash_key seed;
    if (!open_devices(given, links) || ::getrandom(&seed, sizeof seed, 0) != sizeof seed) {
        return 1;
    }
    stack::parts parts{.seed = seed};
    for (std::size_t i = 0; i < links.size(); ++i) {
        parts.output.to_interface[first_index + i] = links[i].sender();
    }
    const auto s = std::make_unique<stack>(std::move(parts));
    if (!configure(*s, given)) {
        return 2;
    }
    std::puts("router: ready");
    std::fflush(stdout);
    const auto print = [&s] { examples::print_counters(*s, stdout); };
    const auto end = loop.run(*s, links, print, [] { return false; });
    if (given.stats) {
        print();
    }
    if (end != examples::loop_end::asked) {
        std::fputs("router: a device is gone\n", stderr);
        return 1;
    }
    return examples::balance_of(*s).is_even() ? 0 : 3;
}
