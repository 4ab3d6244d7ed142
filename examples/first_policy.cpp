// A host with a route policy of its own: odd destinations by one uplink, even ones by the other.
#include <cstdio>
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>
using namespace sluice;
struct odd_and_even {
    static constexpr bool has_local_routes = false;  // the stack keeps those
    static constexpr std::size_t memory_limit = 2 * sizeof(route_entry);
    route_entry uplinks[2] = {{.interface = 2, .gateway = "10.0.1.254"_ip},
                              {.interface = 3, .gateway = "10.0.2.254"_ip}};
    next_hop lookup(ipv4::address to) const noexcept { return next_hop{to.value & 1}; }
    next_hop lookup(const route_query& q) const noexcept {
        return answers(at(lookup(q.destination)), q) ? lookup(q.destination) : next_hop::none;
    }
    const route_entry& at(next_hop hop) const noexcept { return uplinks[static_cast<u32>(hop)]; }
    u32 version() const noexcept { return 0; }  // never changes
};
struct edge : policies<routes<odd_and_even>, output<queue_output<16>>> {};
int main() {
    static stack<edge> host{{.seed = testing::fixed_seed}};
    (void)host.add_interface({.index = 2, .address = "10.0.1.1/24"_net});
    (void)host.add_interface({.index = 3, .address = "10.0.2.1/24"_net});
    for (const auto to : {"192.0.2.6"_ip, "192.0.2.7"_ip}) {
        (void)host.send(host.buffers().take(), {.destination = to, .protocol = 253}, {});
        const auto sent_to = host.output().next().to;
        std::printf("%s: interface %u, gateway %s\n", ipv4::to_text(to).c_str(), sent_to.interface,
                    ipv4::to_text(sent_to.next_hop).c_str());
        if (sent_to.interface != 2 + (to.value & 1)) return 1;
    }
}
