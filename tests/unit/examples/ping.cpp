// The example ping: its command line, statistics and lines, and how it matches answers to requests.
#include <doctest/doctest.h>

#include "../../../examples/ping/pinger.hpp"

#include "scripted_path.hpp"

#include <string>
#include <vector>

namespace examples_ping {

namespace {

using namespace examples_test;
using examples::send_report;

ping::arguments parse(std::vector<std::string> words) {
    return parse_words(ping::parse_arguments, std::move(words));
}

// A ping that sends one request.
struct pinged {
    ping::arguments given = parse({"-c", "3", "-i", "0.001", "192.0.2.1"});
    scripted_path path;
    std::string said;
    std::string complaints;
    ping::pinger pinger{given, path, 0x1234, [this](auto& t) { said += t; },
                        [this](auto& t) { complaints += t; }};
};

// An error of 198.51.100.1 about a request.
byte_vector error_about(icmp::header header, u16 identifier, u16 number,
                        ipv4::address to = "192.0.2.1"_ip) {
    return error(header,
                 {.message = echo(icmp::types::echo_request, identifier, number), .to = to});
}
bool starts_with(const std::string& text, const char* start) {
    return text.rfind(start, 0) == 0;
}

TEST_CASE("ping: options in any order, with and without blanks") {
    const auto given = parse({"-nqc5", "192.0.2.1", "-i", "0.25", "-s0", "-t", "7", "-M", "do",
                              "-T", "tsonly", "-W", "3", "-f", "--device", "eth1",
                              "--address=192.0.2.7/24", "--gateway", "192.0.2.254"});
    CHECK(given.problem == "");
    CHECK(given.destination == "192.0.2.1"_ip);
    CHECK(given.count == 5);
    CHECK(given.quiet);
    CHECK(given.flood);
    CHECK(given.interval.nanoseconds == 250'000'000);
    CHECK(given.patience.nanoseconds == 3'000'000'000);
    CHECK(given.size == 0);
    CHECK(given.ttl == 7);
    CHECK(given.discovery == mtu_discovery::always);
    CHECK(given.record == ping::recording::timestamps);
    CHECK(given.host.device == "eth1");
    CHECK(given.host.address.length == 24);
    CHECK(given.host.gateway == "192.0.2.254"_ip);
    CHECK(parse({"--help"}).help);
}

TEST_CASE("ping: an error names the option and what it wants") {
    const struct {
        std::vector<std::string> words;
        const char* problem;
    } rows[] = {
        {{}, "no destination is given; add an address"},
        {{"192.0.2.1", "192.0.2.2"}, "more than one destination is given"},
        {{"host"},
         "host is no IPv4 address; give four numbers, as 192.0.2.1: names are not resolved"},
        {{"-c", "0", "192.0.2.1"}, "-c wants a number from 1, not: 0"},
        {{"-c"}, "-c wants a value; --help lists the options"},
        {{"-x", "192.0.2.1"}, "-x is no option; --help lists the options"},
        {{"-i", "0.0001", "192.0.2.1"}, "-i wants seconds from 0.001 (-f floods), not: 0.0001"},
        {{"-i", "1e3", "192.0.2.1"}, "-i wants seconds from 0.001 (-f floods), not: 1e3"},
        {{"-i", "1.", "192.0.2.1"}, ""},
        {{"-W", "1.0000000001", "192.0.2.1"}, "-W wants seconds, not: 1.0000000001"},
        {{"-i", ".", "192.0.2.1"}, "-i wants seconds from 0.001 (-f floods), not: ."},
        {{"-s", "65508", "192.0.2.1"}, "-s wants a number from 0 to 65507, not: 65508"},
        {{"-s", "-1", "192.0.2.1"}, "-s wants a number from 0 to 65507, not: -1"},
        {{"-t", "0", "192.0.2.1"}, "-t wants a number from 1 to 255, not: 0"},
        {{"-t", "256", "192.0.2.1"}, "-t wants a number from 1 to 255, not: 256"},
        {{"-M", "probe", "192.0.2.1"}, "-M wants do, want or dont, not: probe"},
        {{"-T", "all", "192.0.2.1"}, "-T wants tsonly or tsandaddr, not: all"},
        {{"-W", "-1", "192.0.2.1"}, "-W wants seconds, not: -1"},
        {{"--device", "eth1", "192.0.2.1"}, "--device needs --address A/LEN"},
        {{"--address", "192.0.2.7/24", "192.0.2.1"}, "--address needs --device NAME"},
        {{"--address", "192.0.2.7", "192.0.2.1"},
         "--address wants an address with its length, as 192.0.2.1/24, not: 192.0.2.7"},
        {{"--gateway", "192.0.2.254", "192.0.2.1"},
         "--gateway needs --device NAME and --address A/LEN"},
        {{"--gateway", "x", "192.0.2.1"}, "--gateway wants an address, as 192.0.2.254, not: x"},
    };
    for (const auto& r : rows) {
        CAPTURE(r.problem);
        CHECK(parse(r.words).problem == r.problem);
    }
}

TEST_CASE("ping: IP options as the kernel takes them") {
    using enum ping::recording;
    CHECK(ping::ip_options(nothing).empty());
    CHECK(ping::ip_options(route).size() == 40);
    CHECK(load_be<u32>(ping::ip_options(route).view().data()) == 0x01072704);
    CHECK(load_be<u32>(ping::ip_options(timestamps).view().data()) == 0x44280500);
    CHECK(load_be<u32>(ping::ip_options(timestamps_and_addresses).view().data()) == 0x44240501);
    CHECK(ping::ip_options(timestamps_and_addresses).size() == 40);
}

TEST_CASE("ping: round trips with integers") {
    CHECK(ping::square_root(0) == 0);
    CHECK(ping::square_root(80) == 8);
    CHECK(ping::square_root(81) == 9);
    CHECK(ping::square_root(~ping::u128{0}) == UINT64_MAX);
    ping::statistics s;
    for (const i64 us : {99, 57, 57, 99}) {
        ++s.received;
        s.add_round_trip({us * 1000});
    }
    CHECK(s.least() == 57'000);
    CHECK(s.most() == 99'000);
    CHECK(s.mean() == 78'000);
    CHECK(s.deviation() == 21'000);
    ++s.duplicates;
    s.add_round_trip({-5});  // a clock that goes back
    CHECK(s.least() == 0);
    // Round trips of an hour do not overflow.
    for (int i = 0; i < 1000; ++i) {
        ++s.received;
        s.add_round_trip({i64{3600} * 1'000'000'000});
    }
    CHECK(s.deviation() / 1'000'000'000 == 253);
    s.transmitted = 10;
    s.note_answer(10);
    CHECK(s.pipe == 1);
    s.note_answer(7);
    CHECK(s.pipe == 4);
    s.note_answer(11);  // not sent yet
    CHECK(s.pipe == 4);
}

TEST_CASE("ping: three digits of a round trip") {
    CHECK(ping::round_trip({45'999}) == "0.045");
    CHECK(ping::round_trip({1'234'000}) == "1.23");
    CHECK(ping::round_trip({9'994'000}) == "9.99");
    CHECK(ping::round_trip({9'996'000}) == "10.0");
    CHECK(ping::round_trip({12'340'000}) == "12.3");
    CHECK(ping::round_trip({99'960'000}) == "100");
    CHECK(ping::round_trip({1'234'567'000}) == "1235");
    CHECK(ping::round_trip({-1}) == "0.000");
}

TEST_CASE("ping: the summary") {
    const auto given = parse({"192.0.2.1"});
    ping::statistics s;
    CHECK(ping::summary(given, s) ==
          "\n--- 192.0.2.1 ping statistics ---\n0 packets transmitted, 0 received\n\n");
    s.transmitted = 3;
    s.received = 2;
    s.first_sent = {1'000'000'000};
    s.last_sent = {3'008'400'000};
    s.add_round_trip({57'000});
    s.add_round_trip({99'000});
    s.duplicates = 1;
    s.errors = 1;
    s.add_round_trip({99'000});
    s.pipe = 2;
    CHECK(ping::summary(given, s) ==
          "\n--- 192.0.2.1 ping statistics ---\n"
          "3 packets transmitted, 2 received, +1 duplicates, +1 errors, 33.3333% packet loss, time "
          "2008ms\n"
          "rtt min/avg/max/mdev = 0.057/0.085/0.099/0.019 ms, pipe 2\n");
    const auto flood = parse({"-f", "192.0.2.1"});
    CHECK(ping::summary(flood, s).find(", pipe 2, ipg/ewma 1004.200/0.") != std::string::npos);
}

TEST_CASE("ping: the recorded route and times") {
    ping::option_text text;
    const auto route = "01 07 27 0c 0a000102 0a000201 00000000000000000000000000000000"
                       "000000000000000000000000"_hex;
    CHECK(text.of(route) == "\nRR: \t10.0.1.2\n\t10.0.2.1\n");
    CHECK(text.of(route) == "\t(same route)");
    CHECK(text.of("07 07 04 00000000"_hex) == "");
    CHECK(text.of("44 0c 0d 00 00000064 00000065"_hex) == "\nTS: \t100 absolute\n\t1\n");
    CHECK(text.of("44 14 15 21 0a000001 00000064 0a000002 80000007"_hex) ==
          "\nTS: \t10.0.0.1\t100 absolute\n\t10.0.0.2\t7 absolute not-standard\n"
          "Unrecorded hops: 2\n");
    // Hostile: a pointer beyond the option, one inside its header, no room for a header, no length.
    CHECK(text.of("07 07 ff 0a000003"_hex) == "\nRR: \t10.0.0.3\n");
    CHECK(text.of("07 07 00 0a000003"_hex) == "");
    CHECK(text.of("44 03 05"_hex) == "");
    CHECK(text.of("07 02"_hex) == "");
    CHECK(text.of("44 04 ff 01"_hex) == "");
    CHECK(text.of("07 50 ff 0a000003"_hex) == "");
}

TEST_CASE("ping: replies, duplicates and foreign messages") {
    pinged p;
    p.path.is_ended = true;
    static_cast<void>(p.pinger.run());
    REQUIRE(p.path.sent.size() == 1);
    CHECK(icmp::checksum_ok(p.path.sent[0].message));
    CHECK(p.path.sent[0].message.size() == 64);
    CHECK(load_be<u32>(p.path.sent[0].message.data() + 4) == 0x1234'0001);
    const auto receive = [&p](const byte_vector& d) {
        p.said.clear();
        p.pinger.receive(d, port::steady_clock::now_instant());
        return p.said;
    };
    using icmp::types::echo_reply;
    CHECK(receive(answer_datagram(echo(echo_reply, 0x1235, 1))) == "");
    CHECK(receive(answer_datagram(echo(echo_reply, 0x1234, 2))) == "");  // not sent yet
    CHECK(receive(answer_datagram(echo(icmp::types::echo_request, 0x1234, 1))) == "");
    byte_vector damaged = answer_datagram(echo(echo_reply, 0x1234, 1));
    damaged.back() ^= std::byte{1};
    CHECK(receive(damaged) == "");
    CHECK(p.pinger.counts().received == 0);
    CHECK(starts_with(receive(answer_datagram(echo(echo_reply, 0x1234, 1))),
                      "16 bytes from 192.0.2.1: icmp_seq=1 ttl=61 time="));
    CHECK(p.said.find("DUP") == std::string::npos);
    const std::string again = receive(answer_datagram(echo(echo_reply, 0x1234, 1), "192.0.2.9"_ip));
    CHECK(starts_with(again, "16 bytes from 192.0.2.9: icmp_seq=1 ttl=61 time="));
    CHECK(again.ends_with(" ms (DUP!)\n"));
    CHECK(p.pinger.counts().received == 1);
    CHECK(p.pinger.counts().duplicates == 1);
}

TEST_CASE("ping: errors about its requests, and only those") {
    pinged p;
    p.path.is_ended = true;
    static_cast<void>(p.pinger.run());
    const auto receive = [&p](const byte_vector& d) {
        p.said.clear();
        p.pinger.receive(d, port::steady_clock::now_instant());
        return p.said;
    };
    using icmp::header;
    CHECK(receive(error_about(header::time_exceeded(0), 0x1234, 1)) ==
          "From 198.51.100.1 icmp_seq=1 Time to live exceeded\n");
    CHECK(receive(error_about(header::fragmentation_needed(1280), 0x1234, 1)) ==
          "From 198.51.100.1 icmp_seq=1 Frag needed and DF set (mtu = 1280)\n");
    CHECK(receive(error_about(header::destination_unreachable(1), 0x1234, 1)) ==
          "From 198.51.100.1 icmp_seq=1 Destination Host Unreachable\n");
    CHECK(receive(error_about(header::destination_unreachable(77), 0x1234, 1)) ==
          "From 198.51.100.1 icmp_seq=1 Dest Unreachable, Bad Code: 77\n");
    CHECK(p.pinger.counts().errors == 4);
    CHECK(receive(error_about(header::redirect(1, "192.0.2.3"_ip), 0x1234, 1)) ==
          "From 198.51.100.1 icmp_seq=1 Redirect Host(New nexthop: 192.0.2.3)\n");
    CHECK(p.pinger.counts().errors == 4);
    CHECK(receive(error_about(header::time_exceeded(0), 0x1235, 1)) == "");
    CHECK(receive(error_about(header::time_exceeded(0), 0x1234, 1, "192.0.2.2"_ip)) == "");
    // Cut anywhere: no answer, or the same one.
    const byte_vector whole = error_about(header::time_exceeded(0), 0x1234, 1);
    for (std::size_t n = 0; n < whole.size(); ++n) {
        byte_vector cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));
        CHECK(receive(cut) == "");
        if (n >= 20) {
            ipv4::view{cut.data()}.set(ipv4::total_length, static_cast<u16>(n));
            if (n >= 28) icmp::set_checksum(bytes{cut}.subspan(20));
            const bool has_quote = n >= 28 + 20 + 8;
            CHECK((receive(cut) != "") == has_quote);
        }
    }
}

TEST_CASE("ping: ends when the count is answered, or nothing comes any more") {
    pinged p;
    p.path.answer_to = [](const sent_probe& probe) {
        byte_vector reply = probe.message;
        icmp::view{reply.data()}.set(icmp::type, icmp::types::echo_reply);
        icmp::set_checksum(reply);
        return answer_datagram(reply);
    };
    CHECK(p.pinger.run().received == 3);
    CHECK(p.path.sent.size() == 3);
    CHECK(p.path.sent[2].ttl == 64);
    CHECK(p.pinger.counts().pipe == 1);
    pinged silent;
    silent.given.patience = duration::from_milliseconds(2);
    ping::pinger patient{silent.given, silent.path, 1, [](auto&) {}, [](auto&) {}};
    CHECK(patient.run().received == 0);
    CHECK(silent.path.sent.size() == 3);
}

TEST_CASE("ping: requests that cannot be sent are errors") {
    pinged p;
    p.path.is_ended = true;
    p.path.reports = {{send_report::status::too_big, 1280}};
    const auto& counts = p.pinger.run();
    CHECK(counts.transmitted == 1);
    CHECK(counts.errors == 1);
    CHECK(p.complaints == "ping: local error: message too long, mtu=1280\n");
}

}  // namespace

}  // namespace examples_ping
