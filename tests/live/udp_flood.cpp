// udp_flood: sends small UDP packets by an interface as fast as the kernel accepts them.
//
// It sends batches of 64 by AF_PACKET, until a number of packets or milliseconds is reached. The
// kernel makes the link header (none on TUN). With `mixed` a router must not forward every eighth
// packet: it has, in turn, a wrong checksum, TTL 1, no route, or too short a header.
// It prints how many packets the kernel accepted and refused.
//
// Expects: root.
// Never:   receives.
#include <sluice/port/descriptor.hpp>
#include <sluice/port/steady_clock.hpp>
#include <sluice/wire/checksum.hpp>
#include <sluice/wire/ethernet.hpp>
#include <sluice/wire/ipv4.hpp>
#include <sluice/wire/text.hpp>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>

namespace {

using namespace sluice;

constexpr u32 packet_bytes = 50;  // a frame of 64 without its check sequence
constexpr std::size_t batch = 64;
using packet = std::array<std::byte, packet_bytes>;

struct request {
    const char* interface = nullptr;
    sockaddr_ll to{};
    ipv4::address source;
    ipv4::address target;
    u64 packets = ~u64{0};
    duration time{};
    bool mixed = false;
};

packet make_packet(const request& asked, std::size_t number) {
    enum class kind { plain, bad_checksum, last_hop, no_route, short_header };
    const kind what =
        asked.mixed && number % 8 == 0 ? static_cast<kind>(number / 8 % 4 + 1) : kind::plain;
    packet p{};
    std::byte* const at = p.data();
    store_be<u16>(at, what == kind::short_header ? 0x4400 : 0x4500);
    store_be<u16>(at + 2, packet_bytes);
    at[8] = std::byte{static_cast<u8>(what == kind::last_hop ? 1 : 64)};
    at[9] = std::byte{ipv4::protocols::udp};
    store_be<u32>(at + 12, asked.source.value);
    store_be<u32>(at + 16, what == kind::no_route ? 0xcb007101 : asked.target.value);
    const u16 sum = checksum::compute_header(at, 5);
    store_be<u16>(at + 10, what == kind::bad_checksum ? static_cast<u16>(sum ^ 0x0100) : sum);
    store_be<u16>(at + 20, static_cast<u16>(4096 + number));
    store_be<u16>(at + 22, 9);  // discard
    store_be<u16>(at + 24, packet_bytes - 20);
    return p;
}

bool parse(int argc, char** argv, request& to) {
    if (argc != 6) {
        return false;
    }
    to.interface = argv[1];
    if (std::string_view{argv[2]} != "-") {
        unsigned parts[6];
        if (std::sscanf(argv[2], "%x:%x:%x:%x:%x:%x", &parts[0], &parts[1], &parts[2], &parts[3],
                        &parts[4], &parts[5]) != 6) {
            return false;
        }
        to.to.sll_halen = 6;
        for (std::size_t i = 0; i < 6; ++i) {
            to.to.sll_addr[i] = static_cast<unsigned char>(parts[i]);
        }
    }
    const auto source = ipv4::parse_address(argv[3]);
    const auto target = ipv4::parse_address(argv[4]);
    char* rest = nullptr;
    const auto amount = std::strtoull(argv[5], &rest, 10);
    if (!source || !target || amount == 0) {
        return false;
    }
    to.source = *source;
    to.target = *target;
    if (std::strncmp(rest, "ms", 2) == 0) {
        to.time = duration::from_milliseconds(static_cast<i64>(amount));
        rest += 2;
    } else {
        to.packets = amount;
    }
    to.mixed = std::string_view{rest} == ",mixed";
    return to.mixed || *rest == '\0';
}

int flood(const request& asked) {
    const port::descriptor fd{::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    sockaddr_ll to = asked.to;
    to.sll_family = AF_PACKET;
    to.sll_protocol = htons(ethernet::types::ipv4);
    to.sll_ifindex = static_cast<int>(::if_nametoindex(asked.interface));
    if (!fd || to.sll_ifindex == 0) {
        std::perror("udp_flood");
        return 1;
    }
    std::array<packet, batch> packets;
    std::array<iovec, batch> pieces;
    std::array<mmsghdr, batch> messages{};
    for (std::size_t i = 0; i < batch; ++i) {
        packets[i] = make_packet(asked, i);
        pieces[i] = {packets[i].data(), packets[i].size()};
        messages[i].msg_hdr.msg_name = &to;
        messages[i].msg_hdr.msg_namelen = sizeof to;
        messages[i].msg_hdr.msg_iov = &pieces[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    const instant start = port::steady_clock::now_instant();
    u64 sent = 0;
    u64 refused = 0;
    instant now = start;
    while (sent + refused < asked.packets &&
           (asked.time == duration{} || now - start < asked.time)) {
        const u64 done = sent + refused;
        const std::size_t first = done % batch;
        const u64 left = asked.packets - done;
        const std::size_t n = left < batch - first ? static_cast<std::size_t>(left) : batch - first;
        const int taken = ::sendmmsg(fd.get(), &messages[first], static_cast<unsigned>(n), 0);
        if (taken > 0) {
            sent += static_cast<u64>(taken);
        } else if (errno == ENOBUFS) {
            ++refused;
        } else if (errno != EINTR) {
            std::perror("udp_flood");
            return 1;
        }
        now = port::steady_clock::now_instant();
    }
    std::printf("sent %llu refused %llu milliseconds %lld\n", static_cast<unsigned long long>(sent),
                static_cast<unsigned long long>(refused),
                static_cast<long long>((now - start).milliseconds()));
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    request asked;
    if (!parse(argc, argv, asked)) {
        std::fputs("usage: udp_flood INTERFACE LINK_ADDRESS|- SOURCE TARGET "
                   "PACKETS|MILLISECONDSms[,mixed]\n",
                   stderr);
        return 2;
    }
    return flood(asked);
}
