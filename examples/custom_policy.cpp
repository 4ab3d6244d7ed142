// custom_policy: a route table of your own in ten lines, and a router that uses it.
//
// Shows: a policy as a small type, checked against its concept where it is named; all other
// policies stay those of linux_router.
// Run: ./custom_policy
#include "support/self_packets.hpp"

#include <sluice/port/or_exit.hpp>
#include <sluice/port/system_seed.hpp>
#include <sluice/sluice.hpp>
#include <sluice/wire/ipv4_header.hpp>

#include <cstdio>
#include <memory>
#include <utility>

namespace {

namespace ipv4 = sluice::ipv4;
using namespace sluice::literals;
using sluice::next_hop;

// Splits destinations between two uplinks: addresses with the last bit set go by interface 3.
struct odd_and_even {
    static constexpr bool has_local_routes = false;  // the stack handles local addresses
    static constexpr std::size_t memory_limit = 2 * sizeof(sluice::route_entry);

    sluice::route_entry hops[2] = {{.interface = 2, .gateway = "192.0.2.254"_ip},
                                   {.interface = 3, .gateway = "198.51.100.254"_ip}};

    next_hop lookup(ipv4::address to) const noexcept { return next_hop{to.value & 1}; }
    next_hop lookup(const sluice::route_query& q) const noexcept {
        return answers(at(lookup(q.destination)), q) ? lookup(q.destination) : next_hop::none;
    }
    const sluice::route_entry& at(next_hop id) const noexcept {
        return hops[static_cast<sluice::u32>(id)];
    }
    sluice::u32 version() const noexcept { return 0; }
};

struct splitter
    : sluice::policies<sluice::based_on<sluice::linux_router>, sluice::routes<odd_and_even>> {};
using stack = sluice::stack<splitter>;

stack::packet_type datagram_to(stack& s, ipv4::address destination) {
    auto p = s.buffers().take();
    const ipv4::header ip{.total_length = 20,
                          .protocol = ipv4::protocols::udp,
                          .source = "203.0.113.9"_ip,
                          .destination = destination};
    static_cast<void>(sluice::emit_value(ip, {p.put(20), 20}));
    ipv4::set_checksum(ipv4::view{p.data()});
    p.set_interface(4);
    return p;
}

}  // namespace

int main() {
    const auto seed = sluice::port::or_exit("custom_policy", sluice::port::system_seed());
    const auto s = std::make_unique<stack>(stack::parts{.seed = seed});
    const bool ready = s->add_interface({.index = 2, .address = "192.0.2.1/24"_net}) &&
                       s->add_interface({.index = 3, .address = "198.51.100.1/24"_net}) &&
                       s->add_interface({.index = 4, .address = "203.0.113.1/24"_net});
    if (!ready) {
        return 1;
    }
    bool as_wanted = true;
    for (const ipv4::address to : {"100.64.0.6"_ip, "100.64.0.7"_ip}) {
        static_cast<void>(s->receive(datagram_to(*s, to), {}));
        const auto sent = s->output().next();
        if (!sent.packet) {
            std::printf("%s was not forwarded\n", ipv4::to_text(to).c_str());
            return 1;
        }
        std::printf("%s leaves by interface %u to %s, TTL %u\n", ipv4::to_text(to).c_str(),
                    sent.to.interface, ipv4::to_text(sent.to.next_hop).c_str(),
                    unsigned{ipv4::const_view{sent.packet.data()}[ipv4::ttl]});
        as_wanted = as_wanted && sent.to.interface == 2 + (to.value & 1);
    }
    auto ping = s->buffers().take();
    examples::write_echo_request(ping);
    static_cast<void>(s->receive(std::move(ping), {}));
    const bool answered = s->counters()[sluice::mib::icmp_out_echo_reps] == 1;
    std::printf("a ping to 192.0.2.1, a local address, is %s\n", answered ? "answered" : "lost");
    return as_wanted && answered ? 0 : 1;
}
