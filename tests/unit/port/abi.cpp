// The kernel's layouts and numbers as port/ declares them, held against the kernel's own headers.
#include <sluice/port/af_packet_abi.hpp>
#include <sluice/port/interface_request.hpp>
#include <sluice/port/raw_socket.hpp>
#include <sluice/port/tun.hpp>

#include <doctest/doctest.h>

#include <linux/if_packet.h>
#include <linux/if_tun.h>
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
SAME_PLACE(abi::ring_request, frame_octets, tpacket_req, tp_frame_size);
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
        {abi::packet_types::host, PACKET_HOST},
        {abi::packet_types::broadcast, PACKET_BROADCAST},
        {abi::packet_types::multicast, PACKET_MULTICAST},
        {abi::packet_types::other_host, PACKET_OTHERHOST},
        {abi::packet_types::outgoing, PACKET_OUTGOING},
        {abi::socket_level, SOL_PACKET},
        {options::add_membership, PACKET_ADD_MEMBERSHIP},
        {options::receive_ring, PACKET_RX_RING},
        {options::statistics, PACKET_STATISTICS},
        {options::auxiliary_data, PACKET_AUXDATA},
        {options::version, PACKET_VERSION},
        {options::reserve, PACKET_RESERVE},
        {options::transmit_ring, PACKET_TX_RING},
        {options::loss, PACKET_LOSS},
        {options::virtio_header, PACKET_VNET_HDR},
        {options::fanout, PACKET_FANOUT},
        {options::queue_bypass, PACKET_QDISC_BYPASS},
        {options::ignore_outgoing, PACKET_IGNORE_OUTGOING},
        {abi::version_2, TPACKET_V2},
        {abi::version_3, TPACKET_V3},
        {abi::fanout_rollover, PACKET_FANOUT_FLAG_ROLLOVER},
        {abi::fanout_reassemble, PACKET_FANOUT_FLAG_DEFRAG},
        {abi::promiscuous, PACKET_MR_PROMISC},
        {abi::status::kernel, TP_STATUS_KERNEL},
        {abi::status::user, TP_STATUS_USER},
        {abi::status::tag_valid, TP_STATUS_VLAN_VALID},
        {abi::status::tag_type_valid, TP_STATUS_VLAN_TPID_VALID},
        {abi::status::available, TP_STATUS_AVAILABLE},
        {abi::status::send_request, TP_STATUS_SEND_REQUEST},
        {abi::alignment, TPACKET_ALIGNMENT},
        {tun::requests::set_interface, TUNSETIFF},
        {tun::requests::set_offload, TUNSETOFFLOAD},
        {tun::requests::set_header_size, TUNSETVNETHDRSZ},
        {tun::flags::tun, IFF_TUN},
        {tun::flags::tap, IFF_TAP},
        {tun::flags::multi_queue, IFF_MULTI_QUEUE},
        {tun::flags::plain, IFF_NO_PI},
        {tun::flags::virtio_header, IFF_VNET_HDR},
        {tun::offloads::checksum, TUN_F_CSUM},
        {tun::offloads::tcp_ipv4, TUN_F_TSO4},
        {tun::offloads::tcp_ecn, TUN_F_TSO_ECN},
        {port::interface_name_size, IFNAMSIZ},
        {port::interface_flags::up, IFF_UP},
        {port::interface_flags::running, IFF_RUNNING},
        {port::interface_flags::broadcast, IFF_BROADCAST},
        {port::interface_flags::point_to_point, IFF_POINTOPOINT},
        {raw::ip_level, IPPROTO_IP},
        {raw::type_of_service, IP_TOS},
        {raw::time_to_live, IP_TTL},
        {raw::include_header, IP_HDRINCL},
        {raw::packet_info, IP_PKTINFO},
        {raw::memory_counts, SK_MEMINFO_VARS},
        {raw::drops, SK_MEMINFO_DROPS},
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
