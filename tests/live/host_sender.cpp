// host_sender: a host on a TUN device that sends, for sending.sh.
//
//   host_sender DEVICE ADDRESS/LENGTH GATEWAY PEER cork
//     one UDP datagram of 60,000 bytes to port 7000, by 100 writes
//   host_sender DEVICE ADDRESS/LENGTH GATEWAY PEER whole|cut MODE MTU
//     three TCP packets of 43 full segments and a short one, by a sending_flow. whole: the device
//     cuts them (virtio_net); cut: this program does. MODE: want (DF) or dont; MTU: of its link
// Prints what was sent, and how many packets the device took. Exit codes: 0 sent, 1 refused with
// the reason, 2 it did not open.
//
// Expects: root.
// Never:   receives.
#include <sluice/endpoint/sending_flow.hpp>
#include <sluice/endpoint/udp_endpoint.hpp>
#include <sluice/port/system_seed.hpp>
#include <sluice/port/tun.hpp>
#include <sluice/sluice.hpp>
#include <sluice/wire/tcp.hpp>
#include <sluice/wire/text.hpp>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace {

using namespace sluice;
namespace tun = sluice::port::tun;

constexpr u16 link_index = 2;  // 1 is lo
constexpr u16 segment_size = 1460;
constexpr u32 payload_size = 43 * segment_size + 1220;
constexpr u32 tcp_header = 20;

// A large packet lies in one block.
struct sending_host
    : policies<based_on<linux_host>, buffers<fixed_pool<66'000, 128>>, output<tun::sender>> {};
using host = stack<sending_host>;

// Byte i of what is sent; sending.sh knows it too.
std::byte content(u32 i) {
    return static_cast<std::byte>((i * 7 + (i >> 8)) & 0xff);
}

int refused(routing::send_error why) {
    std::printf("refused: %s\n", routing::message(why));
    return 1;
}

int send_corked(host& s, ipv4::address peer) {
    constexpr u32 writes = 100;
    constexpr u32 each = 600;
    udp_endpoint<host> out{s};
    out.options().cork = true;
    std::vector<std::byte> bytes(each);
    for (u32 i = 0; i < writes; ++i) {
        for (u32 k = 0; k < each; ++k) {
            bytes[k] = content(i * each + k);
        }
        if (const auto r = out.send(bytes, {peer, 7000}, tun::device::now()); !r.has_value()) {
            std::printf("refused: %s\n", errno_name(r.error()));
            return 1;
        }
    }
    if (const auto r = out.push(tun::device::now()); !r.has_value()) {
        std::printf("refused: %s\n", errno_name(r.error()));
        return 1;
    }
    std::printf("one datagram of %u bytes\n", writes * each);
    return 0;
}

// One large packet, its checksum left to the device.
host::packet_type large_packet(host& s, ipv4::address from, ipv4::address to, u32 sequence) {
    host::packet_type p = s.buffers().take();
    const u32 size = tcp_header + payload_size;
    std::byte* const at = p.put(size);
    const tcp::header h{.source_port = 4242,
                        .destination_port = 7000,
                        .sequence = sequence,
                        .acknowledgment = 1,
                        .flags = 16 | 8,  // ACK, PSH
                        .window = 1000};
    static_cast<void>(emit_value(h, {at, tcp_header}));
    tcp::view{at}.set(tcp::data_offset, static_cast<u8>(tcp_header / 4));
    for (u32 i = 0; i < payload_size; ++i) {
        at[tcp_header + i] = content(sequence + i);
    }
    const u64 pseudo = checksum::pseudo_header(from, to, ipv4::protocols::tcp, size);
    store_be<u16>(at + 16, checksum::fold(pseudo));
    metadata& m = p.writable_metadata();
    m.segmentation = segmentation_kind::tcp_ipv4;
    m.segment_size = segment_size;
    m.checksum = checksum_state::pending;
    m.checksum_start = static_cast<u16>(ipv4::min_header_length);
    m.checksum_offset = 16;
    return p;
}

int send_segments(host& s, ipv4::address from, ipv4::address peer, mtu_discovery how) {
    sending_flow<host> flow{
        s, {.destination = peer, .source = from, .protocol = ipv4::protocols::tcp}, how};
    u32 sequence = 0;
    for (int i = 0; i < 3; ++i) {
        const auto r = flow.send(large_packet(s, from, peer, sequence), tun::device::now());
        if (!r.has_value()) {
            return refused(r.error());
        }
        sequence += payload_size;
    }
    std::printf("%u bytes, routes looked up: %llu\n", sequence,
                static_cast<unsigned long long>(flow.lookups()));
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 6 && argc != 8) {
        std::fputs("usage: host_sender DEVICE ADDRESS/LENGTH GATEWAY PEER cork\n"
                   "       host_sender DEVICE ADDRESS/LENGTH GATEWAY PEER whole|cut MODE MTU\n",
                   stderr);
        return 2;
    }
    const auto own = ipv4::parse_interface_address(argv[2]);
    const auto gateway = ipv4::parse_address(argv[3]);
    const auto peer = ipv4::parse_address(argv[4]);
    const std::string_view what = argv[5];
    const auto seed = port::system_seed();
    auto device = tun::open(argv[1], {.interface = link_index, .offload = what == "whole"});
    if (!own || !gateway || !peer || !seed || !device) {
        std::fputs("host_sender: an address or the device is refused\n", stderr);
        return 2;
    }
    const auto s = std::make_unique<host>(host::parts{.output = device->sender(), .seed = *seed});
    const auto mtu = static_cast<u16>(argc == 8 ? std::atoi(argv[7]) : 1500);
    if (!s->add_interface({.index = link_index, .address = *own, .mtu = mtu}) ||
        !s->add_route({.interface = link_index, .gateway = *gateway})) {
        std::fputs("host_sender: the stack refuses interface or route\n", stderr);
        return 2;
    }
    const bool wants = argc == 8 && std::string_view{argv[6]} == "want";
    const int result = what == "cork"
                           ? send_corked(*s, *peer)
                           : send_segments(*s, own->address, *peer,
                                           wants ? mtu_discovery::want : mtu_discovery::dont);
    std::printf("the device took %llu packets\n",
                static_cast<unsigned long long>(s->output().counters().sent));
    return result;
}
