// link_watch: watches whether a network interface exists, is up and is connected.
//
//     auto watch = port::link_watch::open("eth1");
//     // when watch->fd() is readable:
//     static_cast<void>(watch->drain());  // false: more is left for the next time
//     if (const auto now = watch->state()) { stack.set_link(2, {now->connected, now->mtu}); }
//
// Use it beside a device whose interface may go down, be deleted and be created again: it asks by
// name, and so finds the new interface.
//
// Expects: Linux; open() in the interface's network namespace (namespace.hpp).
// Never:   changes an interface; blocks.
// Errors:  the system's, when it has no descriptor left.
// Cost:    state(): four ioctl(2). fd() is readable when any interface of the namespace changed.
// Source:  netdevice(7), rtnetlink(7).
#pragma once

#include <sluice/base/result.hpp>
#include <sluice/port/descriptor.hpp>
#include <sluice/port/error.hpp>
#include <sluice/port/hardware_type.hpp>
#include <sluice/port/interface_request.hpp>
#include <sluice/wire/ethernet.hpp>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>

#include <sys/socket.h>

namespace sluice::port {

namespace detail {

// struct sockaddr_nl, and the group of changes of interfaces. <linux/rtnetlink.h> is not included:
// it brings types that headers of the C library declare too.
struct netlink_address {
    u16 family = AF_NETLINK;
    u16 padding = 0;
    u32 port = 0;
    u32 groups = 0;
};
inline constexpr int netlink_route = 0;
inline constexpr u32 netlink_group_of_links = 1;

}  // namespace detail

struct link_state {
    int index = 0;           // 0: there is no interface of the name
    bool up = false;         // set by the administrator
    bool connected = false;  // up, and the cable is plugged in or the peer is up
    u32 mtu = 0;             // bytes
    u16 type = 0;            // the kernel's number for its kind (hardware_type.hpp)
    link_header header{};    // the header with which its packets begin
    ethernet::address hardware{};

    friend bool operator==(const link_state&, const link_state&) = default;
};

class link_watch {
public:
    [[nodiscard]] static result<link_watch, port_error> open(std::string_view name) noexcept {
        // Of an alias such as lo:5 the kernel would answer for the interface.
        if (name.empty() || name.size() >= interface_name_size ||
            name.find(':') != std::string_view::npos) {
            return failure{port_error::make("watch", name, ENODEV,
                                            "a name has 1 to 15 characters and no colon")};
        }
        link_watch made{interface_request::of(name)};
        const detail::netlink_address where{.groups = detail::netlink_group_of_links};
        if (!made.asking_ || !made.events_ ||
            ::bind(made.events_.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) <
                0) {
            return failure{port_error::last("watch", name)};
        }
        return made;
    }

    // For poll(2).
    [[nodiscard]] int fd() const noexcept { return events_.get(); }
    // Discards the events of fd(); then ask state(). False: events are left, or cannot be read.
    [[nodiscard]] bool drain() const noexcept {
        char some[4096];
        for (int reads = 0; reads < 16; ++reads) {
            if (::recv(events_.get(), some, sizeof some, 0) < 0 && errno != ENOBUFS) {
                return errno == EAGAIN;
            }
        }
        return false;
    }

    // nullopt: the system has no answer at present.
    [[nodiscard]] std::optional<link_state> state() const noexcept {
        link_state now;
        interface_request answer = named_;
        if (!ask(SIOCGIFINDEX, answer)) {
            return no_change_or_deleted();
        }
        now.index = answer.number();
        if (!ask(SIOCGIFFLAGS, answer)) {
            return no_change_or_deleted();
        }
        const u16 flags = answer.flags();
        now.up = (flags & interface_flags::up) != 0;
        now.connected = now.up && (flags & interface_flags::running) != 0;
        if (!ask(SIOCGIFMTU, answer)) {
            return no_change_or_deleted();
        }
        now.mtu = static_cast<u32>(answer.number());
        if (!ask(SIOCGIFHWADDR, answer)) {
            return no_change_or_deleted();
        }
        now.type = answer.family();
        now.header = link_header_of(now.type, flags);
        std::memcpy(now.hardware.parts.data(), answer.address(), now.hardware.parts.size());
        return now;
    }
    // Whether the kernel has an IPv4 address on the interface, and so answers there as well.
    [[nodiscard]] bool has_kernel_address() const noexcept {
        interface_request answer = named_;
        return ask(SIOCGIFADDR, answer);
    }

private:
    explicit link_watch(const interface_request& named) noexcept
        : named_{named}, asking_{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)},
          events_{::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
                           detail::netlink_route)} {}

    [[nodiscard]] static std::optional<link_state> no_change_or_deleted() noexcept {
        return errno == ENODEV ? std::optional{link_state{}} : std::nullopt;
    }
    [[nodiscard]] bool ask(ioctl_number what, interface_request& answer) const noexcept {
        return answer.ask(asking_.get(), what);
    }

    interface_request named_;
    descriptor asking_;
    descriptor events_;
};

}  // namespace sluice::port
