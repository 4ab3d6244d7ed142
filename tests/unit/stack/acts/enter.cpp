// enter: one packet, a batch, a packet that the link returns, and the time.
#include "unit/stack/acts/subject.hpp"

#include <sluice/stack/enter.hpp>

#include <array>

namespace acts_enter {

namespace {

using namespace acts_test;

constexpr moment now{instant{} + 1000_s, 43'200'000};

struct unhooked : policies<based_on<small>, hooks<no_hooks>> {};

TEST_CASE("enter: a plain packet takes the accept branch and leaves the same counters") {
    core<unhooked> fast{{.seed = testing::fixed_seed}};
    core<small> slow{{.seed = testing::fixed_seed}};
    furnish(fast);
    furnish(slow);
    struct : hook<packet> {
        hook_verdict operator()(packet&, const hook_context&) noexcept override {
            return hook_verdict::accept;
        }
    } idle;
    REQUIRE(slow.gates.hooks.add(hook_point::forward, 0, idle));
    CHECK(acts::detail::may_go_fast(fast, 2));
    CHECK(acts::detail::may_go_fast(slow, 2));
    CHECK_FALSE(acts::detail::may_go_fast(fast, 1));
    CHECK_FALSE(acts::detail::meets_hooks(fast));
    CHECK(acts::detail::meets_hooks(slow));
    CHECK(acts::enter(fast, packet_of(fast, datagram_of({.tos = 2})), now) == fate::forwarded);
    CHECK(acts::enter(slow, packet_of(slow, datagram_of({.tos = 2})), now) == fate::forwarded);
    CHECK(different_counters(fast, slow) == 0);
    CHECK(fast.books.counters[mib::ip_in_receives] == 1);
    CHECK(fast.books.counters[mib::ip_forw_datagrams] == 1);
    CHECK(fast.books.counters[balance::received] == 1);
    CHECK(fast.books.counters[balance::transmitted] == 1);
    CHECK(sent_one(fast) == datagram_of({.ttl = 63, .tos = 2}));
    CHECK(sent_one(slow) == datagram_of({.ttl = 63, .tos = 2}));
}

TEST_CASE("enter: a batch leaves in order on any path; an empty handle counts as nothing") {
    core<unhooked> c{{.seed = testing::fixed_seed}};
    furnish(c);
    std::array<core<unhooked>::packet_type, 4> batch{
        packet_of(c, datagram_of({.ttl = 10})),
        packet_of(c, datagram_of({.ttl = 20, .options = list({7, 7, 4, 0, 0, 0, 0, 0})})),
        core<unhooked>::packet_type{}, packet_of(c, datagram_of({.ttl = 30}))};
    acts::enter(c, batch, now);
    const auto left = sent(c);
    REQUIRE(left.size() == 3);
    check(left[0].datagram, support::ttl(9));
    check(left[1].datagram, support::ttl(19));
    check(left[2].datagram, support::ttl(29));
    CHECK(c.books.counters[balance::received] == 3);
    CHECK(c.calls.depth == 0);
}

TEST_CASE("enter: a packet received within a call waits for its end") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    {
        const acts::entrance outer{c, now};
        CHECK(acts::enter(c, packet_of(c, datagram_of({})), now) == fate::held);
        acts::enter_failed(c, packet_of(c, datagram_of({})), acts::no_answer, now);
        CHECK(c.device.output.size() == 0);
        CHECK(c.later.size() == 2);
        CHECK(c.books.counters[balance::received] == 2);
    }
    const auto left = sent(c);
    REQUIRE(left.size() == 2);
    CHECK(left[0].datagram == datagram_of({.ttl = 63}));
    check(left[1].datagram, support::icmp_is(3, 1));
}

TEST_CASE("enter: a packet that the output refuses is dropped on the accept branch too") {
    core<unhooked> c{{.seed = testing::fixed_seed}};
    furnish(c);
    for (int i = 0; i < 16; ++i)
        REQUIRE(acts::enter(c, packet_of(c, datagram_of({})), now) == fate::forwarded);
    CHECK(acts::enter(c, packet_of(c, datagram_of({})), now) == fate::dropped);
    CHECK(c.books.counters[balance::received] == 17);
    CHECK(c.books.counters[balance::transmitted] == 16);
    CHECK(c.books.counters[drop_reason::output_refused] == 1);
}

TEST_CASE("enter: poll returns the deadline of a fragment, and expires it then") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    CHECK(acts::poll(c, now) == instant::never());
    REQUIRE(acts::enter(c,
                        packet_of(c, datagram_of({.destination = "10.0.1.1"_ip,
                                                  .flags_and_offset = 0x2000})),
                        now) == fate::held);
    CHECK(acts::poll(c, now) == now.now + 30_s);
    CHECK(c.local.reassembly.held() == 1);
    CHECK(acts::poll(c, {now.now + 30_s, 0}) == instant::never());
    CHECK(c.local.reassembly.held() == 0);
    check(sent_one(c), support::icmp_is(11, 1));
}

}  // namespace

}  // namespace acts_enter
