// ping: sends echo requests and prints replies, errors and statistics as the ping of iputils does.
//
// Shows: raw sockets (port/raw_socket.hpp) and, with --device, raw endpoints over a stack of the
// program's own with the same code; options recorded and read; hostile answers parsed.
// Run (as root): ./ping -c 3 192.0.2.1
// On a device without address, past the kernel's stack:
//   ./ping --device eth1 --address 192.0.2.7/24 --gateway 192.0.2.254 198.51.100.1
// Exit code 0: a reply came; 1: none; 2: the arguments are wrong, or no request can be sent.
#include "../probe/probe_program.hpp"
#include "arguments.hpp"
#include "pinger.hpp"
#include "print.hpp"

#include <unistd.h>

int main(int argc, char** argv) {
    const ping::arguments given = ping::parse_arguments(argc, argv);
    if (const auto code = examples::ends_early("ping", ping::usage, given)) {
        return *code;
    }
    const sluice::option_block options = ping::ip_options(given.record);
    const examples::opened_path opened =
        examples::open_path(given.host, {.destination = given.destination,
                                         .discovery = given.discovery,
                                         .ip_options = options.view()});
    if (!opened.path) {
        examples::complain("ping: " + opened.problem + "\n");
        return 2;
    }
    examples::print(ping::first_line(given, options.size()));
    ping::pinger pinger{given, *opened.path, static_cast<sluice::u16>(::getpid()), examples::print,
                        examples::complain};
    const ping::statistics& counts = pinger.run();
    examples::print(ping::summary(given, counts));
    return counts.received != 0 ? 0 : 1;
}
