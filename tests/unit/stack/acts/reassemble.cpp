// reassemble and alert: fragments are reassembled or expire; listeners take the router alerts that
// they registered for.
#include "unit/stack/acts/subject.hpp"

#include <sluice/delivery/receive_queue.hpp>
#include <sluice/stack/alert.hpp>
#include <sluice/stack/reassemble.hpp>

namespace acts_reassemble {

namespace {

using namespace acts_test;

// The two halves of 32 bytes for 10.0.1.1.
byte_vector half(bool first) {
    const byte_vector all = pattern(32);
    const auto middle = all.begin() + 16;
    return datagram_of(
        {.destination = "10.0.1.1"_ip,
         .flags_and_offset = static_cast<u16>(first ? 0x2000 : 2),
         .payload = first ? byte_vector(all.begin(), middle) : byte_vector(middle, all.end())});
}

TEST_CASE("reassemble: the first half is held, the second makes it whole") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const interface& in = *c.tables.interfaces.find(2);
    const auto insert = [&](bool first) {
        return acts::reassemble(c, sound(c, half(first)), reassembly_user::local_delivery, in);
    };
    const auto held = insert(true);
    REQUIRE_FALSE(held.has_value());
    CHECK(held.error() == fate::held);
    CHECK(c.local.reassembly.held() == 1);
    const auto whole = insert(false);
    REQUIRE(whole.has_value());
    check(content_of(whole->packet()), support::size(52), support::flags_and_offset(0),
          support::payload(pattern(32)));
    const auto& n = c.books.counters;
    CHECK(n[mib::ip_reasm_reqds] == 2);
    CHECK(n[mib::ip_reasm_oks] == 1);
    CHECK(n[mib::ip_reasm_fails] == 0);
    CHECK(n[balance::absorbed] == 1);
    CHECK(n[balance::delivered] == 0);
    CHECK(c.local.reassembly.held() == 0);
    CHECK(c.device.output.size() == 0);
}

TEST_CASE("gather: takes fragments away and gives the whole back; the balance stays even") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const auto gather = [&](auto& packet) {
        return acts::gather(c, packet, reassembly_user::application, 2);
    };
    auto first = std::move(sound(c, half(true))).release();
    first.set_interface(2);
    CHECK_FALSE(gather(first));
    CHECK_FALSE(bool{first});
    CHECK(c.local.reassembly.held() == 1);
    CHECK(c.books.counters[balance::copied] == 1);
    CHECK(c.books.counters[balance::absorbed] == 0);
    auto second = std::move(sound(c, half(false))).release();
    second.set_interface(3);
    CHECK(gather(second));
    check(content_of(second), support::size(52), support::flags_and_offset(0),
          support::payload(pattern(32)));
    CHECK(second.interface() == 3);
    CHECK(c.books.counters[balance::copied] == 2);
    CHECK(c.books.counters[balance::absorbed] == 2);
    CHECK(gather(second));  // no fragment
    CHECK(c.books.counters[balance::copied] == 2);
}

TEST_CASE("reassemble: the halves of two users, or of two routing domains, never meet") {
    const struct {
        reassembly_user user;
        u16 master;
    } rows[] = {{.user = reassembly_user::local_delivery, .master = 0},
                {.user = reassembly_user::router_alert, .master = 0},
                {.user = reassembly_user::connection_tracking, .master = 0},
                {.user = reassembly_user::multicast, .master = 0},
                {.user = reassembly_user::application, .master = 0},
                {.user = reassembly_user::connection_tracking_output, .master = 0},
                {.user = reassembly_user::local_delivery, .master = 8},
                {.user = reassembly_user::router_alert, .master = 8}};
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    interface in = *c.tables.interfaces.find(2);
    std::size_t held = 0;
    for (const auto& r : rows) {
        in.master = r.master;
        CHECK_FALSE(acts::reassemble(c, sound(c, half(true)), r.user, in).has_value());
        CHECK(c.local.reassembly.held() == ++held);
    }
    for (const auto& r : rows) {
        in.master = r.master;
        CHECK(acts::reassemble(c, sound(c, half(false)), r.user, in).has_value());
        CHECK(c.local.reassembly.held() == --held);
    }
}

TEST_CASE("reassemble: an incomplete datagram expires after 30 s, and its sender gets an error") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    REQUIRE_FALSE(acts::reassemble(c, sound(c, half(true)), reassembly_user::local_delivery,
                                   *c.tables.interfaces.find(2))
                      .has_value());
    c.calls.now.now = c.calls.now.now + 29_s;
    acts::expire_fragments(c);
    CHECK(c.local.reassembly.held() == 1);
    CHECK(c.device.output.size() == 0);
    c.calls.now.now = c.calls.now.now + 2_s;
    acts::expire_fragments(c);
    CHECK(c.local.reassembly.held() == 0);
    check(sent_one(c), support::right_sums(), support::destination("10.0.1.2"_ip),
          support::icmp_is(11, 1), support::quotes(half(true), 36));
    const auto& n = c.books.counters;
    CHECK(n[mib::ip_reasm_timeout] == 1);
    CHECK(n[mib::ip_reasm_fails] == 1);
    CHECK(n[drop_reason::fragment_timeout] == 1);
}

// Linux frag_expire_skip_icmp: connection tracking reassembles on behalf of others, and so do
// packet sockets (IP_DEFRAG_AF_PACKET).
TEST_CASE("reassemble: of which users a timeout is reported, to this host and to others") {
    const struct {
        reassembly_user user;
        bool reports_of_others;
    } rows[] = {{.user = reassembly_user::local_delivery, .reports_of_others = true},
                {.user = reassembly_user::router_alert, .reports_of_others = true},
                {.user = reassembly_user::connection_tracking, .reports_of_others = false},
                {.user = reassembly_user::multicast, .reports_of_others = true},
                {.user = reassembly_user::application, .reports_of_others = false},
                {.user = reassembly_user::connection_tracking_output, .reports_of_others = false}};
    for (const auto& r : rows) {
        for (const bool is_own : {true, false}) {
            CAPTURE(r.user);
            CAPTURE(is_own);
            core<small> c{{.seed = testing::fixed_seed}};
            furnish(c);
            const byte_vector first =
                datagram_of({.destination = is_own ? "10.0.1.1"_ip : "10.0.2.9"_ip,
                             .flags_and_offset = 0x2000});
            REQUIRE_FALSE(acts::reassemble(c, sound(c, first), r.user, *c.tables.interfaces.find(2))
                              .has_value());
            c.calls.now.now = c.calls.now.now + 31_s;
            acts::expire_fragments(c);
            CHECK(c.books.counters[mib::ip_reasm_timeout] == 1);
            if (is_own || r.reports_of_others) {
                check(sent_one(c), support::destination("10.0.1.2"_ip), support::icmp_is(11, 1),
                      support::quotes(first, first.size()));
            } else {
                CHECK(c.device.output.size() == 0);
            }
        }
    }
}

TEST_CASE("reassemble: a second half alone expires without an error") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const std::size_t all = c.device.buffers.available();
    REQUIRE_FALSE(acts::reassemble(c, sound(c, half(false)), reassembly_user::local_delivery,
                                   *c.tables.interfaces.find(2))
                      .has_value());
    c.calls.now.now = c.calls.now.now + 31_s;
    acts::expire_fragments(c);
    CHECK(c.books.counters[mib::ip_reasm_timeout] == 1);
    CHECK(c.device.output.size() == 0);
    CHECK(c.device.buffers.available() == all);
}

TEST_CASE("alert: without a listener the datagram goes on, untouched and uncounted") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    receive_queue<packet, 4> other;
    REQUIRE(c.local.delivery.add_alert({.protocol = 46}, other));  // RSVP, another protocol
    const byte_vector d = datagram_of({.options = list({148, 4, 0, 0})});
    auto alerted = sound(c, d);
    const standing before = standing_of(c);
    const auto on = acts::pass_listeners(c, std::move(alerted), *c.tables.interfaces.find(2));
    REQUIRE(on.has_value());
    CHECK(content_of(on->packet()) == d);
    CHECK(standing_of(c) == before);
    CHECK(other.size() == 0);
}

TEST_CASE("alert: a listener gets the whole datagram, and it is not forwarded") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    receive_queue<packet, 4> listener;
    REQUIRE(c.local.delivery.add_alert({.protocol = 253}, listener));
    const byte_vector d = datagram_of({.options = list({148, 4, 0, 0})});
    const interface& in = *c.tables.interfaces.find(2);
    const auto taken = acts::pass_listeners(c, sound(c, d), in);
    REQUIRE_FALSE(taken.has_value());
    CHECK(taken.error() == fate::absorbed);
    REQUIRE(listener.size() == 1);
    CHECK(content_of(listener.next().packet) == d);
    const auto& n = c.books.counters;
    CHECK(n[balance::copied] == 1);
    CHECK(n[balance::delivered] == 1);
    CHECK(n[balance::absorbed] == 1);
    const auto held = acts::pass_listeners(c, sound(c, half(true)), in);
    REQUIRE_FALSE(held.has_value());
    CHECK(held.error() == fate::held);
    CHECK(listener.size() == 0);
    CHECK(c.device.output.size() == 0);
}

}  // namespace

}  // namespace acts_reassemble
