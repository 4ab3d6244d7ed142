// What becomes of a sent datagram is told to its sender, and counted, for each kind of endpoint.
// Linux ip_send_skb, nf_hook_slow, IPSTATS_MIB_OUTNOROUTES.
#include <doctest/doctest.h>

#include <sluice/hooks/hook_chain.hpp>

#include "unit/endpoint/support.hpp"

namespace endpoint_send_errors {

namespace {

using namespace endpoint_test;

struct hooked_router : policies<based_on<small_router>, hooks<hook_chain<2>>> {};
using hooked_stack = stack<hooked_router>;

struct refuser final : hook<hooked_stack::packet_type> {
    hook_verdict operator()(hooked_stack::packet_type&, const hook_context&) noexcept override {
        return hook_verdict::drop;
    }
};

// Sends by an endpoint of each kind; returns the errors in their order.
template <class Stack>
std::vector<endpoint_error> send_by_each(Stack& s, ipv4::address to, moment now,
                                         bool receive_errors = false) {
    udp_endpoint<Stack, few> udp{s};
    udp_endpoint<Stack, few> lite{s, udp_protocol::lite};
    raw_endpoint<Stack, few> raw{s, 253};
    raw_endpoint<Stack, few> own{s, 255};
    ping_endpoint<Stack, few> ping{s};
    udp.options().receive_errors = lite.options().receive_errors = receive_errors;
    raw.options().receive_errors = own.options().receive_errors = receive_errors;
    return {udp.send(pattern(4), {to, 9}, now).error(), lite.send(pattern(4), {to, 9}, now).error(),
            raw.send(pattern(4), to, now).error(),
            own.send(datagram_of({.source = "10.0.2.1"_ip, .destination = to}), to, now).error(),
            ping.send_echo(1, pattern(4), to, now).error()};
}

bool are_all(const std::vector<endpoint_error>& errors, endpoint_error wanted) {
    return errors == std::vector<endpoint_error>(5, wanted);
}

TEST_CASE("send errors: a datagram that a hook drops is not permitted") {
    for (const hook_point at : {hook_point::local_out, hook_point::postrouting}) {
        CAPTURE(static_cast<int>(at));
        world<hooked_router> b;
        refuser r;
        REQUIRE(b->hooks().add(at, 0, r));
        CHECK(are_all(send_by_each(*b, "10.0.2.9"_ip, b.now), endpoint_error::not_permitted));
        CHECK(b->counters()[mib::ip_out_discards] == 5);
        CHECK(b->counters()[mib::udp_out_datagrams] + b->counters()[mib::udplite_out_datagrams] ==
              0);
        CHECK(b->counters()[mib::udp_sndbuf_errors] == 0);
        b->hooks().remove(at, r);
        CHECK(are_all(send_by_each(*b, "10.0.2.9"_ip, b.now), endpoint_error::none));
        CHECK(b->counters()[mib::ip_out_discards] == 5);
        CHECK(b->counters()[mib::udp_out_datagrams] == 1);
        CHECK(b->counters()[mib::udplite_out_datagrams] == 1);
    }
}

TEST_CASE("send errors: without a route; raw sockets of Linux do not count it") {
    world<> b;
    CHECK(are_all(send_by_each(*b, "192.0.2.1"_ip, b.now), endpoint_error::network_unreachable));
    CHECK(b->counters()[mib::ip_out_no_routes] == 3);  // UDP, UDP-Lite, ping
    CHECK(b->counters()[mib::ip_out_discards] == 0);
}

TEST_CASE("send errors: without a buffer; only ping endpoints learn it unless they asked") {
    using enum endpoint_error;
    for (const bool asked : {false, true}) {
        CAPTURE(asked);
        world<> b;
        {
            std::vector<world<>::packet_type> all;
            while (auto p = b->buffers().take())
                all.push_back(std::move(p));
            const auto errors = send_by_each(*b, "10.0.2.9"_ip, b.now, asked);
            CHECK(errors[4] == no_buffer);
            if (asked) CHECK(are_all(errors, no_buffer));
        }
        CHECK(b->counters()[mib::udp_sndbuf_errors] == 1);
        CHECK(b->counters()[mib::udplite_sndbuf_errors] == 1);
        CHECK(b->counters()[mib::udp_out_datagrams] == 0);
    }
}

}  // namespace

}  // namespace endpoint_send_errors
