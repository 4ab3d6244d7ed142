// hostile: makes datagrams with one bad part: their options, their ICMP message, or the quote in
// it.
//
// All other parts are right, so that the stack reaches the bad one. The same seed makes the same
// sequence on every machine.
//
// Expects: the addresses of support/surroundings.hpp.
// Never:   allocates.
#pragma once

#include "traffic.hpp"

#include <sluice/wire/icmp_extensions.hpp>

namespace hostile {

using namespace sluice;
using namespace sluice::literals;
using traffic::datagram_bytes;

class generator {
public:
    explicit constexpr generator(u64 seed) noexcept : random_{seed} {}

    // Options of known kinds, most with bad lengths, pointers or flags, around a right echo
    // request.
    void bad_options(datagram_bytes& to) noexcept {
        const u32 area = 4 * (1 + below(10));
        begin(to, area, below(3) == 0 ? "20.1.2.3"_ip : "10.0.1.1"_ip);
        std::byte* at = to.data.data() + 20;
        std::byte* const end = at + area;
        fill_bytes(at, area, byte(one_in(4) ? below(256) : 0));
        while (at < end && !one_in(9)) {
            at += one_option(at, static_cast<u32>(end - at));
        }
        write_echo(to, below(40));
        finish(to);
    }
    // Any type, code and words; too short, with a wrong sum, or to a broadcast or multicast
    // address.
    void bad_icmp(datagram_bytes& to) noexcept {
        constexpr ipv4::address whom[] = {"10.0.1.1"_ip,   "10.0.1.1"_ip,  "10.0.1.1"_ip,
                                          "10.0.1.255"_ip, "239.1.1.1"_ip, "20.1.2.3"_ip};
        begin(to, 0, whom[below(6)]);
        constexpr u8 types[] = {0, 3, 4, 5, 8, 9, 11, 12, 13, 14, 15, 17, 18, 19, 42, 43};
        const u32 size = one_in(3) ? below(12) : 8 + below(120);
        std::byte* const message = append(to, size);
        for (u32 i = 0; i < size; ++i)
            message[i] = byte(below(256));
        if (size > 0 && !one_in(4)) message[0] = byte(types[below(sizeof types)]);
        if (size > 1 && one_in(2)) message[1] = byte(0);
        if (!one_in(5)) set_sum({message, size});
        finish(to);
    }
    // A right ICMP error to this host, with a bad quote or a bad extension behind it.
    void bad_quote(datagram_bytes& to) noexcept {
        begin(to, 0, one_in(20) ? "10.0.1.255"_ip : "10.0.1.1"_ip);
        constexpr u8 types[] = {3, 3, 3, 4, 5, 11, 12};
        constexpr u32 words[] = {0, 68, 552, 600, 1400, 0x0a000203, 0x00200000, 0x00ff0000};
        std::byte* const header = append(to, 8);
        fill_bytes(header, 8, std::byte{0});
        header[0] = byte(types[below(sizeof types)]);
        header[1] = byte(one_in(8) ? below(256) : below(6));
        store_be<u32>(header + 4, one_in(4) ? below(0xffffffffU) : words[below(8)]);
        const u32 start = to.size;
        write_quote(to);
        if (one_in(3)) write_extension(to, start);
        if (one_in(4)) to.size -= below(to.size - start + 1);
        set_sum({header, to.size - (start - 8)});
        finish(to);
    }

    [[nodiscard]] u32 below(u32 n) noexcept { return random_.below(n); }
    [[nodiscard]] bool one_in(u32 n) noexcept { return below(n) == 0; }

private:
    [[nodiscard]] static constexpr std::byte byte(u32 v) noexcept {
        return static_cast<std::byte>(v & 0xff);
    }
    static std::byte* append(datagram_bytes& to, u32 n) noexcept {
        to.size += n;
        return to.data.data() + to.size - n;
    }
    static void set_sum(bytes message) noexcept {
        if (message.size() < 4) return;
        store_be<u16>(message.data() + 2, 0);
        store_be<u16>(message.data() + 2, checksum::compute(message));
    }
    void begin(datagram_bytes& to, u32 options, ipv4::address destination) noexcept {
        to.size = 20 + options;
        to.interface = 2;
        to.type = link_addressing::host;
        fill_bytes(to.data.data(), to.size, std::byte{0});
        const ipv4::view ip{to.data.data()};
        ip.set(ipv4::version, 4);
        ip.set(ipv4::ihl, static_cast<u8>(to.size / 4));
        ip.set(ipv4::identification, static_cast<u16>(below(65536)));
        ip.set(ipv4::ttl, one_in(8) ? u8{1} : u8{64});
        ip.set(ipv4::protocol, ipv4::protocols::icmp);
        ip.set(ipv4::source, {0x0a000102u + below(100)});
        ip.set(ipv4::destination, destination);
    }
    static void finish(datagram_bytes& to) noexcept {
        const ipv4::view ip{to.data.data()};
        ip.set(ipv4::total_length, static_cast<u16>(to.size));
        ipv4::set_checksum(ip);
    }
    void write_echo(datagram_bytes& to, u32 data) noexcept {
        std::byte* const message = append(to, 8 + data);
        fill_bytes(message, 8 + data, std::byte{0});
        message[0] = std::byte{icmp::types::echo_request};
        set_sum({message, 8 + data});
    }
    // Returns the number of written bytes, at least 1.
    u32 one_option(std::byte* at, u32 room) noexcept {
        constexpr u8 kinds[] = {0, 1, 7, 7, 68, 68, 131, 137, 148, 130, 134, 94};
        const u8 kind = one_in(10) ? static_cast<u8>(below(256)) : kinds[below(sizeof kinds)];
        at[0] = byte(kind);
        if (kind < 2 || room < 4) return 1;
        const u32 fitting = kind == 148 ? 4 : 3 + 4 * below((room - 3) / 4 + 1);
        const u32 length = one_in(3) ? below(one_in(4) ? 256 : room + 2) : fitting;
        const u32 pointer = one_in(3) ? below(one_in(4) ? 256 : 44) : 4 + 4 * below(5);
        at[1] = byte(length);
        at[2] = byte(pointer);
        if (kind == 68) at[3] = byte(one_in(3) ? below(256) : below(4));
        for (u32 i = kind == 68 ? 4 : 3; i + 4 <= fitting && i + 4 <= room; i += 4)
            store_be<u32>(at + i, random_.some_address().value);
        return fitting <= room ? fitting : room;
    }
    void write_quote(datagram_bytes& to) noexcept {
        const u32 options = one_in(3) ? 4 * below(11) : 0;
        std::byte* const quote = append(to, 20 + options + 8 + below(60));
        for (std::byte* b = quote; b != to.data.data() + to.size; ++b)
            *b = byte(below(256));
        const ipv4::view ip{quote};
        constexpr u8 protocols[] = {17, 17, 1, 99, 6};
        ip.set(ipv4::version, one_in(8) ? static_cast<u8>(below(16)) : u8{4});
        ip.set(ipv4::ihl, static_cast<u8>(one_in(4) ? below(16) : 5 + options / 4));
        if (!one_in(8)) ip.set(ipv4::protocol, protocols[below(5)]);
        ip.set(ipv4::source, one_in(3) ? random_.some_address() : "10.0.1.1"_ip);
        ip.set(ipv4::destination, one_in(2) ? random_.some_address() : "20.1.2.3"_ip);
        std::byte* const transport = quote + 20 + options;
        if (one_in(2)) store_be<u16>(transport, 7000);
    }
    // Behind 128 bytes or not; its length field, sum, version and objects right or not.
    void write_extension(datagram_bytes& to, u32 start) noexcept {
        const u32 quoted = to.size - start;
        if (quoted < 128 && !one_in(4)) {
            fill_bytes(append(to, 128 - quoted), 128 - quoted, std::byte{0});
        }
        to.data[start - 3] = byte(one_in(3) ? below(64) : (to.size - start) / 4);
        const u32 size = 4 + below(60);
        std::byte* const structure = append(to, size);
        for (u32 i = 0; i < size; ++i)
            structure[i] = byte(below(one_in(2) ? 256 : 9));
        if (!one_in(3)) icmp::finish_extension({structure, size});
    }

    traffic::generator random_;
};

}  // namespace hostile
