#include "packet_compare.hpp"
#include "words.hpp"

#include <algorithm>
#include <cstring>

namespace replay {

namespace {

constexpr std::size_t dump_width = 16;
constexpr std::size_t shown_fields = 6;

std::string hex_of(const byte_vector& bytes, std::size_t first, std::size_t size) {
    if (first >= bytes.size()) return "nothing";
    const std::size_t end = std::min(bytes.size(), first + size);
    using distance = byte_vector::difference_type;
    return to_hex(byte_vector(bytes.begin() + static_cast<distance>(first),
                              bytes.begin() + static_cast<distance>(end)));
}

bool differs(const byte_vector& a, const byte_vector& b, std::size_t offset) {
    const bool in_a = offset < a.size();
    const bool in_b = offset < b.size();
    return in_a != in_b || (in_a && a[offset] != b[offset]);
}

void dump_line(std::string& text, const char* label, const byte_vector& bytes, std::size_t at) {
    static constexpr char digits[] = "0123456789abcdef";
    text += label;
    for (int shift = 12; shift >= 0; shift -= 4)
        text += digits[(at >> shift) & 15];
    text += ' ';
    for (std::size_t i = at; i < at + dump_width && i < bytes.size(); ++i) {
        text += ' ';
        text += digits[bytes[i] >> 4];
        text += digits[bytes[i] & 15];
    }
    text += '\n';
}

std::uint16_t ones_complement_sum(const byte_vector& bytes, std::size_t first, std::size_t end) {
    std::uint32_t sum = 0;
    for (std::size_t i = first; i < end; ++i)
        sum += (i - first) % 2 == 0 ? std::uint32_t{bytes[i]} << 8 : std::uint32_t{bytes[i]};
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(sum);
}

bool is_error(unsigned type) {
    return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

// Start of the IPv4 header and of the bytes behind it; nothing when there is no whole header.
struct datagram_place {
    std::size_t header;
    std::size_t payload;
    std::size_t end;
};

std::optional<datagram_place> find_datagram(const byte_vector& bytes, content kind) {
    const std::size_t header = kind == content::frame ? 14 : 0;
    if (kind == content::frame && (bytes.size() < 14 || bytes[12] != 8 || bytes[13] != 0))
        return std::nullopt;
    if (bytes.size() < header + 20) return std::nullopt;
    const std::size_t length = std::size_t{bytes[header]} % 16 * 4;
    if (length < 20 || bytes.size() < header + length) return std::nullopt;
    const std::size_t total = std::size_t{bytes[header + 2]} * 256 + bytes[header + 3];
    return datagram_place{header, header + length, std::min(bytes.size(), header + total)};
}

}  // namespace

bool same_bytes(const byte_vector& expected, const byte_vector& got, const mask& any) {
    if (expected.size() != got.size()) return false;
    std::size_t from = 0;
    for (const byte_range& range : any) {
        if (range.first > from &&
            std::memcmp(expected.data() + from, got.data() + from, range.first - from) != 0)
            return false;
        from = std::max(from, range.last + 1);
    }
    return from >= expected.size() ||
           std::memcmp(expected.data() + from, got.data() + from, expected.size() - from) == 0;
}

difference describe_bytes(const byte_vector& expected, const byte_vector& got, const mask& any,
                          content kind) {
    difference found;
    byte_vector plain_expected = expected;
    byte_vector plain_got = got;
    for (std::size_t i = 0; i < std::max(expected.size(), got.size()); ++i) {
        if (!covers(any, i)) continue;
        if (i < expected.size()) plain_expected[i] = 0;
        if (i < got.size()) plain_got[i] = 0;
    }
    if (expected.size() != got.size())
        found.what = "length: expected " + std::to_string(expected.size()) + ", got " +
                     std::to_string(got.size());
    const byte_vector& guide = expected.size() >= got.size() ? plain_expected : plain_got;
    std::size_t shown = 0;
    const std::size_t both = std::min(expected.size(), got.size());
    for (std::size_t i = 0; i < both; ++i) {
        if (plain_expected[i] == plain_got[i]) continue;
        const field_place place = field_at(guide, kind, i);
        if (!found.what.empty()) found.what += "; ";
        if (++shown > shown_fields) {
            found.what += "and more";
            break;
        }
        found.what += place.name + " (offset " + std::to_string(place.first) + "): expected " +
                      hex_of(plain_expected, place.first, place.size) + ", got " +
                      hex_of(plain_got, place.first, place.size);
        i = place.first + place.size - 1;
    }
    found.detail = dump_pair(plain_expected, plain_got);
    return found;
}

std::string dump_pair(const byte_vector& expected, const byte_vector& got) {
    std::string text;
    bool elided = false;
    for (std::size_t at = 0; at < std::max(expected.size(), got.size()); at += dump_width) {
        bool equal = true;
        for (std::size_t i = at; i < at + dump_width; ++i)
            equal = equal && !differs(expected, got, i);
        if (equal && at >= 8 * dump_width) {
            if (!elided) text += "      ...\n";
            elided = true;
            continue;
        }
        elided = false;
        if (equal) {
            dump_line(text, "      both     ", expected, at);
        } else {
            dump_line(text, "      expected ", expected, at);
            dump_line(text, "    * got      ", got, at);
        }
    }
    return text;
}

std::optional<std::string> wrong_checksum(const byte_vector& got, const mask& any, content kind) {
    const auto place = find_datagram(got, kind);
    if (!place) return std::nullopt;
    if (covers(any, place->header + 10) &&
        ones_complement_sum(got, place->header, place->payload) != 0xffff)
        return "ipv4.checksum (offset " + std::to_string(place->header + 10) + ")";
    const bool whole = (got[place->header + 6] & 0x3f) == 0 && got[place->header + 7] == 0;
    if (whole && got[place->header + 9] == 1 && covers(any, place->payload + 2) &&
        ones_complement_sum(got, place->payload, place->end) != 0xffff)
        return "icmp.checksum (offset " + std::to_string(place->payload + 2) + ")";
    return std::nullopt;
}

mask stale_checksums(const byte_vector& expected, content kind, bool delivered) {
    const auto place = find_datagram(expected, kind);
    if (!place) return {};
    if (delivered)
        return place->payload > place->header + 20 ? mask{{place->header + 10, place->header + 11}}
                                                   : mask{};
    const std::size_t icmp = place->payload;
    if (expected[place->header + 9] != 1 || expected.size() < icmp + 28 ||
        !is_error(expected[icmp]) || expected[icmp + 8] % 16 <= 5)
        return {};
    return {{icmp + 2, icmp + 3}, {icmp + 18, icmp + 19}};
}

}  // namespace replay
