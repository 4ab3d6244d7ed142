// A host on a TUN device that answers pings and echoes datagrams to UDP port 7.
#include <sluice/endpoint/udp_endpoint.hpp>
#include <sluice/port/or_exit.hpp>
#include <sluice/port/poll_loop.hpp>
#include <sluice/port/system_seed.hpp>
#include <sluice/port/tun.hpp>
#include <sluice/sluice.hpp>
using namespace sluice;
struct edge : policies<output<port::tun::sender>> {};

int main() {
    auto device = port::or_exit("host", port::tun::open("sluice0", {.interface = 2}));
    auto loop = port::or_exit("host", port::poll_loop::open());
    static stack<edge> host{{.output = device.sender(), .seed = port::system_seed().value()}};
    static udp_endpoint<stack<edge>> echo{host};
    port::or_exit("address", host.add_interface({.index = 2, .address = "192.0.2.1/24"_net}));
    port::or_exit("port 7", echo.bind({{}, 7}));
    for (std::byte room[2048]; loop.step(host, device);) {
        while (const auto came = echo.receive(room)) {
            if (!came->broadcast_or_multicast) {
                (void)echo.send({room, came->copied}, came->from, port::steady_clock::now());
            }
        }
    }
}
