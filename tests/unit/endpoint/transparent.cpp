// Endpoints that are chosen before a packet is routed, and endpoints of foreign addresses: a
// transparent proxy in a whole stack.
#include "support/world.hpp"

#include <doctest/doctest.h>

#include <sluice/endpoint/udp_endpoint.hpp>
#include <sluice/hooks/hook_chain.hpp>

namespace endpoint_transparent {

namespace {

using namespace stack_test;

struct hooked : policies<based_on<small_router>, hooks<hook_chain<4, 4>>> {};
using packet = world<hooked>::packet_type;
using socket = udp_endpoint<stack<hooked>>;

constexpr ipv4::address client = "10.0.1.2"_ip;
constexpr ipv4::address server = "198.51.100.7"_ip;  // of another network

// Gives UDP to port 53 to the endpoint of the proxy's port, wherever it is addressed to. Linux
// TPROXY --on-port 5353.
struct proxy_hook final : hook<packet> {
    explicit proxy_hook(stack<hooked>& s) : of(s) {}
    hook_verdict operator()(packet& p, const hook_context& c) noexcept override {
        const ipv4::const_view ip{std::as_const(p).data()};
        const udp::const_view ports{std::as_const(p).data() + ipv4::header_length(ip)};
        if (ip[ipv4::protocol] == protocol && ports[udp::destination_port] == 53) {
            p.writable_metadata().endpoint =
                of.delivery().choose_udp({.source = ip[ipv4::source],
                                          .destination = ip[ipv4::destination],
                                          .interface = c.in,
                                          .source_port = ports[udp::source_port],
                                          .destination_port = 5353,
                                          .protocol = ipv4::protocols::udp});
        }
        return answer;
    }
    stack<hooked>& of;
    u8 protocol = ipv4::protocols::udp;
    hook_verdict answer = hook_verdict::accept;
};

struct proxy_world : world<hooked> {
    proxy_world() : hook{**this} { REQUIRE((*this)->hooks().add(hook_point::prerouting, 0, hook)); }
    // Linux: ip route add local 198.51.100.0/24 dev lo.
    void take_foreign() {
        REQUIRE((*this)
                    ->add_route({.prefix = "198.51.100.0/24"_prefix,
                                 .type = route_type::local,
                                 .interface = routing::loopback_index})
                    .has_value());
    }
    fate ask(const byte_vector& question) { return hear(4000, 53, question, server, client); }
    proxy_hook hook;
};

TEST_CASE(
    "transparent: packets for foreign addresses reach the proxy, its answer has their source") {
    proxy_world b;
    b.take_foreign();
    socket proxy{*b};
    proxy.options().transparent = true;
    REQUIRE(proxy.bind({{}, 5353}).has_value());
    CHECK(b.ask(pattern(12)) == fate::delivered);
    std::byte bytes[32];
    const auto asked = proxy.receive(bytes);
    REQUIRE(asked.has_value());
    CHECK(asked->length == 12);
    CHECK(asked->from == endpoint_address{client, 4000});
    CHECK(asked->destination == server);
    CHECK(asked->destination_port == 53);

    // Answers as the server, by an endpoint of the server's address and port.
    socket as_server{*b};
    REQUIRE(as_server.bind({server, 53}).has_value());  // a local route makes the address local
    REQUIRE(as_server.send(pattern(5), asked->from, b.now).has_value());
    check(b.sent_one(), support::right_sums(), support::source(server),
          support::destination(client));
}

TEST_CASE("transparent: only such an endpoint binds to and sends from foreign addresses") {
    for (const bool transparent : {false, true}) {
        CAPTURE(transparent);
        proxy_world b;
        socket s{*b};
        s.options().transparent = transparent;
        const auto bound = s.bind({server, 53});
        CHECK(bound.has_value() == transparent);
        if (!transparent) {
            CHECK(bound.error() == endpoint_error::address_not_available);
            continue;
        }
        for (int i = 0; i < 2; ++i) {  // the second by the prepared flow
            REQUIRE(s.send(pattern(5), {client, 4000}, b.now).has_value());
            check(b.sent_one(), support::right_sums(), support::source(server),
                  support::destination(client));
        }
        // The option counts for each send. Linux inet_sk_flowi_flags.
        s.options().transparent = false;
        CHECK_FALSE(s.send(pattern(5), {client, 4000}, b.now).has_value());
        CHECK(b.is_quiet());
        s.options().transparent = true;
        REQUIRE(s.connect({client, 4000}, b.now).has_value());
        REQUIRE(s.send(pattern(5), b.now).has_value());
        check(b.sent_one(), support::source(server));
    }
}

TEST_CASE("chosen: the endpoint counts, not the ports of the datagram") {
    proxy_world b;
    socket proxy{*b};
    socket asked_port{*b};
    REQUIRE(proxy.bind({{}, 5353}).has_value());
    REQUIRE(asked_port.bind({{}, 53}).has_value());
    CHECK(b.hear(4000, 53, pattern(3)) == fate::delivered);
    CHECK(proxy.waiting_packets() == 1);
    CHECK(asked_port.waiting_packets() == 0);
    CHECK(b.hear(4000, 5353, pattern(3)) == fate::delivered);  // the hook leaves it alone
    CHECK(proxy.waiting_packets() == 2);
    // A broadcast too goes to this endpoint alone. Linux __udp4_lib_rcv.
    CHECK(b.hear(4000, 53, pattern(3), "10.0.1.255"_ip) == fate::delivered);
    CHECK(proxy.waiting_packets() == 3);
    CHECK(asked_port.waiting_packets() == 0);
}

TEST_CASE("chosen: an endpoint of UDP gets no datagram of UDP-Lite") {
    proxy_world b;
    b.hook.protocol = ipv4::protocols::udp_lite;
    socket proxy{*b};
    socket lite{*b, udp_protocol::lite};
    REQUIRE(proxy.bind({{}, 5353}).has_value());
    REQUIRE(lite.bind({{}, 53}).has_value());
    byte_vector message = support::udp_message(4000, 53, pattern(3));
    store_be<u16>(message.data() + 4, 0);  // the coverage: all
    store_be<u16>(message.data() + 6, 0);
    const u64 pseudo = checksum::pseudo_header(client, "10.0.1.1"_ip, ipv4::protocols::udp_lite,
                                               static_cast<u16>(message.size()));
    store_be<u16>(message.data() + 6, checksum::finish(checksum::partial(message, pseudo)));
    CHECK(b.receive(datagram_of({.source = client,
                                 .destination = "10.0.1.1"_ip,
                                 .protocol = ipv4::protocols::udp_lite,
                                 .payload = message})) == fate::delivered);
    CHECK(proxy.waiting_packets() == 0);
    CHECK(lite.waiting_packets() == 1);
}

TEST_CASE("chosen: a packet with an endpoint is not forwarded") {
    for (const bool is_there : {false, true}) {
        CAPTURE(is_there);
        proxy_world b;
        REQUIRE(b->add_route({.prefix = "198.51.100.0/24"_prefix, .gateway = "10.0.2.9"_ip})
                    .has_value());
        socket proxy{*b};
        if (is_there) REQUIRE(proxy.bind({{}, 5353}).has_value());
        CHECK(b.ask(pattern(4)) == (is_there ? fate::dropped : fate::forwarded));
        CHECK(b->counters()[drop_reason::belongs_to_endpoint] == (is_there ? 1 : 0));
        CHECK(b->counters()[mib::ip_forw_datagrams] == (is_there ? 0 : 1));
        CHECK(proxy.waiting_packets() == 0);
        CHECK(b.sent().size() == (is_there ? 0 : 1));  // no ICMP error
    }
}

// A packet that a later hook queues waits with its endpoint.
TEST_CASE("chosen: an endpoint that goes away meanwhile is never another one") {
    struct : hook<packet> {
        hook_verdict operator()(packet&, const hook_context&) noexcept override {
            return hook_verdict::queue;
        }
    } queues;
    for (const bool goes : {false, true}) {
        CAPTURE(goes);
        proxy_world b;
        REQUIRE(b->hooks().add(hook_point::prerouting, 1, queues));
        socket first{*b};
        socket asked_port{*b};
        REQUIRE(first.bind({{}, 5353}).has_value());
        CHECK(b.hear(4000, 53, pattern(3)) == fate::held);
        socket heir{*b};
        if (goes) {
            first.close();
            REQUIRE(heir.bind({{}, 9999}).has_value());  // takes the place of the first
            REQUIRE(asked_port.bind({{}, 53}).has_value());
        }
        b.now.now = b.now.now + 1_s;
        CHECK(*b->verdict(b->queued().next(0)->id, queue_verdict::accept, b.now) ==
              fate::delivered);
        CHECK(first.waiting_packets() == (goes ? 0 : 1));
        CHECK(heir.waiting_packets() == 0);
        CHECK(asked_port.waiting_packets() == (goes ? 1 : 0));  // looked up as any other
    }
}

TEST_CASE("chosen: an identifier that was made up reaches nothing") {
    proxy_world b;
    socket s{*b};
    REQUIRE(s.bind({{}, 700}).has_value());
    auto& registry = b->delivery();
    const chosen_endpoint real =
        registry.choose_udp({.destination_port = 700, .protocol = ipv4::protocols::udp});
    CHECK(real.is_chosen());
    CHECK_FALSE(registry.choose_udp({.destination_port = 701}).is_chosen());
    for (const chosen_endpoint made_up :
         {chosen_endpoint{real.number, real.place + 1},
          chosen_endpoint{real.number + 1, real.place}, chosen_endpoint{real.number, 0},
          chosen_endpoint{real.number, 0xffff'ffff}}) {
        packet p = b.packet(pattern(8));
        CHECK_FALSE(
            registry
                .udp(std::move(p),
                     {.destination_port = 9, .protocol = ipv4::protocols::udp, .chosen = made_up})
                .any());
    }
}

// A handler with flows of its own.
struct choosing_handler final : protocol_handler<packet> {
    bool chooses_early() const noexcept override { return true; }
    early_choice choose(const packet& p) noexcept override {
        ++asked;
        const ipv4::const_view ip{p.data()};
        return ip[ipv4::source] == client ? early_choice{{77, 5}, &route} : early_choice{};
    }
    handler_result receive(packet&, const delivery_info& info,
                           local_services<packet>&) noexcept override {
        last = info.chosen;
        return handler_result::ignored();
    }
    early_route route{};
    u32 asked = 0;
    chosen_endpoint last{};
};

TEST_CASE("chosen: the handler of any protocol chooses before routing, and gets its choice back") {
    for (const u8 protocol : {ipv4::protocols::tcp, u8{253}}) {
        CAPTURE(protocol);
        world<hooked> b;
        choosing_handler h;
        REQUIRE(b->delivery().set_handler(protocol, &h).has_value());
        const auto from = [&](ipv4::address source, u16 fragment = 0) {
            b.receive(datagram_of({.source = source,
                                   .destination = "10.0.1.1"_ip,
                                   .protocol = protocol,
                                   .flags_and_offset = fragment}));
        };
        from(client);
        CHECK(h.asked == 1);
        CHECK(h.last == chosen_endpoint{77, 5});
        CHECK((h.route == early_route{b->route_generation(), 2}));
        from("10.0.1.3"_ip);
        CHECK(h.asked == 2);
        CHECK(h.last == chosen_endpoint{});
        from(client, 0x2000);  // a fragment belongs to no flow
        CHECK(h.asked == 2);
        // While the route holds, the source is not looked at again.
        b->change([](settings& s) { s.all.rp_filter = 1; });
        h.route = {b->route_generation(), 2};
        h.last = {};
        b.receive(datagram_of(
            {.source = "10.0.1.2"_ip, .destination = "10.0.1.1"_ip, .protocol = protocol}));
        CHECK(h.last == chosen_endpoint{77, 5});
        for (const bool all : {false, true}) {
            b->change([&](settings& s) {
                s.ip_early_demux = !all;
                s.tcp_early_demux = all;
            });
            h.last = {};
            h.asked = 0;
            from(client);
            const bool asks = !all && protocol != ipv4::protocols::tcp;
            CHECK(h.asked == (asks ? 1 : 0));
            CHECK(h.last.is_chosen() == asks);
        }
        REQUIRE(b->delivery().set_handler(protocol, nullptr).has_value());
        CHECK_FALSE(b->delivery().has_flows());
    }
}

// The accept branch forwards plain packets without asking a handler: so all are alike.
TEST_CASE("chosen: the choice of a handler counts only for packets to this host") {
    world<hooked> b;
    choosing_handler h;
    REQUIRE(b->delivery().set_handler(253, &h).has_value());
    for (const byte_vector& options : {byte_vector{}, list({1, 1, 1, 1})})
        CHECK(b.receive(datagram_of(
                  {.destination = "10.0.2.9"_ip, .protocol = 253, .options = options})) ==
              fate::forwarded);
    CHECK(b.sent().size() == 2);
}

}  // namespace

}  // namespace endpoint_transparent
