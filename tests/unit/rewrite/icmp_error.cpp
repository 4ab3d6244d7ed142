// icmp_error: the written message, its quote and its checksum.
#include <doctest/doctest.h>

#include <sluice/packet/pool_storage.hpp>
#include <sluice/rewrite/icmp_error.hpp>

#include "support/datagrams.hpp"

namespace rewrite_icmp_error {

namespace {

using namespace support;

TEST_CASE("icmp error: the message, also of an offender in pieces") {
    fixed_pool<2048, 4> pool;
    const byte_vector whole =
        datagram_of({.options = list({148, 4, 0, 0}), .payload = pattern(600)});
    auto offender = packet_of(pool, byte_vector(whole.begin(), whole.begin() + 33));
    offender.append(packet_of(pool, byte_vector(whole.begin() + 33, whole.end())));
    const struct {
        const char* name;
        icmp_request error;
        byte_vector start;
    } messages[] = {
        {.name = "fragmentation needed",
         .error = icmp_request::fragmentation_needed(0x1234),
         .start = list({3, 4, 0, 0, 0, 0, 0x12, 0x34})},
        {.name = "parameter problem",
         .error = icmp_request::parameter_problem(22),
         .start = list({12, 0, 0, 0, 22, 0, 0, 0})},
        {.name = "redirect",
         .error = icmp_request::redirect_host("10.0.1.77"_ip),
         .start = list({5, 1, 0, 0, 10, 0, 1, 77})},
        {.name = "reassembly time",
         .error = icmp_request::reassembly_exceeded(),
         .start = list({11, 1, 0, 0, 0, 0, 0, 0})},
    };
    for (const auto& m : messages) {
        INFO(doctest::String{m.name});
        auto to = pool.take();
        REQUIRE(rewrite::write_error(to, offender, m.error, 548));
        byte_vector got = content_of(to);
        CHECK(icmp::checksum_ok(got));
        got[2] = got[3] = std::byte{0};
        byte_vector expected = m.start;
        expected.insert(expected.end(), whole.begin(), whole.begin() + 548);
        CHECK((got == expected));
    }
    auto full = packet_of(pool, pattern(1500));
    CHECK_FALSE(rewrite::write_error(full, offender, icmp_request::host_unreachable(), 548));
}

}  // namespace

}  // namespace rewrite_icmp_error
