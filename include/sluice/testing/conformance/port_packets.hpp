// Packets for conformance::port: port_options, what the suite knows about a device; port_arrival, a
// packet that left a device; packets with a pending checksum or segments to cut.
//
// Include conformance/port.hpp, which has the suite.
#pragma once

#include <sluice/base/time.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/port/concept.hpp>
#include <sluice/testing/checker.hpp>
#include <sluice/testing/datagrams.hpp>
#include <sluice/wire/ethernet.hpp>
#include <sluice/wire/tcp.hpp>

#include <utility>
#include <vector>

#include <poll.h>
#include <time.h>

namespace sluice::testing {

// A packet that left the device, as its other side sees it: from the link header on if there is
// one.
struct port_arrival {
    byte_vector content;
    metadata known{};  // work that the device left to its other side
    // Of the call to transmit(), from any zero; never: the other side does not see it.
    instant time = instant::never();
};

namespace conformance {

// Properties of the device.
struct port_options {
    u16 interface = 1;        // set in each received packet
    std::size_t holds = 0;    // packets that it takes while none is read; 0: not tested
    duration patience = 5_s;  // the longest wait for a packet to cross
    // Addresses of the transmitted packets; a device with routes needs one to the destination.
    ipv4::address source = "10.0.1.2"_ip;
    ipv4::address destination = "10.0.2.2"_ip;
};

namespace detail {

inline constexpr std::size_t port_buffers = 64;
using port_pool = fixed_pool<2048, port_buffers, shared>;
using port_packet = port_pool::packet_type;

// Whether the descriptor becomes readable.
[[nodiscard]] inline bool wait_readable(int fd, duration patience) {
    pollfd waiting{fd, POLLIN, 0};
    return ::poll(&waiting, 1, static_cast<int>(patience.milliseconds())) > 0;
}
// Tests the condition every millisecond, at most `patience` long. Returns whether it became true.
template <class Condition>
[[nodiscard]] bool wait_until(duration patience, Condition&& is_true) {
    for (i64 left = patience.milliseconds(); !is_true(); --left) {
        if (left <= 0) {
            return false;
        }
        const timespec pause{.tv_sec = 0, .tv_nsec = 1'000'000};
        ::nanosleep(&pause, nullptr);
    }
    return true;
}

[[nodiscard]] constexpr u32 link_bytes(port::link_header link) noexcept {
    return link == port::link_header::ethernet ? u32{ethernet::layout::size} : 0;
}
[[nodiscard]] inline byte_vector with_link_header(port::link_header link,
                                                  const byte_vector& datagram) {
    constexpr auto header = "020000000002 020000000001 0800"_hex;
    byte_vector frame;
    if (link == port::link_header::ethernet) {
        frame.assign(header.begin(), header.end());
    }
    frame.insert(frame.end(), datagram.begin(), datagram.end());
    return frame;
}

// Work that a packet leaves to the device.
struct unfinished_work {
    const char* name;
    u8 protocol = ipv4::protocols::udp;
    segmentation_kind segmentation = segmentation_kind::none;

    static constexpr u16 each = 400;              // payload of a segment
    static constexpr std::size_t payload = 1200;  // fits one buffer, and any MTU as a whole

    [[nodiscard]] constexpr bool is_tcp() const noexcept {
        return protocol == ipv4::protocols::tcp;
    }
    [[nodiscard]] constexpr std::size_t header() const noexcept {
        return is_tcp() ? tcp::min_header_length : udp::layout::size;
    }
    [[nodiscard]] metadata left_over() const noexcept {
        metadata m;
        m.checksum = checksum_state::pending;
        m.checksum_start = ipv4::min_header_length;
        m.checksum_offset = is_tcp() ? 16 : 6;
        m.segmentation = segmentation;
        m.segment_size = segmentation == segmentation_kind::none ? u16{0} : each;
        return m;
    }
    // The checksum field holds the sum of the pseudo header.
    [[nodiscard]] byte_vector datagram(const port_options& o) const {
        byte_vector transport(header());
        if (is_tcp()) {
            const tcp::view t{transport.data()};
            t.set(tcp::source_port, u16{4000});
            t.set(tcp::destination_port, u16{4001});
            t.set(tcp::data_offset, u8{5});
            t.set(tcp::flags, u16{0x10});
        } else {
            transport = udp_message_of(4000, 4001, pattern(payload));
            transport.resize(header());
        }
        const byte_vector data = pattern(payload);
        transport.insert(transport.end(), data.begin(), data.end());
        const u64 sum = checksum::pseudo_header(o.source, o.destination, protocol,
                                                static_cast<u32>(transport.size()));
        store_be<u16>(transport.data() + left_over().checksum_offset, checksum::fold(sum));
        return datagram_of({.source = o.source,
                            .destination = o.destination,
                            .protocol = protocol,
                            .payload = std::move(transport)});
    }
};
inline constexpr unfinished_work unfinished_works[] = {
    {.name = "a pending checksum"},
    {.name = "TCP segments to cut",
     .protocol = ipv4::protocols::tcp,
     .segmentation = segmentation_kind::tcp_ipv4},
    {.name = "UDP segments to cut", .segmentation = segmentation_kind::udp}};

// Computes the checksum that the other side was left to finish.
inline void finish_arrival(port_arrival& a, u32 link) {
    if (a.known.checksum == checksum_state::pending &&
        a.known.checksum_fits(ipv4::min_header_length, static_cast<u32>(a.content.size()) - link)) {
        const u32 start = link + a.known.checksum_start;
        const u16 sum = checksum::finish(checksum::partial(const_bytes{a.content}.subspan(start)));
        store_be<u16>(a.content.data() + start + a.known.checksum_offset,
                      sum == 0 ? u16{0xffff} : sum);
    }
}

}  // namespace detail

}  // namespace conformance

}  // namespace sluice::testing
