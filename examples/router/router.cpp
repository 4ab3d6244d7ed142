// router: an IPv4 router between interfaces (AF_PACKET) and TUN devices, in any number of network
// namespaces.
//
// Shows: one stack over devices of several kinds, with ARP where needed; a custom output policy and
// buffer source; packets that stay in the kernel's memory; a loop that sleeps until packets, a
// signal, a deadline or a change of an interface; one stack a thread.
// Run (as root): ip netns add left; ip link add eth1 type veth peer name eth0 netns left
//   ip link set eth1 up; ip -n left link set eth0 up; ip -n left addr add 10.0.1.2/24 dev eth0
//   ip -n left route add default via 10.0.1.1; and the same with eth2 and 10.0.2 on the right
//   ./router --packet :eth1:10.0.1.1/24 --packet :eth2:10.0.2.1/24 --stats &
//   ip netns exec left ping 10.0.2.2
// `./router --help` lists all options; `./demo` in the project's root does all of this.
#include "print.hpp"
#include "usage.hpp"
#include "worker.hpp"

#include <sluice/port/or_exit.hpp>
#include <sluice/port/signals.hpp>
#include <sluice/port/system_seed.hpp>

#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace {

using workers = std::vector<std::unique_ptr<router::worker>>;
using sluice::port::or_exit;
using route_list = std::vector<router::route_line>;

router::snapshot ask_all(const workers& all) {
    router::snapshot sum;
    for (const auto& w : all) {
        const router::snapshot one = w->ask();
        sum.ports.resize(one.ports.size());
        for (std::size_t i = 0; i < one.ports.size(); ++i) {
            const router::port_counts before = sum.ports[i].counts;
            sum.ports[i] = one.ports[i];
            sum.ports[i].counts += before;
        }
        for (const auto& neighbour : one.neighbours) {
            router::add_neighbour(sum.neighbours, neighbour);
        }
        sum.link += one.link;
        sum.sum += one.sum;
        sum.switched = one.switched;
        sum.held_now += one.held_now;
        sum.not_captured += one.not_captured;
    }
    return sum;
}

// Makes the workers. False: a stack refuses the arguments; the reason was printed.
bool prepare(const router::arguments& given, const route_list& routes, workers& all) {
    std::optional<sluice::port::pcapng::writer> capture;
    if (!given.pcap.empty()) {
        capture.emplace(or_exit("router", router::create_capture(given)));
    }
    const sluice::worker_rule shares{or_exit("router", sluice::port::system_seed()),
                                     static_cast<sluice::u16>(given.workers)};
    for (unsigned i = 0; i < given.workers; ++i) {
        std::optional<sluice::port::pcapng::writer> own;
        if (capture) {
            own.emplace(capture->share());
        }
        const auto seed = or_exit("router", sluice::port::system_seed());
        all.push_back(
            std::make_unique<router::worker>(given, routes, i == 0, shares, seed, std::move(own)));
        if (!all.back()->prepare()) {
            return false;
        }
    }
    return true;
}

// Reads the file of routes again, for all workers or for none.
void reload(const router::arguments& given, route_list& routes, const workers& all) {
    route_list wanted;
    std::string problem = router::read_wanted_routes(given, wanted);
    for (std::size_t i = 0; i < all.size() && problem.empty(); ++i) {
        problem = all[i]->change_routes(wanted);
        for (std::size_t before = i; before-- > 0 && !problem.empty();) {
            static_cast<void>(all[before]->change_routes(routes));
        }
    }
    if (problem.empty()) {
        routes = std::move(wanted);
        std::fprintf(stderr, "router: %zu routes\n", routes.size());
    } else {
        std::fprintf(stderr, "router: %s; the routes stay as they were\n", problem.c_str());
    }
}

// Runs until a signal ends it (true) or no interface is left.
bool watch(const router::arguments& given, route_list& routes, const workers& all,
           sluice::port::signals& signals, int ended) {
    using sluice::port::signal_event;
    const int pause = given.table_seconds == 0 ? -1 : static_cast<int>(given.table_seconds * 1000);
    router::snapshot before = ask_all(all);
    sluice::instant then = sluice::port::steady_clock::now_instant();
    for (;;) {
        pollfd waiting[2] = {{signals.fd(), POLLIN, 0}, {ended, POLLIN, 0}};
        const int readable = ::poll(waiting, 2, pause);
        if (readable < 0) {
            std::this_thread::sleep_for(std::chrono::milliseconds{10});
            continue;
        }
        if (readable == 0) {
            const sluice::instant now = sluice::port::steady_clock::now_instant();
            router::snapshot current = ask_all(all);
            router::print_table(current, before,
                                static_cast<sluice::u64>((now - then).milliseconds()), stdout);
            before = std::move(current);
            then = now;
            continue;
        }
        const signal_event came = waiting[0].revents != 0 ? signals.next() : signal_event::none;
        if (came == signal_event::end) {
            return true;
        }
        if (came == signal_event::report) {
            router::print_all(ask_all(all), stdout);
        } else if (came == signal_event::reload) {
            reload(given, routes, all);
        } else if (waiting[1].revents != 0) {
            return false;
        } else if (waiting[0].revents != 0) {  // a signal that could not be read
            std::this_thread::sleep_for(std::chrono::milliseconds{10});
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    const router::arguments given = router::parse_arguments(argc, argv);
    if (given.help || !given.problem.empty()) {
        if (!given.help) {
            std::fprintf(stderr, "router: %s\n", given.problem.c_str());
        }
        std::fputs(router::usage_text, given.help ? stdout : stderr);
        return given.help ? 0 : 2;
    }
    std::signal(SIGPIPE, SIG_IGN);  // the router outlives the reader of its output
    auto signals = or_exit("router", sluice::port::signals::open());
    route_list routes;
    if (const std::string problem = router::read_wanted_routes(given, routes); !problem.empty()) {
        std::fprintf(stderr, "router: %s\n", problem.c_str());
        return 2;
    }
    workers all;
    if (!prepare(given, routes, all)) {
        return 2;
    }
    const sluice::port::descriptor ended{::eventfd(0, EFD_CLOEXEC)};
    if (!ended) {
        return router::complain(router::port_error::last("make", "eventfd"));
    }
    for (const auto& w : all) {
        w->start(ended.get());
    }
    std::puts("router: ready");
    std::fflush(stdout);
    const bool asked = watch(given, routes, all, signals, ended.get());
    for (const auto& w : all) {
        w->stop();
    }
    const router::snapshot last = ask_all(all);
    if (given.stats) {
        router::print_all(last, stdout);
    }
    if (last.not_captured != 0) {
        std::fprintf(stderr, "router: %llu packets are missing from the capture %s\n",
                     router::wide(last.not_captured), given.pcap.c_str());
    }
    if (!asked) {
        std::fputs("router: no interface is left\n", stderr);
        return 1;
    }
    return sluice::balance_of(last).is_even() ? 0 : 3;
}
