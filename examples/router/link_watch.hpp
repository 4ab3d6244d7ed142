// link_watch: whether a network interface is there, up and connected, and when that changes.
//
// Expects: Linux; open() in the interface's network namespace. Does: asks the kernel by name, so
// that an interface that was deleted and made again is found; its descriptor is readable when some
// interface changed. Never: changes an interface.
#pragma once

#include <sluice/base/result.hpp>
#include <sluice/port/descriptor.hpp>
#include <sluice/port/error.hpp>
#include <sluice/port/hardware_type.hpp>
#include <sluice/wire/ethernet.hpp>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace router {

struct link_state {
    int index = 0;  // 0: there is none of that name
    bool up = false;
    bool connected = false;  // the cable is in, the peer is up
    sluice::u32 mtu = 0;     // octets
    sluice::u16 type = 0;    // the kernel's number for what it is
    sluice::port::link_header header{};
    sluice::ethernet::address hardware{};

    friend bool operator==(const link_state&, const link_state&) = default;
};

class link_watch {
public:
    [[nodiscard]] static sluice::result<link_watch, sluice::port::port_error>
    open(const std::string& name) noexcept {
        using sluice::failure;
        using sluice::port::port_error;
        link_watch made;
        if (name.size() >= IFNAMSIZ) {
            return failure{port_error::make("open", name, ENAMETOOLONG, "at most 15 characters")};
        }
        name.copy(made.name_, name.size());
        made.asking_ = sluice::port::descriptor{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
        made.events_ = sluice::port::descriptor{
            ::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE)};
        sockaddr_nl where{};
        where.nl_family = AF_NETLINK;
        where.nl_groups = RTMGRP_LINK;
        if (!made.asking_ || !made.events_ ||
            ::bind(made.events_.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) <
                0) {
            return failure{port_error::last("watch", name)};
        }
        return made;
    }

    // For poll(2).
    [[nodiscard]] int fd() const noexcept { return events_.get(); }
    // Forgets what was announced: state() tells all. false: something is left, or cannot be read.
    [[nodiscard]] bool drain() const noexcept {
        char some[4096];
        for (int reads = 0; reads < 16; ++reads) {
            if (::recv(events_.get(), some, sizeof some, 0) < 0 && errno != ENOBUFS) {
                return errno == EAGAIN;
            }
        }
        return false;
    }

    // nullopt: the system did not say, for now.
    [[nodiscard]] std::optional<link_state> state() const noexcept {
        link_state now;
        ifreq answer{};
        if (!ask(SIOCGIFINDEX, answer)) {
            return nothing_or_gone();
        }
        now.index = answer.ifr_ifindex;
        if (!ask(SIOCGIFFLAGS, answer)) {
            return nothing_or_gone();
        }
        const auto flags = static_cast<unsigned>(answer.ifr_flags);
        now.up = (flags & IFF_UP) != 0;
        now.connected = now.up && (flags & IFF_RUNNING) != 0;
        if (!ask(SIOCGIFMTU, answer)) {
            return nothing_or_gone();
        }
        now.mtu = static_cast<sluice::u32>(answer.ifr_mtu);
        if (!ask(SIOCGIFHWADDR, answer)) {
            return nothing_or_gone();
        }
        now.type = answer.ifr_hwaddr.sa_family;
        now.header = sluice::port::link_header_of(now.type, static_cast<sluice::u16>(flags));
        std::memcpy(now.hardware.octets.data(), answer.ifr_hwaddr.sa_data, 6);
        return now;
    }
    // Whether the kernel has an address of its own there, and so answers, too.
    [[nodiscard]] bool has_kernel_address() const noexcept {
        ifreq answer{};
        return ask(SIOCGIFADDR, answer);
    }

private:
    [[nodiscard]] static std::optional<link_state> nothing_or_gone() noexcept {
        return errno == ENODEV ? std::optional{link_state{}} : std::nullopt;
    }
    [[nodiscard]] bool ask(unsigned long what, ifreq& answer) const noexcept {
        std::memcpy(answer.ifr_name, name_, sizeof name_);
        return ::ioctl(asking_.get(), what, &answer) == 0;
    }

    sluice::port::descriptor asking_;
    sluice::port::descriptor events_;
    char name_[IFNAMSIZ] = {};
};

}  // namespace router
