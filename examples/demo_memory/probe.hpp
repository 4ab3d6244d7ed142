// memory_probe: sends pings and UDP from the left host of a memory_network, and keeps the ICMP
// messages that come back.
//
// It builds messages of any size as lists of packets, with their checksums.
#pragma once

#include "network.hpp"

#include <sluice/delivery/receive_queue.hpp>
#include <sluice/packet/reader.hpp>
#include <sluice/wire/icmp.hpp>
#include <sluice/wire/udp.hpp>

namespace examples {

// The payload byte at an offset: it reveals lost and exchanged pieces.
[[nodiscard]] constexpr std::byte pattern(sluice::u32 at, sluice::u32 salt) {
    return static_cast<std::byte>((at * 31 + (at >> 8) + salt * 7) & 0xff);
}

// Makes `header` zero bytes and `size` bytes of the pattern, in pieces that fill an MTU of 1500.
inline packet make_message(pool& from, sluice::u32 header, sluice::u32 size, sluice::u32 salt) {
    constexpr sluice::u32 largest = 1480;
    packet whole = from.take();
    sluice::fill_bytes(whole.put(header), header, std::byte{0});
    for (sluice::u32 done = 0; done < size;) {
        const sluice::u32 room = done == 0 ? largest - header : largest;
        const sluice::u32 n = size - done < room ? size - done : room;
        packet next = done == 0 ? packet{} : from.take();
        std::byte* to = done == 0 ? whole.put(n) : next.put(n);
        for (sluice::u32 i = 0; i < n; ++i) {
            to[i] = pattern(done + i, salt);
        }
        whole.append(std::move(next));
        done += n;
    }
    return whole;
}

[[nodiscard]] inline bool holds_pattern(const packet& p, sluice::u32 skip, sluice::u32 size,
                                        sluice::u32 salt) {
    bool same = p.size() == skip + size;
    sluice::packet_reader<packet> reader{p};
    reader.skip(skip);
    sluice::u32 at = 0;
    reader.read(size, [&](sluice::const_bytes piece) {
        for (const std::byte b : piece) {
            same = same && b == pattern(at++, salt);
        }
    });
    return same && at == size;
}

// A received ICMP message.
struct answer {
    sluice::u8 type = 0;
    sluice::u8 code = 0;
    sluice::u16 mtu = 0;  // of "fragmentation needed"
    sluice::ipv4::address from{};
    bool payload_is_as_sent = false;  // echo reply: all bytes are as sent

    [[nodiscard]] bool is(sluice::u8 wanted_type, sluice::u8 wanted_code,
                          sluice::ipv4::address wanted_from) const {
        return type == wanted_type && code == wanted_code && from == wanted_from;
    }
};

class memory_probe {
public:
    explicit memory_probe(memory_network& network) : network_{network} {
        listening_ =
            network.left.delivery().add_raw({.protocol = sluice::ipv4::protocols::icmp}, heard_);
    }
    ~memory_probe() { network_.left.delivery().remove(heard_); }
    memory_probe(const memory_probe&) = delete;
    memory_probe& operator=(const memory_probe&) = delete;

    // Sends an echo request with `size` bytes of payload. Returns the answer of two seconds.
    answer ping(sluice::ipv4::address to, sluice::u32 size, sluice::u8 ttl = 0, bool df = false) {
        packet request = make_message(network_.left.buffers(), 8, size, ++salt_);
        const sluice::icmp::view message{request.writable()};
        message.set(sluice::icmp::type, sluice::icmp::types::echo_request);
        message.set(sluice::icmp::checksum,
                    sluice::checksum::finish(packet_sum(request, 0, request.size())));
        return exchange(std::move(request), size,
                        {.destination = to,
                         .protocol = sluice::ipv4::protocols::icmp,
                         .ttl = ttl,
                         .dont_fragment = df});
    }
    answer udp(sluice::ipv4::address to, sluice::u16 port, sluice::u32 size) {
        namespace udp = sluice::udp;
        packet datagram = make_message(network_.left.buffers(), 8, size, ++salt_);
        const sluice::u32 length = datagram.size();
        const udp::view header{datagram.writable()};
        header.set(udp::source_port, 40'000).set(udp::destination_port, port);
        header.set(udp::length, static_cast<sluice::u16>(length));
        const sluice::u64 pseudo =
            sluice::checksum::pseudo_header(left_address, to, sluice::ipv4::protocols::udp, length);
        header.set(udp::checksum,
                   sluice::checksum::finish(packet_sum(datagram, 0, length, pseudo)));
        return exchange(std::move(datagram), size,
                        {.destination = to, .protocol = sluice::ipv4::protocols::udp});
    }
    // The salt of the last message's payload.
    [[nodiscard]] sluice::u32 salt() const { return salt_; }

private:
    answer exchange(packet&& message, sluice::u32 size, const sluice::send_request& how) {
        answer a{.type = 255};  // none
        if (!listening_ || !network_.left.send(std::move(message), how, network_.now())) {
            return a;
        }
        network_.run(2_s);
        for (auto item = heard_.next(); item.packet; item = heard_.next()) {
            a = read(item.packet, size, item.info.source);
        }
        return a;
    }
    [[nodiscard]] answer read(packet& p, sluice::u32 size, sluice::ipv4::address from) const {
        constexpr sluice::u32 headers = 28;
        if (!p.may_pull(headers)) {
            return {.type = 255};
        }
        const sluice::icmp::const_view message{p.data() + 20};
        return {.type = message[sluice::icmp::type],
                .code = message[sluice::icmp::code],
                .mtu = message[sluice::icmp::next_hop_mtu],
                .from = from,
                .payload_is_as_sent = holds_pattern(p, headers, size, salt_)};
    }

    memory_network& network_;
    sluice::receive_queue<packet, 64> heard_;
    bool listening_ = false;
    sluice::u32 salt_ = 0;
};

}  // namespace examples
