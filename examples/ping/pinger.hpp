// pinger: sends echo requests at their times, matches replies and errors to them, and counts.
//
// Expects: a path that sends ICMP. The time in the payload is not read: the pinger remembers when
//          it sent each sequence number.
// Never:   prints: it hands text to `print`, and problems of sending to `complain`.
#pragma once

#include "../probe/probe_answer.hpp"
#include "../probe/probe_path.hpp"
#include "print.hpp"

#include <sluice/port/steady_clock.hpp>
#include <sluice/wire/icmp_messages.hpp>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

namespace ping {

class pinger {
    using clock = sluice::port::steady_clock;
    using text_taker = std::function<void(const std::string&)>;

public:
    pinger(const arguments& given, examples::probe_path& path, u16 identifier, text_taker print,
           text_taker complain)
        : given_{given}, path_{path},
          ours_{sluice::ipv4::protocols::icmp, given.destination, identifier},
          print_{std::move(print)}, complain_{std::move(complain)},
          message_(sluice::icmp::header_length + given.size), requests_(sequences) {
        for (std::size_t i = 0; i < given.size; ++i) {
            message_[sluice::icmp::header_length + i] = static_cast<std::byte>(i);
        }
        if (given_.flood) {
            given_.interval = sluice::duration::from_milliseconds(10);
        }
    }

    // Sends and receives until the count is complete or a signal comes.
    [[nodiscard]] const statistics& run() {
        next_ = clock::now_instant();
        sluice::instant last_wait = sluice::instant::never();
        while (!is_complete()) {
            const sluice::instant now = clock::now_instant();
            if (has_more() && now >= next_) {
                send(now);
                last_wait = now + patience();
            } else if (!has_more() && now >= last_wait) {
                break;
            }
            // Answers are read between two sends; a refused request may have been the last.
            const sluice::instant until = has_more() ? next_ : last_wait;
            if (is_complete() ||
                !path_.wait(until, [this](auto datagram, auto at) { receive(datagram, at); })) {
                break;
            }
        }
        return counts_;
    }

    // Takes a received datagram.
    void receive(sluice::const_bytes datagram, sluice::instant at) {
        const auto answer = examples::parse_answer(datagram);
        if (!answer) {
            return;
        }
        const auto number = number_of(*answer, ours_);
        if (!number || !requests_[*number].is_sent) {
            return;
        }
        if (answer->what == examples::probe_answer::kind::echo_reply) {
            count_reply(*answer, *number, at);
        } else {
            count_error(*answer, *number);
        }
    }
    [[nodiscard]] const statistics& counts() const noexcept { return counts_; }

private:
    static constexpr std::size_t sequences = 0x10000;

    struct request {
        sluice::instant sent{};
        bool is_sent = false;
        bool is_answered = false;
    };

    [[nodiscard]] bool has_more() const noexcept {
        return given_.count == 0 || counts_.transmitted < given_.count;
    }
    [[nodiscard]] bool is_complete() const noexcept {
        return given_.count != 0 && counts_.received + counts_.errors >= given_.count;
    }
    // How long to wait for answers after the last request.
    [[nodiscard]] sluice::duration patience() const noexcept {
        if (counts_.received == 0) {
            return given_.patience;
        }
        return std::max(sluice::duration{static_cast<sluice::i64>(2 * counts_.most())},
                        given_.interval);
    }

    void send(sluice::instant now) {
        const auto sequence = static_cast<u16>(++counts_.transmitted);
        static_cast<void>(
            sluice::emit_value(sluice::icmp::header::echo(sluice::icmp::types::echo_request,
                                                          ours_.identifier, sequence),
                               message_));
        sluice::icmp::set_checksum(message_);
        counts_.first_sent = counts_.transmitted == 1 ? now : counts_.first_sent;
        counts_.last_sent = now;
        // A pause of the program does not lead to a burst.
        next_ = std::max(next_ + given_.interval, now);
        requests_[sequence] = {.sent = now, .is_sent = true};
        const examples::send_report report = path_.send(message_, given_.ttl);
        if (report.how != examples::send_report::status::sent) {
            requests_[sequence].is_sent = false;
            count_refused(report);
        } else if (given_.flood && !given_.quiet) {
            print_(".");
        }
    }

    void count_refused(const examples::send_report& report) {
        ++counts_.errors;
        if (given_.quiet) {
            return;
        }
        if (given_.flood) {
            print_("E");
        } else if (report.how == examples::send_report::status::too_big) {
            complain_(text_of("ping: local error: message too long, mtu=%u\n", report.mtu));
        } else {
            complain_("ping: cannot send: " + report.problem + "\n");
        }
    }

    void count_reply(const examples::probe_answer& a, u16 number, sluice::instant at) {
        request& asked = requests_[number];
        const sluice::duration trip = at - asked.sent;
        const bool is_duplicate = asked.is_answered;
        ++(is_duplicate ? counts_.duplicates : counts_.received);
        counts_.add_round_trip(trip);
        counts_.note_answer(number);
        asked.is_answered = true;
        if (given_.flood) {
            next_ = is_duplicate ? next_ : at;
            print_(given_.quiet ? "" : "\b \b");
            return;
        }
        if (given_.quiet) {
            return;
        }
        const std::string options = options_.of(a.options);
        print_(text_of("%zu bytes from %s: icmp_seq=%u ttl=%u time=%s ms%s", a.message.size(),
                       sluice::ipv4::to_text(a.from).c_str(), unsigned{number}, unsigned{a.ttl},
                       round_trip(trip).c_str(), is_duplicate ? " (DUP!)" : "") +
               options + "\n");
    }

    void count_error(const examples::probe_answer& a, u16 number) {
        counts_.note_answer(number);
        // A redirect and a source quench do not end the request.
        const bool ends =
            a.type != sluice::icmp::types::redirect && a.type != sluice::icmp::types::source_quench;
        counts_.errors += ends ? 1 : 0;
        if (given_.quiet) {
            return;
        }
        print_(given_.flood
                   ? std::string{"\bE"}
                   : text_of("From %s icmp_seq=%u %s\n", sluice::ipv4::to_text(a.from).c_str(),
                             unsigned{number}, error_text(a).c_str()));
    }

    arguments given_;
    examples::probe_path& path_;
    examples::probe_identity ours_;
    text_taker print_;
    text_taker complain_;
    std::vector<std::byte> message_;
    std::vector<request> requests_;  // by sequence number
    option_text options_;
    statistics counts_;
    sluice::instant next_{};
};

}  // namespace ping
