// # device
//
// Receives and transmits packets for a program: the boundary between a stack and an operating
// system, a driver or a file.
//
// **It receives a burst.** `receive(source, span)` fills packets from the front of the span, in
// memory of the source, until nothing waits or the span is full, and returns how it ended
// (receive_batch, read_status). It sets each packet's interface. It never blocks: `fd()` is
// readable when packets wait (poll(2)). `counters()` counts received and lost packets.
//
// **It transmits a burst.** `sender()` returns the value from which an `output_policy` is made:
// `sender_type::model<Packet>` transmits packets one by one, each with the time of the call, and
// ends a burst with flush(). A sender of whole frames is a `frame_sink` as well (link/concept.hpp).
//
// **It offloads** the work that `offloads(egress)` of its model returns: the device finishes
// checksums or cuts segments. It refuses a packet that needs more, or finishes the packet first.
//
// **Its state** is up, down or closed (`state()`); ask it after a failed receive. `link()` names
// the header that packets begin with: none (IPv4 first) or Ethernet.
//
// **Its errors** are values. Opening returns a `result<device, port_error>`. Receiving ends with a
// `read_status`. Transmitting returns false, and the packet stays with the caller; a packet that
// the kernel refuses later is counted as lost.
//
// A device may be one half: `receiver_for` (a capture that is read) has no sender,
// `transmitter_for` (a ring for sending, a capture that is written) has no receive. `device_for` is
// both.
//
// A device outlives its senders and, where its packets lie in memory of its own, its packets.
//
// Exemplar:
//
//     struct device {
//         int fd() const noexcept;  // of both halves
//         device_state state() const noexcept;
//         link_header link() const noexcept;
//
//         receive_batch receive(Source& from, std::span<Packet> to) noexcept;
//         const my_counters& counters() noexcept;
//
//         using sender_type = my_sender;  // a tag: template <class Packet> class model
//         my_sender sender() const noexcept;
//     };
//
// Models: `tun::device`, `af_packet::device`, `af_packet::ring`, `raw_socket::device`;
// `capture::device` receives only, `af_packet::transmit_ring` and `pcap::writer` transmit only.
#pragma once

#include <sluice/output/concept.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/port/interface_request.hpp>
#include <sluice/port/link_header.hpp>
#include <sluice/port/receive_batch.hpp>

#include <cerrno>
#include <concepts>
#include <span>

namespace sluice::port {

enum class device_state : u8 {
    up,     // receives and transmits
    down,   // the interface is down: no packets until it is up again
    closed  // the interface was deleted, or a capture ended: open the device again
};

template <class D, class Source>
concept receives_bursts = requires(D& d, Source& from, std::span<typename Source::packet_type> to) {
    { d.receive(from, to) } noexcept -> std::same_as<receive_batch>;
};

template <class D, class Packet>
concept gives_senders = output_policy<typename D::sender_type, Packet> && requires(const D& d) {
    { d.sender() } noexcept -> std::same_as<typename D::sender_type>;
    requires std::constructible_from<typename D::sender_type::template model<Packet>,
                                     typename D::sender_type>;
};

template <class D>
concept states_link = requires(const D& d) {
    { d.fd() } noexcept -> std::same_as<int>;
    { d.state() } noexcept -> std::same_as<device_state>;
    { d.link() } noexcept -> std::same_as<link_header>;
};

template <class D, class Source>
concept receiver_for = buffer_source<Source> && receives_bursts<D, Source> && states_link<D>;

template <class D, class Packet>
concept transmitter_for = gives_senders<D, Packet> && states_link<D>;

template <class D, class Source>
concept device_for = receiver_for<D, Source> && transmitter_for<D, typename Source::packet_type>;

namespace detail {

// Asks the kernel by a socket in the interface's network namespace.
[[nodiscard]] inline device_state state_of_interface(int socket, std::string_view name) noexcept {
    auto request = interface_request::of(name);
    if (request.ask(socket, SIOCGIFFLAGS)) {
        return (request.flags() & interface_flags::up) != 0 ? device_state::up : device_state::down;
    }
    return errno == ENODEV ? device_state::closed : device_state::down;
}

}  // namespace detail

}  // namespace sluice::port
