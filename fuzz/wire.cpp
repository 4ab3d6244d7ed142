// Feeds any bytes to the whole wire layer: views, values, cursors, text, dump and checksum.
//
// The first byte chooses the entrance, so that a mutation stays with its format. It traps when a
// round trip loses a bit, a cursor leaves its range, or the checksum differs from the naive one.
#include "support/target.hpp"

#include <sluice/wire/arp.hpp>
#include <sluice/wire/dump.hpp>
#include <sluice/wire/icmp_messages.hpp>
#include <sluice/wire/icmp_objects.hpp>
#include <sluice/wire/igmp.hpp>
#include <sluice/wire/ipv4_header.hpp>
#include <sluice/wire/ipv4_options.hpp>
#include <sluice/wire/tcp.hpp>
#include <sluice/wire/text.hpp>
#include <sluice/wire/udp.hpp>

#include <array>
#include <vector>

using namespace sluice;

namespace {

using fuzz::require;

bool inside(const_bytes part, const_bytes whole) {
    return part.empty() || (part.data() >= whole.data() &&
                            part.data() + part.size() <= whole.data() + whole.size());
}

// A parsed value must emit the bytes that it was parsed from, and nothing after them.
template <class Value>
void round_trip(const_bytes data) {
    const auto value = parse_value<Value>(data);
    if (!value) return;
    std::array<std::byte, 64> out{};
    fill_bytes(out.data(), out.size(), std::byte{0xa5});
    const auto written = emit_value(*value, out);
    require(written.has_value() && *written <= data.size());
    require(equal_bytes(const_bytes{out}.first(*written), data.first(*written)));
    for (std::size_t i = *written; i < out.size(); ++i)
        require(out[i] == std::byte{0xa5});
    require(*parse_value<Value>(out) == *value);
}

void options(const_bytes list) {
    std::size_t expected = 0;
    option_cursor at{list};
    while (at.next()) {
        require(at.offset() == expected && !at.option().empty() && inside(at.option(), list));
        require(inside(at.data(), at.option()));
        for (std::size_t slot = 0; slot <= ipv4::route_slots(at.option()); ++slot) {
            static_cast<void>(ipv4::route_address(at.option(), slot));
        }
        expected += at.option().size();
    }
    require(at.offset() == expected && expected <= list.size() && !at.next());
    if (at.malformed()) require(expected < list.size());
}

void ipv4_input(const_bytes data) {
    round_trip<ipv4::header>(data);
    if (const auto quote = ipv4::lax_parse(data)) {
        require(inside(quote->options, data) && inside(quote->payload, data));
        require(20 + quote->options.size() + quote->payload.size() == data.size());
        options(quote->options);
    }
    if (const auto header = parse_value<ipv4::header>(data)) {
        std::vector<std::byte> copy(data.begin(), data.end());
        const ipv4::view ip{copy.data()};
        ipv4::set_checksum(ip);
        require(ipv4::checksum_ok(ip) &&
                checksum::verify(const_bytes{copy}.first(length_of(*header))));
        if (ip[ipv4::ttl] != 0) ipv4::decrement_ttl(ip);
        require(ipv4::checksum_ok(ip));
        ipv4::change_tos(ip, 0xb8);
        require(ipv4::checksum_ok(ip));
    }
}

void icmp_input(const_bytes data) {
    round_trip<icmp::header>(data);
    round_trip<icmp::timestamp_message>(data);
    const auto message = icmp::split_extended(data);
    if (!message) return;
    require(inside(message->quote, data) && inside(message->extension, data));
    std::size_t taken = 0;
    for (icmp::extension_cursor at{message->extension}; at.next();) {
        taken += 4 + at.payload().size();
        require(inside(at.payload(), message->extension) && taken <= message->extension.size());
        const u8 type = at.header()[icmp::object_type];
        if (const auto info = icmp::interface_information::parse(type, at.payload())) {
            require(inside(info->name, data) && inside(info->address, data));
            std::array<std::byte, 128> out{};
            const auto written = info->emit(out);
            require(written.has_value());
            const auto again =
                icmp::interface_information::parse(type, const_bytes{out}.subspan(4, *written - 4));
            require(again && again->index == info->index && again->mtu == info->mtu &&
                    equal_bytes(again->name, info->name));
        }
        if (const auto id = icmp::interface_identification::parse(type, at.payload())) {
            require(inside(id->name, data) && inside(id->address, data));
        }
    }
}

void igmp_input(const_bytes data) {
    require(igmp::query_version(data) <= 3);
    require(inside(igmp::query_sources(data), data) && igmp::query_sources(data).size() % 4 == 0);
    std::size_t taken = igmp::v3_report_layout::size;
    for (igmp::record_cursor at{data}; at.next();) {
        taken += igmp::record_layout::size + at.sources().size() + at.auxiliary().size();
        require(inside(at.sources(), data) && inside(at.auxiliary(), data) && taken <= data.size());
    }
    for (const std::byte one : data) {
        const u8 code = std::to_integer<u8>(one);
        require(igmp::encode_float(igmp::decode_float(code)) == code);
    }
}

void checksum_input(const_bytes data) {
    u64 naive = 0;
    for (std::size_t i = 0; i < data.size(); ++i) {
        naive += std::to_integer<u64>(data[i]) << (i % 2 == 0 ? 8 : 0);
    }
    const u16 folded = checksum::fold(checksum::partial(data));
    require(folded % 65535 == naive % 65535 && (folded == 0) == (naive == 0));
    if (data.empty()) return;
    const std::size_t cut = std::to_integer<std::size_t>(data[0]) % data.size();
    const u64 rest = checksum::partial(data.subspan(cut));
    const u64 first = checksum::partial(data.first(cut));
    require(checksum::fold(first + (cut % 2 == 0 ? rest : checksum::shift(rest))) == folded);
    std::vector<std::byte> copy(data.size());
    require(checksum::fold(checksum::copy_and_sum(copy, data)) == folded);
    require(equal_bytes(copy, data));
}

template <class Parsed, class Again>
void text_again(const Parsed& parsed, Again again) {
    if (!parsed) return;
    const auto reread = again(to_text(*parsed));
    require(reread && *reread == *parsed);
}

void text_input(const_bytes data) {
    std::vector<char> characters;
    for (const std::byte one : data)
        characters.push_back(static_cast<char>(one));
    const text_view text{characters};
    text_again(ipv4::parse_address(text), [](text_view t) { return ipv4::parse_address(t); });
    text_again(ipv4::parse_prefix(text), [](text_view t) { return ipv4::parse_prefix(t); });
    text_again(ethernet::parse_address(text),
               [](text_view t) { return ethernet::parse_address(t); });
    if (const auto local = ipv4::parse_interface_address(text)) require(local->length <= 32);

    std::vector<char> dumped(dump_size(data.size()));
    require(dump_to(data, dumped) == dumped.size());
    std::size_t size = 0;
    dump(data, [&](text_view line) { size += line.size() + 1; });
    require(size == dumped.size());
}

void transport_input(const_bytes data) {
    round_trip<udp::header>(data);
    round_trip<tcp::header>(data);
    round_trip<ethernet::header>(data);
    round_trip<arp::packet>(data);
    options(tcp::options_of(data));
    if (const auto payload = udp::payload(data)) require(inside(*payload, data));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
    if (size == 0) return 0;
    // A copy of the exact size, so that a sanitizer sees the first byte read beyond it.
    const std::vector<std::byte> copy(reinterpret_cast<const std::byte*>(input) + 1,
                                      reinterpret_cast<const std::byte*>(input) + size);
    const const_bytes data{copy};
    switch (input[0] % 6) {
    case 0:
        ipv4_input(data);
        break;
    case 1:
        icmp_input(data);
        break;
    case 2:
        igmp_input(data);
        break;
    case 3:
        checksum_input(data);
        break;
    case 4:
        text_input(data);
        break;
    default:
        transport_input(data);
        break;
    }
    return 0;
}
