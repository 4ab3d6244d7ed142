// Kinds of network interfaces, against the kernel's numbers.
#include <sluice/port/hardware_type.hpp>

#include <doctest/doctest.h>

#include <linux/if_arp.h>

#include <cstring>
#include <string_view>

namespace port_hardware_type {
using namespace sluice::port;

namespace {

struct row {
    int number;
    const char* name;
    link_header header;
};
#define ROW(name, header) {ARPHRD_##name, #name, link_header::header}
const row rows[] = {
    ROW(ETHER, ethernet),
    ROW(AX25, unknown),
    ROW(ARCNET, unknown),
    ROW(IEEE1394, unknown),
    ROW(INFINIBAND, unknown),
    ROW(SLIP, none),
    ROW(CSLIP, none),
    ROW(SLIP6, none),
    ROW(CSLIP6, none),
    ROW(X25, unknown),
    ROW(CAN, unknown),
    ROW(MCTP, unknown),
    ROW(PPP, none),
    ROW(HDLC, unknown),
    ROW(RAWHDLC, none),
    ROW(RAWIP, none),
    ROW(TUNNEL, none),
    ROW(TUNNEL6, none),
    ROW(LOOPBACK, ethernet),
    ROW(FDDI, unknown),
    ROW(SIT, none),
    ROW(IPGRE, none),
    ROW(PIMREG, unknown),
    ROW(IEEE80211, unknown),
    ROW(IEEE80211_PRISM, unknown),
    ROW(IEEE80211_RADIOTAP, unknown),
    ROW(IEEE802154, unknown),
    ROW(IEEE802154_MONITOR, unknown),
    ROW(PHONET, unknown),
    ROW(IP6GRE, none),
    ROW(NETLINK, unknown),
    ROW(6LOWPAN, unknown),
    ROW(VSOCKMON, unknown),
    ROW(NONE, none),
};
#undef ROW

}  // namespace

TEST_CASE("each kind has the kernel's number and name, and its header") {
    CHECK(std::size(rows) == std::size(detail::named_hardware_types));
    for (const row& r : rows) {
        CAPTURE(r.name);
        const auto number = static_cast<sluice::u16>(r.number);
        REQUIRE(name_of_hardware(number) != nullptr);
        CHECK(std::string_view{name_of_hardware(number)} == r.name);
        CHECK(link_header_of(number, IFF_UP | IFF_POINTOPOINT) == r.header);
    }
    CHECK(name_of_hardware(ARPHRD_VOID) == nullptr);
    CHECK(link_header_of(ARPHRD_VOID, IFF_POINTOPOINT) == link_header::unknown);
}

TEST_CASE("a GRE interface to several hosts has a header of its own") {
    for (const int gre : {ARPHRD_IPGRE, ARPHRD_IP6GRE}) {
        const auto number = static_cast<sluice::u16>(gre);
        CHECK(link_header_of(number, IFF_NOARP) == link_header::unknown);
        CHECK(link_header_of(number, IFF_POINTOPOINT | IFF_BROADCAST) == link_header::unknown);
        CHECK(link_header_of(number, IFF_POINTOPOINT | IFF_NOARP) == link_header::none);
    }
    // An IP-in-IP interface has none, wherever it leads.
    CHECK(link_header_of(ARPHRD_TUNNEL, IFF_NOARP) == link_header::none);
}

TEST_CASE("an interface of another kind is refused by name and number") {
    CHECK(message(unknown_link_header("ib0", ARPHRD_INFINIBAND)) ==
          "open ib0, of type 32 (INFINIBAND): Protocol not supported: its packets begin with "
          "neither an Ethernet nor an IP header; use another interface");
    CHECK(std::string_view{message(unknown_link_header("x", 4711)).c_str()}.starts_with(
        "open x, of type 4711: "));
    CHECK(std::string_view{
              message(unknown_link_header("fifteen-letters", ARPHRD_IEEE802154_MONITOR)).c_str()}
              .find("805 (IEEE802154_MON") != std::string_view::npos);
}

}  // namespace port_hardware_type
