// The parts of node.hpp that need no stack.
#include "rfc/node.hpp"

namespace rfc {

byte_vector node::ask(const byte_vector& datagram, u16 interface, link_addressing seen_as) {
    static_cast<void>(sent());
    receive(datagram, interface, seen_as);
    const auto all = sent();
    CHECK(all.size() <= 1);
    return all.size() == 1 ? all[0].datagram : byte_vector{};
}

byte_vector node::forward(const byte_vector& datagram, u16 interface) {
    static_cast<void>(sent());
    const fate f = receive(datagram, interface);
    const auto all = sent();
    CHECK(all.size() <= 1);
    return f == fate::forwarded && all.size() == 1 ? all[0].datagram : byte_vector{};
}

bool node::drops(const byte_vector& datagram, drop_reason why, u16 interface,
                 link_addressing seen_as) {
    static_cast<void>(sent());
    const u64 before = count(why);
    const fate f = receive(datagram, interface, seen_as);
    return f == fate::dropped && count(why) == before + 1 && sent().empty();
}

bool node::hears(const byte_vector& datagram, u16 interface, link_addressing seen_as) {
    const std::size_t before = heard.size();
    const fate f = receive(datagram, interface, seen_as);
    return f == fate::delivered && heard.size() == before + 1;
}

byte_vector node::sends(const byte_vector& payload, const wanted& request) {
    static_cast<void>(sent());
    const bool ok = send(payload, request);
    const auto all = sent();
    return ok && all.size() == 1 ? all[0].datagram : byte_vector{};
}

ipv4::const_view ip(const byte_vector& datagram) {
    static const byte_vector nothing(20);
    return ipv4::const_view{datagram.size() < 20 ? nothing.data() : datagram.data()};
}

byte_vector options(const byte_vector& datagram) {
    const std::size_t header = ipv4::header_length(ip(datagram));
    if (header <= 20 || datagram.size() < header) return {};
    return {datagram.begin() + 20, datagram.begin() + static_cast<std::ptrdiff_t>(header)};
}

bool is_icmp(const byte_vector& datagram, int type, int code) {
    if (datagram.size() < 28 || ip(datagram)[ipv4::protocol] != ipv4::protocols::icmp) return false;
    const byte_vector message = payload_of(datagram);
    const icmp::const_view m{message.data()};
    return m[icmp::type] == type && m[icmp::code] == code && icmp::checksum_ok(message) &&
           ipv4::checksum_ok(ip(datagram));
}

u16 naive_checksum(const byte_vector& header) {
    u32 sum = 0;
    for (std::size_t i = 0; i + 1 < header.size(); i += 2) {
        const u32 word =
            std::to_integer<u32>(header[i]) * 256 + std::to_integer<u32>(header[i + 1]);
        sum += i == 10 ? 0 : word;
        sum = sum > 0xffff ? sum - 0xffff : sum;  // the carry comes back at the low end
    }
    return static_cast<u16>(0xffff - sum);
}

u32 icmp_word(const byte_vector& datagram) {
    if (datagram.size() < 28) return 0xdeadbeef;
    return word_at(payload_of(datagram), 4);
}

byte_vector icmp_data(const byte_vector& datagram) {
    if (datagram.size() < 28) return {};
    const byte_vector message = payload_of(datagram);
    return {message.begin() + 8, message.end()};
}

bool same_but_ttl(const byte_vector& a, const byte_vector& b) {
    if (a.size() < 20 || a.size() != b.size()) return false;
    byte_vector x = a, y = b;
    for (byte_vector* o : {&x, &y}) {
        (*o)[8] = (*o)[10] = (*o)[11] = std::byte{0};
    }
    return x == y;
}

bool begins_with(const byte_vector& whole, const byte_vector& part) {
    return whole.size() >= part.size() &&
           equal_bytes(const_bytes{whole}.first(part.size()), const_bytes{part});
}

byte_vector summed(byte_vector datagram) {
    ipv4::set_checksum(ipv4::view{datagram.data()});
    return datagram;
}

byte_vector with_byte(byte_vector datagram, std::size_t at, int value) {
    datagram[at] = static_cast<std::byte>(value);
    return summed(std::move(datagram));
}

byte_vector ping(datagram_fields f) {
    f.protocol = ipv4::protocols::icmp;
    f.payload = echo_request();
    return datagram_of(f);
}

u32 word_at(const byte_vector& o, std::size_t at) {
    return o.size() < at + 4 ? 0xdeadbeef : load_be<u32>(o.data() + at);
}

byte_vector operator+(byte_vector a, const byte_vector& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

byte_vector of(ipv4::address a) {
    byte_vector four(4);
    store_be<u32>(four.data(), a.value);
    return four;
}

}  // namespace rfc
