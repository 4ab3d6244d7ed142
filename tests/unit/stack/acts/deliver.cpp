// deliver: fragments wait, taps get copies, each protocol gets its datagrams; an unwanted datagram
// causes an error.
#include "unit/stack/acts/subject.hpp"

#include <sluice/delivery/receive_queue.hpp>
#include <sluice/stack/deliver.hpp>

namespace acts_deliver {

namespace {

using namespace acts_test;

const byte_vector to_us = datagram_of({.destination = "10.0.1.1"_ip});

template <class Core>
fate deliver(Core& c, const byte_vector& d) {
    return acts::deliver(c, sound(c, d), route_type::local, *c.tables.interfaces.find(2));
}

TEST_CASE(
    "deliver: an unknown protocol is reported to the sender, unless a tap took the datagram") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    CHECK(deliver(c, to_us) == fate::dropped);
    check(sent_one(c), support::icmp_is(3, 2), support::quotes(to_us, 36));
    CHECK(c.books.counters[drop_reason::protocol_unknown] == 1);
    CHECK(c.books.counters[mib::ip_in_unknown_protos] == 1);
    CHECK(c.books.counters[mib::ip_in_delivers] == 0);

    receive_queue<packet, 2> tap;
    REQUIRE(c.local.delivery.add_raw({.protocol = 253}, tap));
    CHECK(deliver(c, to_us) == fate::absorbed);
    REQUIRE(tap.size() == 1);
    CHECK(content_of(tap.next().packet) == to_us);
    const auto& n = c.books.counters;
    CHECK(n[balance::copied] == 1);
    CHECK(n[balance::delivered] == 1);
    CHECK(n[balance::absorbed] == 1);
    CHECK(n[mib::ip_in_delivers] == 1);
    CHECK(c.device.output.size() == 0);
}

TEST_CASE("deliver: a fragment is held, and its datagram delivered once") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    receive_queue<packet, 2> tap;
    REQUIRE(c.local.delivery.add_raw({.protocol = 253}, tap));
    const byte_vector all = pattern(32);
    const auto piece = [&](std::size_t from, u16 flags) {
        return datagram_of({.destination = "10.0.1.1"_ip,
                            .flags_and_offset = flags,
                            .payload = {all.begin() + static_cast<std::ptrdiff_t>(from),
                                        all.begin() + static_cast<std::ptrdiff_t>(from) + 16}});
    };
    CHECK(deliver(c, piece(16, 2)) == fate::held);
    CHECK(tap.size() == 0);
    CHECK(deliver(c, piece(0, 0x2000)) == fate::absorbed);
    REQUIRE(tap.size() == 1);
    check(content_of(tap.next().packet), support::payload(all));
    CHECK(c.local.reassembly.held() == 0);
}

TEST_CASE("deliver: without a hook the datagram is not validated again") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    receive_queue<packet, 2> tap;
    REQUIRE(c.local.delivery.add_raw({.protocol = 253}, tap));
    packet p = packet_of(c, to_us);
    std::byte* const first = p.writable();
    unsummed_datagram<packet> d = pipeline::validate(p).value();
    *first = std::byte{0x55};  // behind its back: a version that no validation lets pass
    CHECK(acts::deliver(c, std::move(d), route_type::local, *c.tables.interfaces.find(2)) ==
          fate::absorbed);
    CHECK(tap.size() == 1);
    CHECK(c.books.counters.drops() == 0);
}

TEST_CASE("deliver: the local-in hook runs, and may remove the interface") {
    struct : hook<packet> {
        core<small>* c = nullptr;
        bool takes_down = false;
        hook_verdict operator()(packet&, const hook_context& at) noexcept override {
            CHECK(at.in == 2);
            if (takes_down) REQUIRE(acts::set_link(c->tables, 2, {.up = false}).has_value());
            return takes_down ? hook_verdict::accept : hook_verdict::drop;
        }
    } asked;
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    asked.c = &c;
    REQUIRE(c.gates.hooks.add(hook_point::local_in, 0, asked));
    CHECK(deliver(c, to_us) == fate::dropped);
    CHECK(c.books.counters[drop_reason::hook] == 1);
    asked.takes_down = true;
    CHECK(deliver(c, to_us) == fate::dropped);
    CHECK(c.books.counters[drop_reason::interface_down] == 1);
    CHECK(c.device.output.size() == 0);
}

TEST_CASE("deliver: UDP and ICMP have built-in handling, IGMP is counted and ignored") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const auto of = [](u8 protocol, const byte_vector& payload) {
        return datagram_of(
            {.destination = "10.0.1.1"_ip, .protocol = protocol, .payload = payload});
    };
    CHECK(deliver(c, of(1, support::echo_request())) == fate::delivered);
    check(sent_one(c), support::icmp_is(0, 0, 0x00070001));
    CHECK(deliver(c, of(17, support::udp_message(1, 2, {}))) == fate::dropped);
    check(sent_one(c), support::icmp_is(3, 3));
    CHECK(deliver(c, of(2, byte_vector(8))) == fate::dropped);
    CHECK(c.books.counters[drop_reason::igmp_ignored] == 1);
    CHECK(c.books.counters[mib::ip_in_delivers] == 3);
    CHECK(c.device.output.size() == 0);
}

}  // namespace

}  // namespace acts_deliver
