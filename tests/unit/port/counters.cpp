// The counters of the ports start at zero.
#include <sluice/packet/pool_storage.hpp>
#include <sluice/port/af_packet_send.hpp>
#include <sluice/port/raw_socket.hpp>
#include <sluice/port/tun.hpp>

#include <doctest/doctest.h>

namespace port_counters {

namespace {

using namespace sluice;
namespace ap = sluice::port::af_packet;
using packet = fixed_pool<256, 1>::packet_type;

}  // namespace

TEST_CASE("counters of receiving begin at nought") {
    const ap::counters link;
    CHECK(link.received == 0);
    CHECK(link.received_bytes == 0);
    CHECK(link.not_ipv4 == 0);
    CHECK(link.too_long == 0);
    CHECK(link.no_buffer == 0);
    CHECK(link.refused == 0);
    CHECK(link.kernel_drops == 0);
    CHECK(link.kernel_freezes == 0);
    CHECK(link.went_down == 0);
    const port::tun::counters tun;
    CHECK(tun.received == 0);
    CHECK(tun.received_bytes == 0);
    CHECK(tun.not_ipv4 == 0);
    CHECK(tun.too_long == 0);
    CHECK(tun.no_buffer == 0);
    CHECK(tun.refused == 0);
    const port::raw_socket::counters raw;
    CHECK(raw.received == 0);
    CHECK(raw.received_bytes == 0);
    CHECK(raw.too_long == 0);
    CHECK(raw.no_buffer == 0);
    CHECK(raw.kernel_drops == 0);
}

TEST_CASE("counters of sending begin at nought") {
    const ap::sender::model<packet> link;
    CHECK(link.counters().sent == 0);
    CHECK(link.counters().refused == 0);
    CHECK(link.counters().lost == 0);
    CHECK(link.counters().last_error == 0);
    const port::tun::sender::model<packet> tun;
    CHECK(tun.counters().sent == 0);
    CHECK(tun.counters().refused == 0);
    CHECK(tun.counters().last_error == 0);
    const port::raw_socket::sender::model<packet> raw;
    CHECK(raw.counters().sent == 0);
    CHECK(raw.counters().refused == 0);
    CHECK(raw.counters().last_error == 0);
}

}  // namespace port_counters
