// packet_port: opens and closes its sockets, and counts their packets.
#pragma once

#include "packet_port.hpp"

#include <fcntl.h>

namespace router {

// Whether the kernel forwards what comes in by the interface.
inline bool kernel_forwards(const link_request& asked) noexcept {
    char path[64];
    std::snprintf(path, sizeof path, "/proc/sys/net/ipv4/conf/%s/forwarding", asked.name.c_str());
    const auto read = in_namespace_of(asked, [&]() -> sluice::result<bool, port_error> {
        const sluice::port::descriptor file{::open(path, O_RDONLY | O_CLOEXEC)};
        char digit = '0';
        return file && ::read(file.get(), &digit, 1) == 1 && digit == '1';
    });
    return read.has_value() && *read;
}

inline sluice::result<void, port_error> packet_port::open() noexcept {
    auto watch = in_namespace_of(asked(), [&] { return link_watch::open(asked().name); });
    if (!watch) {
        return sluice::failure{watch.error()};
    }
    watch_.emplace(std::move(*watch));
    link_ = watch_->state().value_or(link_state{});
    if (link_.index == 0) {
        return sluice::failure{port_error::make("find", asked().label(), ENODEV)};
    }
    header_ = link_.header;
    if (header_ == sluice::port::link_header::unknown) {
        return sluice::failure{sluice::port::unknown_link_header(asked().name, link_.type)};
    }
    if (mode_.reports && watch_->has_kernel_address()) {
        std::fprintf(stderr,
                     "router: %s also has an address in the kernel, and both answer; remove it "
                     "(ip addr flush dev %s)\n",
                     asked().label().c_str(), asked().name.c_str());
    }
    if (mode_.reports && kernel_forwards(asked())) {
        std::fprintf(stderr,
                     "router: the kernel forwards packets of %s too; stop it (sysctl -w "
                     "net.ipv4.ip_forward=0, in its namespace)\n",
                     asked().label().c_str());
    }
    return open_sockets();
}

inline bool packet_port::look_again() noexcept {
    const bool drained = watch_->drain();
    const auto current = watch_->state();
    const link_state before = std::exchange(link_, current.value_or(link_));
    if (sockets_ && sockets_->index != link_.index) {
        close();
    }
    const bool had_failed = std::exchange(is_unsettled_, !drained || !current);
    if (!sockets_ && link_.index != 0) {
        if (const auto opened = open_sockets(); !opened) {
            is_unsettled_ = true;
            if (mode_.reports && !had_failed) {
                complain(opened.error());
            }
        }
    }
    return before != link_;
}

inline sluice::result<void, port_error> packet_port::open_sockets() noexcept {
    if (link_.header != header_) {
        return sluice::failure{port_error::make(
            "open", asked().label(), 0,
            "its packets begin with another header than before; start the router again")};
    }
    // A socket can join the other workers' group only while the interface is up.
    if (mode_.shared != nullptr && !link_.up) {
        return {};
    }
    auto opened = in_namespace_of(asked(), [&] { return open_here(); });
    if (!opened) {
        return sluice::failure{opened.error()};
    }
    sockets_.emplace(std::move(*opened));
    to_kernel_ = sockets_->in ? sockets_->in->sender() : sockets_->plain->sender();
    if (sockets_->out) {
        to_ring_.emplace(sockets_->out->sender());
        ring_room_ = link_.mtu + header_bytes();
    }
    return {};
}

inline sluice::result<packet_port::sockets, port_error> packet_port::open_here() const noexcept {
    const std::string& name = asked().name;
    sockets made{.index = link_.index};
    if (is_ethernet()) {
        auto arp =
            af_packet::open(name, {.interface = index(), .protocol = sluice::ethernet::types::arp});
        if (!arp) {
            return sluice::failure{arp.error()};
        }
        made.arp.emplace(std::move(*arp));
    }
    af_packet::options how{.interface = index(), .protocol = sluice::ethernet::types::ipv4};
    if (mode_.shared != nullptr) {
        // One group for each interface of this process.
        how.fanout = {.group = static_cast<u16>(::getpid() * 251 + index()),
                      .mode = af_packet::fanout_mode::rule,
                      .rule = *mode_.shared};
    }
    if (mode_.plain) {
        auto plain = af_packet::open(name, how);
        if (!plain) {
            return sluice::failure{plain.error()};
        }
        made.plain.emplace(std::move(*plain));
        // The kernel counts packets of 64 KB with all their overhead.
        const int room = 8 << 20;
        static_cast<void>(
            ::setsockopt(made.plain->fd(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room));
        return made;
    }
    auto in = af_packet::ring<256>::open(name, how);
    if (!in) {
        return sluice::failure{in.error()};
    }
    made.in.emplace(std::move(*in));
    auto out = af_packet::transmit_ring::open(name);
    if (!out) {
        return sluice::failure{out.error()};
    }
    made.out.emplace(std::move(*out));
    return made;
}

inline void packet_port::close() noexcept {
    if (sockets_) {
        before_ += of_sockets();
        flush();
        to_ring_.reset();
        to_kernel_ = {};
        sockets_.reset();
    }
}

inline port_counts packet_port::of_sockets() noexcept {
    port_counts all;
    if (!sockets_) {
        return all;
    }
    const auto add = [&all](const af_packet::counters& c) {
        all += {.received = c.received,
                .received_bytes = c.received_bytes,
                .not_ipv4 = c.not_ipv4,
                .unusable = c.too_long + c.refused,
                .no_buffer = c.no_buffer,
                .kernel_drops = c.kernel_drops};
    };
    if (sockets_->arp) {
        add(sockets_->arp->counters());
    }
    add(sockets_->in ? sockets_->in->counters() : sockets_->plain->counters());
    const auto add_sent = [&all](const sluice::port::send_counters& c) {
        all += {.sent = c.sent, .refused = c.refused, .lost = c.lost};
    };
    add_sent(to_kernel_.counters());
    if (to_ring_) {
        add_sent(to_ring_->counters());
    }
    return all;
}

}  // namespace router
