// probe_path: how the examples ping and traceroute send probes and receive answers: by the kernel's
// raw sockets (kernel_path.hpp) or by a stack of their own (stack_path.hpp).
//
// A path leads to one destination and sends messages of one protocol, ICMP or UDP. It receives all
// ICMP datagrams, and all UDP datagrams if it sends UDP; probe_answer.hpp parses them.
//
// Expects: one thread.
// Never:   resolves names.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/base/time.hpp>
#include <sluice/endpoint/options.hpp>
#include <sluice/wire/ipv4.hpp>

#include <functional>
#include <memory>
#include <string>

namespace examples {

struct path_options {
    sluice::ipv4::address destination{};
    sluice::u8 protocol = sluice::ipv4::protocols::icmp;  // or udp
    sluice::mtu_discovery discovery = sluice::mtu_discovery::want;
    sluice::const_bytes ip_options{};  // of each probe
};

struct send_report {
    enum class status { sent, too_big, refused };
    status how = status::sent;
    sluice::u32 mtu = 0;    // of too_big: the MTU that the probe exceeds; 0: unknown
    std::string problem{};  // of refused
};

class probe_path {
public:
    // Called for each received datagram with the time of its arrival.
    using receiver = std::function<void(sluice::const_bytes datagram, sluice::instant at)>;

    probe_path() = default;
    probe_path(const probe_path&) = delete;
    probe_path& operator=(const probe_path&) = delete;
    virtual ~probe_path() = default;

    // Sends an ICMP message or a UDP datagram, from its first byte on.
    [[nodiscard]] virtual send_report send(sluice::const_bytes message, sluice::u8 ttl) = 0;
    // Waits until the deadline or until datagrams come. False: INT or TERM came, or the device is
    // gone.
    [[nodiscard]] virtual bool wait(sluice::instant deadline, const receiver& take) = 0;
    // The source of the probes.
    [[nodiscard]] virtual sluice::ipv4::address source() const = 0;
    // A UDP port that no other program uses.
    [[nodiscard]] virtual sluice::u16 port() const = 0;
};

// An open path, or why there is none.
struct opened_path {
    std::unique_ptr<probe_path> path;
    std::string problem{};
};

}  // namespace examples
