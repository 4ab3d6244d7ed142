// receive_plain: plain packets for this host are delivered as on the full path, and a change that
// one causes applies from the next packet of the batch on.
#include "unit/stack/acts/subject.hpp"

#include <sluice/stack/enter.hpp>

namespace acts_receive_plain {

namespace {

using namespace acts_test;

constexpr moment now{instant{} + 1000_s, 43'200'000};

byte_vector numbered(u8 number, u8 tos = 0) {
    return datagram_of(
        {.destination = "10.0.1.1"_ip,
         .protocol = 17,
         .tos = tos,
         .payload = support::udp_message(4000, 53, byte_vector(4, std::byte{number}))});
}

// An endpoint that does something with each datagram that it takes.
struct acting final : packet_sink<packet> {
    bool take(packet& taken, const delivery_info& info) noexcept override {
        numbers.push_back(std::to_integer<u8>(*std::as_const(taken).data()));
        last = info;
        taken.reset();
        act(*this);
        return true;
    }

    void (*act)(acting&) = [](acting&) {};
    core<small>* of = nullptr;
    std::vector<u8> numbers{};
    delivery_info last{};
};

struct refusing final : hook<packet> {
    hook_verdict operator()(packet&, const hook_context&) noexcept override {
        return hook_verdict::drop;
    }
};
struct idle final : hook<packet> {
    hook_verdict operator()(packet&, const hook_context&) noexcept override {
        return hook_verdict::accept;
    }
};

TEST_CASE("receive plain: counters and metadata equal those of the full path") {
    for (const bool at_once : {true, false}) {
        CAPTURE(at_once);
        core<small> c{{.seed = testing::fixed_seed}};
        furnish(c);
        idle hook;  // with it there is no accept branch
        REQUIRE((at_once || c.gates.hooks.add(hook_point::prerouting, 0, hook)));
        CHECK(acts::detail::may_go_fast(c, 2) == at_once);
        acting to;
        REQUIRE(c.local.delivery.add_udp({.protocol = 17, .local_port = 53}, to));
        CHECK(acts::enter(c, packet_of(c, numbered(7, 3)), now) == fate::delivered);
        CHECK((to.numbers == std::vector<u8>{7}));
        CHECK(to.last.interface == 2);
        CHECK(to.last.local == "10.0.1.1"_ip);
        CHECK(to.last.source_port == 4000);
        CHECK_FALSE(to.last.broadcast_or_multicast);
        const auto& n = c.books.counters;
        CHECK(n[mib::ip_in_receives] == 1);
        CHECK(n[mib::ipext_in_octets] == 32);
        CHECK(n[ecn_counter(3)] == 1);
        CHECK(n[mib::ip_in_delivers] == 1);
        CHECK(n[mib::udp_in_datagrams] == 1);
        CHECK(n[balance::received] == 1);
        CHECK(n[balance::delivered] == 1);
        CHECK(n.drops() == 0);
    }
}

TEST_CASE("receive plain: an echo request is answered; one from a local address is dropped") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const auto echo = [](ipv4::address from) {
        byte_vector message = list({8, 0, 0, 0, 0, 1, 0, 2, 5, 6, 7, 8});
        store_be<u16>(message.data() + 2, checksum::compute(message));
        return datagram_of(
            {.source = from, .destination = "10.0.1.1"_ip, .protocol = 1, .payload = message});
    };
    packet batch[] = {packet_of(c, echo("10.0.1.2"_ip)), packet_of(c, echo("10.0.2.1"_ip)),
                      packet_of(c, echo("10.0.1.3"_ip))};
    acts::enter(c, batch, now);
    const auto left = sent(c);
    REQUIRE(left.size() == 2);
    check(left[0].datagram, support::right_sums(), support::source("10.0.1.1"_ip),
          support::icmp_is(0, 0, 0x10002));
    check(left[1].datagram, support::right_sums(), support::icmp_is(0, 0, 0x10002));
    CHECK(c.books.counters[mib::icmp_in_echos] == 2);
    CHECK(c.books.counters[mib::ip_in_receives] == 3);
    CHECK(c.books.counters.drops() == 1);
}

TEST_CASE("receive plain: a change by an endpoint applies from the next packet on") {
    static refusing drops;
    const struct {
        const char* name;
        void (*act)(acting&);
        std::vector<u8> taken;
    } rows[] = {
        {.name = "nothing", .act = [](acting&) {}, .taken = {1, 2, 3}},
        {.name = "the interface goes down",
         .act =
             [](acting& a) {
                 static_cast<void>(acts::set_link(a.of->tables, 2, {.up = false, .mtu = 1500}));
             },
         .taken = {1}},
        {.name = "the interface goes",
         .act = [](acting& a) { static_cast<void>(acts::remove_interface(a.of->tables, 2)); },
         .taken = {1}},
        {.name = "a hook refuses without a report",
         .act =
             [](acting& a) {
                 static_cast<void>(a.of->gates.hooks.add(hook_point::prerouting, 0, drops));
             },
         .taken = {1}},
        {.name = "another datagram comes, which is next",
         .act =
             [](acting& a) {
                 if (a.numbers.size() == 1)
                     static_cast<void>(acts::enter(*a.of, packet_of(*a.of, numbered(9)), now));
             },
         .taken = {1, 9, 2, 3}},
    };
    for (const auto& r : rows) {
        CAPTURE(r.name);
        for (const bool at_once : {true, false}) {
            CAPTURE(at_once);
            core<small> c{{.seed = testing::fixed_seed}};
            furnish(c);
            acting to;
            to.act = r.act;
            to.of = &c;
            REQUIRE(c.local.delivery.add_udp({.protocol = 17, .local_port = 53}, to));
            packet batch[3];
            for (u8 i = 0; i < 3; ++i)
                batch[i] = packet_of(c, numbered(static_cast<u8>(i + 1)));
            if (at_once) {
                acts::enter(c, batch, now);
            } else {
                for (auto& p : batch)
                    static_cast<void>(acts::enter(c, std::move(p), now));
            }
            CHECK((to.numbers == r.taken));
            CHECK(c.books.counters[balance::received] == (r.taken.size() == 4 ? 4 : 3));
            CHECK(c.later.empty());
        }
    }
}

// A neighbour uses the other local address, as accept_local allows: the error about its datagram
// comes back over lo.
TEST_CASE("receive plain: work caused by a packet is done before the next packet") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    REQUIRE(acts::change_switches_of(c.tables, 2,
                                     [](interface_settings& s) { s.accept_local = true; }));
    acting to;
    REQUIRE(c.local.delivery.add_udp({.protocol = 17, .local_port = 53}, to));
    REQUIRE(c.local.delivery.add_raw({.protocol = 1}, to));
    packet batch[] = {packet_of(c, datagram_of({.source = "10.0.2.1"_ip,
                                                .destination = "10.0.1.1"_ip,
                                                .payload = support::udp_message(4000, 54, {})})),
                      packet_of(c, numbered(1)), packet_of(c, numbered(2))};
    acts::enter(c, batch, now);
    CHECK((to.numbers == std::vector<u8>{0x45, 1, 2}));
}

TEST_CASE("receive plain: forward hooks see the forwarded packets of a mixed batch") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    acting to;
    REQUIRE(c.local.delivery.add_udp({.protocol = 17, .local_port = 53}, to));
    refusing drops;
    packet first[] = {packet_of(c, numbered(1)), packet_of(c, datagram_of({})),
                      packet_of(c, datagram_of({.ttl = 1})), packet_of(c, numbered(2)),
                      packet_of(c, datagram_of({}), 3)};
    acts::enter(c, first, now);
    CHECK(sent(c).size() == 3);  // forwarded, an error, and back where it came from
    REQUIRE(c.gates.hooks.add(hook_point::forward, 0, drops));
    packet second[] = {packet_of(c, numbered(3)), packet_of(c, datagram_of({})),
                       packet_of(c, numbered(4))};
    acts::enter(c, second, now);
    CHECK(sent(c).empty());
    CHECK((to.numbers == std::vector<u8>{1, 2, 3, 4}));
    CHECK(c.books.counters[balance::received] == 8);
}

}  // namespace

}  // namespace acts_receive_plain
