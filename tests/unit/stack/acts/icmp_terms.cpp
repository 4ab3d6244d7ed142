// icmp_terms: how often an ICMP message may be sent, and with which options. Nothing is sent.
#include "unit/stack/acts/subject.hpp"

#include <sluice/rewrite/option_walk.hpp>
#include <sluice/stack/receive.hpp>

namespace acts_icmp_terms {

namespace {

using namespace acts_test;

TEST_CASE("icmp terms: six errors to one host, then it is limited; answers and others are not") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const acts::icmp_cause error{.type = 3, .code = 1};
    const routing::output_route to_a{.interface = 2, .destination = "10.0.1.7"_ip};
    const routing::output_route to_b{.interface = 2, .destination = "10.0.1.8"_ip};
    const standing before = standing_of(c);
    for (int i = 0; i < 6; ++i)
        CHECK(acts::may_send_icmp(c, error, to_a));
    CHECK_FALSE(acts::may_send_icmp(c, error, to_a));
    CHECK(c.books.counters[mib::icmp_out_rate_limit_host] == 1);
    CHECK(acts::may_send_icmp(c, error, to_b));
    CHECK(acts::may_send_icmp(c, {.type = 0}, to_a));  // an echo reply: not in icmp_ratemask
    CHECK(c.books.counters[mib::icmp_out_rate_limit_host] == 1);
    CHECK(c.books.counters[mib::icmp_out_rate_limit_global] == 0);
    CHECK(standing_of(c) == before);
    c.calls.now.now = c.calls.now.now + 1_s;
    CHECK(acts::may_send_icmp(c, error, to_a));
    CHECK_FALSE(acts::may_send_icmp(c, error, to_a));
}

// Records the last question.
struct asked_rules {
    static constexpr bool answers_echo = true;
    static constexpr std::size_t memory_limit = 0;
    icmp_message last{.type = 99, .code = 99};
    icmp_peer unroutable{};
    icmp_peer redirected{};
    constexpr explicit asked_rules(hash_key) noexcept {}
    constexpr icmp_allowance allow_error(const icmp_message& m, const settings&, instant) noexcept {
        last = m;
        return icmp_allowance::allowed;
    }
    constexpr bool allow_unroutable(icmp_peer source, const settings&, instant) noexcept {
        unroutable = source;
        return true;
    }
    constexpr redirect_allowance allow_redirect(icmp_peer source, const settings&,
                                                instant) noexcept {
        redirected = source;
        return redirect_allowance::send;
    }
};

TEST_CASE("icmp terms: the policy gets type, code and destination; a reply has no code") {
    struct asking : policies<based_on<small>, icmp_limits<asked_rules>> {};
    core<asking> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const icmp_message& last = c.local.icmp_limits.last;
    CHECK(acts::may_send_icmp(c, {.type = 3, .code = 4},
                              {.interface = 2, .destination = "10.0.1.7"_ip}));
    CHECK(last.type == 3);
    CHECK(last.code == 4);
    CHECK(last.to == "10.0.1.7"_ip);
    CHECK_FALSE(last.over_loopback);
    CHECK(acts::may_send_icmp(c, {.type = 14}, {.interface = 1, .destination = "127.0.0.1"_ip}));
    CHECK(last.type == 14);
    CHECK(last.code == 0);
    CHECK(last.to == "127.0.0.1"_ip);
    CHECK(last.over_loopback);
    // The routing domain is that of the link to the host.
    REQUIRE(acts::add_interface(c.tables, {.index = 4, .address = "10.0.4.1/24"_net, .master = 3}));
    CHECK(acts::may_send_icmp(c, {.type = 3}, {.interface = 4, .destination = "10.0.4.9"_ip}));
    CHECK(last.to == icmp_peer{"10.0.4.9"_ip, 3});
    unsummed_datagram<packet> d = sound(c, datagram_of({.source = "10.0.4.9"_ip}));
    CHECK(acts::detail::mark_forwarded(c, d, {.ingress = 4, .is_detour = true}));
    CHECK(c.local.icmp_limits.redirected == icmp_peer{"10.0.4.9"_ip, 3});
    c.tables.changed();
    auto p = packet_of(c, datagram_of({.source = "10.0.4.9"_ip, .destination = "99.0.0.1"_ip}), 4);
    static_cast<void>(acts::receive(c, std::move(p)));
    CHECK(c.local.icmp_limits.unroutable == icmp_peer{"10.0.4.9"_ip, 3});
}

TEST_CASE("icmp terms: an error about a packet that came by loopback is not limited") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const routing::output_route to{.interface = 2, .destination = "10.0.1.7"_ip};
    for (int i = 0; i < 20; ++i)
        CHECK(acts::may_send_icmp(c, {.type = 3, .code = 1, .is_of_loopback = true}, to));
    CHECK(c.books.counters[mib::icmp_out_rate_limit_host] == 0);
}

TEST_CASE("icmp terms: a reply has the reversed options of the request, or none") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    ip_options::outgoing echoed{};
    const packet plain = packet_of(c, datagram_of({.destination = "10.0.1.1"_ip}));
    const interface* in = c.tables.interfaces.find(2);
    CHECK(acts::echo_options(c, plain, in, route_type::local, echoed));
    CHECK(echoed.offsets.length == 0);

    auto d = sound(
        c, datagram_of({.destination = "10.0.1.1"_ip, .options = list({7, 7, 4, 0, 0, 0, 0, 1})}));
    pipeline::classification found{.decided = decision::deliver(), .type = route_type::local};
    REQUIRE(rewrite::option_walk<core<small>::chosen::options>(c.tables.look_up(), d, *in, found, 0)
                .proceeds());
    const byte_vector before = content_of(d.packet());
    CHECK(acts::echo_options(c, d.packet(), in, route_type::local, echoed));
    CHECK(echoed.offsets.length == 8);
    CHECK(echoed.offsets.record_route == 20);
    CHECK(content_of(d.packet()) == before);
}

}  // namespace

}  // namespace acts_icmp_terms
