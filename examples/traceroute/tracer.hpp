// tracer: sends probes with growing TTLs, several at once, matches answers to them, and prints them
// in order.
//
// Each datagram that it sends has a number of its own, which the answer states: the destination
// port counts from 33434, the sequence number of echo requests from 1.
//
// Expects: a path of the same protocol.
// Never:   sends to hops behind one that answers finally; has more than 16 probes on the way.
#pragma once

#include "../probe/probe_answer.hpp"
#include "../probe/probe_path.hpp"
#include "print.hpp"

#include <sluice/port/steady_clock.hpp>
#include <sluice/wire/icmp_messages.hpp>
#include <sluice/wire/udp.hpp>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace traceroute {

class tracer {
    using clock = sluice::port::steady_clock;
    using text_taker = std::function<void(const std::string&)>;

public:
    enum class ending { complete, interrupted, cannot_send };

    // `identifier` is that of echo requests.
    tracer(const arguments& given, examples::probe_path& path, u16 identifier, text_taker print)
        : given_{given}, path_{path},
          ours_{given.by_echo ? sluice::ipv4::protocols::icmp : sluice::ipv4::protocols::udp,
                given.destination, given.by_echo ? identifier : path.port()},
          first_number_{given.by_echo ? u16{1} : first_port},
          most_on_way_{given.finds_mtu ? 1u : 16u}, print_{std::move(print)}, length_{given.length},
          probes_((given.last_hop - given.first_hop + 1) * given.queries), end_{probes_.size()} {}

    [[nodiscard]] ending run() {
        print_(first_line(given_));
        while (printed_ < end_) {
            const progress sending = send_next();
            if (sending == progress::refused) {
                return ending::cannot_send;
            }
            const sluice::instant expiry = expire();
            print_done();
            // Answers are read between two sends, so that each gets its time.
            const sluice::instant deadline = sending == progress::sent ? sluice::instant{} : expiry;
            if (printed_ < end_ && deadline != sluice::instant::never() &&
                !path_.wait(deadline, [this](auto datagram, auto at) { receive(datagram, at); })) {
                return ending::interrupted;
            }
        }
        return ending::complete;
    }
    [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

    // Takes a received datagram.
    void receive(sluice::const_bytes datagram, sluice::instant at) {
        const auto answer = examples::parse_answer(datagram);
        const auto number = answer ? number_of(*answer, ours_) : std::nullopt;
        if (!number || *number < first_number_ ||
            std::size_t{*number} - first_number_ >= sends_.size()) {
            return;
        }
        const std::size_t index = sends_[std::size_t{*number} - first_number_];
        probe& p = probes_[index];
        if (p.is_done || is_advice(*answer)) {
            return;
        }
        if (given_.finds_mtu && can_shorten(p, answer->mtu())) {
            shorten(p, answer->mtu());
            return;
        }
        p.is_done = p.is_answered = true;
        p.from = answer->from;
        p.round_trip = at - p.sent;
        const std::string note = note_of(*answer);
        p.note += (p.note.empty() || note.empty() ? "" : " ") + note;
        if (is_final(*answer)) {
            end_ = std::min(end_, end_of_hop(index));
        }
    }
    [[nodiscard]] const std::vector<probe>& probes() const noexcept { return probes_; }

private:
    static constexpr u16 first_port = 33'434;
    static constexpr u32 most_resent = 8;  // a router that lowers the MTU step by step is stopped

    [[nodiscard]] std::size_t end_of_hop(std::size_t index) const noexcept {
        return (index / given_.queries + 1) * given_.queries;
    }
    // Redirects and source quenches do not end a probe.
    [[nodiscard]] static bool is_advice(const examples::probe_answer& a) noexcept {
        return a.what == examples::probe_answer::kind::icmp_error &&
               (a.type == sluice::icmp::types::redirect ||
                a.type == sluice::icmp::types::source_quench);
    }
    [[nodiscard]] bool can_shorten(const probe& p, u32 mtu) const noexcept {
        return mtu >= sluice::ipv4::min_link_mtu && mtu < length_ && p.resent < most_resent;
    }
    // The probe will be sent again.
    void shorten(probe& p, u32 mtu) {
        length_ = mtu;
        ++p.resent;
        p.is_sent = false;
        p.note = "F=" + std::to_string(mtu);
    }

    enum class progress { sent, waits, refused };

    // Sends the next probe, unless enough are on the way.
    [[nodiscard]] progress send_next() {
        u32 on_way = 0;
        for (std::size_t i = printed_; i < end_ && on_way < most_on_way_; ++i) {
            if (!probes_[i].is_sent && !probes_[i].is_done) {
                return send(i);
            }
            on_way += probes_[i].is_done ? 0u : 1u;
        }
        return progress::waits;
    }
    [[nodiscard]] progress send(std::size_t index) {
        probe& p = probes_[index];
        const auto ttl = static_cast<u8>(given_.first_hop + index / given_.queries);
        const std::vector<std::byte> message = make_message();
        sends_.push_back(index);
        p.is_sent = true;
        p.sent = clock::now_instant();
        const examples::send_report report = path_.send(message, ttl);
        if (report.how == examples::send_report::status::refused) {
            problem_ = report.problem;
            return progress::refused;
        }
        if (report.how == examples::send_report::status::too_big) {
            if (given_.finds_mtu && can_shorten(p, report.mtu)) {
                shorten(p, report.mtu);
            } else {
                p.is_done = true;
                p.note = "!F-" + std::to_string(report.mtu);
                end_ = std::min(end_, end_of_hop(index));
            }
        }
        return progress::sent;
    }
    // The next message, with the next number.
    [[nodiscard]] std::vector<std::byte> make_message() const {
        std::vector<std::byte> message(length_ - sluice::ipv4::min_header_length);
        for (std::size_t i = 0; i < message.size(); ++i) {
            message[i] = static_cast<std::byte>(0x40 + i % 0x40);
        }
        const auto number = static_cast<u16>(first_number_ + sends_.size());
        if (given_.by_echo) {
            const auto header = sluice::icmp::header::echo(sluice::icmp::types::echo_request,
                                                           ours_.identifier, number);
            static_cast<void>(sluice::emit_value(header, message));
            sluice::icmp::set_checksum(message);
            return message;
        }
        const sluice::udp::header header{.source_port = ours_.identifier,
                                         .destination_port = number,
                                         .length = static_cast<u16>(message.size())};
        static_cast<void>(sluice::emit_value(header, message));
        sluice::udp::set_checksum(path_.source(), given_.destination, message);
        return message;
    }

    // Gives up probes that waited long enough. Returns when the next one does; never: none waits.
    sluice::instant expire() {
        const sluice::instant now = clock::now_instant();
        sluice::instant next = sluice::instant::never();
        bool has_room = false;
        for (std::size_t i = printed_; i < end_; ++i) {
            probe& p = probes_[i];
            if (p.is_sent && !p.is_done && p.sent + given_.patience <= now) {
                p.is_done = true;
                has_room = true;
            }
            if (p.is_sent && !p.is_done) {
                next = std::min(next, p.sent + given_.patience);
            }
        }
        return has_room ? sluice::instant::never() : next;
    }
    void print_done() {
        while (printed_ < end_ && probes_[printed_].is_done) {
            const std::size_t first = printed_ / given_.queries * given_.queries;
            print_(probe_text(given_.first_hop + static_cast<u32>(printed_ / given_.queries),
                              std::span{probes_}.subspan(first, given_.queries), printed_ - first,
                              given_.numeric));
            ++printed_;
        }
    }

    arguments given_;
    examples::probe_path& path_;
    examples::probe_identity ours_;
    u16 first_number_;
    u32 most_on_way_;
    text_taker print_;
    u32 length_;  // of the next probe; a discovered MTU lowers it
    std::vector<probe> probes_;
    std::size_t end_;                   // probes from here on are not needed
    std::size_t printed_ = 0;           // so many are printed
    std::vector<std::size_t> sends_{};  // the probe of each number
    std::string problem_{};
};

}  // namespace traceroute
