// Golden packets in constant evaluation: each header is emitted into bytes full of 0xa5 and read
// back.
#include <sluice/wire/arp.hpp>
#include <sluice/wire/ethernet.hpp>
#include <sluice/wire/icmp_messages.hpp>
#include <sluice/wire/icmp_objects.hpp>
#include <sluice/wire/igmp.hpp>
#include <sluice/wire/ipv4_header.hpp>
#include <sluice/wire/literals.hpp>
#include <sluice/wire/tcp.hpp>
#include <sluice/wire/udp.hpp>

#include <array>

namespace {

using namespace sluice;
using namespace sluice::literals;

// Whether `value` emits exactly `golden`, touches nothing behind it, and is what `golden` parses
// to.
template <class Value, std::size_t Size>
consteval bool round_trip(const Value& value, const std::array<std::byte, Size>& golden) {
    std::array<std::byte, Size + 2> out{};
    fill_bytes(out.data(), out.size(), std::byte{0xa5});
    const auto written = emit_value(value, out);
    if (!written || *written != Size) return false;
    if (!equal_bytes(const_bytes{out}.first(Size), golden)) return false;
    if (out[Size] != std::byte{0xa5} || out[Size + 1] != std::byte{0xa5}) return false;
    const auto parsed = parse_value<Value>(golden);
    return parsed && *parsed == value && !emit_value(value, bytes{out}.first(Size - 1));
}

static_assert(round_trip(ipv4::header{.dscp = 46,
                                      .ecn = 1,
                                      .total_length = 84,
                                      .identification = 0x1234,
                                      .dont_fragment = true,
                                      .ttl = 64,
                                      .protocol = ipv4::protocols::icmp,
                                      .header_checksum = 0x13ba,
                                      .source = "10.0.0.1"_ip,
                                      .destination = "10.0.0.2"_ip},
                         "45b90054 12344000 400113ba 0a000001 0a000002"_hex));
static_assert(ipv4::checksum_ok(ipv4::const_view{
    "45b90054 12344000 400113ba 0a000001 0a000002"_hex.data()}));

static_assert(round_trip(
    udp::header{.source_port = 4660, .destination_port = 53, .length = 12, .checksum = 0xabcd},
    "12340035000cabcd"_hex));

static_assert(round_trip(tcp::header{.source_port = 4660,
                                     .destination_port = 80,
                                     .sequence = 1,
                                     .acknowledgment = 2,
                                     .flags = 0x112,
                                     .window = 4096,
                                     .checksum = 0xabcd,
                                     .urgent_pointer = 3},
                         "12340050 00000001 00000002 51121000 abcd0003"_hex));

static_assert(round_trip(icmp::header::echo(icmp::types::echo_request, 0x1234, 7),
                         "0800000012340007"_hex));
static_assert(round_trip(icmp::header::fragmentation_needed(1400), "0304000000000578"_hex));
static_assert(round_trip(icmp::timestamp_message{.type = icmp::types::timestamp_reply,
                                                 .identifier = 1,
                                                 .sequence = 2,
                                                 .originate_time = 3,
                                                 .receive_time = 4,
                                                 .transmit_time = 5},
                         "0e000000 00010002 00000003 00000004 00000005"_hex));

static_assert(round_trip(ethernet::header{.destination = ethernet::multicast_mac("224.0.0.22"_ip),
                                          .source = "02:00:00:00:00:01"_mac,
                                          .type = ethernet::types::ipv4},
                         "01005e000016 020000000001 0800"_hex));

static_assert(round_trip(arp::packet{.operation = arp::operations::reply,
                                     .sender_hardware = "02:00:00:00:00:01"_mac,
                                     .sender_protocol = "10.0.0.1"_ip,
                                     .target_hardware = "02:00:00:00:00:02"_mac,
                                     .target_protocol = "10.0.0.2"_ip},
                         "0001080006040002 020000000001 0a000001 020000000002 0a000002"_hex));

consteval bool igmp_leave() {
    std::array<std::byte, 8> out{};
    fill_bytes(out.data(), out.size(), std::byte{0xa5});
    igmp::view{out.data()}
        .set(igmp::type, igmp::types::leave)
        .set(igmp::max_response_code, 0)
        .set(igmp::group, "224.1.2.3"_ip);
    igmp::set_checksum(out);
    return out == "170006fbe0010203"_hex;
}
static_assert(igmp_leave());

consteval bool forwarded() {
    auto packet = "45b90054 12344000 400113ba 0a000001 0a000002"_hex;
    ipv4::decrement_ttl(ipv4::view{packet.data()});
    return packet == "45b90054 12344000 3f0114ba 0a000001 0a000002"_hex;
}
static_assert(forwarded());

consteval bool interface_object() {
    const auto name = "65746830"_hex;
    std::array<std::byte, 16> out{};
    const icmp::interface_information info{
        .has_index = true, .has_name = true, .index = 3, .name = name};
    return info.emit(out) && out == "0010020a 00000003 08657468 30000000"_hex;
}
static_assert(interface_object());

}  // namespace
