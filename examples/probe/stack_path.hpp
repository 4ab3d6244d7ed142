// stack_path: a probe_path by a stack of this program's own, on a TUN device or on an Ethernet
// interface (ARP included).
//
// Raw endpoints send the probes and receive the answers; the error queue says which MTU a refused
// probe exceeds. A connected UDP endpoint holds the source address and the port.
//
// Expects: the right to open the device. The kernel has no address on the Ethernet interface:
//          otherwise both would answer.
#pragma once

#include "probe_path.hpp"

#include <sluice/endpoint/raw_endpoint.hpp>
#include <sluice/endpoint/udp_endpoint.hpp>
#include <sluice/link/ethernet_stack.hpp>
#include <sluice/port/af_packet.hpp>
#include <sluice/port/poll_loop.hpp>
#include <sluice/port/system_seed.hpp>
#include <sluice/port/tun.hpp>
#include <sluice/sluice.hpp>

#include <array>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace examples {

// The device and the host on it. No device: the kernel's raw sockets.
struct host_request {
    std::string device;  // an Ethernet interface that exists, or the name of a TUN device
    sluice::ipv4::interface_address address{};
    sluice::ipv4::address gateway{};  // unspecified: only neighbours are reached
};

namespace detail {

inline constexpr sluice::u16 probe_interface = 2;

struct tun_probe_host : sluice::policies<sluice::based_on<sluice::linux_host>,
                                         sluice::output<sluice::port::tun::sender>> {};
using tun_probe_stack = sluice::stack<tun_probe_host>;
using ethernet_probe_stack =
    sluice::ethernet_stack<sluice::linux_host, sluice::port::af_packet::sender>;

[[nodiscard]] inline tun_probe_stack& stack_of(tun_probe_stack& host) {
    return host;
}
[[nodiscard]] inline ethernet_probe_stack::stack_type& stack_of(ethernet_probe_stack& host) {
    return host.stack();
}

// A host whose next deadline is at the latest the program's.
template <class Host>
struct host_with_deadline {
    using packet_type = typename Host::packet_type;
    using buffer_source_type = typename Host::buffer_source_type;

    Host& host;
    sluice::instant deadline;

    [[nodiscard]] auto& buffers() const { return host.buffers(); }
    [[nodiscard]] sluice::instant poll(sluice::moment now) const {
        const sluice::instant next = host.poll(now);
        return next < deadline ? next : deadline;
    }
    void receive(std::span<packet_type> packets, sluice::moment now) const {
        host.receive(packets, now);
    }
};

}  // namespace detail

template <class Host, class Device>
class stack_path final : public probe_path {
    using stack = std::remove_reference_t<decltype(detail::stack_of(std::declval<Host&>()))>;
    using raw = sluice::raw_endpoint<stack, sluice::endpoint_sizes{.queue = 64}>;
    using clock = sluice::port::steady_clock;

public:
    stack_path(Device device, std::unique_ptr<Host> host, sluice::port::poll_loop loop,
               const path_options& how)
        : device_{std::move(device)}, host_{std::move(host)}, loop_{std::move(loop)},
          destination_{how.destination}, held_{own_stack()},
          icmp_{own_stack(), sluice::ipv4::protocols::icmp} {
        if (how.protocol != sluice::ipv4::protocols::icmp) {
            udp_.emplace(own_stack(), how.protocol);
        }
    }

    // Returns a problem; empty: none.
    [[nodiscard]] std::string start(const path_options& how) {
        if (const auto held = held_.connect({destination_, 9}, clock::now()); !held.has_value()) {
            return std::string{"connect: "} + message(held.error()) +
                   "; --gateway ADDRESS names a router";
        }
        raw& out = sender();
        out.options().discovery = how.discovery;
        out.options().receive_errors = true;
        const auto bound = icmp_.bind();
        const auto also = udp_ ? udp_->bind() : typename raw::result_type{};
        if (!bound.has_value() || !also.has_value()) {
            return message(bound.has_value() ? also.error() : bound.error());
        }
        return out.set_ip_options(how.ip_options, clock::now())
                   ? std::string{}
                   : "the stack refuses the IP options";
    }

    [[nodiscard]] send_report send(sluice::const_bytes data, sluice::u8 ttl) override {
        static_cast<void>(take_errors());
        const auto sent = sender().send(data, destination_, clock::now(), {.ttl = ttl});
        if (sent.has_value()) {
            return {};
        }
        if (sent.error() == sluice::endpoint_error::too_big) {
            return {send_report::status::too_big, take_errors()};
        }
        return {send_report::status::refused, 0, message(sent.error())};
    }
    [[nodiscard]] bool wait(sluice::instant deadline, const receiver& take) override {
        detail::host_with_deadline<Host> host{*host_, deadline};
        const bool goes_on = loop_.step(host, device_);
        const sluice::instant now = clock::now_instant();
        static_cast<void>(take_errors());
        receive_all(icmp_, take, now);
        if (udp_) {
            receive_all(*udp_, take, now);
        }
        return goes_on;
    }
    [[nodiscard]] sluice::ipv4::address source() const override { return held_.local().host; }
    [[nodiscard]] sluice::u16 port() const override { return held_.local().port; }

private:
    [[nodiscard]] stack& own_stack() { return detail::stack_of(*host_); }
    [[nodiscard]] raw& sender() { return udp_ ? *udp_ : icmp_; }

    // Empties the error queue. Returns the MTU of the last probe that this host refused; 0: none.
    sluice::u32 take_errors() {
        sluice::u32 mtu = 0;
        while (const auto report = sender().receive_error({})) {
            if (!report->from_icmp) {
                mtu = report->info;
            }
        }
        static_cast<void>(sender().pending_error());
        return mtu;
    }
    void receive_all(raw& from, const receiver& take, sluice::instant now) {
        while (const auto got = from.receive(room_)) {
            take(sluice::const_bytes{room_}.first(got->copied), now);
        }
    }

    Device device_;
    std::unique_ptr<Host> host_;
    sluice::port::poll_loop loop_;
    sluice::ipv4::address destination_;
    sluice::udp_endpoint<stack> held_;
    raw icmp_;
    std::optional<raw> udp_;  // only of a path that sends UDP
    std::array<std::byte, sluice::ipv4::max_total_length> room_;
};

namespace detail {

template <class Host, class Device>
[[nodiscard]] opened_path start_path(Device device, std::unique_ptr<Host> host,
                                     const host_request& on, const path_options& how) {
    auto& stack = stack_of(*host);
    if (!on.gateway.is_unspecified()) {
        const auto added = stack.add_route({.gateway = on.gateway});
        if (!added.has_value()) {
            return {nullptr, std::string{"--gateway: "} + message(added.error())};
        }
    }
    auto loop = sluice::port::poll_loop::open();
    if (!loop) {
        return {nullptr, message(loop.error()).c_str()};
    }
    auto path = std::make_unique<stack_path<Host, Device>>(std::move(device), std::move(host),
                                                           std::move(*loop), how);
    std::string problem = path->start(how);
    if (!problem.empty()) {
        return {nullptr, std::move(problem)};
    }
    return {std::move(path)};
}

// The MTU of the kernel's side of a TUN device.
[[nodiscard]] inline sluice::u32 mtu_of(std::string_view name) {
    const sluice::port::descriptor any{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    auto request = sluice::port::interface_request::of(name);
    return request.ask(any.get(), SIOCGIFMTU) ? static_cast<sluice::u32>(request.number()) : 1500;
}

}  // namespace detail

// Opens the device and starts the host on it.
[[nodiscard]] inline opened_path open_stack_path(const host_request& on, const path_options& how) {
    namespace port = sluice::port;
    const auto seed = port::system_seed();
    if (!seed) {
        return {nullptr, message(seed.error()).c_str()};
    }
    auto ethernet = port::af_packet::open(on.device, {.interface = detail::probe_interface});
    if (ethernet && ethernet->is_ethernet()) {
        using host_type = detail::ethernet_probe_stack;
        auto host = std::make_unique<host_type>(
            host_type::parts{.sink = ethernet->sender(), .seed = *seed});
        const auto added = host->add_interface(
            {.index = detail::probe_interface, .address = on.address, .mtu = ethernet->mtu()},
            ethernet->hardware_address());
        if (!added.has_value()) {
            return {nullptr, std::string{"--address: "} + message(added.error())};
        }
        return detail::start_path(std::move(*ethernet), std::move(host), on, how);
    }
    auto tun = port::tun::open(on.device, {.interface = detail::probe_interface});
    if (!tun) {
        return {nullptr, message(tun.error()).c_str()};
    }
    using host_type = detail::tun_probe_stack;
    auto host =
        std::make_unique<host_type>(host_type::parts{.output = tun->sender(), .seed = *seed});
    const auto added = host->add_interface({.index = detail::probe_interface,
                                            .address = on.address,
                                            .mtu = detail::mtu_of(tun->name())});
    if (!added.has_value()) {
        return {nullptr, std::string{"--address: "} + message(added.error())};
    }
    return detail::start_path(std::move(*tun), std::move(host), on, how);
}

}  // namespace examples
