// print_snmp: the form of /proc/net/snmp and /proc/net/netstat, golden lines of Linux 6.18.
#include <doctest/doctest.h>

#include <sluice/stats/print.hpp>
#include <sluice/stats/snmp_counters.hpp>

#include <sstream>
#include <string>
#include <vector>

namespace stats_print {

namespace {

using namespace sluice;

constexpr const char* golden =
    "Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams InUnknownProtos "
    "InDiscards InDelivers OutRequests OutDiscards OutNoRoutes ReasmTimeout ReasmReqds ReasmOKs "
    "ReasmFails FragOKs FragFails FragCreates OutTransmits\n"
    "Ip: 2 64 3240 0 0 0 0 0 3240 2060 0 0 0 0 0 0 0 0 0 2060\n"
    "Icmp: InMsgs InErrors InCsumErrors InDestUnreachs InTimeExcds InParmProbs InSrcQuenchs "
    "InRedirects InEchos InEchoReps InTimestamps InTimestampReps InAddrMasks InAddrMaskReps "
    "OutMsgs OutErrors OutRateLimitGlobal OutRateLimitHost OutDestUnreachs OutTimeExcds "
    "OutParmProbs OutSrcQuenchs OutRedirects OutEchos OutEchoReps OutTimestamps OutTimestampReps "
    "OutAddrMasks OutAddrMaskReps\n"
    "Icmp: 1 0 0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
    "IcmpMsg: InType3\n"
    "IcmpMsg: 1\n"
    "Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors "
    "IgnoredMulti MemErrors\n"
    "Udp: 32 0 0 33 0 0 0 0 0\n"
    "UdpLite: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors "
    "IgnoredMulti MemErrors\n"
    "UdpLite: 0 0 0 0 0 0 0 0 0\n"
    "IpExt: InNoRoutes InTruncatedPkts InMcastPkts OutMcastPkts InBcastPkts OutBcastPkts InOctets "
    "OutOctets InMcastOctets OutMcastOctets InBcastOctets OutBcastOctets InCsumErrors InNoECTPkts "
    "InECT1Pkts InECT0Pkts InCEPkts ReasmOverlaps\n"
    "IpExt: 0 0 0 0 0 0 126985865 118696 0 0 0 0 0 3240 0 0 0 0\n";

snmp_counters recorded() {
    snmp_counters c;
    c.add(mib::ip_in_receives, 3240);
    c.add(mib::ip_in_delivers, 3240);
    c.add(mib::ip_out_requests, 2060);
    c.add(mib::ip_out_transmits, 2060);
    c.add(mib::icmp_in_msgs, 1);
    c.icmp_in(3);
    c.add(mib::udp_in_datagrams, 32);
    c.add(mib::udp_out_datagrams, 33);
    c.add(mib::ipext_in_octets, 126985865);
    c.add(mib::ipext_out_octets, 118696);
    c.add(mib::ipext_in_no_ect_pkts, 3240);
    return c;
}

template <class Counters>
std::string printed(const Counters& c, const settings& s = {}) {
    std::string all;
    print_snmp(c, s, [&](const char* piece) { all += piece; });
    return all;
}

std::vector<std::string> lines_of(const std::string& text, const std::string& start) {
    std::vector<std::string> lines;
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);) {
        if (line.rfind(start, 0) == 0) lines.push_back(line.substr(start.size()));
    }
    return lines;
}

TEST_CASE("the text of a kernel with the same counts") {
    CHECK(printed(recorded()) == golden);
}

TEST_CASE("Forwarding and DefaultTTL come from the settings") {
    settings s = settings::of_router();
    s.ip_default_ttl = 255;
    CHECK(lines_of(printed(snmp_counters{}, s), "Ip: ")[1].rfind("1 255 0 0 ", 0) == 0);
    s.set_ip_forward(false);
    CHECK(lines_of(printed(snmp_counters{}, s), "Ip: ")[1].rfind("2 255 0 0 ", 0) == 0);
}

TEST_CASE("IcmpMsg has the types that were seen, received ones first, sixteen a line") {
    snmp_counters c;
    CHECK(lines_of(printed(c), "IcmpMsg:").empty());
    c.icmp_out(0);
    c.icmp_in(255);
    c.icmp_in(8);
    c.icmp_in(8);
    CHECK(lines_of(printed(c), "IcmpMsg:") ==
          std::vector<std::string>{" InType8 InType255 OutType0", " 2 1 1"});
    for (const unsigned seen : {15U, 16U, 17U, 32U, 33U, 512U}) {
        snmp_counters counters;
        for (unsigned kind = 512 - seen; kind < 512; ++kind) {
            if (kind < 256) counters.icmp_in(static_cast<u8>(kind));
            if (kind >= 256) counters.icmp_out(static_cast<u8>(kind & 0xff));
        }
        const auto lines = lines_of(printed(counters), "IcmpMsg:");
        CHECK(lines.size() == (seen + 15) / 16 * 2);
        CHECK(lines.back().size() == 2 * ((seen - 1) % 16 + 1));
    }
}

TEST_CASE("the largest count has twenty digits") {
    snmp_counters c;
    c.add(mib::udp_mem_errors, ~u64{0});
    const std::string values = lines_of(printed(c), "Udp:")[1];
    CHECK(values == " 0 0 0 0 0 0 0 0 18446744073709551615");
}

TEST_CASE("into memory as much as fits, and the size of the whole") {
    const std::string whole = golden;
    for (const std::size_t room : {std::size_t{0}, std::size_t{1}, std::size_t{100},
                                   whole.size() - 1, whole.size(), whole.size() + 10}) {
        std::string to(room + 1, '#');
        CHECK(print_snmp(recorded(), settings{}, std::span<char>{to.data(), room}) == whole.size());
        const std::size_t written = room < whole.size() ? room : whole.size();
        CHECK(to.substr(0, written) == whole.substr(0, written));
        CHECK(to.substr(written) == std::string(room + 1 - written, '#'));
    }
}

// In constant evaluation too.
constexpr std::size_t size_in_constant_evaluation() {
    snmp_counters c;
    c.icmp_in(3);
    return print_snmp(c, settings{}, std::span<char>{});
}
static_assert(size_in_constant_evaluation() > 1000);

}  // namespace

}  // namespace stats_print
