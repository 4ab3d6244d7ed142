// Sockets of the vectors as endpoints of the library's delivery.
#pragma once

#include "sluice_stack.hpp"

namespace replay {

// What sockets heard since it was last taken.
struct socket_results {
    std::vector<delivery> deliveries;
    std::vector<error_entry> errors;
    std::vector<socket_error> socket_errors;
};

class replay_socket final : public sluice::packet_sink<packet> {
public:
    replay_socket(const socket_line& line, const subject_wires& wires, socket_results& results)
        : line_(line), wires_(wires), results_(results) {}

    [[nodiscard]] const socket_line& line() const { return line_; }
    [[nodiscard]] sluice::endpoint_filter filter() const;

    bool take(packet& heard, const sluice::delivery_info& info) noexcept override;
    void error(const sluice::icmp_error_notice& notice) noexcept override;
    bool believes(const sluice::icmp_error_notice&) const noexcept override {
        return discovery_ != dont_fragment::interface && discovery_ != dont_fragment::omit;
    }

    // IP_MTU_DISCOVER, which decides whether "too big" is an error.
    void set_discovery(dont_fragment how) { discovery_ = how; }

private:
    socket_line line_;
    dont_fragment discovery_ = dont_fragment::want;
    const subject_wires& wires_;
    socket_results& results_;
};

}  // namespace replay
