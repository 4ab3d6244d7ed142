// scripted_path: a path of ping and traceroute that keeps sent probes and answers as a test says;
// and the datagrams that answer probes.
#pragma once

#include "../../../examples/probe/probe_path.hpp"

#include "support/datagrams.hpp"

#include <sluice/port/steady_clock.hpp>
#include <sluice/wire/icmp_messages.hpp>
#include <sluice/wire/literals.hpp>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace examples_test {

using namespace sluice;
using support::byte_vector;

// Calls parse(argc, argv) with these words.
template <class Parse>
auto parse_words(Parse parse, std::vector<std::string> words) {
    words.insert(words.begin(), "program");
    std::vector<char*> pointers;
    for (std::string& word : words)
        pointers.push_back(word.data());
    pointers.push_back(nullptr);
    return parse(static_cast<int>(words.size()), pointers.data());
}

struct sent_probe {
    byte_vector message;
    u8 ttl;
};

struct scripted_path final : examples::probe_path {
    // Answers a probe; an empty answer is none.
    using script = std::function<byte_vector(const sent_probe&)>;

    script answer_to = [](const sent_probe&) { return byte_vector{}; };
    std::vector<examples::send_report> reports;  // of the first sends; the others succeed
    std::vector<sent_probe> sent;
    std::vector<byte_vector> waiting;
    bool is_ended = false;

    examples::send_report send(const_bytes message, u8 ttl) override {
        sent.push_back({{message.begin(), message.end()}, ttl});
        if (sent.size() <= reports.size() &&
            reports[sent.size() - 1].how != examples::send_report::status::sent)
            return reports[sent.size() - 1];
        if (byte_vector answer = answer_to(sent.back()); !answer.empty())
            waiting.push_back(std::move(answer));
        return {};
    }
    bool wait(instant, const receiver& take) override {
        for (const byte_vector& d : std::exchange(waiting, {}))
            take(d, port::steady_clock::now_instant());
        return !is_ended;
    }
    ipv4::address source() const override { return "192.0.2.7"_ip; }
    u16 port() const override { return 40'000; }
};

inline byte_vector echo(u8 type, u16 identifier, u16 number) {
    byte_vector message(16);
    const auto header = icmp::header::echo(type, identifier, number);
    static_cast<void>(emit_value(header, message));
    icmp::set_checksum(message);
    return message;
}

inline byte_vector answer_datagram(byte_vector message, ipv4::address from = "192.0.2.1"_ip,
                                   u8 protocol = ipv4::protocols::icmp) {
    return support::datagram_of({.source = from,
                                 .destination = "192.0.2.7"_ip,
                                 .ttl = 61,
                                 .protocol = protocol,
                                 .payload = std::move(message)});
}

struct quoted_probe {
    byte_vector message;
    u8 protocol = ipv4::protocols::icmp;
    ipv4::address to = "192.0.2.1"_ip;
    ipv4::address offender = "198.51.100.1"_ip;
};

// An ICMP error that quotes a probe.
inline byte_vector error(icmp::header header, const quoted_probe& probe) {
    byte_vector message(8);
    static_cast<void>(emit_value(header, message));
    const byte_vector quote = support::datagram_of({.source = "192.0.2.7"_ip,
                                                    .destination = probe.to,
                                                    .protocol = probe.protocol,
                                                    .payload = probe.message});
    message.insert(message.end(), quote.begin(), quote.end());
    message.resize(std::min<std::size_t>(message.size(), 556));
    icmp::set_checksum(message);
    return answer_datagram(std::move(message), probe.offender);
}

}  // namespace examples_test
