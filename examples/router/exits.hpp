// exits: the router's output: the ports by which packets of the stack and frames of the link leave.
//
// Packets of the stack for an Ethernet interface go through the link, which finds the link address;
// others go to their port. A packet that may wait for a link address is copied out of its ring,
// because a kernel's ring stops while one of its blocks is kept.
//
// Expects: the ports and the link outlive it.
#pragma once

#include "capture.hpp"
#include "port.hpp"

#include <sluice/interface/interface_table.hpp>
#include <sluice/link/ethernet.hpp>
#include <sluice/link/interface_host.hpp>

#include <vector>

namespace router {

using interface_table = sluice::interface_table<256>;

// The addresses of the host, for the link.
using own_addresses = sluice::interface_host<interface_table, most_links>;

// The output below the link.
struct frame_exits {
    static constexpr bool takes_segmented = true;
    static constexpr bool takes_gso = true;

    std::vector<port*> ports;       // by interface; nullptr: none
    capture_writer* tap = nullptr;  // nullptr: no capture
    bool answers_arp = true;        // only one of several workers does

    [[nodiscard]] sluice::output_offloads offloads(const sluice::egress& to) const noexcept {
        return ports[to.interface]->offloads();
    }
    [[nodiscard]] bool send_frame(packet& frame, u16 interface, sluice::instant now) noexcept {
        if (!answers_arp && ports[interface]->is_ethernet() && is_arp_reply(frame)) {
            frame.reset();
            return true;
        }
        if (tap != nullptr) {
            tap->write(interface, capture_writer::direction::out, frame);
        }
        return ports[interface]->send(frame, now);
    }
    void flush() noexcept {
        for (port* p : ports) {
            if (p != nullptr) {
                p->flush();
            }
        }
    }

private:
    [[nodiscard]] static bool is_arp_reply(const packet& frame) noexcept {
        return frame.head_size() == sluice::arp::frame_size &&
               sluice::load_be<u16>(frame.data() + 12) == sluice::ethernet::types::arp &&
               sluice::load_be<u16>(frame.data() + 20) == sluice::arp::operations::reply;
    }
};

// Up to 64 packets wait for a neighbour: a datagram of 65,535 bytes has 45 fragments.
using ethernet = sluice::ethernet_link<source, own_addresses, frame_exits, 1024, 64>;

// The output above the link. The worker owns it, and the stack's output points to it.
struct exits {
    frame_exits frames;
    source* buffers = nullptr;
    ethernet* link = nullptr;

    [[nodiscard]] bool transmit(packet& p, const sluice::egress& to, sluice::instant now) noexcept {
        if (!frames.ports[to.interface]->is_ethernet()) {
            return frames.send_frame(p, to.interface, now);
        }
        if (!buffers->owns(p) && to.kind == sluice::link_destination::unicast) {
            const auto* next = link->neighbours().find(to.interface, to.next_hop);
            if (next == nullptr || !next->is_usable()) {
                p = buffers->copy_of(p);
                if (!p) {
                    return false;
                }
            }
        }
        return link->output(p, to, now);
    }
};

// The output_policy of the router's stack.
struct to_exits {
    template <class Packet>
    struct model {
        static constexpr bool takes_segmented = true;
        static constexpr bool takes_gso = true;
        exits* to = nullptr;

        [[nodiscard]] sluice::output_offloads offloads(const sluice::egress& e) const noexcept {
            return to->frames.offloads(e);
        }
        [[nodiscard]] bool transmit(Packet& p, const sluice::egress& e,
                                    sluice::instant now) noexcept {
            return to->transmit(p, e, now);
        }
        void flush() noexcept { to->frames.flush(); }
    };
};

}  // namespace router
