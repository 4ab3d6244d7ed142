// raw_ping: echo requests by a raw socket, captured beside, for raw_socket.sh.
//
//   raw_ping include|kernel FROM TO COUNT DATA CAPTURE
// include: this program makes the IPv4 header; kernel: the kernel makes it. Exit code 0: every one
// was answered.
#include <sluice/port/pcap_tee.hpp>
#include <sluice/port/raw_socket.hpp>
#include <sluice/port/steady_clock.hpp>
#include <sluice/wire/icmp.hpp>
#include <sluice/wire/text.hpp>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

#include <poll.h>

namespace {

using namespace sluice;
namespace raw = sluice::port::raw_socket;

// A datagram may be as long as can be.
using pool = fixed_pool<66'000, 8>;
using packet = pool::packet_type;
using output = port::pcap_tee<raw::sender>::model<packet>;

constexpr u32 our_identifier = 0x51d0;

packet echo_request(pool& buffers, ipv4::address from, ipv4::address to, u32 number, u32 size) {
    packet p = buffers.take();
    const u32 message = u32{icmp::header_length} + size;
    fill_bytes(p.put(message), message, std::byte{0x5a});
    const icmp::view request{p.data()};
    request.set(icmp::type, icmp::types::echo_request);
    request.set(icmp::code, u8{0});
    request.set(icmp::rest_of_header, our_identifier << 16 | number);
    icmp::set_checksum({p.data(), message});
    const ipv4::view ip{p.push(20)};
    fill_bytes(p.data(), 20, std::byte{});
    ip.set(ipv4::version, 4);
    ip.set(ipv4::ihl, 5);
    ip.set(ipv4::total_length, static_cast<u16>(p.size()));
    ip.set(ipv4::ttl, 64);
    ip.set(ipv4::protocol, ipv4::protocols::icmp);
    ip.set(ipv4::source, from);
    ip.set(ipv4::destination, to);
    ipv4::set_checksum(ip);
    return p;
}

bool is_answer(const packet& p, u32 number, u32 size) {
    const std::size_t header = ipv4::header_length(ipv4::const_view{p.data()});
    const const_bytes message = p.head().subspan(header);
    const icmp::const_view m{message.data()};
    return message.size() == icmp::header_length + size && icmp::checksum_ok(message) &&
           m[icmp::type] == icmp::types::echo_reply &&
           m[icmp::rest_of_header] == (our_identifier << 16 | number);
}

// Waits up to two seconds.
bool wait_for_answer(raw::device& from, pool& buffers, u32 number, u32 size) {
    const instant end = port::steady_clock::now_instant() + duration{2'000'000'000};
    while (port::steady_clock::now_instant() < end) {
        pollfd waiting{from.fd(), POLLIN, 0};
        static_cast<void>(::poll(&waiting, 1, 100));
        const auto got = from.receive(buffers);
        if (got && is_answer(*got, number, size)) {
            return true;
        }
    }
    return false;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 7) {
        std::fputs("usage: raw_ping include|kernel FROM TO COUNT DATA CAPTURE\n", stderr);
        return 2;
    }
    const auto from = ipv4::parse_address(argv[2]);
    const auto to = ipv4::parse_address(argv[3]);
    const u32 count = static_cast<u32>(std::atoi(argv[4]));
    const u32 size = static_cast<u32>(std::atoi(argv[5]));
    auto capture = port::pcap::writer::create(argv[6], port::pcap::link_type::raw);
    auto socket = raw::open({.include_header = std::string_view{argv[1]} == "include"});
    if (!from || !to || !capture || !socket || size > 65'507) {
        std::fputs("raw_ping: an address, the size, the file or the socket is refused\n", stderr);
        return 2;
    }
    const auto buffers = std::make_unique<pool>();
    output out{.recorder = *capture, .second = socket->sender()};
    for (u32 i = 0; i < count; ++i) {
        packet request = echo_request(*buffers, *from, *to, i, size);
        if (!out.transmit(request, {}, port::steady_clock::now_instant())) {
            std::printf("number %u: errno %d\n", i, out.second.counters().last_error);
            return 1;
        }
        if (!wait_for_answer(*socket, *buffers, i, size)) {
            std::printf("number %u: no answer\n", i);
            return 1;
        }
    }
    std::printf("%u answered\n", count);
    return 0;
}
