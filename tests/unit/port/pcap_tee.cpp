// A capture beside the real output: the file has every offered packet as it was at the call.
#include <sluice/link/concept.hpp>
#include <sluice/output/queue_output.hpp>
#include <sluice/port/capture_file.hpp>
#include <sluice/port/pcap_tee.hpp>

#include "support/datagrams.hpp"
#include "temporary_file.hpp"

#include <doctest/doctest.h>

#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace port_pcap_tee {
using namespace support;
using namespace sluice::port;
using port_test::temporary_file;

namespace {

using pool = fixed_pool<2048, 64, shared>;
using packet = pool::packet_type;

struct scripted {  // accepts the packets that the test sets
    template <class Packet>
    struct model {
        static constexpr bool takes_segmented = true;
        static constexpr bool takes_gso = true;
        bool takes = true;
        int flushed = 0;
        bool transmit(Packet& p, const egress&, instant) noexcept {
            if (takes) p.reset();
            return takes;
        }
        bool send_frame(Packet& p, u16, instant) noexcept { return transmit(p, {}, {}); }
        void flush() noexcept { ++flushed; }
    };
};
static_assert(output_policy<pcap_tee<scripted>, packet>);
static_assert(output_policy<pcap_tee<queue_output<4>>, packet>);
static_assert(frame_sink<pcap_tee<scripted>::model<packet>, packet>);
static_assert(!frame_sink<pcap_tee<queue_output<4>>::model<packet>, packet>);

}  // namespace

TEST_CASE("an offered packet is captured, accepted or not") {
    static pool buffers;
    temporary_file file;
    auto writer = pcap::writer::create(file.path, pcap::link_type::raw);
    REQUIRE(writer.has_value());
    pcap_tee<scripted>::model<packet> out{.recorder = *writer};

    const byte_vector plain = datagram_of({});
    const byte_vector large = datagram_of({.payload = pattern(5000)});
    auto first = packet_of(buffers, plain);
    CHECK(out.transmit(first, {}, {}));
    CHECK_FALSE(first);
    auto head = packet_of(buffers, {large.begin(), large.begin() + 1500});
    for (std::ptrdiff_t i = 1500; i < 5020; i += 1500)
        head.append(packet_of(buffers, {large.begin() + i,
                                        large.begin() + std::min<std::ptrdiff_t>(5020, i + 1500)}));
    out.second.takes = false;
    CHECK_FALSE(out.send_frame(head, 1, {}));
    CHECK(content_of(head) == large);
    out.flush();
    CHECK(out.second.flushed == 1);
    CHECK(out.recorder.lost() == 0);

    const auto content = capture::load_file(file.path);
    REQUIRE(content.has_value());
    auto reader = pcap::reader::open(*content);
    REQUIRE(reader.has_value());
    const auto one = reader->next();
    const auto two = reader->next();
    REQUIRE((one && two));
    CHECK(byte_vector{one->captured.begin(), one->captured.end()} == plain);
    CHECK(byte_vector{two->captured.begin(), two->captured.end()} == large);
    CHECK(one->since_epoch.nanoseconds > 1'600'000'000'000'000'000);
    CHECK(two->since_epoch.nanoseconds >= one->since_epoch.nanoseconds);
    CHECK(reader->next().error() == pcap::error::end);
    head.reset();
    CHECK(buffers.available() == 64);
}

TEST_CASE("a file that cannot grow does not stop sending") {
    static pool buffers;
    auto full = pcap::writer::create("/dev/full", pcap::link_type::raw);
    CHECK_FALSE(full.has_value());  // not even its header
    int ends[2];
    REQUIRE(::pipe2(ends, O_NONBLOCK) == 0);  // without a reader the pipe fills
    const descriptor other{ends[0]};
    auto writer = pcap::writer::open(descriptor{ends[1]}, pcap::link_type::raw);
    REQUIRE(writer.has_value());
    pcap_tee<scripted>::model<packet> out{.recorder = *writer};
    for (int i = 0; i < 5000; ++i) {
        auto p = packet_of(buffers, datagram_of({}));
        REQUIRE(out.transmit(p, {}, {}));
    }
    CHECK(out.recorder.lost() > 0);
    CHECK(out.recorder.lost() + writer->written() == 5000);
    pcap_tee<scripted>::model<packet> idle{};  // without a writer: nothing but Second
    auto q = packet_of(buffers, datagram_of({}));
    CHECK(idle.transmit(q, {}, {}));
    CHECK(idle.recorder.lost() == 0);
}

}  // namespace port_pcap_tee
