// The result of a send, and its counters: dropped by a hook or a policy, refused by the device, no
// buffer, no route; for each way to send. The counters are those that Linux 6.18 moved in the same
// cases (nftables, a full TUN queue, a full send buffer, missing routes).
#include <doctest/doctest.h>

#include "support/packet_checks.hpp"
#include "support/world.hpp"

#include <sluice/endpoint/ping_endpoint.hpp>
#include <sluice/endpoint/raw_endpoint.hpp>
#include <sluice/endpoint/udp_endpoint.hpp>
#include <sluice/hooks/hook_chain.hpp>

#include <memory>
#include <optional>

namespace stack_send_results {

namespace {

using namespace stack_test;

struct hooked : policies<based_on<small_router>, hooks<hook_chain<4>>, output<queue_output<8>>> {};
using packet = stack<hooked>::packet_type;
using endpoint_result = result<void, endpoint_error>;

struct answering final : hook<packet> {
    hook_verdict verdict = hook_verdict::accept;
    hook_verdict operator()(packet& p, const hook_context&) noexcept override {
        if (verdict == hook_verdict::stolen) p.reset();
        return verdict;
    }
};

enum class kind { udp, raw, raw_icmp, ping, with_header };
constexpr kind kinds[] = {kind::udp, kind::raw, kind::raw_icmp, kind::ping, kind::with_header};
constexpr const char* names[] = {"udp", "raw", "raw ICMP", "ping", "with header"};

struct send_world : world<hooked> {
    send_world()
        : udp(**this), raw(**this, 253), icmp(**this, 1), ping(**this), header(**this, 255) {}

    endpoint_result send(kind k, ipv4::address to, std::size_t size = 8) {
        byte_vector message = support::echo_request(size);
        switch (k) {
        case kind::udp:
            return udp.send(pattern(size), {to, 9}, now);
        case kind::raw:
            return raw.send(pattern(size), to, now);
        case kind::raw_icmp:
            return icmp.send(message, to, now);
        case kind::ping:
            return ping.send(message, to, now);
        default:
            return header.send(datagram_of({.destination = to, .payload = pattern(size)}), to, now);
        }
    }
    void ask_for_errors() {
        udp.options().receive_errors = raw.options().receive_errors = true;
        icmp.options().receive_errors = header.options().receive_errors = true;
        ping.options().receive_errors = true;
    }
    u64 of(mib m) { return (**this).counters()[m]; }

    udp_endpoint<stack_type> udp;
    raw_endpoint<stack_type> raw;
    raw_endpoint<stack_type> icmp;
    ping_endpoint<stack_type> ping;
    raw_endpoint<stack_type> header;
};

void check_counts(send_world& b, kind k, u64 requests, u64 transmits, u64 discards, u64 no_routes) {
    CHECK(b.of(mib::ip_out_requests) == (k == kind::with_header ? 0 : requests));
    CHECK(b.of(mib::ip_out_transmits) == transmits);
    CHECK(b.of(mib::ip_out_discards) == discards);
    CHECK(b.of(mib::ip_out_no_routes) == no_routes);
    const bool went = transmits != 0 && discards == 0;
    CHECK(b.of(mib::udp_out_datagrams) == (k == kind::udp && went ? 1 : 0));
    CHECK(b.of(mib::icmp_out_echos) ==
          ((k == kind::ping || k == kind::raw_icmp) && requests != 0 ? 1 : 0));
}

constexpr ipv4::address neighbour = "10.0.2.9"_ip;

TEST_CASE("send results: a packet that was sent") {
    for (const kind k : kinds) {
        INFO(doctest::String{names[static_cast<int>(k)]});
        send_world b;
        CHECK(b.send(k, neighbour).has_value());
        check_counts(b, k, 1, 1, 0, 0);
        CHECK(b.sent().size() == 1);
    }
}

// Linux: EPERM.
TEST_CASE("send results: a packet that a hook drops at local_out or postrouting") {
    for (const hook_point at : {hook_point::local_out, hook_point::postrouting}) {
        for (const std::size_t size : {std::size_t{8}, std::size_t{3000}}) {
            for (const kind k : kinds) {
                if (k == kind::with_header && size > 1400) continue;
                INFO(doctest::String{names[static_cast<int>(k)]});
                CAPTURE(size);
                send_world b;
                answering h;
                h.verdict = hook_verdict::drop;
                REQUIRE(b->hooks().add(at, 0, h));
                CHECK(b.send(k, neighbour, size).error() == endpoint_error::not_permitted);
                check_counts(b, k, 1, 0, 1, 0);
                CHECK(b->counters()[drop_reason::hook] == 1);
                CHECK(b.is_quiet());
            }
        }
    }
}

TEST_CASE("send results: a packet that a hook takes counts as sent") {
    for (const hook_point at : {hook_point::local_out, hook_point::postrouting}) {
        for (const hook_verdict v : {hook_verdict::stolen, hook_verdict::queue}) {
            send_world b;
            answering h;
            h.verdict = v;
            REQUIRE(b->hooks().add(at, 0, h));
            CHECK(b.send(kind::udp, neighbour).has_value());
            CHECK(b.of(mib::ip_out_discards) == 0);
            CHECK(b.of(mib::udp_out_datagrams) == 1);
            // This chain has no room for queued packets.
            CHECK(b->counters()[drop_reason::hook_queue_full] ==
                  (v == hook_verdict::queue ? 1 : 0));
        }
    }
}

// Linux: ENOBUFS, which UDP and raw sockets get with IP_RECVERR only.
TEST_CASE("send results: a device that accepts nothing") {
    for (const bool asks : {false, true}) {
        for (const kind k : kinds) {
            INFO(doctest::String{names[static_cast<int>(k)]});
            CAPTURE(asks);
            send_world b;
            for (int i = 0; i < 8; ++i)
                b.receive(datagram_of({.destination = neighbour}));
            if (asks) b.ask_for_errors();
            const u64 before = b.of(mib::ip_out_transmits);
            const auto r = b.send(k, neighbour);
            CHECK(r.has_value() == (!asks && k != kind::ping));
            if (!r.has_value()) CHECK(r.error() == endpoint_error::no_buffer);
            CHECK(b.of(mib::ip_out_transmits) == before + 1);
            CHECK(b.of(mib::ip_out_discards) == 1);
            CHECK(b.of(mib::udp_out_datagrams) == 0);
            CHECK(b.of(mib::udp_sndbuf_errors) == (k == kind::udp ? 1 : 0));
        }
    }
}

TEST_CASE("send results: a device that accepts no fragment of a datagram") {
    send_world b;
    for (int i = 0; i < 8; ++i)
        b.receive(datagram_of({.destination = neighbour}));
    b.ask_for_errors();
    CHECK(b.send(kind::udp, neighbour, 3000).error() == endpoint_error::no_buffer);
    CHECK(b.of(mib::ip_frag_fails) == 1);
    CHECK(b.of(mib::ip_out_discards) == 1);
    CHECK(b.of(mib::udp_sndbuf_errors) == 1);
    CHECK(b.of(mib::udp_out_datagrams) == 0);
}

// The kernel counts no OutDiscards of forwarded packets.
TEST_CASE("send results: refused forwarded packets are not counted as this host's discards") {
    send_world b;
    for (int i = 0; i < 9; ++i)
        b.receive(datagram_of({.destination = neighbour}));
    b.receive(datagram_of({.destination = neighbour, .options = list({1, 1, 1, 1})}));
    CHECK(b->counters()[drop_reason::output_refused] == 2);
    CHECK(b.of(mib::ip_out_discards) == 0);
}

TEST_CASE("send results: no buffer") {
    for (const kind k : kinds) {
        INFO(doctest::String{names[static_cast<int>(k)]});
        send_world b;
        std::vector<packet> all;
        while (b->buffers().available() > 0)
            all.push_back(b->buffers().take(0));
        CHECK(b.send(k, neighbour).error() == endpoint_error::no_buffer);
        CHECK(b.of(mib::ip_out_discards) == 1);
        CHECK(b.of(mib::udp_sndbuf_errors) == (k == kind::udp ? 1 : 0));
    }
}

TEST_CASE("send results: no route, and routes that refuse") {
    const struct {
        ipv4::address to;
        endpoint_error error;
        bool counted;
    } rows[] = {
        {.to = "192.0.2.1"_ip, .error = endpoint_error::network_unreachable, .counted = true},
        {.to = "10.20.0.1"_ip, .error = endpoint_error::host_unreachable, .counted = false},
        {.to = "10.21.0.1"_ip, .error = endpoint_error::access_denied, .counted = false},
        {.to = "10.22.0.1"_ip, .error = endpoint_error::invalid, .counted = false},
    };
    for (const auto& r : rows) {
        for (const kind k : kinds) {
            INFO(doctest::String{names[static_cast<int>(k)]});
            CAPTURE(r.to.value);
            send_world b;
            using enum route_type;
            REQUIRE(b->add_route({.prefix = "10.20.0.0/16"_prefix, .type = unreachable}));
            REQUIRE(b->add_route({.prefix = "10.21.0.0/16"_prefix, .type = prohibit}));
            REQUIRE(b->add_route({.prefix = "10.22.0.0/16"_prefix, .type = blackhole}));
            CHECK(b.send(k, r.to).error() == r.error);
            const bool counts = k == kind::udp || k == kind::ping;
            check_counts(b, k, 0, 0, 0, r.counted && counts ? 1 : 0);
        }
    }
    // What has no endpoint: any protocol.
    for (const u8 protocol : {u8{6}, u8{17}, u8{132}, u8{253}}) {
        send_world b;
        CHECK(b->send(b.packet(pattern(8)), {.destination = "192.0.2.1"_ip, .protocol = protocol},
                      b.now)
                  .error() == routing::send_error::network_unreachable);
        CHECK(b.of(mib::ip_out_no_routes) == 1);
    }
}

TEST_CASE("send results: a hook removes the packet's interface") {
    for (const hook_point at : {hook_point::local_out, hook_point::postrouting}) {
        send_world b;
        struct taking final : hook<packet> {
            stack<hooked>* of = nullptr;
            hook_verdict operator()(packet&, const hook_context&) noexcept override {
                static_cast<void>(of->set_up(3, false));
                return hook_verdict::accept;
            }
        } h;
        h.of = &*b;
        REQUIRE(b->hooks().add(at, 0, h));
        CHECK(b.send(kind::udp, neighbour).error() == endpoint_error::network_unreachable);
        CHECK(b->counters()[drop_reason::interface_down] == 1);
        CHECK(b.of(mib::udp_out_datagrams) == 0);
        CHECK(b.is_quiet());
    }
}

// UdpOutDatagrams alone, and for each way to be refused one of its own: Linux udp_send_skb counts
// what ip_send_skb took.
TEST_CASE("send results: UdpOutDatagrams counts sent datagrams, no refused ones") {
    struct trial {
        const char* name;
        ipv4::address to = neighbour;
        std::size_t size = 8;
        std::optional<hook_point> at{};
        bool full = false;  // the device
        bool no_buffer = false;
        bool whole = false;  // DF
        endpoint_error error = endpoint_error::none;
        u64 sent = 0;
    };
    using enum endpoint_error;
    const trial rows[] = {
        {.name = "one", .sent = 1},
        {.name = "in pieces", .size = 3000, .sent = 1},
        {.name = "to ourselves", .to = "10.0.1.1"_ip, .sent = 1},
        {.name = "dropped by a hook", .at = hook_point::local_out, .error = not_permitted},
        {.name = "dropped behind", .at = hook_point::postrouting, .error = not_permitted},
        {.name = "in pieces, dropped",
         .size = 3000,
         .at = hook_point::postrouting,
         .error = not_permitted},
        {.name = "a full device", .full = true, .error = no_buffer},
        {.name = "a full device, in pieces", .size = 3000, .full = true, .error = no_buffer},
        {.name = "no buffer", .no_buffer = true, .error = no_buffer},
        {.name = "no route", .to = "192.0.2.1"_ip, .error = network_unreachable},
        {.name = "a broadcast, unasked", .to = "10.0.2.255"_ip, .error = access_denied},
        {.name = "too big", .size = 1473, .whole = true, .error = too_big},
        {.name = "beyond any datagram", .size = 65'508, .error = too_big},
        {.name = "beyond any length", .size = 65'536, .error = too_big},
    };
    for (const trial& r : rows) {
        INFO(doctest::String{r.name});
        send_world b;
        answering h;
        h.verdict = hook_verdict::drop;
        if (r.at.has_value()) REQUIRE(b->hooks().add(*r.at, 0, h));
        for (int i = 0; r.full && i < 8; ++i)
            b.receive(datagram_of({.destination = neighbour}));
        b.udp.options().receive_errors = true;
        if (r.whole) b.udp.options().discovery = mtu_discovery::always;
        std::vector<packet> all;
        while (r.no_buffer && b->buffers().available() > 0)
            all.push_back(b->buffers().take(0));
        CHECK(b.send(kind::udp, r.to, r.size).error() == r.error);
        CHECK(b.of(mib::udp_out_datagrams) == r.sent);
        // Raw endpoints move it never, whatever their protocol is.
        all.clear();
        raw_endpoint<send_world::stack_type> raw{*b, ipv4::protocols::udp};
        static_cast<void>(raw.send(support::udp_message(1, 2, pattern(4)), neighbour, b.now));
        CHECK(b.of(mib::udp_out_datagrams) == r.sent);
    }
}

// Linux icmp_push_reply: OutErrors and OutDiscards without a buffer, OutDiscards when dropped.
TEST_CASE("send results: ICMP messages that cannot be made or sent") {
    const byte_vector unknown = datagram_of({.destination = "10.0.1.1"_ip, .protocol = 77});
    {
        send_world b;
        auto p = b.packet(unknown);
        std::vector<packet> all;
        while (auto one = b->buffers().take_reserved(0)) {
            all.push_back(std::move(one));
        }
        CHECK(b->receive(std::move(p), b.now) == fate::dropped);
        CHECK(b.of(mib::icmp_out_errors) == 1);
        CHECK(b.of(mib::icmp_out_msgs) == 0);
        CHECK(b.of(mib::ip_out_discards) == 1);
    }
    send_world b;
    answering h;
    h.verdict = hook_verdict::drop;
    REQUIRE(b->hooks().add(hook_point::local_out, 0, h));
    b.receive(unknown);
    b.receive(datagram_of(
        {.destination = "10.0.1.1"_ip, .protocol = 1, .payload = support::echo_request()}));
    CHECK(b.of(mib::icmp_out_msgs) == 2);
    CHECK(b.of(mib::icmp_out_errors) == 0);
    CHECK(b.of(mib::ip_out_requests) == 2);
    CHECK(b.of(mib::ip_out_discards) == 2);
}

// Measured with icmp_msgs_per_sec 1: errors about what came by lo are never limited, echo replies
// over lo meet the bucket for all as any other once the mask names them.
TEST_CASE("send results: the ICMP limits over loopback") {
    send_world b;
    b->change([](settings& s) {
        s.icmp_msgs_per_sec = 0;
        s.icmp_msgs_burst = 0;
    });
    for (int i = 0; i < 5; ++i)
        CHECK(b.send(kind::udp, "127.0.0.1"_ip).has_value());
    CHECK(b.of(mib::icmp_out_dest_unreachs) == 5);
    CHECK(b.of(mib::icmp_out_rate_limit_global) == 0);
    for (int i = 0; i < 5; ++i)
        CHECK(b.send(kind::raw_icmp, "127.0.0.1"_ip).has_value());
    CHECK(b.of(mib::icmp_out_echo_reps) == 5);
    b->change([](settings& s) { s.icmp_ratemask |= 1; });
    for (int i = 0; i < 5; ++i)
        CHECK(b.send(kind::raw_icmp, "127.0.0.1"_ip).has_value());
    CHECK(b.of(mib::icmp_out_echo_reps) == 5);
    CHECK(b.of(mib::icmp_out_rate_limit_global) == 5);
    // Nothing is limited for a host over loopback.
    b->change([](settings& s) {
        s.icmp_msgs_per_sec = 1000;
        s.icmp_msgs_burst = 1000;
    });
    b.now.now = b.now.now + 1_s;
    for (int i = 0; i < 20; ++i)
        CHECK(b.send(kind::raw_icmp, "127.0.0.1"_ip).has_value());
    CHECK(b.of(mib::icmp_out_echo_reps) == 25);
    CHECK(b.of(mib::icmp_out_rate_limit_host) == 0);
}

// Linux __icmp_send asks for the device of the packet, not where the error goes: a packet of a
// local source that came by a link is limited.
TEST_CASE("send results: errors about a link's packets are limited, whatever their source says") {
    for (const bool spoofed : {false, true}) {
        CAPTURE(spoofed);
        send_world b;
        b->change([](settings& s) {
            s.all.accept_local = true;
            s.icmp_msgs_per_sec = 0;
            s.icmp_msgs_burst = 0;
        });
        for (int i = 0; i < 5; ++i) {
            if (spoofed) {
                b.receive(datagram_of(
                    {.source = "10.0.1.1"_ip, .destination = "10.0.1.1"_ip, .protocol = 77}));
            } else {
                CHECK(b.send(kind::udp, "10.0.1.1"_ip).has_value());
            }
        }
        CHECK(b.of(mib::icmp_out_dest_unreachs) == (spoofed ? 0 : 5));
        CHECK(b.of(mib::icmp_out_rate_limit_global) == (spoofed ? 5 : 0));
    }
}

// Linux dev_loopback_xmit trusts the looped back copies of multicasts; lo trusts no packet.
TEST_CASE("send results: a wrong checksum over lo is found") {
    send_world b;
    REQUIRE(b.udp.bind({{}, 7000}).has_value());
    const byte_vector wrong = datagram_of({.source = "127.0.0.1"_ip,
                                           .destination = "127.0.0.1"_ip,
                                           .protocol = 17,
                                           .payload = list({0, 5, 27, 88, 0, 9, 18, 52, 120})});
    CHECK(b.header.send(wrong, "127.0.0.1"_ip, b.now).has_value());
    CHECK(b.of(mib::udp_in_csum_errors) == 1);
    CHECK(b.of(mib::udp_in_errors) == 1);
    CHECK(b.udp.waiting_packets() == 0);
}

}  // namespace

}  // namespace stack_send_results
