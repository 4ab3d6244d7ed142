// make_datagram() and corked_send make the same datagrams: any sizes, writes, options, MTUs and
// modes of DF, whole and in fragments.
#include <doctest/doctest.h>

#include <sluice/endpoint/corked_send.hpp>
#include <sluice/identification/counter_identification.hpp>
#include <sluice/stack/make_datagram.hpp>

#include "unit/endpoint/support.hpp"

#include <algorithm>
#include <random>

namespace endpoint_same_as_made {

namespace {

using namespace endpoint_test;

struct counted : policies<based_on<small_router>, buffers<fixed_pool<2048, 512>>,
                          output<queue_output<256>>, identification<counter_identification>> {};
using counted_stack = stack<counted>;

// Writes each byte of the transport header, whose bytes are uninitialized.
auto front_writer(u32 front) {
    return [front](auto& p, const routing::output_route& route, u64 sum) {
        std::byte fields[16]{};
        store_be<u32>(fields, checksum::fold(sum));
        store_be<u32>(fields + 4, route.source.value);
        copy_bytes(p.writable(), fields, front);
    };
}

struct attempt {
    send_request request{};
    byte_vector data{};
    std::vector<u32> writes{};
    u32 front = 8;
};

struct outcome {
    routing::send_error error{};
    std::vector<support::sent_packet> sent{};
};

outcome made(world<counted>& w, const attempt& a) {
    outcome o;
    counter_identification ids{hash_key{1, 2}};
    auto d = make_datagram(w->view(), w->buffers(), ids, a.request,
                           {.front = a.front, .size = static_cast<u32>(a.data.size())},
                           rewrite::from_bytes{a.data}, front_writer(a.front), w.now);
    if (d.has_value()) {
        const auto sent = w->send(std::move(*d), w.now);
        o.error = sent.has_value() ? routing::send_error::none : sent.error();
    } else {
        o.error = d.error();
    }
    o.sent = w.sent();
    return o;
}

outcome corked(world<counted>& w, const attempt& a) {
    outcome o;
    corked_send<counted_stack> cork{*w};
    auto done = cork.begin(a.request, {.front = a.front}, w.now);
    const_bytes left{a.data};
    for (const u32 n : a.writes) {
        if (!done.has_value()) break;
        done = cork.append(left.first(n), w.now);
        left = left.subspan(n);
    }
    if (done.has_value()) done = cork.push(w.now, front_writer(a.front));
    o.error = done.has_value() ? routing::send_error::none : done.error();
    o.sent = w.sent();
    return o;
}

TEST_CASE("same as made: random datagrams, by one step and by several writes") {
    std::mt19937 random{1};
    const auto below = [&](u32 n) { return static_cast<u32>(random() % n); };
    const byte_vector wanted[] = {
        {},
        {std::byte{148}, std::byte{4}, std::byte{0}, std::byte{0}},
        {std::byte{7}, std::byte{11}, std::byte{4}, std::byte{0}, std::byte{0}, std::byte{0},
         std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}},
        {std::byte{68}, std::byte{12}, std::byte{5}, std::byte{0}, std::byte{0}, std::byte{0},
         std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}},
    };
    world<counted> w{{.has_gateway = true}};
    REQUIRE(w->add_route({.prefix = {"20.0.0.0"_ip, 8}, .mtu = 300, .gateway = "10.0.2.254"_ip})
                .has_value());
    u32 fragmented = 0;
    u32 refused = 0;
    for (int round = 0; round < 2000; ++round) {
        CAPTURE(round);
        const u16 mtu = static_cast<u16>(68 + below(below(2) == 0 ? 60 : 1433));
        REQUIRE(w->set_mtu(3, mtu).has_value());
        attempt a;
        a.front = below(4) * 4;
        a.data.resize(below(below(3) == 0 ? 60 : 6000));
        for (std::byte& b : a.data)
            b = static_cast<std::byte>(below(256));
        for (u32 left = static_cast<u32>(a.data.size()); left > 0;) {
            const u32 n = std::min(left, 1 + below(below(2) == 0 ? 10 : 3000));
            a.writes.push_back(n);
            left -= n;
        }
        ip_options::outgoing options{};
        const auto looked_up = w->tables();
        const std::byte none[ipv4::min_header_length]{};
        const interface nowhere{};
        routing::option_environment environment{looked_up, ipv4::const_view{none}, nowhere,
                                                route_type::unicast, w.now.midnight_ms};
        const auto compiled = ip_options::compile_request(
            wanted[below(4)], ip_options::sender_rights::privileged, environment);
        REQUIRE(compiled.has_value());
        options = *compiled;
        a.request = {.destination = below(3) == 0 ? "20.0.0.1"_ip : "192.0.2.1"_ip,
                     .protocol = 253,
                     .tos = static_cast<u8>(below(64) * 4),
                     .ttl = static_cast<u8>(below(3)),
                     .dont_fragment = below(4) == 0,
                     .prefer_whole = below(2) == 0,
                     .always_identified = below(2) == 0,
                     .ignore_path_mtu = below(2) == 0,
                     .mark = below(3),
                     .options = below(2) == 0 ? &options : nullptr};
        const outcome one = made(w, a);
        const outcome other = corked(w, a);
        CHECK(one.error == other.error);
        REQUIRE(one.sent.size() == other.sent.size());
        for (std::size_t i = 0; i < one.sent.size(); ++i) {
            byte_vector x = one.sent[i].datagram;
            byte_vector y = other.sent[i].datagram;
            CHECK((one.sent[i].to == other.sent[i].to));
            CHECK(one.sent[i].mark == other.sent[i].mark);
            for (const std::size_t own : {4u, 5u, 10u, 11u})  // identification, checksum
                x[own] = y[own] = std::byte{0};
            CHECK(x == y);
        }
        fragmented += one.sent.size() > 1 ? 1u : 0u;
        refused += one.error != routing::send_error::none ? 1u : 0u;
    }
    CHECK(fragmented > 200);
    CHECK(refused > 50);
}

}  // namespace

}  // namespace endpoint_same_as_made
