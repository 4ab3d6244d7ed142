// udp_input: reading a UDP header across blocks, and the errors of one.
#include <doctest/doctest.h>

#include <sluice/packet/pool_storage.hpp>
#include <sluice/pipeline/udp_input.hpp>

#include "support/datagrams.hpp"
#include "support/validated.hpp"

namespace pipeline_udp_input {

namespace {

using namespace support;

constexpr auto from = "10.0.1.2"_ip;
constexpr auto to = "10.0.1.1"_ip;

byte_vector message_of(std::size_t payload) {
    byte_vector made = udp_message(4000, 53, pattern(payload));
    udp::set_checksum(from, to, made);
    return made;
}
byte_vector datagram_with(const byte_vector& message) {
    return datagram_of(
        {.source = from, .destination = to, .protocol = ipv4::protocols::udp, .payload = message});
}

pipeline::udp_decision decision_on(const byte_vector& datagram, std::ptrdiff_t cut) {
    fixed_pool<256, 4> pool;
    auto p = packet_of(pool, byte_vector(datagram.begin(), datagram.begin() + cut));
    if (cut < std::ssize(datagram)) {
        p.append(packet_of(pool, byte_vector(datagram.begin() + cut, datagram.end())));
    }
    auto d = validated(std::move(p));
    REQUIRE(d.has_value());
    return pipeline::udp_input(*d, {.source = from, .destination = to});
}

TEST_CASE("udp input: the decision does not depend on block boundaries") {
    const byte_vector whole = datagram_with(message_of(13));
    for (std::ptrdiff_t cut = 20; cut <= std::ssize(whole); ++cut) {
        CAPTURE(cut);
        const auto v = decision_on(whole, cut);
        CHECK(v.reason == drop_reason::none);
        CHECK(v.headers == 28);
        CHECK(v.end == 41);
        CHECK(v.source_port == 4000);
        CHECK(v.destination_port == 53);
    }
}

TEST_CASE("udp input: a short header, a wrong length, a wrong sum") {
    byte_vector message = message_of(13);
    const auto reason = [&](std::ptrdiff_t cut) {
        return decision_on(datagram_with(message), cut).reason;
    };
    for (const std::ptrdiff_t cut : {20, 26, 41}) {
        CAPTURE(cut);
        message = message_of(13);
        message[4] = std::byte{0};
        message[5] = std::byte{7};
        CHECK(reason(cut) == drop_reason::udp_invalid);
        message[5] = std::byte{22};
        CHECK(reason(cut) == drop_reason::udp_invalid);
        message = message_of(13);
        message[20] ^= std::byte{1};
        CHECK(reason(cut) == drop_reason::udp_checksum);
    }
    message.resize(7);
    CHECK(reason(20) == drop_reason::udp_invalid);
    CHECK(reason(27) == drop_reason::udp_invalid);
}

}  // namespace

}  // namespace pipeline_udp_input
