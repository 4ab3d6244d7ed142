// A capture as a device: packets larger than a buffer, damaged and wrong files, a loop that ends
// with the capture.
#include <sluice/port/capture_device.hpp>
#include <sluice/port/pcap_file.hpp>
#include <sluice/port/poll_loop.hpp>
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

#include "support/datagrams.hpp"
#include "temporary_file.hpp"

#include <doctest/doctest.h>

#include <array>
#include <memory>

namespace port_capture_device {
using namespace support;
using namespace sluice::port;
using port_test::temporary_file;

namespace {

void write(const temporary_file& to, const std::vector<byte_vector>& packets) {
    auto file = pcap::writer::create(to.path, pcap::link_type::raw);
    REQUIRE(file.has_value());
    for (const byte_vector& p : packets)
        REQUIRE(file->write({}, p));
}

}  // namespace

TEST_CASE("a packet larger than a buffer is received in several blocks, or not at all") {
    temporary_file file;
    const byte_vector large = datagram_of({.payload = pattern(3000)});
    write(file, {large, datagram_of({})});
    fixed_pool<1024, 8> pool;
    {
        auto from = capture::device::open(file.path, {.interface = 3, .headroom = 10});
        REQUIRE(from.has_value());
        const auto whole = from->receive(pool);
        REQUIRE(whole.has_value());
        CHECK(whole->is_segmented());
        CHECK(content_of(*whole) == large);
        CHECK(whole->headroom() == 10);
        CHECK(from->counters().received_bytes == large.size());
    }
    auto from = capture::device::open(file.path);
    REQUIRE(from.has_value());
    std::array<decltype(pool)::packet_type, 6> kept;
    for (auto& p : kept)
        p = pool.take_reserved(0);
    CHECK(from->receive(pool).error() == read_status::thrown_away);
    CHECK(from->counters().too_long == 1);
    const auto small = from->receive(pool);
    REQUIRE(small.has_value());
    CHECK(small->interface() == 1);
}

TEST_CASE("a damaged file ends at the damage; a file that is no capture does not open") {
    temporary_file file;
    write(file, {datagram_of({}), datagram_of({})});
    REQUIRE(::truncate(file.path, 24 + 16 + 20 + 16 + 5) == 0);
    fixed_pool<1024, 8> pool;
    auto from = capture::device::open(file.path);
    REQUIRE(from.has_value());
    std::array<decltype(pool)::packet_type, 4> burst;
    const auto got = from->receive(pool, burst);
    CHECK(got.count == 1);
    CHECK(got.end == read_status::closed);
    CHECK(from->state() == device_state::closed);
    CHECK(from->error() == capture::error::truncated);

    REQUIRE(::truncate(file.path, 3) == 0);
    const auto none = capture::device::open(file.path);
    REQUIRE_FALSE(none.has_value());
    CHECK(std::string{message(none.error()).c_str()} ==
          std::string{"read "} + file.path + ": " + message(capture::error::truncated));
    CHECK(capture::device::open("/nowhere").error().error_number == ENOENT);
}

// From a file into a file: the loop ends when the capture does.
TEST_CASE("a router between two captures, in the loop of a program") {
    struct edge
        : policies<based_on<linux_router>, buffers<fixed_pool<2048, 64>>, output<pcap::sender>> {
        [[nodiscard]] static constexpr settings initial_settings() noexcept {
            return linux_router::initial_settings();
        }
    };
    temporary_file before, after;
    const std::vector<byte_vector> sent(3, datagram_of({.source = "10.0.1.2"_ip,
                                                        .destination = "10.0.2.2"_ip,
                                                        .ttl = 9,
                                                        .payload = pattern(8)}));
    write(before, sent);
    auto from = capture::device::open(before.path, {.interface = 2});
    auto to = pcap::writer::create(after.path, pcap::link_type::raw);
    auto loop = poll_loop::open();
    REQUIRE((from && to && loop));
    const auto router = std::make_unique<stack<edge>>(
        stack<edge>::parts{.output = to->sender(), .seed = testing::fixed_seed});
    REQUIRE(router->add_interface({.index = 2, .address = "10.0.1.1/24"_net}));
    REQUIRE(router->add_interface({.index = 3, .address = "10.0.2.1/24"_net}));
    int steps = 0;
    while (loop->step(*router, *from))
        REQUIRE(++steps < 10);
    CHECK_FALSE(loop->is_asked());
    CHECK(router->counters()[mib::ip_forw_datagrams] == 3);

    auto written = capture::device::open(after.path);
    REQUIRE(written.has_value());
    fixed_pool<1024, 8> pool;
    std::array<decltype(pool)::packet_type, 4> burst;
    REQUIRE(written->receive(pool, burst).count == 3);
    CHECK(burst[0].data()[8] == std::byte{8});  // the TTL
}

}  // namespace port_capture_device
