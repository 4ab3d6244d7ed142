// tun_port: a TUN device as an interface of the router. It opens one queue of the device.
//
// Expects: as port/tun.hpp.
// Never:   brings it up.
#pragma once

#include "port.hpp"

#include <sluice/port/tun.hpp>

#include <optional>

namespace router {

class tun_port final : public port {
    using sender = sluice::port::tun::sender::model<packet>;

public:
    tun_port(const link_request& asked, u16 index, bool multi_queue)
        : port{asked, index}, multi_queue_{multi_queue} {}

    [[nodiscard]] bool is_ethernet() const noexcept override { return false; }
    [[nodiscard]] sluice::result<void, port_error> open() noexcept override {
        const sluice::port::tun::options how{
            .interface = index(), .multi_queue = multi_queue_, .offload = true};
        auto opened =
            in_namespace_of(asked(), [&] { return sluice::port::tun::open(asked().name, how); });
        if (!opened) {
            return sluice::failure{opened.error()};
        }
        device_.emplace(std::move(*opened));
        sender_ = device_->sender();
        return {};
    }
    // A TUN device ends only with its interface; reading may fail for a while.
    [[nodiscard]] bool look_again() noexcept override {
        const bool had = device_ && !device_->is_attached();
        if (had) {
            before_ += of_device();
            device_.reset();
            sender_ = {};
        }
        return had;
    }
    [[nodiscard]] port_state state() const noexcept override {
        return device_ ? port_state::up : port_state::gone;
    }
    [[nodiscard]] u32 mtu() const noexcept override { return asked().mtu; }
    void add_descriptors(std::vector<int>& to) const override {
        if (device_) {
            to.push_back(device_->fd());
        }
    }

    [[nodiscard]] receive_batch receive(source& from, std::span<packet> to) noexcept override {
        return device_ ? device_->receive(from, to)
                       : receive_batch{.end = sluice::port::read_status::closed};
    }
    [[nodiscard]] bool send(packet& p, sluice::instant now) noexcept override {
        return sender_.transmit(p, {}, now);
    }
    void flush() noexcept override { sender_.flush(); }
    [[nodiscard]] sluice::output_offloads offloads() const noexcept override {
        return sluice::offloads_of(sender_, {});
    }
    [[nodiscard]] port_counts counts() noexcept override {
        port_counts all = before_;
        return all += of_device();
    }

private:
    [[nodiscard]] port_counts of_device() const noexcept {
        if (!device_) {
            return {};
        }
        const auto& c = device_->counters();
        return {.received = c.received,
                .received_bytes = c.received_bytes,
                .not_ipv4 = c.not_ipv4,
                .unusable = c.too_long + c.refused,
                .no_buffer = c.no_buffer,
                .sent = sender_.counters().sent,
                .refused = sender_.counters().refused};
    }

    bool multi_queue_;
    std::optional<sluice::port::tun::device> device_;
    sender sender_;
    port_counts before_;
};

}  // namespace router
