// The kernel's layouts and numbers that port/ declares, against the kernel's own headers.
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

#define SAME_PLACE(value, our_field, kernel_value, their_field)                                    \
    static_assert(offsetof(value, our_field) == offsetof(kernel_value, their_field) &&             \
                  sizeof(value::our_field) == sizeof(kernel_value::their_field))

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
        unsigned long value;
        unsigned long kernel_value;
    };
    const row rows[] = {
        {.value = abi::packet_types::host, .kernel_value = PACKET_HOST},
        {.value = abi::packet_types::broadcast, .kernel_value = PACKET_BROADCAST},
        {.value = abi::packet_types::multicast, .kernel_value = PACKET_MULTICAST},
        {.value = abi::packet_types::other_host, .kernel_value = PACKET_OTHERHOST},
        {.value = abi::packet_types::outgoing, .kernel_value = PACKET_OUTGOING},
        {.value = abi::socket_level, .kernel_value = SOL_PACKET},
        {.value = options::add_membership, .kernel_value = PACKET_ADD_MEMBERSHIP},
        {.value = options::receive_ring, .kernel_value = PACKET_RX_RING},
        {.value = options::statistics, .kernel_value = PACKET_STATISTICS},
        {.value = options::auxiliary_data, .kernel_value = PACKET_AUXDATA},
        {.value = options::version, .kernel_value = PACKET_VERSION},
        {.value = options::reserve, .kernel_value = PACKET_RESERVE},
        {.value = options::transmit_ring, .kernel_value = PACKET_TX_RING},
        {.value = options::loss, .kernel_value = PACKET_LOSS},
        {.value = options::virtio_header, .kernel_value = PACKET_VNET_HDR},
        {.value = options::fanout, .kernel_value = PACKET_FANOUT},
        {.value = options::fanout_data, .kernel_value = PACKET_FANOUT_DATA},
        {.value = options::queue_bypass, .kernel_value = PACKET_QDISC_BYPASS},
        {.value = options::ignore_outgoing, .kernel_value = PACKET_IGNORE_OUTGOING},
        {.value = abi::version_2, .kernel_value = TPACKET_V2},
        {.value = abi::version_3, .kernel_value = TPACKET_V3},
        {.value = abi::fanout_rollover, .kernel_value = PACKET_FANOUT_FLAG_ROLLOVER},
        {.value = abi::fanout_reassemble, .kernel_value = PACKET_FANOUT_FLAG_DEFRAG},
        {.value = abi::promiscuous, .kernel_value = PACKET_MR_PROMISC},
        {.value = abi::status::kernel, .kernel_value = TP_STATUS_KERNEL},
        {.value = abi::status::user, .kernel_value = TP_STATUS_USER},
        {.value = abi::status::tag_valid, .kernel_value = TP_STATUS_VLAN_VALID},
        {.value = abi::status::tag_type_valid, .kernel_value = TP_STATUS_VLAN_TPID_VALID},
        {.value = abi::status::available, .kernel_value = TP_STATUS_AVAILABLE},
        {.value = abi::status::send_request, .kernel_value = TP_STATUS_SEND_REQUEST},
        {.value = abi::alignment, .kernel_value = TPACKET_ALIGNMENT},
        {.value = tun::requests::set_interface, .kernel_value = TUNSETIFF},
        {.value = tun::requests::set_offload, .kernel_value = TUNSETOFFLOAD},
        {.value = tun::requests::set_header_size, .kernel_value = TUNSETVNETHDRSZ},
        {.value = tun::flags::tun, .kernel_value = IFF_TUN},
        {.value = tun::flags::tap, .kernel_value = IFF_TAP},
        {.value = tun::flags::multi_queue, .kernel_value = IFF_MULTI_QUEUE},
        {.value = tun::flags::plain, .kernel_value = IFF_NO_PI},
        {.value = tun::flags::virtio_header, .kernel_value = IFF_VNET_HDR},
        {.value = tun::offloads::checksum, .kernel_value = TUN_F_CSUM},
        {.value = tun::offloads::tcp_ipv4, .kernel_value = TUN_F_TSO4},
        {.value = tun::offloads::tcp_ecn, .kernel_value = TUN_F_TSO_ECN},
        {.value = port::interface_name_size, .kernel_value = IFNAMSIZ},
        {.value = port::interface_flags::up, .kernel_value = IFF_UP},
        {.value = port::interface_flags::running, .kernel_value = IFF_RUNNING},
        {.value = port::interface_flags::broadcast, .kernel_value = IFF_BROADCAST},
        {.value = port::interface_flags::point_to_point, .kernel_value = IFF_POINTOPOINT},
        {.value = raw::ip_level, .kernel_value = IPPROTO_IP},
        {.value = raw::type_of_service, .kernel_value = IP_TOS},
        {.value = raw::time_to_live, .kernel_value = IP_TTL},
        {.value = raw::include_header, .kernel_value = IP_HDRINCL},
        {.value = raw::packet_info, .kernel_value = IP_PKTINFO},
        {.value = raw::memory_counts, .kernel_value = SK_MEMINFO_VARS},
        {.value = raw::drops, .kernel_value = SK_MEMINFO_DROPS},
    };
    for (std::size_t i = 0; i < std::size(rows); ++i) {
        CAPTURE(i);
        CHECK(rows[i].value == rows[i].kernel_value);
    }
}

// Unset fields of a request are zero: the kernel refuses other values, or obeys them.
TEST_CASE_TEMPLATE("fields that are not set are zero", record, abi::link_address, abi::membership,
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
