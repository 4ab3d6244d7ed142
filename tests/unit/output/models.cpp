// Behaviour of the output models beyond the concept: order, egress, copies, refusals.
#include "support/datagrams.hpp"

#include <doctest/doctest.h>

#include <sluice/output/by_interface.hpp>
#include <sluice/output/queue_output.hpp>
#include <sluice/output/tee_output.hpp>
#include <sluice/packet/pool_storage.hpp>

#include <utility>

namespace output_models {

namespace {

using namespace sluice;
using namespace sluice::literals;

using pool_type = fixed_pool<512, 8>;
using packet = pool_type::packet_type;
template <class Output>
using model_of = typename Output::template model<packet>;

packet numbered(pool_type& pool, int number) {
    return support::packet_of(pool, support::list({number, number, number}));
}
int number_of(const packet& p) {
    return p && p.size() == 3 ? std::to_integer<int>(p.data()[2]) : -1;
}
egress towards(u16 interface) {
    return {.interface = interface,
            .kind = link_destination::broadcast,
            .next_hop = ipv4::address{0x0a000000U + interface}};
}

struct counting {
    template <class Packet>
    struct model {
        static constexpr bool takes_segmented = false;
        static constexpr bool takes_gso = true;
        int flushes = 0;
        bool transmit(Packet&, const egress&, instant) noexcept { return true; }
        void flush() noexcept { ++flushes; }
    };
};

struct asking : counting {
    template <class Packet>
    struct model : counting::model<Packet> {
        [[nodiscard]] bool resolve(const egress& to, instant) noexcept { return to.interface == 3; }
    };
};

TEST_CASE("by_interface: each interface has an output of its own, or none") {
    pool_type pool;
    model_of<by_interface<queue_output<2>, 2>> outputs;
    REQUIRE(outputs.add(3, {}));
    REQUIRE(outputs.add(900, {}));
    CHECK_FALSE(outputs.add(4, {}));  // two is all
    packet p = numbered(pool, 7);
    CHECK_FALSE(outputs.transmit(p, towards(4), {}));
    CHECK(number_of(p) == 7);
    CHECK_FALSE(outputs.offloads(towards(4)).checksum);
    CHECK_FALSE(outputs.resolve(towards(4), {}));
    REQUIRE(outputs.transmit(p, towards(900), {}));
    CHECK(outputs.find(3)->size() == 0);
    CHECK(outputs.find(900)->size() == 1);
    CHECK(outputs.find(900)->next().to.interface == 900);
    CHECK(outputs.resolve(towards(3), {}));
    CHECK(outputs.offloads(towards(3)).checksum ==
          offloads_of(*outputs.find(3), towards(3)).checksum);

    REQUIRE(outputs.add(3, {}));  // anew
    outputs.remove(900);
    outputs.remove(5);  // nothing
    CHECK(outputs.find(900) == nullptr);
    CHECK(outputs.add(4, {}));
    p = numbered(pool, 8);
    CHECK_FALSE(outputs.transmit(p, towards(900), {}));
}

TEST_CASE("by_interface: a flush ends the burst of each") {
    model_of<by_interface<counting>> outputs;
    REQUIRE(outputs.add(1, {}));
    REQUIRE(outputs.add(2, {}));
    outputs.flush();
    outputs.flush();
    CHECK(outputs.find(1)->flushes == 2);
    CHECK(outputs.find(2)->flushes == 2);
}

TEST_CASE("a next hop without a link address: a tee asks the device; a queue reaches every one") {
    model_of<tee_output<queue_output<4>, asking>> tee;
    CHECK(resolve_by(tee, towards(3), {}));
    CHECK_FALSE(resolve_by(tee, towards(4), {}));
    model_of<tee_output<asking, queue_output<4>>> captured;
    CHECK(resolve_by(captured, towards(4), {}));
    model_of<queue_output<4>> queue;
    CHECK(resolve_by(queue, towards(4), {}));
}

TEST_CASE("a queue keeps order and egress, also around its end") {
    pool_type pool;
    model_of<queue_output<4>> queue;
    CHECK(number_of(queue.next().packet) == -1);
    int in = 0;
    int out = 0;
    for (const int burst : {3, 2, 4, 1, 4}) {
        for (int i = 0; i < burst; ++i) {
            packet p = numbered(pool, in);
            REQUIRE(queue.transmit(p, towards(static_cast<u16>(in++)), {}));
        }
        CHECK(queue.size() == static_cast<std::size_t>(burst));
        for (; out < in; ++out) {
            const auto item = queue.next();
            CHECK(number_of(item.packet) == out);
            CHECK(item.to == towards(static_cast<u16>(out)));
        }
        CHECK_FALSE(queue.next().packet);
    }
}

TEST_CASE("a tee gives both outputs equal packets, each its own copy") {
    pool_type pool;
    model_of<tee_output<queue_output<4>, queue_output<4>>> tee;
    packet p = numbered(pool, 5);
    REQUIRE(tee.transmit(p, towards(3), {}));
    CHECK_FALSE(p);
    auto capture = tee.first.next();
    auto sent = tee.second.next();
    CHECK(number_of(capture.packet) == 5);
    CHECK(number_of(sent.packet) == 5);
    CHECK(capture.to == towards(3));
    CHECK(sent.to == towards(3));
    sent.packet.data()[2] = std::byte{6};
    CHECK(number_of(capture.packet) == 5);
}

TEST_CASE(
    "a packet that the device refuses is not captured; one that the capture refuses is sent") {
    pool_type pool;
    model_of<tee_output<queue_output<4>, queue_output<2>>> small_device;
    for (int i = 0; i < 3; ++i) {
        packet p = numbered(pool, i);
        CHECK(small_device.transmit(p, {}, {}) == (i < 2));
        CHECK(number_of(p) == (i < 2 ? -1 : i));
    }
    CHECK(small_device.first.size() == 2);
    model_of<tee_output<queue_output<1>, queue_output<2>>> small_capture;
    for (int i = 0; i < 2; ++i) {
        packet p = numbered(pool, i);
        CHECK(small_capture.transmit(p, {}, {}));
    }
    CHECK(small_capture.first.size() == 1);
    CHECK(small_capture.second.size() == 2);
}

TEST_CASE("a tee without a buffer for the copy sends the packet") {
    fixed_pool<512, 1> pool;
    model_of<tee_output<queue_output<2>, queue_output<2>>> tee;
    packet p = support::packet_of(pool, support::list({1, 2, 3}));
    REQUIRE(tee.transmit(p, {}, {}));
    CHECK(tee.first.size() == 0);
    CHECK(number_of(tee.second.next().packet) == 3);
}

TEST_CASE("a tee accepts the offloads of both outputs, and flushes both") {
    using both = model_of<tee_output<counting, queue_output<2>>>;
    static_assert(!both::takes_segmented && both::takes_gso);
    model_of<tee_output<counting, counting>> tee;
    tee.flush();
    tee.flush();
    CHECK(tee.first.flushes == 2);
    CHECK(tee.second.flushes == 2);
}

TEST_CASE(
    "a callback gets its context and the egress; without a callback every packet is refused") {
    struct seen {
        int number = -1;
        egress to{};
    } context;
    pool_type pool;
    model_of<callback_output> output;
    packet p = numbered(pool, 9);
    CHECK_FALSE(output.transmit(p, towards(7), {}));
    CHECK(number_of(p) == 9);
    output.context = &context;
    output.call = [](void* c, packet& given, const egress& to, instant) noexcept {
        *static_cast<seen*>(c) = {number_of(given), to};
        given.reset();
        return true;
    };
    CHECK(output.transmit(p, towards(7), {}));
    CHECK(context.number == 9);
    CHECK(context.to == towards(7));
    CHECK(pool.available() == 8);
}

TEST_CASE("device offloads: segments are cut only from packets with a pending checksum") {
    using kind = segmentation_kind;
    const bool no = false;
    const bool yes = true;
    const struct {
        output_offloads device;
        bool plain, pending, tcp, udp, tcp_ipv6;  // which packets it takes
    } rows[] = {
        {.device = {no, no, no}, .plain = yes, .pending = no, .tcp = no, .udp = no, .tcp_ipv6 = no},
        {.device = {yes, no, no},
         .plain = yes,
         .pending = yes,
         .tcp = no,
         .udp = no,
         .tcp_ipv6 = no},
        {.device = {no, yes, yes},
         .plain = yes,
         .pending = no,
         .tcp = no,
         .udp = no,
         .tcp_ipv6 = no},
        {.device = {yes, yes, no},
         .plain = yes,
         .pending = yes,
         .tcp = yes,
         .udp = no,
         .tcp_ipv6 = no},
        {.device = {yes, no, yes},
         .plain = yes,
         .pending = yes,
         .tcp = no,
         .udp = yes,
         .tcp_ipv6 = no},
        {.device = {yes, yes, yes},
         .plain = yes,
         .pending = yes,
         .tcp = yes,
         .udp = yes,
         .tcp_ipv6 = no},
    };
    const auto takes = [](const output_offloads& device, kind segments, checksum_state checksum) {
        metadata known;
        known.segmentation = segments;
        known.checksum = checksum;
        return device.takes(known);
    };
    for (const auto& row : rows) {
        CAPTURE(&row - rows);
        CHECK(takes(row.device, kind::none, checksum_state::unknown) == row.plain);
        CHECK(takes(row.device, kind::none, checksum_state::pending) == row.pending);
        CHECK(takes(row.device, kind::tcp_ipv4, checksum_state::pending) == row.tcp);
        CHECK(takes(row.device, kind::udp, checksum_state::pending) == row.udp);
        CHECK(takes(row.device, kind::tcp_ipv6, checksum_state::pending) == row.tcp_ipv6);
        for (const kind segments : {kind::tcp_ipv4, kind::udp}) {
            CHECK_FALSE(takes(row.device, segments, checksum_state::unknown));
            CHECK_FALSE(takes(row.device, segments, checksum_state::verified));
        }
    }
}

struct partial {
    template <class Packet>
    struct model : counting::model<Packet> {
        output_offloads can{};
        [[nodiscard]] constexpr output_offloads offloads(const egress&) const noexcept {
            return can;
        }
    };
};

TEST_CASE("a tee offers only the offloads of both outputs") {
    model_of<tee_output<partial, partial>> tee;
    const output_offloads alone[] = {
        {.checksum = true}, {.tcp_segments = true}, {.udp_segments = true}};
    for (const auto& one : alone) {
        tee.first.can = {true, true, true};
        tee.second.can = one;
        CHECK(tee.offloads(towards(3)) == one);
        tee.first.can = one;
        tee.second.can = {true, true, true};
        CHECK(tee.offloads(towards(3)) == one);
        tee.second.can = {};
        CHECK(tee.offloads(towards(3)) == output_offloads{});
    }
}

TEST_CASE("no output takes an empty handle") {
    packet none;
    model_of<queue_output<2>> queue;
    CHECK_FALSE(queue.transmit(none, towards(3), {}));
    CHECK(queue.size() == 0);
    model_of<callback_output> output;
    output.call = [](void*, packet&, const egress&, instant) noexcept { return true; };
    CHECK_FALSE(output.transmit(none, towards(3), {}));
}

}  // namespace

}  // namespace output_models
