// The n-th buffer is missing, on the sending paths of a stack below the endpoints (cork.cpp has
// those of the endpoints): the segments of a flow, packets that are cut or fragmented, datagrams
// made outside, programs' own headers, replies of handlers, and ICMP messages. Each time an error
// value or a smaller count, no buffer lost, and the next try works.
#include <doctest/doctest.h>

#include <sluice/endpoint/sending_flow.hpp>
#include <sluice/identification/counter_identification.hpp>
#include <sluice/stack/make_datagram.hpp>

#include "support/flaky_pool.hpp"
#include "support/segments.hpp"
#include "unit/endpoint/support.hpp"

#include <algorithm>

namespace endpoint_nth_buffer {

namespace {

using namespace endpoint_test;
using routing::send_error;
using sluice::testing::failure_plan;

struct scarce : policies<based_on<small_router>, buffers<flaky_pool<2048, 64>>> {};
using scarce_stack = stack<scarce>;
using packet = scarce_stack::packet_type;
using send_result = scarce_stack::send_result;

constexpr ipv4::address far = "192.0.2.1"_ip;
constexpr ipv4::address narrow = "192.0.2.2"_ip;

struct scarce_world : world<scarce> {
    scarce_world() : world({.has_gateway = true}) {}
};

// These bytes in as many blocks as they take; empty without one of them. Blocks of 800 bytes can
// be fragments as they are, blocks of 701 cannot.
packet in_blocks(scarce_stack& s, const byte_vector& data, std::size_t each = 701) {
    packet whole;
    for (std::size_t at = 0; at < data.size(); at += each) {
        const std::size_t n = std::min(each, data.size() - at);
        packet part = s.buffers().take();
        std::byte* const to = part ? part.put(static_cast<u32>(n)) : nullptr;
        if (to == nullptr) return {};
        copy_bytes(to, data.data() + at, n);
        if (!whole)
            whole = std::move(part);
        else if (!whole.append(std::move(part)))
            return {};
    }
    return whole;
}

// send(world) returns a send_result. `pieces`: the packets of one that succeeds; `least`: how many
// buffers it takes at least.
template <class Send>
void fails_at_every_buffer(std::size_t pieces, u32 least, Send&& send) {
    scarce_world w;
    u32 failed = 0;
    // A path MTU of 1000 to `narrow`.
    w.error(3, 4, 1000,
            datagram_of({.source = "10.0.2.1"_ip,
                         .destination = narrow,
                         .protocol = 1,
                         .payload = support::icmp_message(0, 0, 1)}));
    for (bool complete = false; !complete;) {
        CHECK(failed < 100);
        if (failed >= 100) return;
        CAPTURE(failed);
        const std::size_t before = w->buffers().available();
        w->buffers().fail(failure_plan::at(failed + 1));
        const send_result r = send(w);
        w->buffers().fail({});
        static_cast<void>(w.sent());
        CHECK(w->buffers().available() == before);
        complete = r.has_value();
        if (!complete) {
            CHECK(r.error() == send_error::no_buffer);
            ++failed;
        }
        REQUIRE(send(w).has_value());
        CHECK(w.sent().size() == pieces);
    }
    CHECK(failed >= least);
}

TEST_CASE("n-th buffer: a payload of one packet, whole and in fragments") {
    fails_at_every_buffer(1, 1, [](scarce_world& w) {
        return w->send(in_blocks(*w, pattern(500)), {.destination = far, .protocol = 253}, w.now);
    });
    fails_at_every_buffer(1, 2, [](scarce_world& w) {
        return w->send(in_blocks(*w, pattern(1400)), {.destination = far, .protocol = 253}, w.now);
    });
    fails_at_every_buffer(5, 5, [](scarce_world& w) {
        return w->send(in_blocks(*w, pattern(4000), 800), {.destination = far, .protocol = 253},
                       w.now);
    });
    fails_at_every_buffer(3, 5 + 3, [](scarce_world& w) {
        return w->send(in_blocks(*w, pattern(4000)), {.destination = far, .protocol = 253}, w.now);
    });
}

TEST_CASE("n-th buffer: the segments of a flow, whole and cut") {
    fails_at_every_buffer(1, 1, [](scarce_world& w) {
        sending_flow<scarce_stack> flow{*w, {.destination = far, .protocol = 6}};
        return flow.send(in_blocks(*w, pattern(600)), w.now);
    });
    // 3 segments of 700 bytes, and one shorter.
    fails_at_every_buffer(4, 3 + 4, [](scarce_world& w) {
        sending_flow<scarce_stack> flow{
            *w, {.destination = far, .source = "10.0.2.1"_ip, .protocol = 6}};
        byte_vector segment(20 + 2200);
        tcp::view{segment.data()}.set(tcp::data_offset, 5);
        packet p = in_blocks(*w, segment);
        if (p) support::set_metadata(p, support::flow{}, 700);
        return flow.send(std::move(p), w.now);
    });
}

TEST_CASE("n-th buffer: a datagram made outside the stack") {
    for (const u32 size : {500u, 3000u}) {

        fails_at_every_buffer(
            size == 500 ? 1 : 3, size == 500 ? 1 : 3, [size](scarce_world& w) -> send_result {
                counter_identification ids{hash_key{1, 2}};
                const byte_vector data = pattern(size);
                auto made = make_datagram(
                    w->view(), w->buffers(), ids, {.destination = far, .protocol = 253},
                    {.size = size}, rewrite::from_bytes{data},
                    [](packet&, const routing::output_route&, u64) {}, w.now);
                if (!made.has_value()) return failure{made.error()};
                return w->send(std::move(*made), w.now);
            });
    }
}

TEST_CASE("n-th buffer: a header of the program's, fragmented for a path MTU") {
    fails_at_every_buffer(2, 2 + 2, [](scarce_world& w) {
        packet p = in_blocks(
            *w, datagram_of(
                    {.source = "10.0.2.1"_ip, .destination = narrow, .payload = pattern(1380)}));
        if (!p) return send_result{failure{send_error::no_buffer}};
        return w->send_raw(std::move(p), {.destination = narrow}, w.now);
    });
}

struct answering final : protocol_handler<packet> {
    handler_result receive(packet& p, const delivery_info& info,
                           local_services<packet>& services) noexcept override {
        static_cast<void>(services.reply(std::move(p), info));
        return handler_result::taken();
    }
};

// A received packet that causes `answers` packets, or fewer without one of `buffers`.
template <class Receive>
void answers_less(std::size_t answers, u32 buffers, Receive&& receive) {
    scarce_world w;
    answering handler;
    REQUIRE(w->delivery().set_handler(253, &handler).has_value());
    for (u32 n = 1; n <= buffers + 1; ++n) {
        CAPTURE(n);
        const std::size_t before = w->buffers().available();
        packet p = receive(w);
        REQUIRE(p);
        w->buffers().fail(failure_plan::at(n));
        static_cast<void>(w->receive(std::move(p), w.now));
        w->buffers().fail({});
        const std::size_t sent = w.sent().size();
        CHECK((n <= buffers ? sent < answers : sent == answers));
        CHECK(w->buffers().available() == before);
        static_cast<void>(w->receive(receive(w), w.now));
        CHECK(w.sent().size() == answers);
    }
}

TEST_CASE("n-th buffer: replies and ICMP messages") {
    // In the buffers of the request.
    answers_less(1, 0, [](scarce_world& w) {
        return w.packet(datagram_of({.source = "10.0.1.2"_ip,
                                     .destination = "10.0.1.1"_ip,
                                     .protocol = 253,
                                     .payload = pattern(200)}));
    });
    answers_less(1, 0, [](scarce_world& w) {
        return w.packet(datagram_of({.source = "10.0.1.2"_ip,
                                     .destination = "10.0.1.1"_ip,
                                     .protocol = 1,
                                     .payload = support::echo_request(200)}));
    });
    // An error has one of its own.
    answers_less(1, 1, [](scarce_world& w) {
        return w.packet(datagram_of({.source = "10.0.1.2"_ip,
                                     .destination = "10.0.1.1"_ip,
                                     .protocol = 99,
                                     .payload = pattern(200)}));
    });
    answers_less(1, 1, [](scarce_world& w) {
        return w.packet(datagram_of(
            {.source = "10.0.1.2"_ip, .destination = far, .ttl = 1, .payload = pattern(200)}));
    });
}

}  // namespace

}  // namespace endpoint_nth_buffer
