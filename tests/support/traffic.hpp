// traffic: makes random datagrams that reach every branch of a stack.
//
// Most are well formed and often to or from addresses that the stack knows; some have options, are
// fragments, mutated or cut. The same seed makes the same sequence on every machine.
//
// Expects: the addresses of support/surroundings.hpp.
// Never:   allocates.
#pragma once

#include <sluice/sluice.hpp>
#include <sluice/wire/icmp.hpp>

#include <array>
#include <cstddef>

namespace traffic {

using namespace sluice;
using namespace sluice::literals;

inline constexpr u32 largest = 1600;

struct datagram_bytes {
    std::array<std::byte, largest> data{};
    u32 size = 0;
    u16 interface = 0;
    link_addressing type = link_addressing::host;
};

class generator {
public:
    explicit constexpr generator(u64 seed) noexcept : random_{{seed, 0x5eed}} {}

    [[nodiscard]] u32 below(u32 n) noexcept { return random_.below(n); }
    [[nodiscard]] bool one_in(u32 n) noexcept { return below(n) == 0; }

    // Writes every byte of `to`, up to its size.
    void next(datagram_bytes& to) noexcept {
        if (pieces_left_ == 0 && one_in(40)) {
            pieces_left_ = 2 + below(4);
            piece_size_ = 8 * (1 + below(70));
            done_ = 0;
        }
        if (pieces_left_ > 0 && one_in(2)) {
            next_piece(to);
            return;
        }
        to.interface = static_cast<u16>(2 + below(one_in(50) ? 4 : 3));
        to.type = one_in(10) ? static_cast<link_addressing>(below(4)) : link_addressing::host;
        const u32 options = one_in(8) ? 4 * (1 + below(10)) : 0;
        const u32 header = 20 + options;
        const u32 payload = one_in(6) ? below(1450) : below(80);
        to.size = header + payload;
        for (u32 i = 20; i < to.size; ++i) {
            to.data[i] = static_cast<std::byte>(below(256));
        }
        write_header(to, header);
        write_options(to, options);
        write_payload(to, header, payload);
        ipv4::set_checksum(ipv4::view{to.data.data()});
        if (one_in(10)) {
            mutate(to);
        }
    }

    [[nodiscard]] ipv4::address some_address() noexcept {
        constexpr ipv4::address known[] = {
            "10.0.1.1"_ip,  "10.0.1.2"_ip,  "10.0.1.255"_ip, "10.0.2.1"_ip,  "10.0.2.2"_ip,
            "10.0.3.1"_ip,  "10.0.3.2"_ip,  "20.1.2.3"_ip,   "30.4.5.6"_ip,  "40.0.0.1"_ip,
            "41.0.0.1"_ip,  "42.0.0.1"_ip,  "43.0.0.1"_ip,   "44.0.0.1"_ip,  "127.0.0.1"_ip,
            "0.0.0.0"_ip,   "224.0.0.1"_ip, "239.1.1.1"_ip,  "239.9.9.9"_ip, "255.255.255.255"_ip,
            "240.0.0.1"_ip, "10.0.1.0"_ip,  "10.0.2.255"_ip, "50.1.1.1"_ip,  "20.255.255.255"_ip};
        if (one_in(20)) {
            return {static_cast<u32>(random_.next())};
        }
        return known[below(sizeof known / sizeof known[0])];
    }

private:
    // The next fragment of an echo request to this host that can be reassembled.
    void next_piece(datagram_bytes& to) noexcept {
        to.size = 20 + piece_size_;
        to.interface = 2;
        to.type = link_addressing::host;
        fill_bytes(to.data.data(), to.size, std::byte{0});
        const ipv4::view ip{to.data.data()};
        ip.set(ipv4::version, 4);
        ip.set(ipv4::ihl, 5);
        ip.set(ipv4::total_length, static_cast<u16>(to.size));
        ip.set(ipv4::identification, static_cast<u16>(7000 + train_));
        --pieces_left_;
        ip.set(ipv4::flags_and_offset,
               static_cast<u16>((pieces_left_ > 0 ? ipv4::words::more_fragments : 0) | done_ / 8));
        ip.set(ipv4::ttl, 64);
        ip.set(ipv4::protocol, ipv4::protocols::icmp);
        ip.set(ipv4::source, "10.0.1.2"_ip);
        ip.set(ipv4::destination, "10.0.1.1"_ip);
        ipv4::set_checksum(ip);
        if (done_ == 0) {
            to.data[20] = std::byte{icmp::types::echo_request};
            store_be<u16>(to.data.data() + 22, 0xf7ff);
        }
        done_ += piece_size_;
        train_ += pieces_left_ == 0 ? 1 : 0;
    }
    // Half of the packets are forwarded and a quarter is for this host, so that both paths are
    // tested; the rest have any addresses.
    void write_header(datagram_bytes& to, u32 header) noexcept {
        constexpr ipv4::address beyond[] = {"20.1.2.3"_ip, "30.4.5.6"_ip, "10.0.2.9"_ip,
                                            "10.0.3.9"_ip, "44.0.0.1"_ip, "45.0.0.1"_ip};
        constexpr ipv4::address local[] = {"10.0.1.1"_ip,  "10.0.1.1"_ip,        "10.0.2.1"_ip,
                                           "239.1.1.1"_ip, "255.255.255.255"_ip, "10.0.1.255"_ip};
        const u32 kind = below(4);
        const ipv4::view ip{to.data.data()};
        fill_bytes(to.data.data(), 20, std::byte{0});
        ip.set(ipv4::version, 4);
        ip.set(ipv4::ihl, static_cast<u8>(header / 4));
        ip.set(ipv4::tos, one_in(4) ? static_cast<u8>(below(256)) : u8{0});
        ip.set(ipv4::total_length, static_cast<u16>(to.size));
        ip.set(ipv4::identification, static_cast<u16>(below(4)));
        ip.set(ipv4::flags_and_offset, fragment_word());
        ip.set(ipv4::ttl, one_in(6) ? static_cast<u8>(below(3)) : u8{64});
        constexpr u8 protocols[] = {1, 1, 17, 17, 2, 6, 99, 4};
        ip.set(ipv4::protocol, protocols[below(8)]);
        ip.set(ipv4::source, kind < 3 ? ipv4::address{0x0a000102u + below(4)} : some_address());
        ip.set(ipv4::destination, kind < 2    ? beyond[below(6)]
                                  : kind == 2 ? local[below(6)]
                                              : some_address());
    }
    [[nodiscard]] u16 fragment_word() noexcept {
        switch (below(12)) {
        case 0:
            return ipv4::words::dont_fragment;
        case 1:  // a first fragment
            return ipv4::words::more_fragments;
        case 2:  // any fragment, near enough to overlap others
            return static_cast<u16>((one_in(2) ? ipv4::words::more_fragments : 0) | below(12));
        case 3:
            return one_in(8) ? static_cast<u16>(below(65536)) : u16{0};
        default:
            return 0;
        }
    }
    void write_options(datagram_bytes& to, u32 data) noexcept {
        constexpr u8 kinds[] = {0, 1, 7, 68, 131, 137, 148, 130, 25};
        std::byte* at = to.data.data() + 20;
        std::byte* const end = at + data;
        while (at < end) {
            const u8 kind = kinds[below(sizeof kinds)];
            const u32 room = static_cast<u32>(end - at);
            *at = static_cast<std::byte>(kind);
            if (kind < 2 || room < 4) {
                *at++ = static_cast<std::byte>(kind < 2 ? kind : 1);
                continue;
            }
            const u32 fitting = kind == 148 ? 4 : 3 + 4 * below((room - 3) / 4 + 1);
            const u32 length = one_in(12) ? below(room + 2) : fitting;
            at[1] = static_cast<std::byte>(length);
            at[2] = static_cast<std::byte>(one_in(6) ? below(44) : 4);
            if ((kind == 131 || kind == 137) && length >= 7) {
                store_be<u32>(at + 3, some_address().value);
            }
            at += fitting <= room ? fitting : room;
        }
    }
    void write_payload(datagram_bytes& to, u32 header, u32 payload) noexcept {
        std::byte* const at = to.data.data() + header;
        const u8 protocol = ipv4::const_view{to.data.data()}[ipv4::protocol];
        if (protocol == ipv4::protocols::icmp && payload >= 8) {
            constexpr u8 types[] = {8, 8, 8, 13, 0, 3, 5, 11, 12, 4, 17, 40};
            at[0] = static_cast<std::byte>(types[below(sizeof types)]);
            at[1] = static_cast<std::byte>(one_in(3) ? below(16) : 0);
            store_be<u16>(at + 2, 0);
            store_be<u16>(at + 2, checksum::compute({at, payload}));
        } else if (protocol == ipv4::protocols::udp && payload >= 8) {
            constexpr u16 ports[] = {7000, 7000, 7001, 9};
            store_be<u16>(at + 2, ports[below(4)]);
            store_be<u16>(at + 4, static_cast<u16>(one_in(10) ? below(100) : payload));
            store_be<u16>(at + 6, 0);
        } else if (protocol == ipv4::protocols::ipip && payload >= 20) {
            copy_bytes(at, to.data.data(), 20);
            at[9] = std::byte{17};
        }
    }
    // Changes any bytes, cuts or pads the end. Repairs the checksum in half of the packets where
    // only the header is wrong.
    void mutate(datagram_bytes& to) noexcept {
        for (u32 i = 1 + below(4); i > 0; --i) {
            to.data[below(one_in(2) ? 20 : to.size)] ^= static_cast<std::byte>(1u << below(8));
        }
        const ipv4::view ip{to.data.data()};
        if (one_in(2) && ip[ipv4::ihl] >= 5) {
            ipv4::set_checksum(ip);
        }
        if (one_in(4)) {
            to.size = below(to.size + 1);
        } else if (one_in(4) && to.size + 30 < largest) {
            to.size += below(30);
        }
    }

    keyed_random random_;
    u32 pieces_left_ = 0;
    u32 piece_size_ = 0;
    u32 done_ = 0;
    u32 train_ = 0;
};

}  // namespace traffic
