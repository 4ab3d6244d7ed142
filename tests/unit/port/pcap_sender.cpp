// A capture file as the output of a stack: times of the calls, packets in several blocks, refusals.
#include <sluice/link/concept.hpp>
#include <sluice/port/capture_file.hpp>
#include <sluice/port/concept.hpp>
#include <sluice/port/pcap_file.hpp>
#include <sluice/port/pcap_tee.hpp>

#include "support/datagrams.hpp"
#include "temporary_file.hpp"

#include <doctest/doctest.h>

namespace port_pcap_sender {
using namespace support;
using namespace sluice::port;
using port_test::temporary_file;

namespace {

using pool = fixed_pool<2048, 64>;
using packet = pool::packet_type;
static_assert(transmitter_for<pcap::writer, packet>);
static_assert(frame_sink<pcap::sender::model<packet>, packet>);

packet in_two_pieces(pool& from, const byte_vector& whole) {
    packet made = packet_of(from, {whole.begin(), whole.begin() + 24});
    made.append(packet_of(from, {whole.begin() + 24, whole.end()}));
    return made;
}

}  // namespace

TEST_CASE("records have the times of the calls, also beside a device") {
    temporary_file file;
    auto writer = pcap::writer::create(file.path, pcap::link_type::raw);
    REQUIRE(writer.has_value());
    CHECK(writer->link() == link_header::none);
    pool buffers;
    const byte_vector datagram = datagram_of({.payload = pattern(40)});
    pcap::sender::model<packet> out{writer->sender(1000_s)};
    pcap_tee<pcap::sender>::model<packet> tee{.recorder = {*writer, {}}};
    packet first = packet_of(buffers, datagram);
    packet second = in_two_pieces(buffers, datagram);
    packet third = packet_of(buffers, datagram);
    CHECK(out.transmit(first, {}, instant{} + 5_ms));
    CHECK(out.send_frame(second, 1, instant{} + 6_ms));
    CHECK_FALSE(tee.transmit(third, {}, instant{} + 7_ms));  // behind it there is no file
    CHECK(out.counters().sent == 2);
    CHECK(writer->written() == 1);

    const auto content = capture::load_file(file.path);
    REQUIRE(content.has_value());
    auto reader = pcap::reader::open(*content);
    REQUIRE(reader.has_value());
    for (const duration at : {1000_s + 5_ms, 1000_s + 6_ms, 7_ms}) {
        const auto record = reader->next();
        REQUIRE(record.has_value());
        CHECK(record->since_epoch == at);
        CHECK(byte_vector{record->captured.begin(), record->captured.end()} == datagram);
    }
}

TEST_CASE("a sender without a file, and an empty packet, are refused") {
    pool buffers;
    pcap::sender::model<packet> out;
    packet p = packet_of(buffers, datagram_of({}));
    CHECK_FALSE(out.transmit(p, {}, {}));
    CHECK(p);
    CHECK(out.counters().last_error == EINVAL);
    temporary_file file;
    auto writer = pcap::writer::create(file.path, pcap::link_type::linux_sll);
    REQUIRE(writer.has_value());
    CHECK(writer->link() == link_header::unknown);
    pcap::sender::model<packet> other{writer->sender()};
    packet nothing;
    CHECK_FALSE(other.transmit(nothing, {}, {}));
    CHECK(other.counters().refused == 1);
}

}  // namespace port_pcap_sender
