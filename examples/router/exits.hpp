// exits: where the stack's packets and the link's frames leave: the port of their interface.
//
// Expects: the ports and the link to outlive it. Does: what the stack sends by an Ethernet
// interface goes through the link, which finds the link address; by another, to its port. A packet
// that may have to wait for a link address is copied out of the ring that it lies in: a ring of the
// kernel's stands still while one of its blocks is kept. Never: decides where a packet goes.
#pragma once

#include "capture.hpp"
#include "port.hpp"

#include <sluice/interface/interface_table.hpp>
#include <sluice/link/ethernet.hpp>
#include <sluice/link/interface_host.hpp>

#include <vector>

namespace router {

using interface_table = sluice::interface_table<256>;

// What the link asks of the host: its addresses.
using own_addresses = sluice::interface_host<interface_table, most_links>;

// Below the link.
struct frame_exits {
    static constexpr bool takes_segmented = true;
    static constexpr bool takes_gso = true;

    std::vector<port*> ports;       // by interface; nullptr: none
    capture_writer* tap = nullptr;  // nullptr: no capture
    bool answers_arp = true;        // of several workers, one does

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

// 64 packets wait for a neighbour: the fragments of a datagram of 65,535 bytes are 45.
using ethernet = sluice::ethernet_link<source, own_addresses, frame_exits, 1024, 64>;

// Above it: what the worker owns, and the stack's output points to.
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
