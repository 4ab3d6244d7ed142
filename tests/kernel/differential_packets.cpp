// Structured random packets: addresses chosen by their meaning to the stack; whole or in fragments;
// valid or with one change.
#include "differential_packets.hpp"

#include <algorithm>

namespace replay {

namespace {

constexpr std::uint16_t more_fragments = 0x2000;
constexpr std::uint16_t dont_fragment_flag = 0x4000;

const address special[] = {
    0x00000000, 0x00010203, 0x7f000001, 0x7f090909, 0xa9fe0101, 0xe0000001, 0xe00000fb,
    0xefff0102, 0xf0000001, 0xfffffffe, 0xffffffff, 0x08080808, 0x80000001,
};

// Protocols that Linux hands to a module of its own, which may or may not be there.
bool is_left_out(std::uint8_t protocol) {
    static constexpr std::uint8_t others[] = {2,  4,   33,  41,  46,  47,  50,  51,  55,  94,
                                              97, 103, 108, 112, 115, 132, 136, 137, 143, 255};
    return std::find(std::begin(others), std::end(others), protocol) != std::end(others);
}

struct piece {
    std::size_t first;
    std::size_t end;
    bool last;
};

std::vector<piece> cut(dice& random, std::size_t size) {
    std::vector<piece> pieces;
    for (std::size_t at = 0; at < size;) {
        const std::size_t length = 8 * random.between(1, 1 + static_cast<std::uint32_t>(size / 16));
        const std::size_t end = std::min(size, at + length);
        pieces.push_back({at, end, end == size});
        at = end;
    }
    return pieces;
}

// Order, repetitions, overlaps, holes, ends that contradict each other.
void disturb(dice& random, std::vector<piece>& pieces) {
    if (random.percent(60))
        for (std::size_t i = pieces.size(); i > 1; --i)
            std::swap(pieces[i - 1], pieces[random.below(i)]);
    if (random.percent(20)) pieces.push_back(random.pick(pieces));
    if (random.percent(15)) {
        piece extra = random.pick(pieces);
        const std::size_t back = std::min<std::size_t>(extra.first, 8);
        extra.first -= back;
        if (random.percent(50)) extra.last = !extra.last;
        pieces.insert(pieces.begin() + random.below(pieces.size() + 1), extra);
    }
    if (random.percent(12)) pieces.erase(pieces.begin() + random.below(pieces.size()));
    if (random.percent(5) && !pieces.empty()) {
        piece& odd = pieces[random.below(pieces.size())];
        odd.end -= std::min<std::size_t>(odd.end - odd.first, random.below(9));
    }
}

void change_field(dice& random, byte_vector& packet) {
    switch (random.below(9)) {
    case 0:
        packet[0] =
            static_cast<std::uint8_t>(random.percent(50) ? random.byte() : 0x40 | random.below(16));
        break;
    case 1:
        store16(packet, 2, static_cast<std::uint16_t>(packet.size() + random.below(17) - 8));
        break;
    case 2:
        store16(packet, 2, static_cast<std::uint16_t>(random.next()));
        break;
    case 3:
        packet[1] = random.byte();
        break;
    case 4:
        packet[6] = random.byte();
        break;
    case 5:
        packet[8] = random.byte();
        break;
    case 6:
        packet[9] = random.byte();
        break;
    default:
        packet[random.below(packet.size())] = random.byte();
    }
}

void mutate(dice& random, byte_vector& packet) {
    if (random.percent(70)) {
        change_field(random, packet);
        if (is_left_out(packet[9])) packet[9] = 253;
    }
    if (random.percent(80)) fix_header_checksum(packet);
    if (random.percent(15)) packet.resize(random.below(packet.size()));
    if (random.percent(10)) packet.resize(packet.size() + random.between(1, 20), 0xaa);
}

void add(plan& round, const std::string& interface, const byte_vector& packet) {
    round.events.push_back("in " + interface + " " + to_hex(packet));
}

ip_fields draw_fields(dice& random, const known_addresses& around, const std::string& interface) {
    static constexpr std::uint8_t protocols[] = {17, 17,  17,  17, 1,   1,  1, 1,
                                                 1,  253, 253, 46, 200, 99, 6};
    static constexpr std::uint8_t ttls[] = {64, 64, 64, 64, 255, 2, 1, 1, 0};
    ip_fields fields;
    fields.source = draw_source(random, around, interface);
    fields.destination = draw_destination(random, around, interface);
    fields.protocol = random.pick(protocols);
    fields.ttl = random.pick(ttls);
    fields.tos = random.percent(70) ? std::uint8_t{0} : random.byte();
    fields.identification = static_cast<std::uint16_t>(random.next());
    fields.fragment = random.percent(30) ? dont_fragment_flag : std::uint16_t{0};
    if (random.percent(25)) fields.options = draw_options(random, around);
    return fields;
}

}  // namespace

address draw_near(dice& random, const prefix& net) {
    return (net.base & mask_of(net.length)) |
           (static_cast<address>(random.next()) & ~mask_of(net.length));
}

address draw_source(dice& random, const known_addresses& around, const std::string& interface) {
    const std::uint32_t kind = random.below(100);
    if (kind < 10 || around.own.empty()) return random.pick(special);
    const known_addresses::own_address other = random.pick(around.own);
    if (kind < 16) return other.net.base;
    if (kind < 21) return other.net.base | ~mask_of(other.net.length);
    if (kind < 28) return draw_near(random, other.net);
    if (kind < 45 && !around.routed.empty()) return draw_near(random, random.pick(around.routed));
    for (const known_addresses::own_address& own : around.own)
        if (own.interface == interface && random.percent(60))
            return (own.net.base & mask_of(own.net.length)) |
                   (random.between(2, 9) & ~mask_of(own.net.length));
    return draw_near(random, other.net);
}

address draw_destination(dice& random, const known_addresses& around,
                         const std::string& interface) {
    const std::uint32_t kind = random.below(100);
    if (kind < 9 || around.own.empty()) return random.pick(special);
    if (kind < 35) {
        // Of this interface first: a strict filter lets that in.
        for (const known_addresses::own_address& own : around.own)
            if (own.interface == interface && random.percent(50)) return own.net.base;
    }
    const known_addresses::own_address other = random.pick(around.own);
    if (kind < 45) return other.net.base;
    if (kind < 50) return other.net.base | ~mask_of(other.net.length);
    if (kind < 53) return other.net.base & mask_of(other.net.length);
    if (kind < 80 && !around.routed.empty()) return draw_near(random, random.pick(around.routed));
    return draw_near(random, other.net);
}

std::size_t draw_packets(dice& random, const known_addresses& around, plan& round) {
    const std::string interface = random.pick(around.interfaces);
    ip_fields fields = draw_fields(random, around, interface);
    byte_vector payload = draw_payload(random, around, fields);
    const bool in_fragments = random.percent(15) && payload.size() > 16;
    if (!in_fragments) {
        byte_vector packet = seal(fields, payload);
        if (random.percent(25)) mutate(random, packet);
        add(round, interface, packet);
        return 1;
    }
    std::vector<piece> pieces = cut(random, payload.size());
    if (pieces.size() > 12) pieces.resize(12);
    disturb(random, pieces);
    for (const piece& p : pieces) {
        ip_fields own = fields;
        own.fragment = static_cast<std::uint16_t>(p.first / 8 | (p.last ? 0 : more_fragments));
        if (random.percent(4)) own.tos = random.byte();
        using distance = byte_vector::difference_type;
        byte_vector packet = seal(own, byte_vector(payload.begin() + static_cast<distance>(p.first),
                                                   payload.begin() + static_cast<distance>(p.end)));
        if (random.percent(3)) mutate(random, packet);
        add(round, random.percent(95) ? interface : random.pick(around.interfaces), packet);
    }
    return pieces.size();
}

std::uint16_t internet_checksum(const byte_vector& bytes, std::size_t first, std::size_t end,
                                std::uint32_t start) {
    std::uint32_t sum = start;
    for (std::size_t i = first; i < end; ++i)
        sum += (i - first) % 2 == 0 ? std::uint32_t{bytes[i]} << 8 : std::uint32_t{bytes[i]};
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

void store16(byte_vector& bytes, std::size_t at, std::uint16_t value) {
    bytes[at] = static_cast<std::uint8_t>(value >> 8);
    bytes[at + 1] = static_cast<std::uint8_t>(value);
}

void append32(byte_vector& bytes, address value) {
    for (int shift = 24; shift >= 0; shift -= 8)
        bytes.push_back(static_cast<std::uint8_t>(value >> shift));
}

byte_vector seal(const ip_fields& fields, const byte_vector& payload) {
    const std::size_t options = (fields.options.size() + 3) / 4 * 4;
    byte_vector made(12);
    append32(made, fields.source);
    append32(made, fields.destination);
    made.insert(made.end(), fields.options.begin(), fields.options.end());
    made.resize(least_header + options);
    made[0] = static_cast<std::uint8_t>(0x40 | made.size() / 4);
    made[1] = fields.tos;
    store16(made, 2, static_cast<std::uint16_t>(made.size() + payload.size()));
    store16(made, 4, fields.identification);
    store16(made, 6, fields.fragment);
    made[8] = fields.ttl;
    made[9] = fields.protocol;
    made.insert(made.end(), payload.begin(), payload.end());
    fix_header_checksum(made);
    return made;
}

void fix_header_checksum(byte_vector& packet) {
    const std::size_t end = std::size_t{packet[0]} % 16 * 4;
    if (packet.size() < least_header || end < least_header || end > packet.size()) return;
    store16(packet, 10, 0);
    store16(packet, 10, internet_checksum(packet, 0, end));
}

}  // namespace replay
