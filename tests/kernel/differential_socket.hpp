// Sockets of the kernel; their received data in the form of the vectors.
#pragma once

#include "observation.hpp"

#include <sluice/port/descriptor.hpp>

#include <netinet/in.h>

namespace replay {

class kernel_socket {
public:
    // Invalid when the kernel refused one of the options.
    explicit kernel_socket(const socket_line& line);
    [[nodiscard]] explicit operator bool() const { return bool{fd_}; }
    // 0, or the name of an errno.
    [[nodiscard]] std::string connect(const endpoint& to) const;
    // Bytes taken, or the name of an errno.
    [[nodiscard]] std::string send(const send_line& line) const;
    // Everything that waits is moved into `to`.
    void drain(observation& to) const;

private:
    void place(delivery& heard, const in_pktinfo& where) const;
    void drain_errors(observation& to) const;

    socket_line line_;
    sluice::port::descriptor fd_;
};

[[nodiscard]] std::string errno_text(int number);

}  // namespace replay
