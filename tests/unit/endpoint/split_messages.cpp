// Every reader of a message reads it alike in one piece, in fragments cut at every multiple of 8
// bytes, and in a packet of any number of blocks.
#include <doctest/doctest.h>

#include <sluice/wire/icmp_extensions.hpp>

#include "unit/endpoint/support.hpp"

namespace endpoint_split_messages {

namespace {

using namespace endpoint_test;

using large_socket =
    udp_endpoint<stack_type, endpoint_sizes{.queue = 4, .errors = 2, .quote = 576}>;

constexpr ipv4::address stranger = "10.0.1.2"_ip;
constexpr ipv4::address us = "10.0.1.1"_ip;
constexpr endpoint_address far{"192.0.2.1"_ip, 9};

struct message {
    const char* name;
    u8 protocol;
    byte_vector payload;
};

byte_vector udp_with_sum(u16 to, std::size_t size) {
    byte_vector m = support::udp_message(4000, to, pattern(size));
    udp::set_checksum(stranger, us, m);
    return m;
}
byte_vector extended(u8 type, u8 code, u32 word, byte_vector quote) {
    quote.resize(128);
    byte_vector extension = list({0x20, 0, 0, 0, 0, 8, 1, 1, 0, 1, 0x31, 0x40});
    icmp::finish_extension(extension);
    quote.insert(quote.end(), extension.begin(), extension.end());
    return support::icmp_message(type, code, word | 32u << 16, quote);
}

std::vector<message> messages() {
    const byte_vector sent_datagram =
        datagram_of({.source = "10.0.1.1"_ip,
                     .destination = far.host,
                     .protocol = ipv4::protocols::udp,
                     .payload = support::udp_message(7000, far.port, pattern(60))});
    const byte_vector with_options =
        datagram_of({.source = "10.0.1.1"_ip,
                     .destination = far.host,
                     .protocol = ipv4::protocols::udp,
                     .options = byte_vector(40, std::byte{1}),
                     .payload = support::udp_message(7000, far.port, pattern(20))});
    const auto icmp_of = [](u8 type, u8 code, u32 word, const byte_vector& data) {
        return support::icmp_message(type, code, word, data);
    };
    std::vector<message> all{
        {.name = "an echo request", .protocol = 1, .payload = support::echo_request(40)},
        {.name = "an echo request with an odd number of bytes",
         .protocol = 1,
         .payload = support::echo_request(33)},
        {.name = "a timestamp request",
         .protocol = 1,
         .payload = icmp_of(13, 0, 0x00070001, pattern(12))},
        {.name = "a long timestamp request",
         .protocol = 1,
         .payload = icmp_of(13, 0, 0x00070001, pattern(40))},
        {.name = "an extended echo request by name",
         .protocol = 1,
         .payload =
             icmp_of(42, 0, 0x00070101, list({0x20, 0, 0xdc, 0x93, 0, 8, 3, 1, 'l', 'o', 0, 0}))},
        {.name = "an extended echo request by address",
         .protocol = 1,
         .payload = icmp_of(42, 0, 0x00070101,
                            list({0x20, 0, 0, 0, 0, 12, 3, 3, 0, 1, 4, 0, 10, 0, 2, 1}))},
        {.name = "port unreachable", .protocol = 1, .payload = icmp_of(3, 3, 0, sent_datagram)},
        {.name = "about a datagram with options",
         .protocol = 1,
         .payload = icmp_of(3, 1, 0, with_options)},
        {.name = "fragmentation needed",
         .protocol = 1,
         .payload = icmp_of(3, 4, 1000, sent_datagram)},
        {.name = "time exceeded with an extension",
         .protocol = 1,
         .payload = extended(11, 0, 0, sent_datagram)},
        {.name = "parameter problem",
         .protocol = 1,
         .payload = icmp_of(12, 0, 20u << 24, sent_datagram)},
        {.name = "a redirect",
         .protocol = 1,
         .payload = icmp_of(5, 1, "10.0.2.3"_ip.value, sent_datagram)},
        {.name = "an error that quotes too little",
         .protocol = 1,
         .payload = icmp_of(3, 3, 0, {sent_datagram.begin(), sent_datagram.begin() + 27})},
        {.name = "an unknown type", .protocol = 1, .payload = icmp_of(99, 0, 0, pattern(24))},
        {.name = "UDP for a socket", .protocol = 17, .payload = udp_with_sum(7000, 61)},
        {.name = "UDP to a closed port", .protocol = 17, .payload = udp_with_sum(7001, 61)},
        {.name = "another protocol", .protocol = 253, .payload = pattern(50)},
    };
    const byte_vector ping = datagram_of({.source = "10.0.1.1"_ip,
                                          .destination = far.host,
                                          .protocol = 1,
                                          .payload = icmp_of(8, 0, 0x00070001, pattern(30))});
    const byte_vector raw = datagram_of({.source = "10.0.1.1"_ip,
                                         .destination = far.host,
                                         .protocol = 253,
                                         .payload = pattern(50)});
    const message others[] = {
        {.name = "an echo reply", .protocol = 1, .payload = icmp_of(0, 0, 0x00070001, pattern(45))},
        {.name = "an extended echo reply",
         .protocol = 1,
         .payload = icmp_of(43, 0, 0x00070001, pattern(20))},
        {.name = "about an echo request", .protocol = 1, .payload = icmp_of(3, 1, 0, ping)},
        {.name = "fragmentation needed by an echo request",
         .protocol = 1,
         .payload = icmp_of(3, 4, 1000, ping)},
        {.name = "about an echo request, with an extension",
         .protocol = 1,
         .payload = extended(11, 0, 0, ping)},
        {.name = "about another protocol", .protocol = 1, .payload = icmp_of(3, 1, 0, raw)},
        {.name = "fragmentation needed by another protocol",
         .protocol = 1,
         .payload = icmp_of(3, 4, 1000, raw)},
        {.name = "about another protocol, with an extension",
         .protocol = 1,
         .payload = extended(11, 0, 0, raw)},
        {.name = "a source quench", .protocol = 1, .payload = icmp_of(4, 0, 0, sent_datagram)},
        {.name = "an address mask request",
         .protocol = 1,
         .payload = icmp_of(17, 0, 1, pattern(20))},
        {.name = "an IGMP query",
         .protocol = 2,
         .payload = list({0x11, 100, 0xee, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4})},
    };
    all.insert(all.end(), std::begin(others), std::end(others));
    for (std::size_t n = 4; n < 12; ++n)
        all.push_back({"a short timestamp request", 1, icmp_of(13, 0, 0x00070001, pattern(n))});
    message wrong{"an echo request whose sum is wrong", 1, support::echo_request(40)};
    wrong.payload[30] ^= std::byte{4};
    all.push_back(wrong);
    return all;
}

// The error that an endpoint got.
struct reported_error {
    byte_vector quoted;
    u32 extension = 0, info = 0;

    friend bool operator==(const reported_error&, const reported_error&) = default;
};

template <class Socket>
reported_error error_reported_to(Socket& s) {
    reported_error t;
    byte_vector room(600);
    if (const auto report = s.receive_error(room); report.has_value()) {
        room.resize(report->copied);
        t.quoted = room;
        t.extension = report->extension;
        t.info = report->info;
    }
    static_cast<void>(s.pending_error());
    return t;
}

// What became of it, as bytes to compare.
struct result_of {
    std::vector<byte_vector> sent;
    byte_vector heard, pinged, raw;
    reported_error of_udp, of_ping, of_raw;
    u64 counted[6] = {};
    bool learned = false;

    friend bool operator==(const result_of&, const result_of&) = default;
};

// `arrive` passes the datagram to the world.
template <class Arrive>
result_of result_when(Arrive&& arrive) {
    endpoint_world b;
    b->change([](settings& s) { s.icmp_echo_enable_probe = true; });
    large_socket s{*b};
    s.options().receive_errors = true;
    REQUIRE(s.bind({{}, 7000}).has_value());
    ping_socket ping{*b};
    ping.options().receive_errors = true;
    REQUIRE(ping.bind({{}, 7}).has_value());
    raw_socket raw{*b, 253};
    raw.options().receive_errors = true;
    REQUIRE(raw.bind({}).has_value());
    arrive(b);
    result_of o;
    for (auto& p : b.sent())
        o.sent.push_back(p.datagram);
    o.of_udp = error_reported_to(s);
    o.of_ping = error_reported_to(ping);
    o.of_raw = error_reported_to(raw);
    o.heard = hear_one(s).bytes;
    o.pinged = hear_one(ping).bytes;
    o.raw = hear_one(raw).bytes;
    // Its header says whether it came whole or was put together.
    if (!o.raw.empty()) o.raw.erase(o.raw.begin(), o.raw.begin() + ipv4::min_header_length);
    const mib counters[] = {mib::icmp_in_msgs,     mib::icmp_in_errors, mib::icmp_in_csum_errors,
                            mib::udp_in_datagrams, mib::udp_in_errors,  mib::udp_no_ports};
    for (std::size_t i = 0; i < 6; ++i)
        o.counted[i] = b->counters()[counters[i]];
    o.learned = b->exceptions().any();
    return o;
}

byte_vector datagram_with(const message& m) {
    return datagram_of(
        {.source = stranger, .destination = us, .protocol = m.protocol, .payload = m.payload});
}
byte_vector fragment_of(const message& m, std::size_t from, std::size_t to) {
    const auto at = [&](std::size_t n) {
        return m.payload.begin() + static_cast<std::ptrdiff_t>(n);
    };
    const bool more = to < m.payload.size();
    return datagram_of(
        {.source = stranger,
         .destination = us,
         .protocol = m.protocol,
         .flags_and_offset = static_cast<u16>((more ? ipv4::words::more_fragments : 0) | from / 8),
         .payload = {at(from), at(to)}});
}

TEST_CASE("split messages: in fragments, cut at every 8 bytes") {
    std::size_t tried = 0;
    unsigned of_udp = 0, of_ping = 0, of_raw = 0, pinged = 0, raw = 0;
    for (const message& m : messages()) {
        INFO(doctest::String{m.name});
        const std::size_t size = m.payload.size();
        CAPTURE(size);
        const result_of whole =
            result_when([&](endpoint_world& b) { b.receive(datagram_with(m)); });
        of_udp += whole.of_udp.quoted.empty() ? 0U : 1U;
        of_ping += whole.of_ping.quoted.empty() ? 0U : 1U;
        of_raw += whole.of_raw.quoted.empty() ? 0U : 1U;
        pinged += whole.pinged.empty() ? 0U : 1U;
        raw += whole.raw.empty() ? 0U : 1U;
        for (std::size_t cut = 8; cut < size; cut += 8, ++tried) {
            CAPTURE(cut);
            const bool alike = result_when([&](endpoint_world& b) {
                                   b.receive(fragment_of(m, 0, cut));
                                   b.receive(fragment_of(m, cut, size));
                               }) == whole;
            CHECK(alike);
        }
        for (const std::size_t each : {8u, 16u, 24u}) {
            CAPTURE(each);
            const bool alike = result_when([&](endpoint_world& b) {
                                   for (std::size_t at = 0; at < size; at += each)
                                       b.receive(fragment_of(m, at, std::min(at + each, size)));
                               }) == whole;
            CHECK(alike);
            ++tried;
        }
    }
    CHECK(tried > 150);
    // Each kind of endpoint had something to hear.
    CHECK(of_udp >= 4);
    CHECK(of_ping == 3);
    CHECK(of_raw == 3);
    CHECK(pinged == 2);
    CHECK(raw == 1);
}

TEST_CASE("split messages: in a packet of any number of blocks, cut anywhere") {
    std::size_t tried = 0;
    for (const message& m : messages()) {
        INFO(doctest::String{m.name});
        const byte_vector d = datagram_with(m);
        const result_of whole = result_when([&](endpoint_world& b) { b.receive(d); });
        const auto in_blocks = [&](std::size_t head, std::size_t each) {
            return result_when([&](endpoint_world& b) {
                const auto part = [&](std::size_t from, std::size_t to) {
                    return byte_vector(d.begin() + static_cast<std::ptrdiff_t>(from),
                                       d.begin() + static_cast<std::ptrdiff_t>(to));
                };
                auto p = b.packet(part(0, std::min(head, d.size())));
                for (std::size_t at = head; at < d.size(); at += each)
                    p.append(b.packet(part(at, std::min(at + each, d.size()))));
                b->receive(std::move(p), b.now);
            });
        };
        for (std::size_t head = 1; head < d.size(); ++head, ++tried) {
            CAPTURE(head);
            const bool alike = in_blocks(head, d.size()) == whole;
            CHECK(alike);
        }
        for (const std::size_t each : {3u, 7u, 8u, 20u, 28u, 33u}) {
            CAPTURE(each);
            const bool alike = in_blocks(each, each + d.size() / 48) == whole;
            CHECK(alike);
            ++tried;
        }
    }
    CHECK(tried > 1000);
}

}  // namespace

}  // namespace endpoint_split_messages
