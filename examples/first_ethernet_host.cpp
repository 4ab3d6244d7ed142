// The same host on an Ethernet interface of the kernel that has no address there: it speaks ARP.
#include <sluice/endpoint/udp_endpoint.hpp>
#include <sluice/link/ethernet_stack.hpp>
#include <sluice/port/af_packet.hpp>
#include <sluice/port/or_exit.hpp>
#include <sluice/port/poll_loop.hpp>
#include <sluice/port/system_seed.hpp>
#include <sluice/sluice.hpp>
using namespace sluice;
using edge = ethernet_stack<linux_host, port::af_packet::sender>;

int main(int count, char** arguments) {
    const char* const name = count > 1 ? arguments[1] : "eth0";
    auto device = port::or_exit("host", port::af_packet::open(name, {.interface = 2}));
    const auto seed = port::or_exit("host", port::system_seed());
    static edge host{{.sink = device.sender(), .seed = seed}};
    static udp_endpoint<edge::stack_type> echo{host.stack()};
    port::or_exit("address", host.add_interface({.index = 2, .address = "192.0.2.1/24"_net},
                                                device.hardware_address()));
    port::or_exit("port 7", echo.bind({{}, 7}));
    auto loop = port::or_exit("host", port::poll_loop::open());
    for (std::byte room[2048]; loop.step(host, device);) {
        while (const auto came = echo.receive(room)) {
            if (!came->broadcast_or_multicast) {
                (void)echo.send({room, came->copied}, came->from, port::steady_clock::now());
            }
        }
    }
}
