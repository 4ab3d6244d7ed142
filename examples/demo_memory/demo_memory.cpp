// demo_memory: the demonstration of ./demo without root: two hosts and a router, all three of them
// stacks, on wires in memory and in virtual time.
//
// Shows: a whole, deterministic network in one process; captures of the packets on its wires.
// Run: ./demo_memory FOLDER    writes FOLDER/left.pcap and FOLDER/right.pcap
#include "network.hpp"
#include "probe.hpp"

#include <sluice/port/pcap_file.hpp>
#include <sluice/stats/balance.hpp>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace {

using examples::memory_network;
using examples::packet;
using examples::right_address;
using examples::router_address;
using sluice::mib;
namespace unreachable = sluice::icmp::unreachable;
using namespace sluice::icmp::types;
using namespace sluice::literals;

struct bench {
    memory_network& network;
    examples::memory_probe probe;

    [[nodiscard]] bool echo(sluice::ipv4::address to, sluice::u32 size, bool df = false) {
        const auto a = probe.ping(to, size, 0, df);
        return a.is(echo_reply, 0, to) && a.payload_is_as_sent;
    }
};

bool large_ping(bench& b) {
    const auto& far = b.network.right.counters();
    const auto before = far[mib::ip_reasm_oks];
    return b.echo(right_address, 65'000) && far[mib::ip_reasm_oks] == before + 1;
}
bool traceroute(bench& b) {
    return b.probe.ping(right_address, 32, 1).is(time_exceeded, 0, router_address) &&
           b.probe.ping(right_address, 32, 2).is(echo_reply, 0, right_address);
}
bool cut_by_router(bench& b) {
    const auto& far = b.network.right.counters();
    const auto before = far[mib::ip_reasm_oks];
    return b.echo(right_address, 1472) && far[mib::ip_reasm_oks] == before + 1;
}
bool path_mtu(bench& b) {
    const auto a = b.probe.ping(right_address, 1472, 0, true);
    return a.is(destination_unreachable, unreachable::fragmentation_needed, router_address) &&
           a.mtu == 1400 && b.echo(right_address, 1372, true);
}
// Sends 1,250 datagrams of 8,000 bytes in fragments and compares each byte.
bool transfer(bench& b) {
    constexpr sluice::u16 port = 5001;
    sluice::receive_queue<packet, 4> arrived;
    auto& endpoints = b.network.right.delivery();
    bool same = endpoints.add_udp({.protocol = 17, .local_port = port}, arrived);
    for (int i = 0; i < 1250 && same; ++i) {
        static_cast<void>(b.probe.udp(right_address, port, 8'000));
        const auto item = arrived.next();
        same = item.packet && examples::holds_pattern(item.packet, 0, 8'000, b.probe.salt());
    }
    endpoints.remove(arrived);
    return same;
}
bool is_refused(bench& b, sluice::ipv4::address host) {
    return b.probe.udp(host, 9999, 17).is(destination_unreachable, unreachable::port, host);
}
bool accounts(bench& b) {
    b.network.run(60_s);
    return b.network.router_runs && balance_of(b.network.left).is_even() &&
           balance_of(b.network.middle).is_even() && balance_of(b.network.right).is_even() &&
           b.network.all_buffers_back();
}

struct step {
    const char* title;
    bool (*run)(bench& b);
};
constexpr step steps[] = {
    {"ping through the router", [](bench& b) { return b.echo(right_address, 56); }},
    {"ping of 65,000 bytes: fragments forwarded, cut again for MTU 1400", large_ping},
    {"ping of 65,000 bytes to the router: reassembled, answered in fragments",
     [](bench& b) { return b.echo(router_address, 65'000); }},
    {"traceroute shows the router", traceroute},
    {"a datagram of 1,500 bytes is cut for the link of MTU 1400", cut_by_router},
    {"path MTU discovery: the sender learns 1400", path_mtu},
    {"10 MB of UDP in fragments arrive unchanged", transfer},
    {"UDP to a closed port of the far host is refused",
     [](bench& b) { return is_refused(b, right_address); }},
    {"UDP to a closed port of the router is refused",
     [](bench& b) { return is_refused(b, router_address); }},
    {"each packet accounted for, each buffer back in its pool", accounts},
};

// Writes the packets of a wire to a pcap file, while there is room.
struct wire_capture {
    sluice::port::pcap::writer file;
    int room = 0;  // packets that may still be written

    static void tap(void* context, sluice::instant now, examples::wire_end,
                    const packet& p) noexcept {
        auto& self = *static_cast<wire_capture*>(context);
        if (self.room > 0) {
            --self.room;
            static_cast<void>(self.file.write({now.nanoseconds}, p));
        }
    }
};

// Prints the changed counters of Ip, Icmp and Udp, a few on a line behind the lead.
void print_difference(const sluice::snmp_counters& before, const sluice::snmp_counters& after,
                      const char* lead) {
    constexpr int on_a_line = 4;
    int printed = 0;
    for (auto i = static_cast<std::size_t>(mib::ip_in_receives);
         i < static_cast<std::size_t>(mib::ipext_in_no_routes); ++i) {
        const auto moved = after[static_cast<mib>(i)] - before[static_cast<mib>(i)];
        if (moved != 0) {
            std::fputs(printed % on_a_line != 0 ? "" : printed == 0 ? lead : "\n", stdout);
            std::printf("%s %s.%s +%llu", printed % on_a_line == 0 && printed > 0 ? lead : "",
                        sluice::mib_names[i].group, sluice::mib_names[i].field,
                        static_cast<unsigned long long>(moved));
            ++printed;
        }
    }
    std::fputs(printed != 0 ? "\n" : "", stdout);
}

}  // namespace

int main(int argc, char** argv) {
    const std::string folder = argc == 2 ? argv[1] : ".";
    const std::string names[] = {folder + "/left.pcap", folder + "/right.pcap"};
    std::vector<wire_capture> captures;
    for (const auto& name : names) {
        auto made =
            sluice::port::pcap::writer::create(name.c_str(), sluice::port::pcap::link_type::raw);
        if (!made) {
            std::fprintf(stderr, "demo_memory: %s\n", message(made.error()).c_str());
            return 2;
        }
        captures.push_back({std::move(*made)});
    }
    const auto network = std::make_unique<memory_network>();
    bench b{*network, examples::memory_probe{*network}};
    int passed = 0;
    int failed = network->configure() ? 0 : 1;

    std::puts("==> first with the router stopped: each step has to fail");
    network->router_runs = false;
    for (const step& s : steps) {
        const bool wrong = s.run(b);
        failed += wrong;
        std::printf("[%s] %s\n", wrong ? "PASSED WITHOUT THE ROUTER" : "fails, as it must",
                    s.title);
    }
    std::puts("==> with the router");
    network->router_runs = true;
    network->left_wire.set_tap(wire_capture::tap, &captures[0]);
    network->right_wire.set_tap(wire_capture::tap, &captures[1]);
    for (const step& s : steps) {
        captures[0].room = captures[1].room = 200;
        const auto before = network->middle.counters();
        const bool right = s.run(b);
        ++(right ? passed : failed);
        std::printf("[%s] %s\n", right ? "passed" : "FAILED", s.title);
        print_difference(before, network->middle.counters(), "         router:");
    }
    std::printf("what passed over the wires (of each step the first 200 packets): %s %s\n",
                names[0].c_str(), names[1].c_str());
    std::printf("demo: %d passed, %d failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
