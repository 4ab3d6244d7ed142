// Details in the error queue: the port of a local error, the extension behind a quote. The tables
// have the values that Linux 6.18 reported to its own sockets.
#include <doctest/doctest.h>

#include <sluice/wire/icmp_extensions.hpp>

#include "unit/endpoint/support.hpp"

namespace endpoint_error_details {

namespace {

using namespace endpoint_test;

TEST_CASE("endpoint errors: too_big is reported with the port of connect(), or none") {
    constexpr endpoint_address connected_to{"10.0.2.9"_ip, 53};
    constexpr endpoint_address other{"10.0.2.8"_ip, 99};
    const struct {
        const char* name;
        bool connects, names_it;
        endpoint_address reported;
    } rows[] = {
        {.name = "not connected",
         .connects = false,
         .names_it = true,
         .reported = {"10.0.2.8"_ip, 0}},
        {.name = "connected", .connects = true, .names_it = false, .reported = {"10.0.2.9"_ip, 53}},
        {.name = "connected, to another",
         .connects = true,
         .names_it = true,
         .reported = {"10.0.2.8"_ip, 53}},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        endpoint_world b;
        udp_socket s{*b};
        s.options().receive_errors = true;
        s.options().discovery = mtu_discovery::always;
        REQUIRE(s.bind({{}, 7000}).has_value());
        if (r.connects) REQUIRE(s.connect(connected_to, b.now).has_value());
        const auto sent =
            r.names_it ? s.send(pattern(1600), other, b.now) : s.send(pattern(1600), b.now);
        CHECK(sent.error() == endpoint_error::too_big);
        const auto report = s.receive_error({});
        REQUIRE(report.has_value());
        CHECK((report->destination == r.reported));
        CHECK(report->info == 1500);
    }
}

TEST_CASE("endpoint errors: too_big with a source route names its first hop") {
    endpoint_world b;
    udp_socket s{*b};
    s.options().receive_errors = true;
    s.options().discovery = mtu_discovery::always;
    REQUIRE(s.bind({{}, 7000}).has_value());
    REQUIRE(s.set_ip_options(list({1, 131, 7, 4, 10, 0, 1, 7}), b.now));
    CHECK(s.send(pattern(1600), {"10.0.2.8"_ip, 99}, b.now).error() == endpoint_error::too_big);
    const auto report = s.receive_error({});
    REQUIRE(report.has_value());
    CHECK((report->destination == endpoint_address{"10.0.1.7"_ip, 0}));
    CHECK(report->info == 1492);
}

using large_socket =
    udp_endpoint<stack_type, endpoint_sizes{.queue = 4, .errors = 2, .quote = 576}>;

TEST_CASE("endpoint errors: the offset of the extension behind the quote is reported") {
    endpoint_world b;
    large_socket s{*b};
    s.options().receive_errors = true;
    REQUIRE(s.bind({{}, 7000}).has_value());
    byte_vector quote = datagram_of({.source = "10.0.2.1"_ip,
                                     .destination = "192.0.2.1"_ip,
                                     .protocol = ipv4::protocols::udp,
                                     .payload = support::udp_message(7000, 9, pattern(60))});
    quote.resize(128);
    byte_vector extension = list({0x20, 0, 0, 0, 0, 8, 1, 1, 0, 1, 0x31, 0x40});  // an MPLS label
    icmp::finish_extension(extension);
    const struct {
        const char* name;
        u8 words;
        bool spoilt = false;
        u32 place = 0;
    } rows[] = {
        {.name = "an extension", .words = 32, .place = 100},
        {.name = "its checksum is wrong", .words = 32, .spoilt = true},
        {.name = "no length: not an extension", .words = 0},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        byte_vector data = quote;
        data.insert(data.end(), extension.begin(), extension.end());
        if (r.spoilt) data.back() ^= std::byte{1};
        b.error(11, 0, u32{r.words} << 16, data);
        byte_vector reported(600);
        const auto report = s.receive_error(reported);
        REQUIRE(report.has_value());
        REQUIRE(report->copied == data.size() - 28);  // without the quoted IPv4 and UDP headers
        CHECK(equal_bytes(const_bytes{reported}.first(report->copied),
                          const_bytes{data}.subspan(28)));
        CHECK(report->extension == r.place);
    }
}

}  // namespace

}  // namespace endpoint_error_details
