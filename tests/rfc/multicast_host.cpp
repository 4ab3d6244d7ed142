// Groups of a host: who receives what, what is sent where, from which source; filters of sources.
#include "rfc/member.hpp"

#include <sluice/options/linux_options.hpp>
#include <sluice/wire/ethernet.hpp>

#include <random>

namespace rfc_multicast_host {

namespace {

using namespace rfc_member;

constexpr ipv4::address one = "10.0.1.2"_ip;
constexpr ipv4::address two = "10.0.1.3"_ip;

struct takes_all {
    [[nodiscard]] static constexpr bool is_unicast(ipv4::address) noexcept { return true; }
};

struct node : host {
    // A program that hears this port, if it may.
    void listen(socket& s, bool others = true) {
        s.options().reuse = true;
        s.options().multicast_all = others;
        REQUIRE(s.bind({{}, 7000}).has_value());
    }
    fate speak(ipv4::address from, ipv4::address to = group, u16 by = lan) {
        return hear(9, 7000, pattern(3), to, from, by);
    }
    using host::hear;
    using world::hear;
    // What leaves because the program sends to the group; not what returns to this host.
    std::vector<sent_packet> said(socket& s, ipv4::address to = group,
                                  const message_options& how = {}) {
        REQUIRE(s.send(pattern(3), {to, 7000}, now, how).has_value());
        return sent();
    }
};
std::size_t taken(socket& s) {
    const std::size_t n = s.waiting_packets();
    byte_vector room(100);
    while (s.receive(room).has_value()) {
    }
    return n;
}

TEST_CASE("multicast: groups are joined, heard and left on each interface") {
    node h;
    socket s{*h}, other{*h};
    h.listen(s);
    const std::initializer_list<ipv4::address> groups = {"224.0.0.2"_ip, "224.0.1.0"_ip, group,
                                                         "239.255.255.255"_ip};
    for (const u16 by : {u16{2}, u16{3}}) {
        const u16 elsewhere = by == 2 ? 3 : 2;
        const ipv4::address from = by == 2 ? one : "10.0.2.2"_ip;
        for (const ipv4::address g : groups) {
            CHECK_RFC("R1112-002", h.speak(from, g, by) == fate::dropped && h.is_quiet());
            REQUIRE(s.join(g, h.now, by).has_value());
            REQUIRE(other.join(g, h.now, by).has_value());
            h.settle();
            const bool heard = h.speak(from, g, by) == fate::delivered && taken(s) == 1;
            CHECK_RFC("R1112-002", heard);
            CHECK_RFC("R1122-156", heard);
            CHECK_RFC("R1112-009", h.speak(from, g, elsewhere) == fate::dropped && taken(s) == 0 &&
                                       h.is_quiet());
            // The last user of the interface leaves the group.
            REQUIRE(s.leave(g, h.now, by).has_value());
            CHECK_RFC("R1112-008", h.speak(from, g, by) == fate::delivered);
            REQUIRE(s.join(g, h.now, elsewhere).has_value());
            REQUIRE(other.leave(g, h.now, by).has_value());
            h.settle();
            CHECK_RFC("R1112-008", h.speak(from, g, by) == fate::dropped && h.is_quiet());
            REQUIRE(s.leave(g, h.now, elsewhere).has_value());
            h.settle();
            static_cast<void>(taken(s));
            other.options().multicast_interface = by;
            const auto left = h.said(other, g);
            CHECK_RFC("R1122-156", left.size() == 1 && left[0].to.interface == by);
        }
    }
    for (const ipv4::address no : {"223.255.255.255"_ip, "240.0.0.0"_ip, own, ipv4::unspecified})
        CHECK(s.join(no, h.now, lan).error() == endpoint_error::invalid);
    CHECK_RFC_DEVIATES("R1112-001", s.join("224.0.0.0"_ip, h.now, lan).has_value());
    CHECK_RFC_DEVIATES("R4607-003", s.join("232.0.0.0"_ip, h.now, lan).has_value());
}

TEST_CASE("multicast: 224.0.0.1 is heard from the start, and not left") {
    node h;
    socket s{*h};
    h.listen(s);
    const auto heard = [&] {
        return h.speak(one, ipv4::all_systems) == fate::delivered &&
               h.speak("10.0.2.2"_ip, ipv4::all_systems, 3) == fate::delivered && taken(s) == 2;
    };
    const auto check = [&] {
        const bool is_heard = heard();
        CHECK_RFC("R1112-015", is_heard);
        CHECK_RFC("R1122-158", is_heard);
    };
    check();
    REQUIRE(s.join(ipv4::all_systems, h.now, lan).has_value());
    REQUIRE(s.leave(ipv4::all_systems, h.now, lan).has_value());
    check();
    static_cast<void>(h->groups().leave(lan, ipv4::all_systems));
    check();
    REQUIRE(h->set_up(lan, false).has_value());
    REQUIRE(h->set_up(lan, true).has_value());
    check();
}

TEST_CASE("multicast: TTL, interface and loopback are for the sender to set") {
    node h;
    socket s{*h}, member{*h};
    h.listen(member);
    REQUIRE(member.join(group, h.now, lan).has_value());
    h.settle();
    s.options().multicast_interface = lan;
    auto left = h.said(s);
    REQUIRE(left.size() == 1);
    const auto ttl_of = [](const sent_packet& p) {
        return ipv4::const_view{p.datagram.data()}[ipv4::ttl];
    };
    CHECK_RFC("R1112-003", ttl_of(left[0]) == 1 && left[0].to.interface == lan);
    CHECK_RFC("R1112-004", taken(member) == 1);
    s.options().multicast_loop = false;
    s.options().multicast_ttl = 9;
    s.options().multicast_interface = 3;
    left = h.said(s);
    REQUIRE(left.size() == 1);
    CHECK_RFC("R1112-003", ttl_of(left[0]) == 9 && left[0].to.interface == 3);
    left = h.said(s, group, {.interface = lan});
    REQUIRE(left.size() == 1);
    CHECK_RFC("R1112-003", left[0].to.interface == lan);
    CHECK_RFC("R1112-004", taken(member) == 0);
}

TEST_CASE("multicast: to the local network, without membership; a gateway of groups counts") {
    node h;
    socket s{*h};
    REQUIRE(h->add_route({.prefix = "0.0.0.0/0"_prefix, .gateway = gateway}).has_value());
    for (const ipv4::address g : {group, "224.0.0.9"_ip, "232.1.1.1"_ip}) {
        const auto left = h.said(s, g);
        REQUIRE(left.size() == 1);
        CHECK(left[0].to.next_hop == g);
        CHECK(left[0].to.interface == 3);
        CHECK(left[0].to.kind == link_destination::multicast);
        CHECK(ipv4::const_view{left[0].datagram.data()}[ipv4::destination] == g);
    }
    REQUIRE(h->add_route({.prefix = "224.0.0.0/4"_prefix, .gateway = gateway}).has_value());
    const auto left = h.said(s);
    REQUIRE(left.size() == 1);
    CHECK_RFC_DEVIATES("R1112-005", left[0].to.next_hop == gateway);
}

TEST_CASE("multicast: sources of what is sent") {
    node h;
    REQUIRE(h->add_address(lan, "10.0.7.1/24"_net).has_value());
    for (const u16 by : {u16{2}, u16{3}}) {
        socket s{*h};
        s.options().multicast_interface = by;
        const auto left = h.said(s);
        REQUIRE(left.size() == 1);
        const ipv4::address from = ipv4::const_view{left[0].datagram.data()}[ipv4::source];
        CHECK(from == (by == 2 ? own : "10.0.2.1"_ip));
    }
    socket bound{*h};
    REQUIRE(bound.bind({"10.0.2.1"_ip, 7001}).has_value());
    bound.options().multicast_interface = lan;
    const auto left = h.said(bound);
    REQUIRE(left.size() == 1);
    CHECK_RFC_DEVIATES("R1112-013",
                       ipv4::const_view{left[0].datagram.data()}[ipv4::source] == "10.0.2.1"_ip &&
                           left[0].to.interface == lan);
    // A socket of a group sends from an address of this host.
    socket of_group{*h};
    REQUIRE(of_group.bind({group, 7002}).has_value());
    of_group.options().multicast_interface = lan;
    const auto own_source = h.said(of_group);
    REQUIRE(own_source.size() == 1);
    CHECK(ipv4::const_view{own_source[0].datagram.data()}[ipv4::source] == own);
    CHECK_FALSE(bound.send(pattern(3), {one, 9}, h.now, {.source = group}).has_value());
    // A source route is the program's.
    const takes_all all{};
    const auto route = linux_options::compile_request(
        list({131, 11, 4, 10, 0, 1, 2, 239, 1, 2, 3, 0}), ip_options::sender_rights::ordinary, all);
    REQUIRE(route.has_value());
    REQUIRE(h->send(h.packet(pattern(8)), {.destination = one, .protocol = 253, .options = &*route},
                    h.now)
                .has_value());
    const byte_vector routed = h.sent_one();
    CHECK_RFC_DEVIATES("R1112-006", support::part(routed, 23, 27) == list({239, 1, 2, 3}));
}

TEST_CASE("multicast: 32 groups share an Ethernet address") {
    for (u32 high = 0; high < 32; ++high) {
        const ipv4::address g{0xe0010203 | high << 23};
        const ethernet::address mac = ethernet::multicast_mac(g);
        CHECK_RFC("R1112-007", mac.parts == std::array<u8, 6>{0x01, 0x00, 0x5e, 1, 2, 3});
    }
    CHECK_RFC("R1112-007", ethernet::multicast_mac("239.255.255.255"_ip).parts ==
                               std::array<u8, 6>{0x01, 0x00, 0x5e, 0x7f, 0xff, 0xff});
}

TEST_CASE("multicast: no ICMP error, and TTL 1 is enough") {
    node h;
    socket s{*h};
    REQUIRE(s.join(group, h.now, lan).has_value());
    h.settle();
    const auto silent = [&](const byte_vector& d) {
        for (const auto as : {sluice::link_addressing::multicast, sluice::link_addressing::host})
            static_cast<void>(h.receive(d, lan, as));
        return h.is_quiet();
    };
    for (const ipv4::address g : {group, other_group, ipv4::all_systems}) {
        for (const u8 ttl : {u8{1}, u8{0}, u8{64}}) {
            CHECK_RFC("R1112-010", silent(datagram_of({.destination = g, .ttl = ttl})));
            CHECK_RFC("R1112-010",
                      silent(datagram_of({.destination = g,
                                          .ttl = ttl,
                                          .protocol = 17,
                                          .payload = support::udp_message(9, 9, pattern(4))})));
            CHECK_RFC(
                "R1112-010",
                silent(datagram_of({.destination = g, .ttl = ttl, .options = list({7, 2, 0, 0})})));
            CHECK_RFC(
                "R1112-010",
                silent(datagram_of({.destination = g, .ttl = ttl, .flags_and_offset = 0x2000})));
        }
    }
    // The fragments above are given up.
    for (const spoken& m : h.pass(60_s))
        CHECK_RFC("R1112-010", m.ip()[ipv4::protocol] != 1);
    h.listen(s);
    byte_vector last = support::udp_message(9, 7000, pattern(3));
    udp::set_checksum(one, group, last);
    CHECK_RFC(
        "R1112-011",
        h.receive(datagram_of(
            {.source = one, .destination = group, .ttl = 1, .protocol = 17, .payload = last})) ==
                fate::delivered &&
            taken(s) == 1);
}

TEST_CASE("multicast: filters of several programs as one of the interface") {
    std::mt19937 draw{3};
    const auto all = sources_from(1, 5);
    for (int round = 0; round < 60; ++round) {
        node h;
        socket programs[3] = {socket{*h}, socket{*h}, socket{*h}};
        std::vector<igmp_model::filter> filters;
        for (socket& s : programs) {
            std::vector<ipv4::address> some;
            for (const ipv4::address a : all)
                if (draw() % 2 == 0) some.push_back(a);
            const auto mode = draw() % 3 == 0 ? filter_mode::exclude : filter_mode::include;
            REQUIRE(s.join(group, h.now, lan).has_value());
            REQUIRE(s.set_filter(group, {mode, some}, h.now, lan).has_value());
            filters.push_back({mode, set_of(some)});
        }
        h.settle();
        const igmp_model::filter merged = igmp_model::merge(filters);
        REQUIRE(h.hear(query(0, 10, 2, 125, {})) == fate::delivered);
        const records want =
            !merged.listens()
                ? records{}
                : records{{merged.mode == filter_mode::exclude ? 2 : 1, group, merged.sources}};
        CHECK_RFC("R3376-002", records_of(h.pass(2_s)) == want);
    }
}

TEST_CASE("multicast: each program receives from the sources of its filter") {
    node h;
    socket includes{*h}, excludes{*h};
    h.listen(includes);
    h.listen(excludes);
    REQUIRE(includes.join_source(group, one, h.now, lan).has_value());
    REQUIRE(excludes.join(group, h.now, lan).has_value());
    REQUIRE(excludes.block_source(group, one, h.now, lan).has_value());
    REQUIRE(excludes.join(group, h.now, 3).has_value());
    h.settle();
    CHECK_RFC("R3376-023",
              h.speak(one) == fate::delivered && taken(includes) == 1 && taken(excludes) == 0);
    CHECK_RFC("R3376-023",
              h.speak(two) == fate::delivered && taken(includes) == 0 && taken(excludes) == 1);
    CHECK_RFC("R3376-023",
              h.speak("10.0.2.2"_ip, group, 3) == fate::delivered && taken(excludes) == 1);
    includes.close();
    CHECK_RFC("R3376-023", h.speak(one) == fate::dropped && taken(excludes) == 0);
}

TEST_CASE("multicast: how many sources a filter may have") {
    node h;
    socket s{*h};
    const auto many = sources_from(1, 65);
    for (u32 i = 0; i < 10; ++i)
        REQUIRE(s.join_source(group, many[i], h.now, lan).has_value());
    CHECK_RFC_DEVIATES("R3376-001", s.join_source(group, many[10], h.now, lan).error() ==
                                        endpoint_error::no_buffer);
    h->change([](settings& all) { all.igmp_max_msf = 64; });
    for (u32 i = 10; i < 64; ++i)
        CHECK(s.join_source(group, many[i], h.now, lan).has_value());
    CHECK(s.join_source(group, many[64], h.now, lan).error() == endpoint_error::no_buffer);
}

TEST_CASE("multicast: groups of 232.0.0.0/8") {
    constexpr ipv4::address channel = "232.1.1.1"_ip;
    node h;
    socket any{*h}, exact{*h};
    h.listen(any, false);
    h.listen(exact, false);
    CHECK_RFC_DEVIATES("R4607-001", any.join(channel, h.now, lan).has_value());
    REQUIRE(exact.join_source(channel, one, h.now, lan).has_value());
    h.settle();
    CHECK(h.speak(one, channel) == fate::delivered);
    CHECK(taken(exact) == 1);
    CHECK_RFC_DEVIATES("R4607-002", taken(any) == 1);
    CHECK(h.speak(two, channel) == fate::delivered);
    CHECK(taken(exact) == 0);
    CHECK_RFC_DEVIATES("R4607-002", taken(any) == 1);
}

}  // namespace

}  // namespace rfc_multicast_host
