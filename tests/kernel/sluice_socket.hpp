// Sockets of the vectors: endpoints of the library.
#pragma once

#include "sluice_stack.hpp"

#include <sluice/endpoint/ping_endpoint.hpp>
#include <sluice/endpoint/raw_endpoint.hpp>
#include <sluice/endpoint/udp_endpoint.hpp>

#include <optional>

namespace replay {

// The results of sockets since the last collect().
struct socket_results {
    std::vector<delivery> deliveries;
    std::vector<error_entry> errors;
    std::vector<socket_error> socket_errors;
};

class replay_socket {
public:
    replay_socket(const socket_line& line, stack& on, const subject_wires& wires)
        : line_(line), wires_(wires) {
        if (line.kind == socket_kind::raw)
            raw_.emplace(on, line.protocol);
        else if (line.kind == socket_kind::ping)
            ping_.emplace(on);
        else
            udp_.emplace(on);
    }

    // Empty, or the name of the errno with which it is refused.
    [[nodiscard]] std::string open(sluice::moment now);
    // 0, or the name of an errno.
    [[nodiscard]] std::string connect(const endpoint& to, sluice::moment now);
    // Bytes taken, or the name of an errno.
    [[nodiscard]] std::string send(const send_line& line, sluice::moment now);
    // 0, or the name of an errno.
    [[nodiscard]] std::string change_membership(const membership_line& line, sluice::moment now);
    [[nodiscard]] std::string set_filter(const filter_line& line, sluice::moment now);
    // "include A,B", or the name of an errno.
    [[nodiscard]] std::string filter_of(const filter_line& line);
    // 0, or the name of an errno.
    [[nodiscard]] std::string set_option(const option_line& line);
    // Appends the results since the last call.
    void collect(socket_results& to);

private:
    static constexpr sluice::endpoint_sizes sizes{
        .queue = 256, .errors = 256, .quote = 2048, .groups = 128, .sources = 2048};

    template <class F>
    auto with(F f) {
        return raw_ ? f(*raw_) : ping_ ? f(*ping_) : f(*udp_);
    }
    template <class Endpoint>
    void collect_from(Endpoint& from, socket_results& to);

    socket_line line_;
    const subject_wires& wires_;
    sluice::u8 multicast_ttl_ = 1;
    bool multicast_loop_ = true;
    std::optional<sluice::raw_endpoint<stack, sizes>> raw_;
    std::optional<sluice::ping_endpoint<stack, sizes>> ping_;
    std::optional<sluice::udp_endpoint<stack, sizes>> udp_;
};

}  // namespace replay
