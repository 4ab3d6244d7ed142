// Corked endpoints: several sends make one datagram; it is pushed, discarded, or too long. What the
// first send said counts. A failed send leaves no buffer behind, and the next one works.
#include <doctest/doctest.h>

#include "support/flaky_pool.hpp"
#include "unit/endpoint/support.hpp"

namespace endpoint_cork {

namespace {

using namespace endpoint_test;
using support::right_sums;

constexpr endpoint_address far{"192.0.2.1"_ip, 9};
constexpr endpoint_address other{"192.0.2.2"_ip, 10};
const byte_vector three = pattern(3);
const byte_vector five = pattern(5);

byte_vector joined(std::initializer_list<byte_vector> parts) {
    byte_vector all;
    for (const byte_vector& p : parts)
        all.insert(all.end(), p.begin(), p.end());
    return all;
}

TEST_CASE("cork: several sends make one datagram, to the destination of the first") {
    endpoint_world w;
    udp_socket s{*w};
    REQUIRE(s.bind({{}, 7000}).has_value());
    s.options().ttl = 33;
    REQUIRE(s.send(three, far, w.now, {.more = true}).has_value());
    s.options().ttl = 44;
    REQUIRE(s.send(five, other, w.now, {.more = true}).has_value());
    CHECK(w.is_quiet());
    SUBCASE("the last one sends it") {
        REQUIRE(s.send(three, w.now).has_value());  // needs no destination, as in Linux
    }
    SUBCASE("push sends it") {
        REQUIRE(s.send(three, other, w.now, {.more = true}).has_value());
        CHECK(w.is_quiet());
        REQUIRE(s.push(w.now).has_value());
    }
    const byte_vector sent = w.sent_one();
    check(sent, right_sums());
    const ipv4::const_view ip{sent.data()};
    CHECK(ip[ipv4::ttl] == 33);
    CHECK(ip[ipv4::destination] == far.host);
    CHECK(udp::const_view{sent.data() + 20}[udp::destination_port] == far.port);
    CHECK(udp::const_view{sent.data() + 20}[udp::length] == 19);
    CHECK(byte_vector(sent.begin() + 28, sent.end()) == joined({three, five, three}));
    CHECK(w->counters()[mib::udp_out_datagrams] == 1);
    // Nothing is left.
    REQUIRE(s.push(w.now).has_value());
    CHECK(w.is_quiet());
    REQUIRE(s.send(five, other, w.now).has_value());
    CHECK(ipv4::const_view{w.sent_one().data()}[ipv4::destination] == other.host);
}

TEST_CASE("cork: the option holds every send until it is off") {
    endpoint_world w;
    udp_socket s{*w};
    REQUIRE(s.connect(far, w.now).has_value());
    s.options().cork = true;
    for (int i = 0; i < 100; ++i) {
        REQUIRE(s.send(pattern(600), w.now).has_value());
    }
    CHECK(w.is_quiet());
    s.options().cork = false;
    SUBCASE("the next send sends it") {
        REQUIRE(s.send({}, w.now).has_value());
    }
    SUBCASE("push sends it") {
        REQUIRE(s.push(w.now).has_value());
    }
    CHECK(w->counters()[mib::ip_frag_oks] == 1);
    CHECK(w.sent().size() == (60'008 + 1479) / 1480);
}

TEST_CASE("cork: options of the header, and a source route") {
    endpoint_world w;
    raw_socket s{*w, 253};
    REQUIRE(s.set_ip_options(list({0x94, 4, 0, 0}), w.now));
    REQUIRE(s.send(three, far.host, w.now, {.more = true}).has_value());
    REQUIRE(s.set_ip_options({}, w.now));
    REQUIRE(s.send(five, far.host, w.now).has_value());
    const byte_vector sent = w.sent_one();
    REQUIRE(sent.size() == 32);
    CHECK(byte_vector(sent.begin() + 20, sent.begin() + 24) == list({0x94, 4, 0, 0}));
    CHECK(byte_vector(sent.begin() + 24, sent.end()) == joined({three, five}));
}

TEST_CASE("cork: discarded by the program or with the endpoint") {
    endpoint_world w;
    const std::size_t before = w->buffers().available();
    udp_socket s{*w};
    REQUIRE(s.send(pattern(4000), far, w.now, {.more = true}).has_value());
    CHECK(w->buffers().available() < before);
    SUBCASE("discard") {
        s.discard();
    }
    SUBCASE("close") {
        s.close();
    }
    CHECK(w->buffers().available() == before);
    REQUIRE(s.send(five, far, w.now).has_value());
    CHECK(w.sent_one().size() == 33);
}

TEST_CASE("cork: too long as a whole") {
    endpoint_world w;
    udp_socket s{*w};
    s.options().receive_errors = true;
    REQUIRE(s.bind().has_value());
    const struct {
        mtu_discovery how;
        u32 first;
        u32 most;
        u32 reported;
    } rows[] = {
        {.how = mtu_discovery::want, .first = 65'000, .most = 65'507, .reported = 1500},
        {.how = mtu_discovery::always, .first = 1000, .most = 1472, .reported = 1500},
        {.how = mtu_discovery::probe, .first = 1000, .most = 1472, .reported = 1500},
        {.how = mtu_discovery::interface, .first = 1000, .most = 1472, .reported = 1500},
        {.how = mtu_discovery::omit, .first = 65'000, .most = 65'507, .reported = 1500},
    };
    for (const auto& r : rows) {
        CAPTURE(r.first);
        s.options().discovery = r.how;
        const std::size_t before = w->buffers().available();
        REQUIRE(s.send(pattern(r.first), far, w.now, {.more = true}).has_value());
        REQUIRE(s.send(pattern(r.most - r.first), far, w.now, {.more = true}).has_value());
        CHECK(s.send(pattern(1), far, w.now).error() == endpoint_error::too_big);
        CHECK(w->buffers().available() == before);
        byte_vector quote(10);
        const auto report = s.receive_error(quote);
        REQUIRE(report.has_value());
        CHECK(report->error == endpoint_error::too_big);
        CHECK(report->info == r.reported);
        CHECK(w.is_quiet());
    }
}

TEST_CASE("cork: a program's own protocol: nothing is left of a datagram that did not begin") {
    endpoint_world w;
    corked_send<stack_type> own{*w};
    const auto no_header = [](auto&, const routing::output_route&, u64) {};
    CHECK(own.append(three, w.now).error() == routing::send_error::invalid);
    CHECK(own.push(w.now, no_header).error() == routing::send_error::invalid);
    CHECK(w->counters()[mib::ip_out_discards] == 0);
    REQUIRE(own.begin({.destination = far.host, .protocol = 253}, {}, w.now).has_value());
    REQUIRE(own.append(three, w.now).has_value());
    CHECK(own.begin({.destination = far.host, .source = "10.9.9.9"_ip}, {}, w.now).error() ==
          routing::send_error::network_unreachable);
    CHECK(own.append(five, w.now).error() == routing::send_error::invalid);
    CHECK(own.push(w.now, no_header).error() == routing::send_error::invalid);
    CHECK(w.is_quiet());
    REQUIRE(own.begin({.destination = far.host, .protocol = 253}, {}, w.now).has_value());
    REQUIRE(own.append(five, w.now).has_value());
    REQUIRE(own.push(w.now, no_header).has_value());
    CHECK(w.sent_one().size() == 25);
}

TEST_CASE("cork: a probe sends nothing") {
    endpoint_world w;
    udp_socket s{*w};
    CHECK(s.send(three, far, w.now, {.probe = true}).has_value());
    s.options().discovery = mtu_discovery::always;
    CHECK(s.send(pattern(1473), far, w.now, {.probe = true}).error() == endpoint_error::too_big);
    REQUIRE(s.send(three, far, w.now, {.more = true}).has_value());
    CHECK(s.send(five, far, w.now, {.probe = true}).has_value());
    CHECK(w.is_quiet());
    REQUIRE(s.push(w.now).has_value());
    CHECK(w.sent_one().size() == 31);
    raw_socket raw{*w, 253};
    CHECK(raw.send(three, far.host, w.now, {.probe = true}).has_value());
    raw.options().header_included = true;
    CHECK(raw.send(datagram_of({}), far.host, w.now, {.probe = true}).has_value());
    CHECK(w.is_quiet());
}

TEST_CASE("cork: raw and ping endpoints") {
    endpoint_world w;
    raw_socket raw{*w, 253};
    REQUIRE(raw.send(three, far.host, w.now, {.more = true}).has_value());
    raw.options().cork = true;  // of UDP only
    REQUIRE(raw.send(five, far.host, w.now).has_value());
    const byte_vector sent = w.sent_one();
    CHECK(byte_vector(sent.begin() + 20, sent.end()) == joined({three, five}));
    REQUIRE(raw.send(three, far.host, w.now, {.more = true}).has_value());
    REQUIRE(raw.push(w.now).has_value());
    CHECK(w.sent_one().size() == 23);
    raw.options().header_included = true;
    REQUIRE(raw.send(datagram_of({.source = "10.0.1.1"_ip, .destination = far.host}), far.host,
                     w.now, {.more = true})
                .has_value());
    CHECK(w.sent().size() == 1);
    ping_socket ping{*w};
    REQUIRE(ping.send_echo(1, three, far.host, w.now, {.more = true}).has_value());
    CHECK(w.sent_one().size() == 31);
}

TEST_CASE("cork: to this host itself") {
    endpoint_world w;
    udp_socket s{*w}, server{*w};
    REQUIRE(server.bind({"10.0.1.1"_ip, 7}).has_value());
    for (int i = 0; i < 9; ++i) {
        REQUIRE(s.send(pattern(300), {"10.0.1.1"_ip, 7}, w.now, {.more = i < 8}).has_value());
    }
    static_cast<void>(w->poll(w.now));
    const heard h = hear_one(server, 4000);
    CHECK(h.bytes.size() == 2700);
}

struct scarce : policies<based_on<small_router>, buffers<flaky_pool<1024, 64>>> {};
using scarce_stack = stack<scarce>;

// Each sending path with its n-th buffer missing: an error value, no buffer lost, and the next
// send works.
template <class Policies = scarce, class Send>
void fails_at_every_buffer(Send&& send) {
    world<Policies> w{{.has_gateway = true}};
    u32 failed = 0;
    bool complete = false;
    for (u32 n = 1; !complete; ++n) {
        REQUIRE(n < 100);
        const std::size_t before = w->buffers().available();
        w->buffers().fail(sluice::testing::failure_plan::at(n));
        const auto r = send(*w, w.now);
        w->buffers().fail({});
        static_cast<void>(w.sent());
        CHECK(w->buffers().available() == before);
        complete = r.has_value();
        if (!complete) {
            CHECK(r.error() == std::remove_cvref_t<decltype(r.error())>::no_buffer);
            ++failed;
        }
        REQUIRE(send(*w, w.now).has_value());
        CHECK(!w.sent().empty());
    }
    CHECK(failed > 0);
}

TEST_CASE("cork: the n-th buffer is missing, on each sending path") {
    const auto bytes = pattern(1400);
    fails_at_every_buffer([&](scarce_stack& on, moment now) {
        udp_endpoint<scarce_stack, few> s{on};
        return s.send(bytes, far, now);
    });
    fails_at_every_buffer([&](scarce_stack& on, moment now) {
        udp_endpoint<scarce_stack, few> s{on};
        for (int i = 0; i < 6; ++i) {
            if (const auto r = s.send(bytes, far, now, {.more = true}); !r.has_value()) return r;
        }
        return s.push(now);
    });
    fails_at_every_buffer([&](scarce_stack& on, moment now) {
        raw_endpoint<scarce_stack, few> s{on, 253};
        return s.send(bytes, far.host, now);
    });
    fails_at_every_buffer([&](scarce_stack& on, moment now) {
        raw_endpoint<scarce_stack, few> s{on, 255};
        return s.send(datagram_of({.source = "10.0.1.1"_ip, .payload = bytes}), far.host, now);
    });
    fails_at_every_buffer([&](scarce_stack& on, moment now) {
        ping_endpoint<scarce_stack, few> s{on};
        return s.send_echo(1, bytes, far.host, now);
    });
}

struct counted : policies<based_on<small_router>,
                          buffers<flaky_pool<2048, 64, fixed_pool<2048, 64, shared>>>> {};

TEST_CASE("cork: the n-th buffer is missing where bytes are referred to") {
    using counted_stack = stack<counted>;
    fails_at_every_buffer<counted>([](counted_stack& on, moment now) -> counted_stack::send_result {
        auto page = on.buffers().take();
        if (!page || !page.append(pattern(1800))) return failure{routing::send_error::no_buffer};
        corked_send<counted_stack> datagram{on};
        const send_request r{.destination = far.host, .protocol = 253};
        const auto route = on.route(flow_of(r), now);
        REQUIRE(route.has_value());
        if (const auto begun = datagram.begin(r, *route, {}, now); !begun.has_value()) return begun;
        for (const u32 offset : {0u, 100u, 299u}) {
            const auto done = datagram.refer(page, offset, 1501, now);
            if (!done.has_value()) return done;
        }
        return datagram.push(now, [](auto&, const auto&, u64) {});
    });
}

}  // namespace

}  // namespace endpoint_cork
