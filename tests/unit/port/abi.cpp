// The kernel's layouts and numbers as port/ declares them, held against the kernel's own headers.
#include <sluice/port/af_packet_abi.hpp>
#include <sluice/port/interface_request.hpp>
#include <sluice/port/link_watch.hpp>
#include <sluice/port/raw_socket.hpp>
#include <sluice/port/tun.hpp>

#include <doctest/doctest.h>

#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <new>

namespace port_abi {

namespace abi = sluice::port::af_packet::abi;
namespace options = abi::socket_options;
namespace raw = sluice::port::raw_socket::detail::abi;
namespace port = sluice::port;
namespace tun = sluice::port::tun::detail;

#define SAME_PLACE(ours, our_field, theirs, their_field)                                           \
    static_assert(offsetof(ours, our_field) == offsetof(theirs, their_field) &&                    \
                  sizeof(ours::our_field) == sizeof(theirs::their_field))

static_assert(sizeof(abi::link_address) == sizeof(sockaddr_ll));
SAME_PLACE(abi::link_address, family, sockaddr_ll, sll_family);
SAME_PLACE(abi::link_address, protocol, sockaddr_ll, sll_protocol);
SAME_PLACE(abi::link_address, interface, sockaddr_ll, sll_ifindex);
SAME_PLACE(abi::link_address, packet_type, sockaddr_ll, sll_pkttype);
SAME_PLACE(abi::link_address, address, sockaddr_ll, sll_addr);
using sluice::port::detail::netlink_address;
static_assert(sizeof(netlink_address) == sizeof(sockaddr_nl));
SAME_PLACE(netlink_address, family, sockaddr_nl, nl_family);
SAME_PLACE(netlink_address, groups, sockaddr_nl, nl_groups);
static_assert(sluice::port::detail::netlink_route == NETLINK_ROUTE);
static_assert(sluice::port::detail::netlink_group_of_links == RTMGRP_LINK);
static_assert(sizeof(abi::membership) == sizeof(packet_mreq));
SAME_PLACE(abi::membership, interface, packet_mreq, mr_ifindex);
SAME_PLACE(abi::membership, type, packet_mreq, mr_type);
static_assert(sizeof(abi::ring_statistics) == sizeof(tpacket_stats_v3));
SAME_PLACE(abi::ring_statistics, drops, tpacket_stats_v3, tp_drops);
SAME_PLACE(abi::ring_statistics, freezes, tpacket_stats_v3, tp_freeze_q_cnt);
static_assert(sizeof(abi::auxiliary_data) == sizeof(tpacket_auxdata));
SAME_PLACE(abi::auxiliary_data, status, tpacket_auxdata, tp_status);
SAME_PLACE(abi::auxiliary_data, link_offset, tpacket_auxdata, tp_mac);
SAME_PLACE(abi::auxiliary_data, network_offset, tpacket_auxdata, tp_net);
SAME_PLACE(abi::auxiliary_data, tag, tpacket_auxdata, tp_vlan_tci);
SAME_PLACE(abi::auxiliary_data, tag_type, tpacket_auxdata, tp_vlan_tpid);
static_assert(sizeof(abi::ring_request) == sizeof(tpacket_req));
static_assert(sizeof(abi::receive_ring_request) == sizeof(tpacket_req3));
SAME_PLACE(abi::ring_request, frame_bytes, tpacket_req, tp_frame_size);
SAME_PLACE(abi::ring_request, frames, tpacket_req, tp_frame_nr);
SAME_PLACE(abi::receive_ring_request, retire_after_ms, tpacket_req3, tp_retire_blk_tov);
static_assert(sizeof(abi::frame_header_2) == sizeof(tpacket2_hdr));
SAME_PLACE(abi::frame_header_2, status, tpacket2_hdr, tp_status);
SAME_PLACE(abi::frame_header_2, length, tpacket2_hdr, tp_len);
static_assert(sizeof(abi::frame_header_3) == sizeof(tpacket3_hdr));
SAME_PLACE(abi::frame_header_3, next_offset, tpacket3_hdr, tp_next_offset);
SAME_PLACE(abi::frame_header_3, captured, tpacket3_hdr, tp_snaplen);
SAME_PLACE(abi::frame_header_3, length, tpacket3_hdr, tp_len);
SAME_PLACE(abi::frame_header_3, status, tpacket3_hdr, tp_status);
SAME_PLACE(abi::frame_header_3, link_offset, tpacket3_hdr, tp_mac);
SAME_PLACE(abi::frame_header_3, network_offset, tpacket3_hdr, tp_net);
SAME_PLACE(abi::frame_header_3, tag, tpacket3_hdr, hv1.tp_vlan_tci);
SAME_PLACE(abi::frame_header_3, tag_type, tpacket3_hdr, hv1.tp_vlan_tpid);
static_assert(sizeof(abi::block_header) == sizeof(tpacket_block_desc));
SAME_PLACE(abi::block_header, status, tpacket_block_desc, hdr.bh1.block_status);
SAME_PLACE(abi::block_header, packets, tpacket_block_desc, hdr.bh1.num_pkts);
SAME_PLACE(abi::block_header, first_packet_offset, tpacket_block_desc, hdr.bh1.offset_to_first_pkt);
static_assert(sizeof(raw::address) == sizeof(sockaddr_in));
SAME_PLACE(raw::address, host, sockaddr_in, sin_addr);
static_assert(sizeof(raw::packet_information) == sizeof(in_pktinfo));
SAME_PLACE(raw::packet_information, source, in_pktinfo, ipi_spec_dst);
static_assert(sizeof(port::interface_request) == sizeof(ifreq));
static_assert(offsetof(port::interface_request, value) == offsetof(ifreq, ifr_ifindex));

TEST_CASE("the kernel's numbers") {
    struct row {
        unsigned long ours;
        unsigned long theirs;
    };
    const row rows[] = {
        {.ours = abi::packet_types::host, .theirs = PACKET_HOST},
        {.ours = abi::packet_types::broadcast, .theirs = PACKET_BROADCAST},
        {.ours = abi::packet_types::multicast, .theirs = PACKET_MULTICAST},
        {.ours = abi::packet_types::other_host, .theirs = PACKET_OTHERHOST},
        {.ours = abi::packet_types::outgoing, .theirs = PACKET_OUTGOING},
        {.ours = abi::socket_level, .theirs = SOL_PACKET},
        {.ours = options::add_membership, .theirs = PACKET_ADD_MEMBERSHIP},
        {.ours = options::receive_ring, .theirs = PACKET_RX_RING},
        {.ours = options::statistics, .theirs = PACKET_STATISTICS},
        {.ours = options::auxiliary_data, .theirs = PACKET_AUXDATA},
        {.ours = options::version, .theirs = PACKET_VERSION},
        {.ours = options::reserve, .theirs = PACKET_RESERVE},
        {.ours = options::transmit_ring, .theirs = PACKET_TX_RING},
        {.ours = options::loss, .theirs = PACKET_LOSS},
        {.ours = options::virtio_header, .theirs = PACKET_VNET_HDR},
        {.ours = options::fanout, .theirs = PACKET_FANOUT},
        {.ours = options::queue_bypass, .theirs = PACKET_QDISC_BYPASS},
        {.ours = options::ignore_outgoing, .theirs = PACKET_IGNORE_OUTGOING},
        {.ours = abi::version_2, .theirs = TPACKET_V2},
        {.ours = abi::version_3, .theirs = TPACKET_V3},
        {.ours = abi::fanout_rollover, .theirs = PACKET_FANOUT_FLAG_ROLLOVER},
        {.ours = abi::fanout_reassemble, .theirs = PACKET_FANOUT_FLAG_DEFRAG},
        {.ours = abi::promiscuous, .theirs = PACKET_MR_PROMISC},
        {.ours = abi::status::kernel, .theirs = TP_STATUS_KERNEL},
        {.ours = abi::status::user, .theirs = TP_STATUS_USER},
        {.ours = abi::status::tag_valid, .theirs = TP_STATUS_VLAN_VALID},
        {.ours = abi::status::tag_type_valid, .theirs = TP_STATUS_VLAN_TPID_VALID},
        {.ours = abi::status::available, .theirs = TP_STATUS_AVAILABLE},
        {.ours = abi::status::send_request, .theirs = TP_STATUS_SEND_REQUEST},
        {.ours = abi::alignment, .theirs = TPACKET_ALIGNMENT},
        {.ours = tun::requests::set_interface, .theirs = TUNSETIFF},
        {.ours = tun::requests::set_offload, .theirs = TUNSETOFFLOAD},
        {.ours = tun::requests::set_header_size, .theirs = TUNSETVNETHDRSZ},
        {.ours = tun::flags::tun, .theirs = IFF_TUN},
        {.ours = tun::flags::tap, .theirs = IFF_TAP},
        {.ours = tun::flags::multi_queue, .theirs = IFF_MULTI_QUEUE},
        {.ours = tun::flags::plain, .theirs = IFF_NO_PI},
        {.ours = tun::flags::virtio_header, .theirs = IFF_VNET_HDR},
        {.ours = tun::offloads::checksum, .theirs = TUN_F_CSUM},
        {.ours = tun::offloads::tcp_ipv4, .theirs = TUN_F_TSO4},
        {.ours = tun::offloads::tcp_ecn, .theirs = TUN_F_TSO_ECN},
        {.ours = port::interface_name_size, .theirs = IFNAMSIZ},
        {.ours = port::interface_flags::up, .theirs = IFF_UP},
        {.ours = port::interface_flags::running, .theirs = IFF_RUNNING},
        {.ours = port::interface_flags::broadcast, .theirs = IFF_BROADCAST},
        {.ours = port::interface_flags::point_to_point, .theirs = IFF_POINTOPOINT},
        {.ours = raw::ip_level, .theirs = IPPROTO_IP},
        {.ours = raw::type_of_service, .theirs = IP_TOS},
        {.ours = raw::time_to_live, .theirs = IP_TTL},
        {.ours = raw::include_header, .theirs = IP_HDRINCL},
        {.ours = raw::packet_info, .theirs = IP_PKTINFO},
        {.ours = raw::memory_counts, .theirs = SK_MEMINFO_VARS},
        {.ours = raw::drops, .theirs = SK_MEMINFO_DROPS},
    };
    for (std::size_t i = 0; i < std::size(rows); ++i) {
        CAPTURE(i);
        CHECK(rows[i].ours == rows[i].theirs);
    }
}

// What a request does not name is zero: the kernel refuses other values, or does what they say.
TEST_CASE_TEMPLATE("what is not set is zero", record, abi::link_address, abi::membership,
                   abi::ring_statistics, abi::auxiliary_data, abi::ring_request,
                   abi::receive_ring_request, abi::frame_header_2, abi::frame_header_3,
                   abi::block_header) {
    // Through memory of ones, so that zeros are written and not found.
    alignas(record) std::byte memory[sizeof(record)];
    std::memset(memory, 0xff, sizeof memory);
    new (memory) record{};
    const std::byte zeros[sizeof(record)] = {};
    CHECK(std::memcmp(memory, zeros, sizeof memory) == 0);
}

}  // namespace port_abi
