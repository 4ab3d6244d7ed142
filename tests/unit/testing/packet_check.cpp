// The packet checks: correct packets pass, and each difference is reported with its field and both
// values.
#include <doctest/doctest.h>

#include <sluice/testing/packet_check.hpp>

#include <string>
#include <vector>

namespace testing_packet_check {

namespace {

using namespace sluice;
using namespace sluice::literals;
using namespace sluice::testing;

template <class... Checks>
std::vector<std::string> said(const byte_vector& datagram, const Checks&... checks) {
    std::vector<std::string> all;
    const auto found = check_datagram(
        datagram, [&all](const broken_requirement& b) { all.push_back(b.text()); }, checks...);
    CHECK(found.broken == all.size());
    CHECK(found.checks > 0);
    return all;
}

using lines = std::vector<std::string>;

}  // namespace

TEST_CASE("an expected datagram is not reported") {
    const auto udp = udp_datagram_of({.source = "10.0.1.2"_ip, .ttl = 7}, 4000, 53, pattern(9));
    CHECK(said(udp, has::source("10.0.1.2"_ip), has::ttl(7), has::protocol(17), has::size(37),
               has::right_sums(), has::right_udp_sum(), has::field(ipv4::identification, 0x1234),
               has::all_of(udp))
              .empty());
    const auto echo = echo_datagram_of({.destination = "10.0.2.9"_ip, .tos = 8});
    CHECK(said(echo, has::destination("10.0.2.9"_ip), has::tos(8), has::flags_and_offset(0),
               has::right_sums(), has::icmp_message(8, 0, 0x00070001), has::all_of(echo))
              .empty());
    const auto error = datagram_of({.protocol = 1, .payload = icmp_message_of(3, 4, 576, udp)});
    CHECK(said(error, has::icmp_message(3, 4, 576), has::quote(udp, udp.size()), has::right_sums())
              .empty());
    CHECK(said(datagram_of({.payload = pattern(5)}), has::payload(pattern(5))).empty());
}

TEST_CASE("a difference is reported by field name, with both values") {
    const auto got = datagram_of({.payload = pattern(16)});
    CHECK(said(got, has::ttl(63)) == lines{"datagram: ttl (expected 63, got 64)"});
    CHECK(said(got, has::source("10.0.1.3"_ip)) ==
          lines{"datagram: source (expected 10.0.1.3, got 10.0.1.2)"});
    CHECK(said(got, has::size(30)) == lines{"datagram: number of bytes (expected 30, got 36)"});
    CHECK(
        said(got, has::payload(pattern(18))) ==
        lines{"datagram: payload (from byte 16 expected 70 77 ..., got its end; 18 bytes expected, "
              "16 got)"});
    auto other = datagram_of({.ttl = 60, .payload = pattern(16)});
    other[20] = std::byte{0xff};
    CHECK(said(got, has::all_of(other)) ==
          lines{"datagram: ttl (expected 60, got 64)",
                "datagram: header_checksum (expected 21670, got 20646)",
                "datagram: payload (from byte 0 expected ff 07 0e 15 1c 23 2a 31 ..., got 00 07 0e "
                "15 1c 23 2a 31 ...; 16 bytes expected, 16 got)"});
}

TEST_CASE("an expected value that does not fit its field is reported as it is") {
    const auto got = datagram_of({.tos = 1, .flags_and_offset = 0x4000});
    CHECK(said(got, has::field(ipv4::ttl, 320)) == lines{"datagram: ttl (expected 320, got 64)"});
    CHECK(said(got, has::field(ipv4::ttl, -192)) == lines{"datagram: ttl (expected -192, got 64)"});
    CHECK(said(got, has::field(ipv4::version, 20)) ==
          lines{"datagram: version (expected 20, got 4)"});
    CHECK(said(got, has::field(ipv4::dont_fragment, 2)) ==
          lines{"datagram: dont_fragment (expected 2, got 1)"});
    CHECK(said(got, has::field(ipv4::dont_fragment, false)) ==
          lines{"datagram: dont_fragment (expected false, got true)"});
    CHECK(said(got, has::field(ipv4::dont_fragment, true), has::field(ipv4::dont_fragment, 1),
               has::field(ipv4::ttl, u64{64}))
              .empty());
    const u32 beyond_bytes = 256;
    CHECK(said(got, has::ttl(beyond_bytes + 64)).size() == 1);
    CHECK(said(got, has::tos(beyond_bytes + 1)).size() == 1);
    CHECK(said(got, has::protocol(beyond_bytes + 253)).size() == 1);
    CHECK(said(got, has::flags_and_offset(0x14000)).size() == 1);
    const auto echo = echo_datagram_of({});
    CHECK(said(echo, has::icmp_message(beyond_bytes + 8, beyond_bytes, 0x00070001)).size() == 2);
}

TEST_CASE("wrong checksums and lengths are found") {
    auto bad = udp_datagram_of({}, 1, 2, pattern(8));
    bad[30] ^= std::byte{1};
    CHECK(said(bad, has::right_sums()).empty());
    CHECK(said(bad, has::right_udp_sum()) == lines{"datagram: UDP checksum"});
    auto ping = echo_datagram_of({});
    ping[30] ^= std::byte{1};
    ping[8] ^= std::byte{1};
    CHECK(said(ping, has::right_sums()) ==
          lines{"datagram: header checksum", "datagram: ICMP checksum"});
    auto longer = datagram_of({});
    longer.push_back(std::byte{0});
    CHECK(said(longer, has::right_sums()) == lines{"datagram: total length (expected 37, got 36)"});
}

TEST_CASE("an invalid datagram is reported and read no further") {
    const auto whole = datagram_of({.protocol = 1, .payload = {}});
    for (std::size_t size = 0; size < 20; ++size) {
        const byte_vector cut{whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)};
        CHECK(said(cut, has::ttl(1), has::right_sums()) ==
              lines{"datagram: an IPv4 header is there"});
    }
    auto overlong = whole;
    overlong[0] = std::byte{0x4f};
    CHECK(said(overlong, has::ttl(1)) == lines{"datagram: an IPv4 header is there"});
    for (const unsigned first : {0x05u, 0x35u, 0x65u, 0xf5u, 0x40u, 0x44u}) {
        auto other = whole;
        other[0] = static_cast<std::byte>(first);
        CHECK(said(other, has::ttl(1)) == lines{"datagram: an IPv4 header is there"});
    }
    for (const u16 total : {u16{0}, u16{19}, u16{21}, u16{65535}}) {
        auto other = whole;
        ipv4::view{other.data()}.set(ipv4::total_length, total);
        CHECK(said(other, has::ttl(1)) ==
              lines{"datagram: the total length covers the header and is not beyond the bytes"});
    }
    CHECK(said(whole, has::icmp_message(8, 0)) == lines{"datagram: ICMP header is there"});
    CHECK(said(whole, has::quote(whole, 8)) == lines{"datagram: quote is there"});
    CHECK(said(whole, has::all_of({})) == lines{"datagram: what is expected is an IPv4 datagram"});
}

TEST_CASE("a report names the line of the check, a check of one's own works beside the others") {
    const auto got = datagram_of({});
    std::vector<broken_requirement> reports;
    const auto odd_ttl = [](checker& check, const_bytes d) {
        check.holds(std::to_integer<int>(d[8]) % 2 == 1, "the TTL is odd");
    };
    const u32 line = __LINE__ + 1;
    const auto expected = has::ttl(63);
    const auto found = check_datagram(
        got, [&reports](const broken_requirement& b) { reports.push_back(b); }, expected, odd_ttl);
    CHECK(found.broken == 2);
    REQUIRE(reports.size() == 2);
    CHECK(reports[0].line == line);
    CHECK(std::string{reports[0].file}.ends_with("packet_check.cpp"));
    CHECK(reports[1].text() == "datagram: the TTL is odd");
}

}  // namespace testing_packet_check
