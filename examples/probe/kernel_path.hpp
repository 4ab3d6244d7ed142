// kernel_path: a probe_path by raw sockets: the kernel chooses source and route, makes the header
// and fragments.
//
// A UDP socket connected to the destination, which sends nothing, holds the source address and the
// port.
//
// Expects: CAP_NET_RAW.
// Source:  raw(7), ip(7).
#pragma once

#include "probe_path.hpp"

#include <sluice/port/poll_loop.hpp>
#include <sluice/port/raw_socket.hpp>
#include <sluice/wire/ipv4_header.hpp>

#include <cerrno>
#include <cstring>
#include <optional>
#include <span>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>

namespace examples {

namespace detail {

// What the poll loop needs of a host: it passes received packets on.
template <class Pool>
struct receiving_host {
    using packet_type = typename Pool::packet_type;
    using buffer_source_type = Pool;

    Pool& pool;
    sluice::instant deadline;
    const probe_path::receiver& take;

    [[nodiscard]] Pool& buffers() const noexcept { return pool; }
    [[nodiscard]] sluice::instant poll(sluice::moment) const noexcept { return deadline; }
    void receive(std::span<packet_type> packets, sluice::moment now) const {
        for (packet_type& p : packets) {
            take(std::as_const(p).head(), now.now);
            p.reset();
        }
    }
};

// A UDP socket connected to the discard port of `to`. Invalid: errno has the reason.
[[nodiscard]] inline sluice::port::descriptor connected_socket(sluice::ipv4::address to) {
    sluice::port::descriptor fd{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    sockaddr_in peer{};
    peer.sin_family = AF_INET;
    peer.sin_port = htons(9);
    peer.sin_addr.s_addr = htonl(to.value);
    if (fd && ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&peer), sizeof peer) < 0) {
        return {};
    }
    return fd;
}

[[nodiscard]] inline int kernel_name(sluice::mtu_discovery how) noexcept {
    switch (how) {
    case sluice::mtu_discovery::dont:
        return IP_PMTUDISC_DONT;
    case sluice::mtu_discovery::always:
        return IP_PMTUDISC_DO;
    case sluice::mtu_discovery::probe:
        return IP_PMTUDISC_PROBE;
    default:
        return IP_PMTUDISC_WANT;
    }
}

// struct sock_extended_err of <linux/errqueue.h>.
struct queued_error {
    sluice::u32 number = 0;
    sluice::u8 origin = 0;
    sluice::u8 type = 0;
    sluice::u8 code = 0;
    sluice::u8 padding = 0;
    sluice::u32 info = 0;
    sluice::u32 data = 0;
};

// Reads the error queue up to the error of this host's own that says a datagram is too long.
// Returns its MTU; 0: there is none.
[[nodiscard]] inline sluice::u32 read_local_error(int fd) {
    constexpr sluice::u8 local_origin = 1;
    alignas(cmsghdr) std::byte control[512];
    msghdr message{};
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    while (::recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0) {
        for (cmsghdr* at = CMSG_FIRSTHDR(&message); at != nullptr; at = CMSG_NXTHDR(&message, at)) {
            queued_error error;
            if (at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_RECVERR &&
                at->cmsg_len >= CMSG_LEN(sizeof error)) {
                std::memcpy(&error, CMSG_DATA(at), sizeof error);
                if (error.origin == local_origin && error.number == EMSGSIZE) {
                    return error.info;
                }
            }
        }
        message.msg_controllen = sizeof control;
    }
    return 0;
}

}  // namespace detail

class kernel_path final : public probe_path {
    // A received datagram may be as long as can be.
    using pool_type = sluice::fixed_pool<66'000, 16>;
    using packet = pool_type::packet_type;
    using device = sluice::port::raw_socket::device;
    using output = sluice::port::raw_socket::sender::model<packet>;

public:
    [[nodiscard]] static opened_path open(const path_options& how) {
        namespace raw = sluice::port::raw_socket;
        auto held = detail::connected_socket(how.destination);
        if (!held) {
            return {nullptr, std::string{"connect: "} + std::strerror(errno)};
        }
        auto icmp = raw::open({.include_header = false});
        auto loop = sluice::port::poll_loop::open();
        if (!icmp || !loop) {
            return {nullptr, message(icmp ? loop.error() : icmp.error()).c_str()};
        }
        std::unique_ptr<kernel_path> made{
            new kernel_path{how, std::move(held), std::move(*icmp), std::move(*loop)}};
        if (how.protocol == sluice::ipv4::protocols::udp) {
            auto udp = raw::open({.protocol = how.protocol, .include_header = false});
            if (!udp) {
                return {nullptr, message(udp.error()).c_str()};
            }
            made->udp_.emplace(std::move(*udp));
        }
        if (!made->set_options(how)) {
            return {nullptr, std::string{"setsockopt: "} + std::strerror(errno)};
        }
        made->output_ = made->sending_device().sender();
        return {std::move(made)};
    }

    [[nodiscard]] send_report send(sluice::const_bytes message, sluice::u8 ttl) override {
        packet p = pool_->take();
        const sluice::ipv4::header header{
            .ttl = ttl, .protocol = protocol_, .destination = destination_};
        std::byte first[sluice::ipv4::min_header_length];
        if (!sluice::emit_value(header, first) || !p.append(first) || !p.append(message)) {
            return {send_report::status::too_big, sluice::u32{sluice::ipv4::max_total_length}};
        }
        if (output_.transmit(p, {}, sluice::port::steady_clock::now_instant())) {
            return {};
        }
        const int why = output_.counters().last_error;
        if (why == EMSGSIZE) {
            return {send_report::status::too_big, exceeded_mtu(p)};
        }
        return {send_report::status::refused, 0, std::strerror(why)};
    }
    [[nodiscard]] bool wait(sluice::instant deadline, const receiver& take) override {
        detail::receiving_host<pool_type> host{*pool_, deadline, take};
        return udp_ ? loop_.step(host, icmp_, *udp_) : loop_.step(host, icmp_);
    }
    [[nodiscard]] sluice::ipv4::address source() const override {
        return {ntohl(local().sin_addr.s_addr)};
    }
    [[nodiscard]] sluice::u16 port() const override { return ntohs(local().sin_port); }

private:
    kernel_path(const path_options& how, sluice::port::descriptor held, device icmp,
                sluice::port::poll_loop loop)
        : destination_{how.destination}, protocol_{how.protocol}, held_{std::move(held)},
          icmp_{std::move(icmp)}, loop_{std::move(loop)} {}

    // The MTU that `refused` exceeds. The kernel states it in an error queue, which exists only
    // during a second try: otherwise ICMP errors would fill it.
    [[nodiscard]] sluice::u32 exceeded_mtu(packet& refused) {
        const int fd = sending_device().fd();
        const auto queue_errors = [fd](int on) {
            return ::setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on) == 0;
        };
        if (!queue_errors(1)) {
            return 0;
        }
        static_cast<void>(output_.transmit(refused, {}, sluice::port::steady_clock::now_instant()));
        const sluice::u32 mtu = detail::read_local_error(fd);
        return queue_errors(0) ? mtu : 0;
    }
    [[nodiscard]] const device& sending_device() const { return udp_ ? *udp_ : icmp_; }
    [[nodiscard]] bool set_options(const path_options& how) const {
        const int fd = sending_device().fd();
        const int discovery = detail::kernel_name(how.discovery);
        const int size = 1 << 20;
        static_cast<void>(::setsockopt(icmp_.fd(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size));
        return ::setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &discovery, sizeof discovery) == 0 &&
               ::setsockopt(fd, IPPROTO_IP, IP_OPTIONS, how.ip_options.data(),
                            static_cast<socklen_t>(how.ip_options.size())) == 0;
    }
    [[nodiscard]] sockaddr_in local() const {
        sockaddr_in found{};
        socklen_t size = sizeof found;
        static_cast<void>(::getsockname(held_.get(), reinterpret_cast<sockaddr*>(&found), &size));
        return found;
    }

    sluice::ipv4::address destination_;
    sluice::u8 protocol_;
    std::unique_ptr<pool_type> pool_ = std::make_unique<pool_type>();
    sluice::port::descriptor held_;
    device icmp_;
    std::optional<device> udp_;  // only of a path that sends UDP
    output output_;
    sluice::port::poll_loop loop_;
};

}  // namespace examples
