// Sends a million bad packets through a host and a router: a third each with bad options, a bad
// ICMP message, or a bad quote in it. Each packet has one fate, the fates add up, all buffers
// return, and no error is sent about an error.
#include "support/hostile.hpp"
#include "support/busy_world.hpp"

#include <doctest/doctest.h>

#include <array>

namespace scenario_hostile {
using namespace sluice;

namespace {

using family = void (hostile::generator::*)(traffic::datagram_bytes&) noexcept;

constexpr u64 of_each_kind = 166'667;  // to a host and to a router

struct tally_of_fates {
    std::array<u64, 5> fates{};
    u64 unbalanced = 0;
    u64 left = 0;
    u64 errors_answered = 0;

    [[nodiscard]] u64 operator[](fate f) const { return fates[static_cast<std::size_t>(f)]; }
};

struct run {
    stack_test::busy_world<policies<output<queue_output<64>>>> at;
    tally_of_fates t;

    run(family next, u64 seed, bool forwarding) {
        at->set_ip_forward(forwarding);
        at->change([](settings& s) {
            s.icmp_echo_ignore_broadcasts = false;
            s.icmp_echo_enable_probe = true;
            s.icmp_errors_extension_mask = 1;
            s.all.accept_source_route = true;
        });
        const std::size_t all_buffers = at->buffers().available();
        hostile::generator random{seed};
        for (u64 i = 0; i < of_each_kind; ++i) {
            traffic::datagram_bytes d;
            (random.*next)(d);
            const u64 before = errors_sent();
            ++t.fates[static_cast<std::size_t>(at.receive(d))];
            t.errors_answered += is_icmp_error(d) ? errors_sent() - before : 0;
            t.left += at.sent().size();
            t.unbalanced += support::balanced(*at) ? 0u : 1u;
            at.pass(1_ms);
        }
        u64 sum = 0;
        for (const u64 n : t.fates)
            sum += n;
        CHECK(sum == of_each_kind);
        CHECK(t.unbalanced == 0);
        CHECK(t.errors_answered == 0);
        CHECK(at->held() == 0);
        CHECK(at->buffers().available() == all_buffers);
        // Nothing here is a fragment: none is kept.
        CHECK(t[fate::held] == 0);
        CHECK(t[fate::absorbed] == 0);
    }
    [[nodiscard]] static bool is_icmp_error(const traffic::datagram_bytes& d) {
        const std::size_t header = ipv4::header_length(ipv4::const_view{d.data.data()});
        return d.size > header && icmp::is_error(static_cast<u8>(d.data[header]));
    }
    [[nodiscard]] u64 drops(drop_reason r) const { return at->counters()[r]; }
    [[nodiscard]] u64 errors_sent() const {
        const auto& c = at->counters();
        return c[mib::icmp_out_dest_unreachs] + c[mib::icmp_out_time_excds] +
               c[mib::icmp_out_parm_probs] + c[mib::icmp_out_redirects];
    }
};

}  // namespace

TEST_CASE("a third of a million bad options") {
    for (const bool forwarding : {false, true}) {
        CAPTURE(forwarding);
        const run r{&hostile::generator::bad_options, forwarding ? 21u : 22u, forwarding};
        CHECK(r.drops(drop_reason::option_invalid) > 10'000);
        CHECK(r.drops(drop_reason::source_route_refused) > 100);
        CHECK(r.t[fate::delivered] > 10'000);
        CHECK((r.t[fate::forwarded] > 1000) == forwarding);
        CHECK(r.errors_sent() > 100);
        CHECK(r.errors_sent() <= r.t[fate::dropped] + r.t[fate::forwarded]);
    }
}

TEST_CASE("a third of a million bad ICMP messages") {
    for (const bool forwarding : {false, true}) {
        CAPTURE(forwarding);
        const run r{&hostile::generator::bad_icmp, forwarding ? 23u : 24u, forwarding};
        CHECK(r.drops(drop_reason::icmp_checksum) > 10'000);
        CHECK(r.drops(drop_reason::icmp_truncated) > 1000);
        CHECK(r.drops(drop_reason::icmp_type_unknown) > 1000);
        CHECK(r.drops(drop_reason::icmp_to_broadcast) > 1000);
        CHECK(r.drops(drop_reason::no_endpoint) > 1000);
        CHECK(r.at->counters()[mib::icmp_out_echo_reps] > 1000);
        CHECK(r.t[fate::delivered] > 10'000);
        CHECK((r.t[fate::forwarded] > 1000) == forwarding);
    }
}

TEST_CASE("333,000 ICMP errors with bad quotes cause no packet") {
    for (const bool forwarding : {false, true}) {
        CAPTURE(forwarding);
        const run r{&hostile::generator::bad_quote, forwarding ? 25u : 26u, forwarding};
        CHECK(r.t.left == 0);
        CHECK(r.errors_sent() == 0);
        CHECK(r.t[fate::forwarded] == 0);
        CHECK(r.drops(drop_reason::icmp_quote_invalid) > 1000);
        CHECK(r.drops(drop_reason::icmp_truncated) > 1000);
        CHECK(r.drops(drop_reason::icmp_to_broadcast) > 1000);
        CHECK(r.at.ears.handler.errors > 1000);
        CHECK(r.at->exceptions().any());
    }
}

}  // namespace scenario_hostile
