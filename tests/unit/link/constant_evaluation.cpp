// The link in constant evaluation, below an output_policy: a request, its reply, the waiting
// packet.
#include <sluice/link/ethernet.hpp>
#include <sluice/link/ethernet_output.hpp>
#include <sluice/packet/pool_storage.hpp>

#include <doctest/doctest.h>

namespace link_constant_evaluation {
using namespace sluice;

namespace {

using pool = fixed_pool<128, 4>;
using packet = pool::packet_type;

struct last_frame {
    static constexpr bool takes_segmented = false;
    packet frame{};
    constexpr bool send_frame(packet& f, u16, instant) noexcept {
        frame = std::move(f);
        return true;
    }
    constexpr void flush() noexcept {}
};
using link = ethernet_link<pool, single_link_host, last_frame, 4>;
static_assert(output_policy<ethernet_output<link>, packet>);
static_assert(!ethernet_output<link>::model<packet>::takes_segmented);

constexpr ethernet::address local{{2, 0, 0, 0, 0, 1}};
constexpr ethernet::address remote{{2, 0, 0, 0, 0, 2}};

constexpr bool resolves() {
    pool buffers;
    single_link_host host{local, {0x0a000001}};
    last_frame device;
    link eth{buffers, host, device, {1, 2}};
    ethernet_output<link>::model<packet> output{eth};

    packet p = buffers.take(64);
    fill_bytes(p.put(20), 20, std::byte{0x45});
    if (!output.transmit(p, {1, link_destination::unicast, {0x0a000002}}, {}) ||
        device.frame.size() != 42) {
        return false;
    }
    const auto asked = parse_value<arp::packet>({device.frame.data() + 14, 28});
    packet answer = buffers.take(0);
    arp::write_frame(
        answer.put(42), local,
        {arp::operations::reply, remote, asked->target_protocol, local, asked->sender_protocol});
    answer.set_interface(1);
    if (eth.input(answer, instant{} + 1_ms) != frame_kind::taken) {
        return false;
    }
    const ethernet::const_view sent{device.frame.data()};
    return device.frame.size() == 34 && sent[ethernet::destination] == remote &&
           sent[ethernet::source] == local && device.frame.data()[14] == std::byte{0x45};
}
static_assert(resolves());

}  // namespace

TEST_CASE("the same at run time") {
    CHECK(resolves());
}

}  // namespace link_constant_evaluation
