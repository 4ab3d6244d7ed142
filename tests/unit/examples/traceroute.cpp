// The example traceroute: its command line, its lines, and how it matches answers to probes.
#include <doctest/doctest.h>

#include "../../../examples/traceroute/tracer.hpp"

#include "scripted_path.hpp"

#include <regex>
#include <string>
#include <vector>

namespace examples_traceroute {

namespace {

using namespace examples_test;
using examples::send_report;
using traceroute::tracer;

traceroute::arguments parse(std::vector<std::string> words) {
    return parse_words(traceroute::parse_arguments, std::move(words));
}

constexpr u8 udp_protocol = ipv4::protocols::udp;

// A line of routers 10.0.0.1, 10.0.0.2 and so on to the destination 192.0.2.1.
struct line_of_routers {
    u32 routers = 2;
    u32 narrow = 0;  // the router in front of a link with an MTU of 1280; 0: none

    byte_vector operator()(const sent_probe& p) const {
        const u8 protocol = p.message[0] == std::byte{8} ? ipv4::protocols::icmp : udp_protocol;
        const auto error_of = [&](icmp::header h, ipv4::address from) {
            return error(h, {.message = p.message, .protocol = protocol, .offender = from});
        };
        if (narrow != 0 && p.ttl > narrow && p.message.size() + 20 > 1280)
            return error_of(icmp::header::fragmentation_needed(1280), router(narrow));
        if (p.ttl <= routers) return error_of(icmp::header::time_exceeded(0), router(p.ttl));
        if (protocol == udp_protocol)
            return error_of(icmp::header::destination_unreachable(3), "192.0.2.1"_ip);
        byte_vector reply = p.message;
        icmp::view{reply.data()}.set(icmp::type, icmp::types::echo_reply);
        icmp::set_checksum(reply);
        return answer_datagram(reply);
    }
    static ipv4::address router(u32 n) { return {"10.0.0.0"_ip.value + n}; }
};

struct traced {
    scripted_path path;
    std::string said;
    tracer::ending how{};

    void run(const traceroute::arguments& given) {
        REQUIRE(given.problem == "");
        tracer t{given, path, 77, [this](auto& text) { said += text; }};
        how = t.run();
        said = std::regex_replace(said, std::regex{"  [0-9.]+ ms"}, " T");
    }
};

TEST_CASE("traceroute: options, the address and the length") {
    const auto given = parse({"-nIq2", "-f", "2", "-m5", "-w", "0.5", "192.0.2.1", "1400", "-F",
                              "--device", "eth1", "--address", "192.0.2.7/24"});
    CHECK(given.problem == "");
    CHECK(given.numeric);
    CHECK(given.by_echo);
    CHECK(given.queries == 2);
    CHECK(given.first_hop == 2);
    CHECK(given.last_hop == 5);
    CHECK(given.patience.nanoseconds == 500'000'000);
    CHECK(given.length == 1400);
    CHECK(given.dont_fragment);
    CHECK(parse({"192.0.2.1", "20"}).length == 28);  // increased to what the headers need
    CHECK(parse({"192.0.2.1"}).length == 60);
    CHECK(parse({"--mtu", "192.0.2.1"}).length == 65'000);
    CHECK(parse({"-M", "192.0.2.1"}).finds_mtu);
    CHECK(parse({"--help"}).help);
    const struct {
        std::vector<std::string> words;
        const char* problem;
    } rows[] = {
        {{}, "no destination is given; add an address"},
        {{"192.0.2.1", "60", "60"}, "too many arguments; give an address and a length"},
        {{"192.0.2.1", "x"}, "LENGTH wants a number up to 65000, not: x"},
        {{"192.0.2.1", "65001"}, "LENGTH wants a number up to 65000, not: 65001"},
        {{"192.0.2"},
         "192.0.2 is no IPv4 address; give four numbers, as 192.0.2.1: names are not resolved"},
        {{"-q", "11", "192.0.2.1"}, "-q wants a number from 1 to 10, not: 11"},
        {{"-f", "0", "192.0.2.1"}, "-f wants a number from 1 to 255, not: 0"},
        {{"-m", "256", "192.0.2.1"}, "-m wants a number from 1 to 255, not: 256"},
        {{"-f", "5", "-m", "3", "192.0.2.1"},
         "the first hop is behind the last; lower -f or raise -m"},
        {{"-w", "soon", "192.0.2.1"}, "-w wants seconds, not: soon"},
        {{"-z", "192.0.2.1"}, "-z is no option; --help lists the options"},
        {{"--device", "eth1", "192.0.2.1"}, "--device needs --address A/LEN"},
    };
    for (const auto& r : rows) {
        CAPTURE(r.problem);
        CHECK(parse(r.words).problem == r.problem);
    }
}

TEST_CASE("traceroute: UDP and echo probes to the destination") {
    for (const char* kind : {"-n", "-nI"}) {
        CAPTURE(kind);
        traced t;
        t.path.answer_to = line_of_routers{};
        t.run(parse({kind, "192.0.2.1"}));
        CHECK(t.how == tracer::ending::complete);
        CHECK(t.said == "traceroute to 192.0.2.1 (192.0.2.1), 30 hops max, 60 byte packets"
                        "\n 1  10.0.0.1 T T T\n 2  10.0.0.2 T T T\n 3  192.0.2.1 T T T");
        CHECK(t.path.sent.size() == 9);
        CHECK(t.path.sent[0].message.size() == 40);
    }
    traced t;
    t.path.answer_to = line_of_routers{};
    t.run(parse({"-f", "2", "-m", "2", "-q", "1", "192.0.2.1"}));
    CHECK(t.said == "traceroute to 192.0.2.1 (192.0.2.1), 2 hops max, 60 byte packets"
                    "\n 2  10.0.0.2 (10.0.0.2) T");
    CHECK(load_be<u16>(t.path.sent[0].message.data()) == 40'000);
    CHECK(load_be<u16>(t.path.sent[0].message.data() + 2) == 33'434);
    CHECK(udp::checksum_ok(t.path.source(), "192.0.2.1"_ip, t.path.sent[0].message));
}

TEST_CASE("traceroute: a UDP answer ends the trace") {
    traced t;
    t.path.answer_to = [](const sent_probe& p) {
        byte_vector answer(8);
        const udp::header h{.source_port = load_be<u16>(p.message.data() + 2),
                            .destination_port = 40'000};
        static_cast<void>(emit_value(h, answer));
        return answer_datagram(answer, "192.0.2.1"_ip, udp_protocol);
    };
    t.run(parse({"-n", "-q", "2", "192.0.2.1"}));
    CHECK(t.said.ends_with("byte packets\n 1  192.0.2.1 T T"));
}

TEST_CASE("traceroute: stars, several addresses and notes") {
    traced t;
    std::size_t count = 0;
    t.path.answer_to = [&count](const sent_probe& p) -> byte_vector {
        const auto say = [&](icmp::header h, ipv4::address from) {
            return error(h, {.message = p.message, .protocol = udp_protocol, .offender = from});
        };
        switch (count++) {
        case 0:
            return say(icmp::header::time_exceeded(0), "10.0.0.1"_ip);
        case 1:
            return {};
        case 2:
            return say(icmp::header::time_exceeded(0), "10.0.0.9"_ip);
        case 3:
            return say(icmp::header::redirect(1, "10.0.0.3"_ip), "10.0.0.1"_ip);
        case 4:
            return say(icmp::header::destination_unreachable(1), "10.0.0.2"_ip);
        default:
            return say(icmp::header::destination_unreachable(13), "10.0.0.2"_ip);
        }
    };
    t.run(parse({"-n", "-w", "0.05", "192.0.2.1"}));
    CHECK(t.said.ends_with("\n 1  10.0.0.1 T * 10.0.0.9 T\n 2  * 10.0.0.2 T !H T !X"));
    const auto note = [](u8 type, u8 code, u32 rest = 0) {
        examples::probe_answer a;
        a.type = type;
        a.code = code;
        a.rest_of_header = rest;
        return traceroute::note_of(a);
    };
    CHECK(note(3, 0) == "!N");
    CHECK(note(3, 2) == "!P");
    CHECK(note(3, 3) == "");
    CHECK(note(3, 4, 1280) == "!F-1280");
    CHECK(note(3, 5) == "!S");
    CHECK(note(3, 10) == "!X");
    CHECK(note(3, 15) == "!C");
    CHECK(note(3, 16) == "!<16>");
    CHECK(note(11, 1) == "!<11-1>");
    CHECK(note(12, 0) == "!<12-0>");
}

TEST_CASE("traceroute: discovers the path MTU") {
    traced t;
    t.path.answer_to = line_of_routers{.narrow = 1};
    t.path.reports = {{send_report::status::too_big, 1500}};  // of this host
    t.run(parse({"-n", "-q", "2", "--mtu", "192.0.2.1"}));
    CHECK(t.said == "traceroute to 192.0.2.1 (192.0.2.1), 30 hops max, 65000 byte packets"
                    "\n 1  10.0.0.1 T F=1500 T\n 2  10.0.0.2 T F=1280 T\n 3  192.0.2.1 T T");
    REQUIRE(t.path.sent.size() == 8);
    CHECK(t.path.sent[1].message.size() == 1480);
    CHECK(t.path.sent[3].message.size() == 1480);
    CHECK(t.path.sent[4].message.size() == 1260);
    CHECK(t.path.sent[4].ttl == 2);
    // Without it the probe ends the trace.
    traced fixed;
    fixed.path.answer_to = line_of_routers{.narrow = 1};
    fixed.run(parse({"-n", "-F", "-q", "1", "192.0.2.1", "1400"}));
    CHECK(fixed.said.ends_with("\n 1  10.0.0.1 T\n 2  10.0.0.1 T !F-1280"));
    // A router that lowers the MTU step by step, and states one that IPv4 does not permit.
    traced hostile;
    u16 mtu = 1500;
    hostile.path.answer_to = [&mtu](const sent_probe& p) {
        return error(icmp::header::fragmentation_needed(--mtu),
                     {.message = p.message, .protocol = udp_protocol});
    };
    hostile.run(parse({"-n", "-q", "1", "--mtu", "192.0.2.1"}));
    CHECK(hostile.path.sent.size() == 9);
    traced nonsense;
    nonsense.path.answer_to = [](const sent_probe& p) {
        return error(icmp::header::fragmentation_needed(20),
                     {.message = p.message, .protocol = udp_protocol});
    };
    nonsense.run(parse({"-n", "-q", "1", "--mtu", "192.0.2.1"}));
    CHECK(nonsense.said.ends_with("\n 1  198.51.100.1 T !F-20"));
}

TEST_CASE("traceroute: foreign and late answers") {
    traced t;
    t.path.answer_to = [](const sent_probe& p) {
        byte_vector other = p.message;
        other[1] ^= std::byte{1};  // the source port
        return error(icmp::header::time_exceeded(0), {.message = other, .protocol = udp_protocol});
    };
    t.run(parse({"-n", "-q", "1", "-m", "2", "-w", "0.01", "192.0.2.1"}));
    CHECK(t.said.ends_with("\n 1  *\n 2  *"));
    // Numbers in front of the first and behind the last.
    traced number;
    number.path.answer_to = [](const sent_probe& p) {
        byte_vector other = p.message;
        other[2] ^= std::byte{0x80};
        return error(icmp::header::time_exceeded(0), {.message = other, .protocol = udp_protocol});
    };
    number.run(parse({"-n", "-q", "1", "-m", "2", "-w", "0.01", "192.0.2.1"}));
    CHECK(number.said.ends_with("\n 1  *\n 2  *"));
}

TEST_CASE("traceroute: ends when it cannot send, and by a signal") {
    traced refused;
    refused.path.reports = {{send_report::status::refused, 0, "Network is unreachable"}};
    refused.run(parse({"192.0.2.1"}));
    CHECK(refused.how == tracer::ending::cannot_send);
    traced ended;
    ended.path.is_ended = true;
    ended.run(parse({"192.0.2.1"}));
    CHECK(ended.how == tracer::ending::interrupted);
}

}  // namespace

}  // namespace examples_traceroute
