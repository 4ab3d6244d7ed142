// icmp_notice: which ICMP errors are reported, by their quote.
#include <doctest/doctest.h>

#include <sluice/packet/pool_storage.hpp>
#include <sluice/pipeline/icmp_notice.hpp>
#include <sluice/pipeline/validate.hpp>

#include "support/network.hpp"
#include "support/validated.hpp"

namespace pipeline_icmp_notice {

namespace {

using namespace support;
using pipeline::notice_decision;
using pipeline::notice_kind;

// A host unreachable from 10.0.2.9 to 10.0.2.1 that quotes a UDP datagram to `destination`.
notice_decision notice_about(const network& n, ipv4::address destination, u8 type = 3, u32 word = 0,
                             std::size_t cut = 0) {
    byte_vector quoted = support::datagram_of({.source = "10.0.2.1"_ip,
                                               .destination = destination,
                                               .protocol = ipv4::protocols::udp,
                                               .payload = support::udp_message(1000, 53, {})});
    quoted.resize(quoted.size() - cut);
    fixed_pool<256, 1> pool;
    auto d = support::validated(support::packet_of(
        pool,
        support::datagram_of({.source = "10.0.2.9"_ip,
                              .destination = "10.0.2.1"_ip,
                              .protocol = ipv4::protocols::icmp,
                              .payload = support::icmp_message(type, 1, word, quoted)}),
        3));
    REQUIRE(d.has_value());
    notice_decision v = pipeline::icmp_notice(n.tables(), *d);
    v.notice.quoted = {};
    v.notice.extension = {};
    return v;
}

struct row {
    const char* name;
    ipv4::address destination;
    bool is_broadcast_or_multicast;
};
const row rows[] = {
    {.name = "a neighbour", .destination = "10.0.2.9"_ip, .is_broadcast_or_multicast = false},
    {.name = "nowhere", .destination = "192.0.2.1"_ip, .is_broadcast_or_multicast = false},
    {.name = "a local address", .destination = "10.0.3.1"_ip, .is_broadcast_or_multicast = false},
    {.name = "an unreachable destination",
     .destination = "10.20.0.1"_ip,
     .is_broadcast_or_multicast = false},
    {.name = "the broadcast of the link",
     .destination = "10.0.2.255"_ip,
     .is_broadcast_or_multicast = true},
    {.name = "the broadcast of another link",
     .destination = "10.0.3.255"_ip,
     .is_broadcast_or_multicast = true},
    {.name = "255.255.255.255",
     .destination = ipv4::limited_broadcast,
     .is_broadcast_or_multicast = true},
    {.name = "0.0.0.0", .destination = {}, .is_broadcast_or_multicast = true},
};

TEST_CASE("an error about a broadcast is reported only if bogus errors are not ignored") {
    for (const row& r : rows) {
        CAPTURE(r.name);
        network n;
        n.switches.icmp_ignore_bogus_error_responses = true;
        CHECK(notice_about(n, r.destination).kind == notice_kind::report);
        n.switches.icmp_ignore_bogus_error_responses = false;
        CHECK(notice_about(n, r.destination).kind ==
              (r.is_broadcast_or_multicast ? notice_kind::ignore : notice_kind::report));
    }
}

TEST_CASE("a redirect's gateway is no length of a quote") {
    const network n;
    const notice_decision v = notice_about(n, "10.9.0.1"_ip, 5, 0x0a2002fe);
    CHECK(v.kind == notice_kind::report);
    CHECK(v.notice.info == 0x0a2002fe);
    CHECK(v.notice.destination == "10.9.0.1"_ip);
    CHECK(v.notice.destination_port == 53);
}

TEST_CASE("eight bytes behind the quoted header are needed") {
    const network n;
    CHECK(notice_about(n, "10.0.2.9"_ip).notice.source_port == 1000);
    const notice_decision v = notice_about(n, "10.0.2.9"_ip, 3, 0, 1);
    CHECK(v.kind == notice_kind::invalid);
    CHECK(v.reason == drop_reason::icmp_invalid);
}

}  // namespace

}  // namespace pipeline_icmp_notice
