// arp_router: a router between two interfaces by AF_PACKET and ethernet_link, for arp.sh.
//
//   arp_router WEST ADDRESS/LENGTH EAST ADDRESS/LENGTH     ends by SIGTERM, or after 60 seconds
// Neighbours count as reachable for 2 seconds and are asked 1 second after use, so that a test need
// not wait; questions are a second apart, three of them, as ever. Prints its neighbours at SIGUSR1
// and conflicts as they come; announces its addresses at the start. Exit codes: 0, 2 it did not
// open.
#include <sluice/link/ethernet.hpp>
#include <sluice/link/ethernet_output.hpp>
#include <sluice/port/af_packet.hpp>
#include <sluice/port/system_seed.hpp>
#include <sluice/sluice.hpp>
#include <sluice/wire/text.hpp>

#include <array>
#include <csignal>
#include <cstdio>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <poll.h>

namespace {

using namespace sluice;
namespace ap = sluice::port::af_packet;

volatile std::sig_atomic_t asked_to_end = 0;
volatile std::sig_atomic_t asked_to_print = 0;

constexpr u16 first_index = 2;  // 1 is lo
constexpr std::size_t ends = 2;

using pool = fixed_pool<2048, 1024>;
using packet = pool::packet_type;

struct addresses {
    std::array<ethernet::address, ends> hardware{};
    std::array<ipv4::interface_address, ends> own{};

    ethernet::address hardware_address(u16 i) const noexcept { return hardware[i - first_index]; }
    bool is_own(u16, ipv4::address a) const noexcept {
        return a == own[0].address || a == own[1].address;
    }
    ipv4::address source_for(u16 i, ipv4::address) const noexcept {
        return own[i - first_index].address;
    }
    void address_conflict(u16 i, ipv4::address a, ethernet::address claimant) noexcept {
        std::printf("conflict on %u about %s by %s\n", unsigned{i}, to_text(a).c_str(),
                    to_text(claimant).c_str());
        std::fflush(stdout);
    }
};

struct outputs {
    static constexpr bool takes_segmented = true;
    std::array<ap::sender::model<packet>, ends> to{};

    bool send_frame(packet& frame, u16 i, instant now) noexcept {
        return to[i - first_index].send_frame(frame, 0, now);
    }
    void flush() noexcept {
        for (auto& each : to) {
            each.flush();
        }
    }
};

using wires = ethernet_link<pool, addresses, outputs>;
struct edge : policies<based_on<linux_router>, buffers<pool>, output<ethernet_output<wires>>> {
    [[nodiscard]] static constexpr settings initial_settings() noexcept {
        return linux_router::initial_settings();
    }
};
using router = stack<edge>;

void print_neighbours(const wires& link, instant now) {
    link.neighbours().for_each([&](const auto& n) {
        std::printf("neighbour %u %s %s %s %lld\n", unsigned{n.interface},
                    to_text(n.address).c_str(), n.is_usable() ? to_text(n.hardware).c_str() : "-",
                    name(n.state), static_cast<long long>((now - n.updated).milliseconds()));
    });
    std::puts("end of neighbours");
    std::fflush(stdout);
}

void serve(ap::device& from, pool& frames, wires& link, router& at) {
    std::array<packet, 32> batch;
    const auto got = from.receive(frames, std::span{batch});
    const moment now = ap::device::now();
    for (std::size_t i = 0; i < got.count; ++i) {
        if (link.input(batch[i], now.now) == frame_kind::ipv4) {
            static_cast<void>(at.receive(std::move(batch[i]), now));
        }
    }
}

int run(std::span<ap::device> devices, pool& frames, wires& link, router& at) {
    const instant end = ap::device::now().now + 60_s;
    while (asked_to_end == 0 && ap::device::now().now < end) {
        pollfd waiting[ends] = {{devices[0].fd(), POLLIN, 0}, {devices[1].fd(), POLLIN, 0}};
        static_cast<void>(::poll(waiting, ends, 20));
        for (ap::device& each : devices) {
            serve(each, frames, link, at);
        }
        const moment now = ap::device::now();
        static_cast<void>(at.poll(now));
        static_cast<void>(
            link.poll(now.now, [&](packet&& p) { at.link_failed(std::move(p), now); }));
        link.flush_device();
        if (std::exchange(asked_to_print, 0) != 0) {
            print_neighbours(link, now.now);
        }
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        std::fputs("usage: arp_router WEST ADDRESS/LENGTH EAST ADDRESS/LENGTH\n", stderr);
        return 2;
    }
    std::signal(SIGTERM, [](int) { asked_to_end = 1; });
    std::signal(SIGUSR1, [](int) { asked_to_print = 1; });
    addresses host;
    outputs device;
    std::vector<ap::device> devices;
    for (std::size_t i = 0; i < ends; ++i) {
        auto opened = ap::open(argv[1 + 2 * i], {.interface = static_cast<u16>(first_index + i)});
        const auto net = ipv4::parse_interface_address(argv[2 + 2 * i]);
        if (!opened || !net) {
            std::fprintf(stderr, "arp_router: %s %s: refused\n", argv[1 + 2 * i], argv[2 + 2 * i]);
            return 2;
        }
        devices.push_back(std::move(*opened));
        host.hardware[i] = devices[i].hardware_address();
        host.own[i] = *net;
        device.to[i] = devices[i].sender();
    }
    const auto seed = sluice::port::system_seed();
    if (!seed) {
        std::fputs("arp_router: no random numbers\n", stderr);
        return 2;
    }
    const auto frames = std::make_unique<pool>();
    const auto link = std::make_unique<wires>(
        *frames, host, device, derive(*seed, purposes_of_programs),
        neighbour_times{.reachable = 2_s, .first_probe = 1_s, .spread = false});
    router::parts parts{.seed = *seed};
    parts.output = ethernet_output<wires>::model<packet>{*link};
    const auto at = std::make_unique<router>(std::move(parts));
    const instant start = ap::device::now().now;
    for (std::size_t i = 0; i < ends; ++i) {
        const auto index = static_cast<u16>(first_index + i);
        if (!at->add_interface({.index = index, .address = host.own[i], .mtu = 1500})) {
            return 2;
        }
        link->announce(index, host.own[i].address, start);
    }
    link->flush_device();
    std::puts("ready");
    std::fflush(stdout);
    return run(devices, *frames, *link, *at);
}
