// The parts of a namespace: TUN devices, sysctls, `ip` commands, counters.
#pragma once

#include "observation.hpp"

#include <sluice/port/descriptor.hpp>

namespace replay {

// Moves into a fresh namespace without IPv6 in use and with the switches that vectors/README.md
// names as defaults. False: errno says why.
[[nodiscard]] bool enter_fresh_namespace();

// False when the kernel refused.
[[nodiscard]] bool write_sysctl(const std::string& path, std::int64_t value);
// One `ip` command without the word itself.
[[nodiscard]] bool run_ip(const std::string& command);

// A TUN device whose packets have the four bytes of packet information in front, so that bytes
// that are no IPv4 packet can be passed as one.
class tun_device {
public:
    explicit tun_device(const std::string& name);
    [[nodiscard]] explicit operator bool() const { return bool{fd_}; }
    // 0 or an errno.
    [[nodiscard]] int write(const byte_vector& packet) const;
    // What came out and is IPv4.
    [[nodiscard]] std::vector<byte_vector> read() const;

private:
    sluice::port::descriptor fd_;
};

[[nodiscard]] counters read_counters();

}  // namespace replay
