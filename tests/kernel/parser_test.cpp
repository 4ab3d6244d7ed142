// The vector reader: the statements that it makes of lines, and its errors for unknown ones.
#include "vector_file.hpp"
#include "vocabulary.hpp"

#include <doctest/doctest.h>

namespace kernel_parser_test {
using namespace replay;

namespace {

scenario parse_one(const std::string& configuration, const std::string& events) {
    const std::string text = "# family t\n\nscenario t/one\nabout free text,  two blanks\n" +
                             configuration + "begin\n" + events + "end\n";
    return parse_vectors("t.vec", text).at(0);
}

constexpr const char* interfaces =
    "interface if0 tun mtu 1500\ninterface if1 tap mtu 576 mac 02:00:00:00:00:0a\n";

template <class T>
T configured(const std::string& line) {
    const scenario about = parse_one(interfaces + line + "\n", "");
    CAPTURE(line);
    REQUIRE_EQ(about.defect, "");
    const T* found = std::get_if<T>(&about.configuration.back().action);
    REQUIRE(found != nullptr);
    return *found;
}

}  // namespace

TEST_CASE("a scenario keeps its names, its lines and their results") {
    const scenario about =
        parse_one(interfaces, "in if0 0102\n> count Ip.InReceives 2\nin if1 -\n");
    CHECK_EQ(about.defect, "");
    CHECK_EQ(about.name, "t/one");
    CHECK_EQ(about.family, "t");
    CHECK_EQ(about.about, "free text,  two blanks");
    CHECK_EQ(about.configuration.size(), 2u);
    REQUIRE_EQ(about.events.size(), 2u);
    CHECK_EQ(about.events[0].line, 8u);
    CHECK_EQ(about.events[0].expected.counts.at("Ip.InReceives"), 2u);
    CHECK(about.events[1].expected.counts.empty());
    CHECK(about.taps.at("if1"));
    CHECK_FALSE(about.taps.at("if0"));
    CHECK_FALSE(about.taps.at("lo"));
}

TEST_CASE("configuration lines") {
    const auto route =
        configured<route_line>("route unreachable 10.0.0.0/8 via 10.0.1.2 dev if0 mtu lock 900 "
                               "metric 5 src 10.0.1.1 tos 0x10 scope link onlink");
    CHECK(route.type == route_type::unreachable);
    CHECK_EQ(route.net.base, 0x0a000000u);
    CHECK_EQ(route.net.length, 8);
    CHECK_EQ(route.via.value(), 0x0a000102u);
    CHECK_EQ(route.interface, "if0");
    CHECK(route.mtu_locked);
    CHECK_EQ(route.mtu.value(), 900u);
    CHECK_EQ(route.metric, 5u);
    CHECK_EQ(route.source.value(), 0x0a000101u);
    CHECK_EQ(route.tos, 0x10);
    CHECK(route.onlink);

    CHECK_EQ(configured<route_line>("route del default via 10.0.1.2").net.length, 0);
    CHECK(configured<route_line>("route del default via 10.0.1.2").remove);
    CHECK_EQ(configured<address_line>("address if0 10.0.1.1/24 broadcast 10.0.1.9").broadcast,
             0x0a000109u);
    CHECK_EQ(configured<neighbour_line>("neighbour if1 10.0.1.1 02:00:00:00:00:fe").mac[5], 0xfe);

    const auto sysctl = configured<sysctl_line>("sysctl conf.if1.rp_filter 2");
    CHECK_EQ(sysctl.group, "conf");
    CHECK_EQ(sysctl.target, "if1");
    CHECK_EQ(sysctl.name, "rp_filter");
    CHECK_EQ(sysctl.value, 2);

    const auto raw = configured<socket_line>("socket r raw proto=255 icmp_filter=0xfffffeff ra");
    CHECK(raw.header_included);
    CHECK_EQ(raw.icmp_filter.value(), 0xfffffeffu);
    CHECK(raw.router_alert);
    const auto udp = configured<socket_line>("socket u udp bind=10.0.1.1:7 connect=10.0.2.2:9");
    CHECK_EQ(udp.bind->port.value(), 7);
    CHECK_EQ(udp.connect->host, 0x0a000202u);

    const auto entry = configured<mfc_line>("mfc add 10.0.1.2 239.1.1.1 iif 0 oifs 1:1,2:64");
    CHECK_EQ(entry.output_vifs.at(2), 64);
    CHECK(configured<mfc_line>("mfc del 10.0.1.2 239.1.1.1 iif 0 oifs -").output_vifs.empty());
}

TEST_CASE("send lines") {
    const scenario about =
        parse_one(std::string(interfaces) + "socket u udp bind=0.0.0.0:7\n",
                  "send u to=10.0.1.2:9 ttl=3 df=do opts=9404 mloop=0 mif=if1 more dontroute -\n"
                  "> ret EMSGSIZE\n");
    REQUIRE_EQ(about.defect, "");
    const auto* send = std::get_if<send_line>(&about.events.at(0).action);
    REQUIRE(send != nullptr);
    CHECK_EQ(send->to->port.value(), 9);
    CHECK_EQ(send->ttl.value(), 3);
    CHECK(send->df == dont_fragment::always);
    CHECK_EQ(send->options, byte_vector{0x94, 0x04});
    CHECK_EQ(send->multicast_loop, false);
    CHECK_FALSE(send->multicast_ttl.has_value());
    CHECK(send->more);
    CHECK(send->dont_route);
    CHECK(send->payload.empty());
    CHECK_EQ(about.events[0].expected.ret.value(), "EMSGSIZE");
}

TEST_CASE("a line that the parser does not understand makes the scenario defective") {
    struct row {
        const char* configuration;
        const char* events;
        const char* message;
    };
    const row rows[] = {
        {.configuration = "frobnicate if0\n",
         .events = "",
         .message = "unknown statement 'frobnicate'"},
        {.configuration = "sysctl ip_frobnicate 1\n",
         .events = "",
         .message = "unknown sysctl 'ip_frobnicate'"},
        {.configuration = "sysctl conf.if7.rp_filter 1\n",
         .events = "",
         .message = "unknown interface 'if7'"},
        {.configuration = "route 10.0.0.0/8 via 10.0.0.1 weight 3\n",
         .events = "",
         .message = "unknown word 'weight'"},
        {.configuration = "route 10.0.0.0/33 dev if0\n",
         .events = "",
         .message = "'33' is no prefix length"},
        {.configuration = "address if0 10.0.1/24\n",
         .events = "",
         .message = "'10.0.1' is no address"},
        {.configuration = "address  if0 10.0.1.1/24\n", .events = "", .message = "empty word"},
        {.configuration = "address if0 10.0.1.1/24 \n", .events = "", .message = "empty word"},
        {.configuration = "socket u udp proto=3\n",
         .events = "",
         .message = "unknown socket option 'proto'"},
        {.configuration = "in if0 00\n", .events = "", .message = "event before begin"},
        {.configuration = "", .events = "in if0 0\n", .message = "bad hex '0'"},
        {.configuration = "", .events = "in if0 0G\n", .message = "bad hex '0G'"},
        {.configuration = "", .events = "in if0 AB\n", .message = "bad hex 'AB'"},
        {.configuration = "", .events = "in if0 00 00\n", .message = "unknown word '00'"},
        {.configuration = "", .events = "send x to=1.2.3.4 00\n", .message = "unknown socket 'x'"},
        {.configuration = "",
         .events = "> count Ip.InReceives 1\n",
         .message = "result without an event"},
        {.configuration = "",
         .events = "in if0 00\n> count Ip.Frobs 1\n",
         .message = "unknown counter 'Ip.Frobs'"},
        {.configuration = "",
         .events = "in if0 00\n> count IcmpMsg.InType256 1\n",
         .message = "unknown counter"},
        {.configuration = "",
         .events = "in if0 00\n> count Ip.InReceives 1\n> count Ip.InReceives 1\n",
         .message = "second count"},
        {.configuration = "",
         .events = "in if0 00\n> ret EFROB\n",
         .message = "'EFROB' is no return value"},
        {.configuration = "",
         .events = "in if0 00\n> out if0 0102 any=1-1\n",
         .message = "masked byte 1 is not zero"},
        {.configuration = "",
         .events = "in if0 00\n> out if0 0102 any=2-2\n",
         .message = "mask out of place"},
        {.configuration = "",
         .events = "in if0 00\n> out if0 0102 all=1\n",
         .message = "unknown word 'all' of out"},
        {.configuration = "",
         .events = "in if0 00\n> splash if0\n",
         .message = "unknown result 'splash'"},
        {.configuration = "socket u udp bind=0.0.0.0:7\n",
         .events = "in if0 00\n> deliver u from=1.2.3.4 00\n",
         .message = "incomplete"},
    };
    for (const row& bad : rows) {
        CAPTURE(std::string(bad.configuration));
        CAPTURE(std::string(bad.events));
        const scenario about = parse_one(interfaces + std::string(bad.configuration), bad.events);
        CHECK_NE(about.defect.find(bad.message), std::string::npos);
    }
}

TEST_CASE("rules of routing") {
    const scenario about =
        parse_one(interfaces, "mrule not iif if9 priority 8 lookup 200\n"
                              "rule add from 10.1.0.0/16 to 10.2.3.4 tos 0x10 fwmark 5/0xf "
                              "oif if0 goto 30 priority 20\n"
                              "rule del priority 7 prohibit\n"
                              "mrule priority 9 lookup main\n");
    CHECK_EQ(about.defect, "");
    REQUIRE_EQ(about.events.size(), 4u);
    const auto at = [&](std::size_t i) { return std::get<rule_line>(about.events[i].action); };
    CHECK(at(0).multicast);
    CHECK(at(0).is_not);
    CHECK_EQ(at(0).incoming, "if9");
    CHECK_EQ(at(0).priority, 8u);
    CHECK_EQ(at(0).target, 200u);
    CHECK_FALSE(at(1).multicast);
    CHECK_EQ(at(1).from.base, 0x0a010000u);
    CHECK_EQ(at(1).from.length, 16);
    CHECK_EQ(at(1).to.length, 32);
    CHECK_EQ(at(1).tos, 0x10);
    CHECK_EQ(at(1).mark, 5u);
    CHECK_EQ(at(1).mark_mask, 15u);
    CHECK_EQ(at(1).outgoing, "if0");
    CHECK(at(1).action == rule_action::go_to);
    CHECK_EQ(at(1).target, 30u);
    CHECK(at(2).remove);
    CHECK(at(2).action == rule_action::prohibit);
    CHECK_EQ(at(3).target, 254u);
    CHECK_NE(parse_one(interfaces, "rule from 10.0.0.0/8 priority 5\n").defect, "");
    CHECK_NE(parse_one(interfaces, "rule dscp 4 priority 5 lookup 1\n").defect, "");
}

TEST_CASE("broken files") {
    CHECK_NE(parse_vectors("t.vec", "in if0 00\n").at(0).defect, "");
    CHECK_NE(parse_vectors("t.vec", "scenario t/one\nbegin\n").at(0).defect, "");
    CHECK_NE(parse_vectors("t.vec", "scenario t/one\nend\n").at(0).defect, "");
    CHECK_NE(parse_vectors("t.vec", "scenario one\nbegin\nend\n").at(0).defect, "");
    const auto two = parse_vectors("t.vec", "scenario t/a\nbegin\nscenario t/b\nbegin\nend\n");
    REQUIRE_EQ(two.size(), 2u);
    CHECK_NE(two[0].defect, "");
    CHECK_EQ(two[1].defect, "");
}

}  // namespace kernel_parser_test
