// The tables of drop reasons and counters: a row for each enumerator, in their order, and complete.
#include <doctest/doctest.h>

#include <sluice/packet/drop_reason.hpp>
#include <sluice/packet/mib.hpp>

#include <string>

namespace packet_tables {

namespace {

using namespace sluice;

TEST_CASE("every drop reason has a complete row of its own") {
    for (std::size_t i = 0; i < drop_reason_count; ++i) {
        CAPTURE(i);
        const drop_info& row = drop_table[i];
        REQUIRE(row.name != nullptr);
        REQUIRE(row.sentence != nullptr);
        REQUIRE(row.source != nullptr);
        REQUIRE(row.kernel != nullptr);
        const std::string sentence = row.sentence;
        CHECK(sentence.size() > 10);
        CHECK(sentence.back() == '.');
        CHECK(std::string(row.kernel).size() > 2);
        CHECK(row.first < mib::count);
        CHECK(row.second < mib::count);
        CHECK((row.second == mib::none || row.first != mib::none));
        for (std::size_t k = 0; k < i; ++k)
            CHECK(std::string(drop_table[k].name) != row.name);
    }
}

TEST_CASE("rows stand in the order of the enumerators") {
    const struct {
        drop_reason reason;
        const char* name;
        const char* kernel;
        mib first = mib::none;
    } rows[] = {
        {.reason = drop_reason::none, .name = "none", .kernel = "NOT_DROPPED_YET"},
        {.reason = drop_reason::other_host, .name = "other_host", .kernel = "OTHERHOST"},
        {.reason = drop_reason::header_checksum,
         .name = "header_checksum",
         .kernel = "IP_CSUM",
         .first = mib::ip_in_hdr_errors},
        {.reason = drop_reason::length_beyond_packet,
         .name = "length_beyond_packet",
         .kernel = "PKT_TOO_SMALL",
         .first = mib::ipext_in_truncated_pkts},
        {.reason = drop_reason::source_invalid,
         .name = "source_invalid",
         .kernel = "IP_INVALID_SOURCE"},
        {.reason = drop_reason::reverse_path, .name = "reverse_path", .kernel = "IP_RPFILTER"},
        {.reason = drop_reason::no_route,
         .name = "no_route",
         .kernel = "IP_INNOROUTES",
         .first = mib::ipext_in_no_routes},
        {.reason = drop_reason::not_forwarding,
         .name = "not_forwarding",
         .kernel = "IP_INADDRERRORS",
         .first = mib::ip_in_addr_errors},
        {.reason = drop_reason::option_invalid,
         .name = "option_invalid",
         .kernel = "IP_INHDR",
         .first = mib::ip_in_hdr_errors},
        {.reason = drop_reason::ttl_expired,
         .name = "ttl_expired",
         .kernel = "IP_INHDR",
         .first = mib::ip_in_hdr_errors},
        {.reason = drop_reason::too_big,
         .name = "too_big",
         .kernel = "PKT_TOO_BIG",
         .first = mib::ip_frag_fails},
        {.reason = drop_reason::protocol_unknown,
         .name = "protocol_unknown",
         .kernel = "IP_NOPROTO",
         .first = mib::ip_in_unknown_protos},
        {.reason = drop_reason::udp_checksum,
         .name = "udp_checksum",
         .kernel = "UDP_CSUM",
         .first = mib::udp_in_errors},
        {.reason = drop_reason::icmp_checksum,
         .name = "icmp_checksum",
         .kernel = "ICMP_CSUM",
         .first = mib::icmp_in_errors},
        {.reason = drop_reason::fragment_duplicate,
         .name = "fragment_duplicate",
         .kernel = "DUP_FRAG"},
        {.reason = drop_reason::fragment_too_far,
         .name = "fragment_too_far",
         .kernel = "FRAG_TOO_FAR"},
        {.reason = drop_reason::neighbour_unreachable,
         .name = "neighbour_unreachable",
         .kernel = "NEIGH_FAILED"},
        {.reason = drop_reason::hook, .name = "hook", .kernel = "NETFILTER_DROP"},
        {.reason = drop_reason::send_invalid,
         .name = "send_invalid",
         .kernel = "CONSUMED",
         .first = mib::ip_out_discards},
    };
    for (const auto& row : rows) {
        CAPTURE(row.name);
        const drop_info& info = describe(row.reason);
        CHECK(std::string(info.name) == row.name);
        CHECK(std::string(info.kernel) == row.kernel);
        CHECK(info.first == row.first);
    }
    CHECK(&describe(drop_reason::count) == &drop_table[0]);
    CHECK(&describe(static_cast<drop_reason>(255)) == &drop_table[0]);
}

TEST_CASE("the kernel's words are words of the kernel") {
    // From its list of 6.18, without SKB_DROP_REASON_; the first two mean that nothing is wrong.
    const std::string known =
        " NOT_DROPPED_YET CONSUMED NOT_SPECIFIED NO_SOCKET PKT_TOO_SMALL TCP_CSUM UDP_CSUM "
        "NETFILTER_DROP OTHERHOST IP_CSUM IP_INHDR IP_RPFILTER UNICAST_IN_L2_MULTICAST XFRM_POLICY "
        "IP_NOPROTO SOCKET_RCVBUFF IP_OUTNOROUTES NEIGH_FAILED SKB_GSO_SEG UNHANDLED_PROTO NOMEM "
        "DEV_READY ICMP_CSUM INVALID_PROTO IP_INADDRERRORS IP_INNOROUTES IP_LOCAL_SOURCE "
        "IP_INVALID_SOURCE IP_LOCALNET IP_INVALID_DEST PKT_TOO_BIG DUP_FRAG FRAG_REASM_TIMEOUT "
        "FRAG_TOO_FAR ";
    for (const drop_info& row : drop_table) {
        CAPTURE(row.name);
        CHECK(known.find(" " + std::string(row.kernel) + " ") != std::string::npos);
    }
}

TEST_CASE("every counter has a name of its own, in the order of the enumerators") {
    for (std::size_t i = 1; i < mib_count; ++i) {
        CAPTURE(i);
        REQUIRE(mib_names[i].group != nullptr);
        REQUIRE(mib_names[i].field != nullptr);
        for (std::size_t k = 1; k < i; ++k) {
            CHECK((std::string(mib_names[k].group) != mib_names[i].group ||
                   std::string(mib_names[k].field) != mib_names[i].field));
        }
    }
    const struct {
        mib counter;
        const char* name;
    } rows[] = {
        {mib::ip_in_receives, "Ip.InReceives"},
        {mib::ip_out_no_routes, "Ip.OutNoRoutes"},
        {mib::ip_reasm_fails, "Ip.ReasmFails"},
        {mib::ip_out_transmits, "Ip.OutTransmits"},
        {mib::icmp_in_msgs, "Icmp.InMsgs"},
        {mib::icmp_in_addr_mask_reps, "Icmp.InAddrMaskReps"},
        {mib::icmp_out_rate_limit_global, "Icmp.OutRateLimitGlobal"},
        {mib::icmp_out_rate_limit_host, "Icmp.OutRateLimitHost"},
        {mib::icmp_out_addr_mask_reps, "Icmp.OutAddrMaskReps"},
        {mib::udp_in_datagrams, "Udp.InDatagrams"},
        {mib::udp_mem_errors, "Udp.MemErrors"},
        {mib::ipext_in_no_routes, "IpExt.InNoRoutes"},
        {mib::ipext_in_csum_errors, "IpExt.InCsumErrors"},
        {mib::ipext_reasm_overlaps, "IpExt.ReasmOverlaps"},
        {ecn_counter(0), "IpExt.InNoECTPkts"},
        {ecn_counter(1), "IpExt.InECT1Pkts"},
        {ecn_counter(2), "IpExt.InECT0Pkts"},
        {ecn_counter(3), "IpExt.InCEPkts"},
    };
    for (const auto& row : rows) {
        const mib_name& n = mib_names[static_cast<std::size_t>(row.counter)];
        CHECK(std::string(n.group) + "." + n.field == row.name);
    }
}

}  // namespace

}  // namespace packet_tables
