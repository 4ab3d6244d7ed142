// link_type: the kind of header in front of a captured packet. name_of() names it.
//
// It names the types that parse_frame() (pcap_link.hpp) reads, and the most frequent others.
//
// Expects: a number of the LINKTYPE_ registry (tcpdump.org/linktypes.html); any number is allowed.
//          DLT_ numbers, which differ between systems, are not translated.
// Cost:    name_of() walks a short table.
#pragma once

#include <sluice/base/integer.hpp>

namespace sluice::port::pcap {

enum class link_type : u32 {
    null = 0,  // BSD loopback: the address family in the byte order of the capturing host
    ethernet = 1,
    ppp = 9,
    raw_bsd = 12,  // the number of `raw` on some systems
    raw_openbsd = 14,
    ppp_hdlc = 50,
    pppoe = 51,
    raw = 101,  // IPv4 or IPv6, by the version field
    cisco_hdlc = 104,
    loop = 108,       // OpenBSD loopback: the address family in network byte order
    linux_sll = 113,  // the device "any"
    ipv4 = 228,
    ipv6 = 229,
    linux_sll2 = 276  // the device "any", with the interface index
};

namespace detail {

struct named_link_type {
    u32 number;
    const char* name;
};

inline constexpr named_link_type named_link_types[] = {
    {0, "NULL"},
    {1, "ETHERNET"},
    {3, "AX25"},
    {6, "IEEE802_5"},
    {7, "ARCNET_BSD"},
    {8, "SLIP"},
    {9, "PPP"},
    {10, "FDDI"},
    {12, "RAW"},
    {14, "RAW"},
    {50, "PPP_HDLC"},
    {51, "PPP_ETHER"},
    {100, "ATM_RFC1483"},
    {101, "RAW"},
    {104, "C_HDLC"},
    {105, "IEEE802_11"},
    {107, "FRELAY"},
    {108, "LOOP"},
    {113, "LINUX_SLL"},
    {117, "PFLOG"},
    {119, "IEEE802_11_PRISM"},
    {122, "IP_OVER_FC"},
    {127, "IEEE802_11_RADIOTAP"},
    {138, "APPLE_IP_OVER_IEEE1394"},
    {143, "DOCSIS"},
    {147, "USER0"},
    {163, "IEEE802_11_AVS"},
    {166, "PPP_PPPD"},
    {177, "LINUX_LAPD"},
    {187, "BLUETOOTH_HCI_H4"},
    {189, "USB_LINUX"},
    {192, "PPI"},
    {195, "IEEE802_15_4_WITHFCS"},
    {197, "ERF"},
    {204, "PPP_WITH_DIR"},
    {220, "USB_LINUX_MMAPPED"},
    {226, "IPNET"},
    {227, "CAN_SOCKETCAN"},
    {228, "IPV4"},
    {229, "IPV6"},
    {230, "IEEE802_15_4_NOFCS"},
    {239, "NFLOG"},
    {242, "IPOIB"},
    {247, "INFINIBAND"},
    {249, "USBPCAP"},
    {252, "WIRESHARK_UPPER_PDU"},
    {253, "NETLINK"},
    {258, "PKTAP"},
    {271, "VSOCK"},
    {276, "LINUX_SLL2"},
};

}  // namespace detail

// The name after LINKTYPE_ in the registry; nullptr for a type that is not in the table.
[[nodiscard]] constexpr const char* name_of(link_type link) noexcept {
    for (const auto& row : detail::named_link_types) {
        if (row.number == static_cast<u32>(link)) {
            return row.name;
        }
    }
    return nullptr;
}

}  // namespace sluice::port::pcap
