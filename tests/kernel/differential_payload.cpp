// The payloads and the option areas of the packets.
#include "differential_packets.hpp"

#include <algorithm>

namespace replay {

namespace {

constexpr std::uint8_t icmp = 1;
constexpr std::uint8_t udp = 17;

byte_vector draw_bytes(dice& random, std::size_t size) {
    byte_vector made(size);
    for (std::uint8_t& b : made)
        b = random.byte();
    return made;
}

std::size_t draw_size(dice& random, const known_addresses& around) {
    if (random.percent(75)) return random.below(64);
    if (random.percent(70)) {
        // About the largest payload of an unfragmented datagram.
        const std::uint32_t mtu = random.pick(around.mtus);
        return mtu - std::min(mtu, 20 + random.below(24));
    }
    return random.below(2500);
}

// The header that an ICMP error quotes: of a packet that this or another host might have sent.
byte_vector draw_quote(dice& random, const known_addresses& around) {
    static constexpr std::uint8_t protocols[] = {17, 17, 17, 1, 253, 200, 99, 6};
    ip_fields quoted;
    quoted.source = draw_destination(random, around, "");
    if (!around.own.empty() && random.percent(75)) quoted.source = random.pick(around.own).net.base;
    quoted.destination = draw_source(random, around, random.pick(around.interfaces));
    quoted.protocol = random.pick(protocols);
    quoted.ttl = random.byte();
    if (random.percent(10)) quoted.options = draw_options(random, around);
    if (random.percent(5)) quoted.fragment = static_cast<std::uint16_t>(random.below(0x10000));
    byte_vector payload = draw_bytes(random, random.percent(85) ? 8 : random.below(40));
    if (quoted.protocol == udp && payload.size() >= 4) {
        store16(payload, 0, random.pick(around.ports));
        store16(payload, 2, random.percent(50) ? std::uint16_t{9} : random.pick(around.ports));
    }
    byte_vector made = seal(quoted, payload);
    if (random.percent(15)) made[random.below(20)] = random.byte();
    if (random.percent(8)) made.resize(random.below(made.size()));
    return made;
}

byte_vector draw_icmp(dice& random, const known_addresses& around) {
    static constexpr std::uint8_t types[] = {8,  8,  8,  8,  0,  3,  3, 3,  11, 12, 4,  5,  13,
                                             13, 14, 17, 18, 15, 16, 9, 10, 30, 42, 43, 40, 255};
    const std::uint8_t type = random.percent(4) ? random.byte() : random.pick(types);
    const bool is_error = type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
    byte_vector made{type, random.percent(70) ? std::uint8_t{0} : std::uint8_t(random.below(17)), 0,
                     0};
    if (is_error && type == 3) made[1] = static_cast<std::uint8_t>(random.below(17));
    // What a "fragmentation needed" teaches is not compared here.
    if (type == 3 && made[1] == 4) made[1] = 3;
    const byte_vector rest = draw_bytes(random, 4);
    made.insert(made.end(), rest.begin(), rest.end());
    const std::size_t size = type == 13 ? 12 : draw_size(random, around);
    const byte_vector more = is_error ? draw_quote(random, around) : draw_bytes(random, size);
    made.insert(made.end(), more.begin(), more.end());
    if (random.percent(5)) made.resize(4 + random.below(8));
    store16(made, 2, 0);
    store16(made, 2, internet_checksum(made, 0, made.size()));
    if (random.percent(4)) made[2] ^= 1;
    return made;
}

byte_vector draw_udp(dice& random, const known_addresses& around, const ip_fields& fields) {
    byte_vector made = draw_bytes(random, 8 + draw_size(random, around));
    store16(made, 0, random.percent(40) ? std::uint16_t{9} : random.pick(around.ports));
    store16(made, 2,
            random.percent(75) ? random.pick(around.ports)
                               : static_cast<std::uint16_t>(random.next()));
    store16(made, 4, static_cast<std::uint16_t>(made.size()));
    if (random.percent(5))
        store16(made, 4, static_cast<std::uint16_t>(random.below(made.size() + 9)));
    store16(made, 6, 0);
    if (random.percent(15)) return made;  // no checksum
    byte_vector pseudo;
    append32(pseudo, fields.source);
    append32(pseudo, fields.destination);
    pseudo.insert(pseudo.end(), {0, udp, made[4], made[5]});
    pseudo.insert(pseudo.end(), made.begin(), made.end());
    std::uint16_t sum = internet_checksum(pseudo, 0, pseudo.size());
    if (sum == 0) sum = 0xffff;
    store16(made, 6, random.percent(95) ? sum : static_cast<std::uint16_t>(sum ^ 0x100));
    return made;
}

// Any address an option may name.
void append_address(byte_vector& option, dice& random, const known_addresses& around) {
    if (!around.own.empty() && random.percent(50))
        return append32(option, random.pick(around.own).net.base);
    append32(option, draw_destination(random, around, ""));
}

byte_vector draw_route_option(dice& random, const known_addresses& around) {
    static constexpr std::uint8_t kinds[] = {7, 7, 131, 137};
    const std::uint8_t kind = random.pick(kinds);
    const std::uint32_t slots = random.between(1, 4);
    const auto length = static_cast<std::uint8_t>(3 + 4 * slots);
    std::uint8_t pointer = 4;
    if (random.percent(30)) pointer = static_cast<std::uint8_t>(4 + 4 * random.below(slots + 1));
    if (random.percent(10)) pointer = static_cast<std::uint8_t>(random.below(length + 3u));
    byte_vector made{kind, length, pointer};
    for (std::uint32_t i = 0; i < slots; ++i)
        append_address(made, random, around);
    return made;
}

byte_vector draw_timestamp_option(dice& random, const known_addresses& around) {
    static constexpr std::uint8_t flags[] = {0, 0, 1, 1, 3, 3, 2};
    const std::uint8_t flag = random.pick(flags);
    const std::uint32_t slots = random.between(1, flag == 0 ? 4 : 3);
    byte_vector made{68, 0, 5, static_cast<std::uint8_t>((random.percent(10) ? 0xf0 : 0) | flag)};
    for (std::uint32_t i = 0; i < slots; ++i) {
        if (flag != 0) append_address(made, random, around);
        append32(made, 0);
    }
    made[1] = static_cast<std::uint8_t>(made.size());
    const std::uint32_t step = flag == 0 ? 4 : 8;
    if (random.percent(40)) made[2] = static_cast<std::uint8_t>(5 + step * random.below(slots + 1));
    if (random.percent(8)) made[2] = static_cast<std::uint8_t>(random.below(made.size() + 3));
    return made;
}

byte_vector draw_option(dice& random, const known_addresses& around) {
    const std::uint32_t kind = random.below(100);
    if (kind < 12) return {1};
    if (kind < 16) return {0, random.byte()};
    if (kind < 51) return draw_route_option(random, around);
    if (kind < 78) return draw_timestamp_option(random, around);
    if (kind < 86) return {148, 4, 0, static_cast<std::uint8_t>(random.percent(20))};
    if (kind < 90) return {130, 4, random.byte(), random.byte()};
    if (kind < 94) return {136, 4, random.byte(), random.byte()};
    byte_vector made = draw_bytes(random, 2 + random.below(8));
    if (random.percent(80)) made[1] = static_cast<std::uint8_t>(made.size());
    if (made[0] == 134) made[0] = 135;  // CIPSO needs a labelling module
    return made;
}

}  // namespace

byte_vector draw_options(dice& random, const known_addresses& around) {
    byte_vector made;
    for (std::uint32_t n = random.between(1, 3); n > 0; --n) {
        const byte_vector one = draw_option(random, around);
        if (made.size() + one.size() <= 40) made.insert(made.end(), one.begin(), one.end());
    }
    if (!made.empty() && random.percent(6)) made[random.below(made.size())] = random.byte();
    for (std::size_t i = 0; i < made.size(); ++i)
        if (made[i] == 134) made[i] = 133;
    return made;
}

byte_vector draw_payload(dice& random, const known_addresses& around, const ip_fields& fields) {
    if (fields.protocol == icmp) return draw_icmp(random, around);
    if (fields.protocol == udp) return draw_udp(random, around, fields);
    return draw_bytes(random, draw_size(random, around));
}

}  // namespace replay
