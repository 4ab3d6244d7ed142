// pim_registers: a register's packet is received by the register VIF; everything else is ignored.
// tests/kernel/vectors/multicast2.vec (register) holds what Linux does.
#include <doctest/doctest.h>

#include <sluice/endpoint/pim_registers.hpp>
#include <sluice/multicast/multicast_tables.hpp>
#include <sluice/stack/stack.hpp>
#include <sluice/testing/fixed_seed.hpp>

#include "support/datagrams.hpp"
#include "support/sent.hpp"

namespace endpoint_pim_registers {

namespace {

using namespace sluice;
using namespace sluice::literals;
using support::byte_vector;
using support::datagram_of;

struct routing
    : policies<based_on<linux_router>, buffers<fixed_pool<2048, 32>>, output<queue_output<16>>,
               reassembly<bounded_cache<8>>, multicast_routes<forwarding_cache<16>>> {};

byte_vector inner(u8 ttl = 8) {
    return datagram_of({.source = "172.16.1.1"_ip, .destination = "239.1.1.2"_ip, .ttl = ttl});
}

// A register message; the checksum covers `summed` bytes, or all.
byte_vector message(const byte_vector& about, u8 first = 0x21, u32 flags = 0,
                    std::size_t summed = 8) {
    byte_vector m(8);
    m[0] = std::byte{first};
    store_be<u32>(m.data() + 4, flags);
    m.insert(m.end(), about.begin(), about.end());
    const std::size_t n = std::min(summed, m.size());
    store_be<u16>(m.data() + 2, checksum::compute(const_bytes{m}.first(n)));
    return m;
}

struct router {
    stack<routing> s;
    std::size_t free = 0;

    explicit router(bool has_register = true) : s{{.seed = testing::fixed_seed}} {
        REQUIRE(s.add_interface({.index = 2, .address = "10.0.1.1/24"_net}).has_value());
        REQUIRE(s.add_interface({.index = 3, .address = "10.0.2.1/24"_net}).has_value());
        REQUIRE(s.add_interface({.index = 9}).has_value());
        REQUIRE(s.open_multicast_routes().has_value());
        REQUIRE(s.add_vif(1, {.interface = 3}).has_value());
        if (has_register)
            REQUIRE(s.add_vif(2, {.kind = vif_kind::pim_register, .interface = 9}).has_value());
        multicast_entry e{.source = "172.16.1.1"_ip, .group = "239.1.1.2"_ip, .upstream = 2};
        e.thresholds[1] = 1;
        REQUIRE(s.add_multicast_route(e, {}).has_value());
        free = s.buffers().available();
    }
    std::vector<byte_vector> forwarded(const byte_vector& pim) {
        auto came = support::packet_of(s.buffers(), datagram_of({.source = "10.0.1.2"_ip,
                                                                 .destination = "10.0.1.1"_ip,
                                                                 .protocol = ipv4::protocols::pim,
                                                                 .payload = pim}));
        came.set_interface(2);
        static_cast<void>(s.receive(std::move(came), {}));
        std::vector<byte_vector> left;
        for (const auto& one : support::take_sent(s.output()))
            left.push_back(one.datagram);
        CHECK(s.buffers().available() == free);
        return left;
    }
};

TEST_CASE("the packet in a register is forwarded by its entry, whatever its sum covers") {
    router r;
    const pim_registers registers{r.s};
    CHECK(r.forwarded(message(inner())) == std::vector<byte_vector>{inner(7)});
    CHECK(r.forwarded(message(inner(), 0x21, 0, 1000)) == std::vector<byte_vector>{inner(7)});
    byte_vector padded = message(inner());
    padded.resize(padded.size() + 5);
    CHECK(r.forwarded(padded) == std::vector<byte_vector>{inner(7)});
    CHECK(r.forwarded(message(inner(), 0x21, 0x8000'0000)).size() == 1);  // the border bit
    CHECK(r.s.counters()[mib::ip_in_receives] == 8);
}

TEST_CASE("what is no register of a whole packet to a group is ignored") {
    router r;
    const pim_registers registers{r.s};
    byte_vector wrong = message(inner());
    wrong[3] ^= std::byte{1};
    byte_vector cut = message(inner());
    cut.resize(cut.size() - 1);
    const byte_vector unicast = datagram_of({.source = "172.16.1.1"_ip, .ttl = 9});
    u64 ignored = 0;
    for (const auto& m :
         {wrong, cut, message(unicast), message(inner(), 0x11), message(inner(), 0x20),
          message(inner(), 0x21, 0x4000'0000), message({}), byte_vector{}}) {
        CHECK(r.forwarded(m).empty());
        CHECK(r.s.counters()[drop_reason::ignored_by_handler] == ++ignored);
    }
}

TEST_CASE("four register messages inside each other are taken apart, and no more") {
    router r;
    const pim_registers registers{r.s};
    for (int depth = 1; depth <= 6; ++depth) {
        CAPTURE(depth);
        byte_vector m = message(inner());
        for (int i = 1; i < depth; ++i)  // 224.0.0.1 is always this host
            m = message(datagram_of({.source = "172.16.1.1"_ip,
                                     .destination = "224.0.0.1"_ip,
                                     .protocol = ipv4::protocols::pim,
                                     .payload = m}));
        CHECK(r.forwarded(m).size() == (depth <= 4 ? 1 : 0));
        CHECK(r.s.counters()[drop_reason::ignored_by_handler] == (depth <= 4 ? 0 : depth - 4));
    }
}

TEST_CASE("of several tables the rules choose the register VIF, by the interface of the message") {
    struct several
        : policies<based_on<routing>, multicast_routes<multicast_tables<2, forwarding_cache<4>>>> {
    };
    stack<several> s{{.seed = testing::fixed_seed}};
    REQUIRE(s.add_interface({.index = 9}).has_value());
    REQUIRE(s.add_interface({.index = 2, .address = "10.0.1.1/24"_net, .master = 9}).has_value());
    for (const u16 pimreg : {u16{10}, u16{11}})
        REQUIRE(s.add_interface({.index = pimreg}).has_value());
    u16 device = 10;
    for (const u32 table : {default_multicast_table, 100u}) {
        REQUIRE(s.open_multicast_routes(table).has_value());
        const virtual_interface v{.kind = vif_kind::pim_register, .interface = device++};
        REQUIRE(s.add_vif(3, v, table).has_value());
    }
    const pim_registers registers{s};
    const auto received_by = [&] {
        auto came = support::packet_of(s.buffers(), datagram_of({.source = "10.0.1.2"_ip,
                                                                 .destination = "10.0.1.1"_ip,
                                                                 .protocol = ipv4::protocols::pim,
                                                                 .payload = message(inner())}));
        came.set_interface(2);
        static_cast<void>(s.receive(std::move(came), {}));
        u16 by = 0;
        s.multicast_routes().for_each_table([&](u32, const auto& table) {
            table.for_each_waiting(
                [&](ipv4::address, ipv4::address, std::size_t) { by = table.vif(3)->interface; });
        });
        s.flush_multicast_routes({.entries = true});
        s.flush_multicast_routes({.entries = true}, 100);
        return by;
    };
    auto& rules = s.multicast_routes();
    REQUIRE(rules.add_rule({.priority = 9, .incoming = 11, .target = 100}).has_value());
    CHECK(received_by() == 10);
    REQUIRE(rules.add_rule({.priority = 1, .incoming = 9, .target = 100}).has_value());
    CHECK(received_by() == 11);
    REQUIRE(rules.remove_rule(1).has_value());
    REQUIRE(rules.add_rule({.priority = 1, .incoming = 9, .action = rule_action::blackhole})
                .has_value());
    CHECK(received_by() == 0);
}

TEST_CASE("without a register VIF, and after its end, it takes nothing") {
    router without{false};
    {
        const pim_registers registers{without.s};
        CHECK(without.forwarded(message(inner())).empty());
    }
    router r;
    {
        const pim_registers registers{r.s};
        CHECK(r.forwarded(message(inner())).size() == 1);
    }
    CHECK(r.s.delivery().handler(ipv4::protocols::pim) == nullptr);
}

}  // namespace

}  // namespace endpoint_pim_registers
