// af_packet::abi: structures and numbers of the kernel's AF_PACKET interface: addresses, headers of
// rings, socket options.
//
// It declares the contents of <linux/if_packet.h> under other names: that header and
// <netpacket/packet.h> exclude each other, and a program may include either.
//
// Expects: Linux. The layouts do not depend on the C library.
// Source:  Linux include/uapi/linux/if_packet.h; tests/unit/port/abi.cpp compares the two.
#pragma once

#include <sluice/base/integer.hpp>

#include <cstddef>

namespace sluice::port::af_packet::abi {

// struct sockaddr_ll. The protocol is in network byte order.
struct link_address {
    u16 family = 0;
    u16 protocol = 0;
    int interface = 0;
    u16 hardware_type = 0;
    u8 packet_type = 0;
    u8 address_length = 0;
    u8 address[8] = {};
};

namespace packet_types {
inline constexpr u8 host = 0;
inline constexpr u8 broadcast = 1;
inline constexpr u8 multicast = 2;
inline constexpr u8 other_host = 3;
inline constexpr u8 outgoing = 4;
}  // namespace packet_types

// Options of level SOL_PACKET. The comment names the structure; the others take an int.
inline constexpr int socket_level = 263;
namespace socket_options {
inline constexpr int add_membership = 1;  // membership
inline constexpr int receive_ring = 5;    // receive_ring_request
inline constexpr int statistics = 6;      // ring_statistics
inline constexpr int auxiliary_data = 8;  // also the type of the control message
inline constexpr int version = 10;
inline constexpr int reserve = 12;
inline constexpr int transmit_ring = 13;  // ring_request
inline constexpr int loss = 14;
inline constexpr int virtio_header = 15;
inline constexpr int fanout = 18;
inline constexpr int queue_bypass = 20;
inline constexpr int fanout_data = 22;  // filter_program (fanout_program.hpp)
inline constexpr int ignore_outgoing = 23;
}  // namespace socket_options

inline constexpr int version_2 = 1;
inline constexpr int version_3 = 2;

inline constexpr u32 fanout_rollover = 0x1000;
inline constexpr u32 fanout_reassemble = 0x8000;

// struct packet_mreq.
struct membership {
    int interface = 0;
    u16 type = 0;
    u16 address_length = 0;
    u8 address[8] = {};
};
inline constexpr u16 promiscuous = 1;

// struct tpacket_stats_v3.
struct ring_statistics {
    u32 packets = 0;
    u32 drops = 0;
    u32 freezes = 0;
};

// struct tpacket_auxdata.
struct auxiliary_data {
    u32 status = 0;
    u32 length = 0;
    u32 captured = 0;
    u16 link_offset = 0;
    u16 network_offset = 0;
    u16 tag = 0;
    u16 tag_type = 0;
};

// Status words. Of received frames:
namespace status {
inline constexpr u32 kernel = 0;  // the kernel owns the frame or block
inline constexpr u32 user = 1;    // the program owns it
inline constexpr u32 tag_valid = 1u << 4;
inline constexpr u32 tag_type_valid = 1u << 6;
// Of frames to send:
inline constexpr u32 available = 0;
inline constexpr u32 send_request = 1;
}  // namespace status

// struct tpacket_req, and struct tpacket_req3.
struct ring_request {
    u32 block_bytes = 0;
    u32 blocks = 0;
    u32 frame_bytes = 0;
    u32 frames = 0;
};
struct receive_ring_request {
    ring_request size;
    u32 retire_after_ms = 0;
    u32 private_bytes = 0;
    u32 features = 0;
};

inline constexpr std::size_t alignment = 16;

// struct tpacket2_hdr.
struct frame_header_2 {
    u32 status = 0;
    u32 length = 0;
    u32 captured = 0;
    u16 link_offset = 0;
    u16 network_offset = 0;
    u32 seconds = 0;
    u32 nanoseconds = 0;
    u16 tag = 0;
    u16 tag_type = 0;
    u8 padding[4] = {};
};

// struct tpacket3_hdr.
struct frame_header_3 {
    u32 next_offset = 0;
    u32 seconds = 0;
    u32 nanoseconds = 0;
    u32 captured = 0;
    u32 length = 0;
    u32 status = 0;
    u16 link_offset = 0;
    u16 network_offset = 0;
    u32 flow_hash = 0;
    u32 tag = 0;
    u16 tag_type = 0;
    u8 padding[10] = {};
};

// struct tpacket_block_desc of version 1.
struct block_header {
    u32 version = 0;
    u32 private_offset = 0;
    u32 status = 0;
    u32 packets = 0;
    u32 first_packet_offset = 0;
    u32 byte_count = 0;
    alignas(8) u64 sequence = 0;
    u32 first_and_last_time[4] = {};
};

}  // namespace sluice::port::af_packet::abi
