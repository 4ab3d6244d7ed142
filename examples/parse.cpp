// parse: prints the contents of a packet, and whether its checksum is right.
//
// Shows: views over bytes, fields by name, the checksum, printing a header from its declaration.
// All of it needs no stack, no heap and no operating system.
// Run: ./parse                               an example packet
//      ./parse "4500 001c 0001 ..."          your packet in hexadecimal
#include <sluice/wire/dump.hpp>
#include <sluice/wire/ipv4.hpp>
#include <sluice/wire/literals.hpp>
#include <sluice/wire/text.hpp>
#include <sluice/wire/udp.hpp>

#include <cstdio>
#include <optional>
#include <string_view>
#include <vector>

namespace {

namespace ipv4 = sluice::ipv4;
namespace udp = sluice::udp;
using namespace sluice::literals;

// DNS to 192.0.2.53: an IPv4 header, a UDP header, four bytes.
constexpr auto example = "4500 0020 1c46 4000 4011 9a50 c000 0201 c000 0235"
                         "c350 0035 000c f352 6162 6364"_hex;

// The parsing itself.
int explain(sluice::const_bytes packet) {
    const auto ip = ipv4::const_view::checked(packet);
    if (!ip || (*ip)[ipv4::version] != 4 || (*ip)[ipv4::ihl] < 5 ||
        ipv4::header_length(*ip) > packet.size()) {
        std::puts("not an IPv4 header");
        return 1;
    }
    ipv4::layout::for_each_field([&](auto field) {
        if constexpr (std::is_same_v<typename decltype(field)::value_type, ipv4::address>) {
            std::printf("%16s %s\n", field.name, ipv4::to_text((*ip)[field]).c_str());
        } else {
            std::printf("%16s %u\n", field.name, unsigned{(*ip)[field]});
        }
    });
    std::printf("header checksum %s\n", ipv4::checksum_ok(*ip) ? "right" : "WRONG");

    const auto behind = packet.subspan(ipv4::header_length(*ip));
    if ((*ip)[ipv4::protocol] == udp::protocol_number && ipv4::is_first_fragment(*ip)) {
        if (const auto header = udp::const_view::checked(behind)) {
            std::printf("UDP port %u to port %u, checksum %s\n", (*header)[udp::source_port],
                        (*header)[udp::destination_port],
                        udp::checksum_ok((*ip)[ipv4::source], (*ip)[ipv4::destination], behind)
                            ? "right"
                            : "WRONG");
        }
    }
    return ipv4::checksum_ok(*ip) ? 0 : 1;
}

int digit(char c) {
    constexpr std::string_view digits = "0123456789abcdef";
    const auto at = digits.find(static_cast<char>(c | 0x20));
    return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

// Reads pairs of digits with blanks between them. nullopt: any other text.
std::optional<std::vector<std::byte>> from_hex(std::string_view text) {
    std::vector<std::byte> bytes;
    int high = -1;
    for (const char c : text) {
        if (c == ' ') {
            continue;
        }
        const int value = digit(c);
        if (value < 0) {
            return std::nullopt;
        }
        if (high < 0) {
            high = value;
        } else {
            bytes.push_back(static_cast<std::byte>(high * 16 + value));
            high = -1;
        }
    }
    return high < 0 ? std::optional{bytes} : std::nullopt;
}

}  // namespace

int main(int argc, char** argv) {
    const auto given = from_hex(argc > 1 ? argv[1] : "");
    if (!given) {
        std::fputs("parse: these are not bytes in hexadecimal; give pairs of digits, such as "
                   "\"4500 0014\"\n",
                   stderr);
        return 2;
    }
    const sluice::const_bytes packet =
        argc > 1 ? sluice::const_bytes{*given} : sluice::const_bytes{example};
    sluice::dump(packet, [](const auto& line) { std::puts(line.c_str()); });
    return explain(packet);
}
