// traceroute: finds the routers towards a destination, as Debian's traceroute does.
//
// Shows: UDP and ICMP probes by raw sockets and, with --device, by raw endpoints over a stack of
// the program's own with the same code; quoted probes matched; path MTU discovery.
// Run (as root): ./traceroute -n 198.51.100.1
// On a device without address, past the kernel's stack:
//   ./traceroute --device eth1 --address 192.0.2.7/24 --gateway 192.0.2.254 198.51.100.1
// Exit code 0: the trace is complete, also if the destination did not answer; 1: it cannot send;
// 2: the arguments are wrong; 130: a signal ended it.
#include "../probe/probe_program.hpp"
#include "arguments.hpp"
#include "tracer.hpp"

#include <unistd.h>

namespace {

int trace(const traceroute::arguments& given) {
    using traceroute::tracer;
    const bool is_whole = given.dont_fragment || given.finds_mtu;
    const examples::opened_path opened = examples::open_path(
        given.host,
        {.destination = given.destination,
         .protocol = given.by_echo ? sluice::ipv4::protocols::icmp : sluice::ipv4::protocols::udp,
         .discovery = is_whole ? sluice::mtu_discovery::probe : sluice::mtu_discovery::dont});
    if (!opened.path) {
        examples::complain("traceroute: " + opened.problem + "\n");
        return 1;
    }
    tracer t{given, *opened.path, static_cast<sluice::u16>(::getpid()), examples::print};
    const tracer::ending how = t.run();
    examples::print("\n");
    if (how == tracer::ending::cannot_send) {
        examples::complain("traceroute: cannot send: " + t.problem() + "\n");
        return 1;
    }
    return how == tracer::ending::complete ? 0 : 130;
}

}  // namespace

int main(int argc, char** argv) {
    const traceroute::arguments given = traceroute::parse_arguments(argc, argv);
    if (const auto code = examples::ends_early("traceroute", traceroute::usage, given)) {
        return *code;
    }
    return trace(given);
}
