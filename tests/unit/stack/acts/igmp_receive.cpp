// igmp_receive: which messages the multicast policy gets, and what becomes of the others.
#include "subject.hpp"

#include "support/igmp_model.hpp"

#include <sluice/multicast/igmp_host.hpp>
#include <sluice/stack/enter.hpp>

namespace acts_igmp_receive {

namespace {

using namespace acts_test;
using igmp_model::query;
using igmp_model::short_message;

struct member : policies<based_on<small_host>, multicast<igmp_host<8, 16, 4>>> {
    [[nodiscard]] static constexpr settings initial_settings() noexcept {
        settings s;
        s.igmp_qrv = 1;
        return s;
    }
};
constexpr ipv4::address group = "239.1.2.3"_ip;
constexpr auto to_all = sluice::link_addressing::multicast;

struct node {
    node() : c{{.seed = testing::fixed_seed}} {
        furnish(c);
        static_cast<void>(c.tables.groups.join(2, group));
        static_cast<void>(pass(10_s));
    }
    std::size_t pass(duration d) {
        const instant end = c.calls.now.now + d;
        for (instant due = acts::poll(c, c.calls.now); due <= end;
             due = acts::poll(c, {due, c.calls.now.midnight_ms})) {
        }
        static_cast<void>(acts::poll(c, {end, c.calls.now.midnight_ms}));
        return sent(c).size();
    }
    fate receive(const byte_vector& message, ipv4::address to = "224.0.0.1"_ip,
                 ipv4::address from = "10.0.1.9"_ip, sluice::link_addressing as = to_all) {
        auto p = packet_of(
            c,
            datagram_of(
                {.source = from, .destination = to, .ttl = 1, .protocol = 2, .payload = message}));
        p.set_addressing(as);
        return acts::enter(c, std::move(p), c.calls.now);
    }

    core<member> c;
};

TEST_CASE("igmp_receive: a query is answered later, from whatever source it comes") {
    for (const ipv4::address from : {"10.0.1.9"_ip, "0.0.0.0"_ip, "192.0.2.1"_ip}) {
        node n;
        CHECK(n.receive(query(0, 10, 1, 60, {}), "224.0.0.1"_ip, from) == fate::delivered);
        CHECK(sent(n.c).empty());
        CHECK(n.pass(2_s) == 1);
        CHECK(n.c.books.counters[mib::ip_in_delivers] == 1);
    }
}

TEST_CASE("igmp_receive: a query to the group reaches a member that wants none of its source") {
    node n;
    const ipv4::address source[] = {"10.0.1.9"_ip};
    REQUIRE(n.c.tables.groups.add_sources(2, group, filter_mode::exclude, source));
    static_cast<void>(n.pass(10_s));
    CHECK_FALSE(n.c.tables.groups.is_member(2, group, source[0]));
    CHECK(n.receive(query(group.value, 10, 1, 60, {}), group, source[0]) == fate::delivered);
    CHECK(n.pass(2_s) == 1);
}

TEST_CASE("igmp_receive: what a host has no use for is dropped, and counted as delivered to IGMP") {
    auto unsummed = query(0, 10, 1, 60, {});
    unsummed[1] ^= std::byte{1};
    const byte_vector rows[] = {unsummed,
                                byte_vector(8),
                                byte_vector(3),
                                {},
                                short_message(igmp::types::leave, 0, group.value),
                                query(0, 10, 1, 60, {1})};
    node n;
    u64 count = 0;
    for (const byte_vector& message : rows) {
        CHECK(n.receive(message) == fate::dropped);
        CHECK(n.c.books.counters[drop_reason::igmp_ignored] == ++count);
        CHECK(n.c.books.counters[mib::ip_in_delivers] == count);
    }
    CHECK(n.pass(20_s) == 0);
}

TEST_CASE("igmp_receive: the report of another host silences ours, but not by a unicast frame") {
    for (const auto as :
         {to_all, sluice::link_addressing::broadcast, sluice::link_addressing::host}) {
        node n;
        REQUIRE(n.receive(short_message(igmp::types::query, 20, 0)) == fate::delivered);
        const auto report = short_message(igmp::types::v2_report, 0, group.value);
        const bool heard = as != sluice::link_addressing::host;
        CHECK((n.receive(report, group, "10.0.1.9"_ip, as) == fate::delivered) == heard);
        CHECK(n.pass(3_s) == (heard ? 0u : 1u));
    }
}

TEST_CASE("igmp_receive: a query in several fragments is read whole") {
    node n;
    REQUIRE(n.c.tables.groups.enter(2, "232.1.1.1"_ip, filter_mode::include));
    const ipv4::address source[] = {"10.7.0.40"_ip};
    REQUIRE(n.c.tables.groups.add_sources(2, "232.1.1.1"_ip, filter_mode::include, source));
    static_cast<void>(n.pass(10_s));
    std::vector<u32> many;
    for (u32 i = 1; i <= 40; ++i)
        many.push_back(0x0a070000 + i);
    const auto message = query(0xe8010101, 10, 1, 60, many);
    const auto piece = [&](std::size_t from, std::size_t to, u16 flags) {
        auto p =
            packet_of(n.c, datagram_of({.source = "10.0.1.9"_ip,
                                        .destination = "232.1.1.1"_ip,
                                        .protocol = 2,
                                        .flags_and_offset = static_cast<u16>(flags | from / 8),
                                        .payload = {message.begin() + static_cast<long>(from),
                                                    message.begin() + static_cast<long>(to)}}));
        p.set_addressing(to_all);
        return acts::enter(n.c, std::move(p), n.c.calls.now);
    };
    CHECK(piece(0, 16, 0x2000) == fate::held);
    CHECK(piece(16, message.size(), 0) == fate::delivered);
    CHECK(n.pass(2_s) == 1);
}

}  // namespace

}  // namespace acts_igmp_receive
