// packet_port: an interface of the kernel as an interface of the router, by AF_PACKET.
//
// A ring lends IPv4 frames; the kernel spreads them over the workers' sockets by the worker_rule.
// On Ethernet a second socket receives all ARP frames, so that each worker knows its neighbours.
// Frames leave by another ring; those that the kernel cuts leave by a system call for a burst.
// Fragments are copied out of the ring, since the stack may keep them for long. An interface that
// disappeared is opened again when it returns.
//
// Expects: an interface without an address in the kernel, with an Ethernet header in front of its
//          packets or with none (TUN, WireGuard, PPP, tunnels).
// Never:   switches an offload, brings an interface up; changes the kind of header: an interface
//          that returns with another one stays unused.
#pragma once

#include "port.hpp"

#include <sluice/port/af_packet.hpp>
#include <sluice/port/af_packet_ring.hpp>
#include <sluice/port/af_packet_ring_send.hpp>
#include <sluice/port/link_watch.hpp>

#include <optional>

#include <unistd.h>

namespace router {

namespace af_packet = sluice::port::af_packet;
using sluice::port::link_state;
using sluice::port::link_watch;

class packet_port final : public port {
public:
    struct mode {
        bool plain = false;
        // How frames are shared with the other workers, outlives the port; nullptr: not at all.
        const sluice::worker_rule* shared = nullptr;
        bool reports = true;  // reports the changes that it finds
    };
    packet_port(const link_request& asked, u16 index, mode how) : port{asked, index}, mode_{how} {}
    ~packet_port() override { close(); }

    [[nodiscard]] bool is_ethernet() const noexcept override {
        return header_ == sluice::port::link_header::ethernet;
    }
    [[nodiscard]] sluice::result<void, port_error> open() noexcept override;
    [[nodiscard]] bool look_again() noexcept override;
    [[nodiscard]] bool is_unsettled() const noexcept override { return is_unsettled_; }
    [[nodiscard]] port_state state() const noexcept override {
        return link_.index == 0  ? port_state::gone
               : link_.connected ? port_state::up
               : link_.up        ? port_state::disconnected
                                 : port_state::down;
    }
    [[nodiscard]] u32 mtu() const noexcept override {
        return asked().mtu != 0 && asked().mtu < link_.mtu ? asked().mtu : link_.mtu;
    }
    [[nodiscard]] sluice::ethernet::address hardware() const noexcept override {
        return link_.hardware;
    }
    [[nodiscard]] int changes() const noexcept override { return watch_->fd(); }
    void add_descriptors(std::vector<int>& to) const override {
        if (sockets_) {
            if (sockets_->arp) {
                to.push_back(sockets_->arp->fd());
            }
            to.push_back(sockets_->in ? sockets_->in->fd() : sockets_->plain->fd());
        }
    }

    [[nodiscard]] receive_batch receive(source& from, std::span<packet> to) noexcept override {
        if (!sockets_) {
            return {.end = sluice::port::read_status::closed};
        }
        constexpr std::size_t most_arp = 8;
        const auto arp = sockets_->arp
                             ? sockets_->arp->receive(
                                   from, to.first(most_arp < to.size() ? most_arp : to.size()))
                             : receive_batch{};
        const std::span<packet> rest = to.subspan(arp.count);
        auto got =
            sockets_->in ? sockets_->in->receive(rest) : sockets_->plain->receive(from, rest);
        for (packet& frame : rest.first(sockets_->in ? got.count : 0)) {
            if (is_fragment(frame)) {
                frame = from.copy_of(frame);  // empty: no memory is left
            }
        }
        got.count += arp.count;
        got.thrown_away += arp.thrown_away;
        got.end = is_broken(arp) ? arp.end : got.end;
        return got;
    }
    [[nodiscard]] bool send(packet& frame, sluice::instant now) noexcept override {
        using sluice::segmentation_kind;
        const bool large =
            std::as_const(frame).metadata().segmentation != segmentation_kind::none || !to_ring_ ||
            frame.size() > ring_room_;
        if (large != last_was_large_) {
            flush();  // both have queues of their own: keep the order
            last_was_large_ = large;
        }
        return large ? to_kernel_.send_frame(frame, 0, now) : to_ring_->send_frame(frame, 0, now);
    }
    void flush() noexcept override {
        to_kernel_.flush();
        if (to_ring_) {
            to_ring_->flush();
        }
    }
    [[nodiscard]] bool wants_flush() const noexcept override {
        return to_ring_ && to_ring_->waiting() != 0;
    }
    [[nodiscard]] sluice::output_offloads offloads() const noexcept override {
        return {true, true, true};
    }
    [[nodiscard]] port_counts counts() noexcept override {
        port_counts all = before_;
        return all += of_sockets();
    }

private:
    struct sockets {
        std::optional<af_packet::device> arp{};  // on Ethernet only
        std::optional<af_packet::device> plain{};
        std::optional<af_packet::ring<256>> in{};
        std::optional<af_packet::transmit_ring> out{};
        int index = 0;
    };

    [[nodiscard]] u32 header_bytes() const noexcept {
        return is_ethernet() ? u32{sluice::ethernet::layout::size} : 0;
    }
    [[nodiscard]] bool is_fragment(const packet& frame) const noexcept {
        const u32 field = header_bytes() + 6;
        return frame.head_size() >= field + 2 &&
               (sluice::load_be<u16>(frame.data() + field) & 0x3fff) != 0;
    }

    sluice::result<void, port_error> open_sockets() noexcept;
    sluice::result<sockets, port_error> open_here() const noexcept;
    void close() noexcept;
    port_counts of_sockets() noexcept;

    mode mode_;
    std::optional<link_watch> watch_;
    link_state link_;
    sluice::port::link_header header_{};  // of link_ at the first opening
    std::optional<sockets> sockets_;
    af_packet::sender::model<packet> to_kernel_;
    std::optional<af_packet::ring_sender::model<packet>> to_ring_;
    u32 ring_room_ = 0;  // bytes of a frame
    bool last_was_large_ = false;
    bool is_unsettled_ = false;
    port_counts before_;
};

}  // namespace router

#include "packet_port_open.hpp"
