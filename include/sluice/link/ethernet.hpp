// ethernet_link: the link layer between an IPv4 stack and Ethernet devices: headers, ARP, and
// packets that wait for a link address.
//
// One object serves all interfaces of a stack. input() removes the header and sets the link
// addressing; it answers ARP and learns from it. output() finds the link address, adds the header
// and sends, or holds the packet and sends a request. poll() repeats requests and returns packets
// whose next hop did not answer. announce() announces a new address to the link. It works in
// constant evaluation.
// The device may know better to whom a frame was addressed: the kernel calls a frame another host's
// when it removed a VLAN tag. Frames of a VLAN are dropped and counted; tags of VLAN 0, which have
// only a priority, are removed, as in Linux.
//
// Expects:   a source for its own frames, a link_host and a frame_sink (link/concept.hpp) that
//            outlive it.
// Never:     forwards frames, answers for other hosts, or believes a reply about an unknown
//            neighbour.
// Cost:      one keyed lookup and 14 bytes written for a packet with a known next hop; a copy where
//            headroom is missing.
// Source:    RFC 826, RFC 894, RFC 1112 section 6.4, RFC 1122 section 2.3.2.
// Deviation: a full neighbour table still answers requests; a link address of zero or of a group is
//            never learned; ARP hardware type 6 (IEEE 802) is ignored.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/link/arp_frame.hpp>
#include <sluice/link/arp_input.hpp>
#include <sluice/link/concept.hpp>
#include <sluice/link/neighbour_table.hpp>
#include <sluice/output/concept.hpp>
#include <sluice/packet/next_hop.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/wire/ipv4.hpp>

#include <cstddef>
#include <utility>

namespace sluice {

enum class frame_kind : u8 {
    ipv4,    // the packet now begins with its IPv4 header, and has its link addressing
    taken,   // ARP: consumed
    dropped  // counted
};

struct ethernet_counters {
    u64 ipv4_received = 0;
    u64 arp_received = 0;
    u64 arp_ignored = 0;  // malformed, not about local addresses, or not believed
    u64 conflicts = 0;    // of those: another host claims a local address
    u64 too_short = 0;
    u64 tagged = 0;        // of a VLAN: with its tag, or the kernel removed it
    u64 unknown_type = 0;  // neither IPv4 nor ARP
    u64 sent = 0;
    u64 requests_sent = 0;
    u64 replies_sent = 0;
    u64 held = 0;
    u64 held_dropped = 0;  // the oldest held ones, replaced by newer ones
    u64 unresolved = 0;    // returned: the next hop did not answer
    u64 no_buffer = 0;
    u64 refused = 0;  // by the device: ARP frames and held packets
};

template <buffer_source Source, link_host Host, class Sink, std::size_t N = 256,
          std::size_t Held = 4, u32 Bytes = waiting_bytes_for(N)>
    requires frame_sink<Sink, typename Source::packet_type>
class ethernet_link {
public:
    using packet_type = typename Source::packet_type;
    static constexpr bool takes_segmented = Sink::takes_segmented;
    // Whether the sink's device segments and sums for some interface: see offloads().
    static constexpr bool takes_gso = [] {
        if constexpr (requires { Sink::takes_gso; }) {
            return Sink::takes_gso;
        }
        return false;
    }();
    using table = neighbour_table<packet_type, N, Held, Bytes>;

    constexpr ethernet_link(Source& source, Host& host, Sink& sink, hash_key key,
                            const neighbour_times& times = {}) noexcept
        : source_{&source}, host_{&host}, sink_{&sink}, neighbours_{key, times} {}

    // Takes a frame that came in by frame.interface().
    [[nodiscard]] constexpr frame_kind input(packet_type& frame, instant now) noexcept {
        if (!frame.may_pull(ethernet::layout::size)) {
            return drop(frame, counters_.too_short);
        }
        const ethernet::const_view link{frame.data()};
        const ethernet::address destination = link[ethernet::destination];
        const u16 outer = link[ethernet::type];
        mark(frame, addressing_of(destination, frame.interface()));
        if (!frame.pull(ethernet::layout::size)) {  // the header is too far from the block's start
            return drop(frame, counters_.too_short);
        }
        switch (take_priority_tags(frame, outer)) {
        case ethernet::types::ipv4:
            ++counters_.ipv4_received;
            return frame_kind::ipv4;
        case ethernet::types::arp:
            ++counters_.arp_received;
            if (!take_arp(frame, now)) {
                ++counters_.arp_ignored;
            }
            frame.reset();
            return frame_kind::taken;
        case ethernet::types::vlan:
        case ethernet::types::service_vlan:
        case ethernet::types::old_service_vlan:
            return drop(frame, counters_.tagged);
        default:
            return drop(frame, counters_.unknown_type);
        }
    }

    // true: sends or holds the packet. false: leaves it with the caller unchanged.
    [[nodiscard]] constexpr bool output(packet_type& packet, const egress& to,
                                        instant now) noexcept {
        if (!packet) {
            return false;
        }
        if (to.kind == link_destination::broadcast || to.next_hop.is_limited_broadcast()) {
            return send(packet, to.interface, ethernet::broadcast, now);
        }
        // A multicast by a gateway is for the gateway alone. Linux arp_constructor.
        if (to.next_hop.is_multicast() || (to.kind == link_destination::multicast &&
                                           to.next_hop == address_of(packet, ipv4::destination))) {
            return send(packet, to.interface, ethernet::multicast_mac(to.next_hop), now);
        }
        const auto [neighbour, ask] = neighbours_.use_for_output(to.interface, to.next_hop, now);
        if (neighbour == nullptr) {
            return false;
        }
        if (neighbour->is_usable()) {
            return send(packet, to.interface, neighbour->hardware, now);
        }
        const ipv4::address from = address_of(packet, ipv4::source);
        ++counters_.held;
        counters_.held_dropped += u64{neighbours_.hold(*neighbour, std::move(packet), from)};
        if (ask) {
            request(*neighbour, ethernet::broadcast, now);
        }
        return true;
    }

    // Resolves a link address without a packet to send: a redirect named a new gateway. true: it is
    // known already.
    constexpr bool resolve(u16 interface, ipv4::address address, instant now) noexcept {
        const auto [neighbour, ask] = neighbours_.use_for_output(interface, address, now);
        if (neighbour != nullptr && ask) {
            request(*neighbour, ethernet::broadcast, now);
        }
        return neighbour != nullptr && neighbour->is_usable();
    }

    // Does what is due. failed(packet_type&&) receives each packet whose next hop did not answer
    // (for stack.link_failed; RFC 1812 section 5.2.7.1); it must not call this object. Returns the
    // next deadline.
    template <class Failed>
    constexpr instant poll(instant now, Failed&& failed) noexcept {
        return neighbours_.poll(
            now,
            [this, now](const auto& whom, ethernet::address to) { this->request(whom, to, now); },
            [this, &failed](packet_type&& packet) {
                ++counters_.unresolved;
                failed(std::move(packet));
            });
    }

    // Announces a local address and its link address to the link: after it was assigned, or when
    // the interface has a new link address. Linux arp_notify.
    constexpr void announce(u16 interface, ipv4::address own, instant now) noexcept {
        counters_.requests_sent += 1;
        static_cast<void>(send_arp(interface, ethernet::broadcast,
                                   arp::make_announcement(host_->hardware_address(interface), own),
                                   now));
    }

    // Sets a permanent link address for the operator and sends packets that waited for it. false:
    // the table is full of permanent entries.
    [[nodiscard]] constexpr bool set_permanent(u16 interface, ipv4::address address,
                                               ethernet::address hardware, instant now) noexcept {
        auto* neighbour = neighbours_.set_permanent(interface, address, hardware, now);
        if (neighbour == nullptr) {
            return false;
        }
        send_held(*neighbour, now);
        return true;
    }
    [[nodiscard]] constexpr const arp::settings& arp_settings() const noexcept { return arp_; }
    constexpr void set_arp(const arp::settings& s) noexcept { arp_ = s; }
    // Forgets all neighbours of an interface that went down or has a new link address.
    constexpr void flush(u16 interface) noexcept { neighbours_.flush(interface); }
    constexpr void flush_device() noexcept { sink_->flush(); }
    [[nodiscard]] constexpr output_offloads offloads(const egress& to) const noexcept {
        return offloads_of(*sink_, to);
    }

    [[nodiscard]] constexpr const table& neighbours() const noexcept { return neighbours_; }
    [[nodiscard]] constexpr table& neighbours() noexcept { return neighbours_; }
    [[nodiscard]] constexpr const ethernet_counters& counters() const noexcept { return counters_; }

private:
    constexpr frame_kind drop(packet_type& frame, u64& counter) noexcept {
        ++counter;
        frame.reset();
        return frame_kind::dropped;
    }
    [[nodiscard]] constexpr sluice::link_addressing addressing_of(ethernet::address destination,
                                                                  u16 interface) const noexcept {
        if (destination == host_->hardware_address(interface)) {
            return sluice::link_addressing::host;
        }
        if (destination.is_broadcast()) {
            return sluice::link_addressing::broadcast;
        }
        return destination.is_multicast() ? sluice::link_addressing::multicast
                                          : sluice::link_addressing::other_host;
    }
    template <class Field>
    [[nodiscard]] static constexpr ipv4::address address_of(packet_type& packet,
                                                            Field which) noexcept {
        return packet.may_pull(ipv4::layout::size) ? ipv4::const_view{packet.data()}[which]
                                                   : ipv4::address{};
    }

    // The less direct addressing wins, the device's or the header's: a frame to this host that the
    // device calls another host's came out of a VLAN. Linux __netif_receive_skb_core.
    constexpr void mark(packet_type& frame, sluice::link_addressing seen) noexcept {
        constexpr auto other = sluice::link_addressing::other_host;
        counters_.tagged += u64{frame.addressing() == other && seen != other};
        frame.set_addressing(frame.addressing() > seen ? frame.addressing() : seen);
    }

    // Removes tags of VLAN 0, which have only a priority, and returns the type behind them. Returns
    // the type of a tag if the frame is of a VLAN or ends there. Linux skb_vlan_untag.
    [[nodiscard]] static constexpr u16 take_priority_tags(packet_type& frame, u16 type) noexcept {
        constexpr u32 size = ethernet::tag_layout::size;
        while (ethernet::is_tag(type) && frame.may_pull(size)) {
            const ethernet::const_tag_view tag{frame.data()};
            const u16 behind = tag[ethernet::tag_type];
            if (tag[ethernet::tag_vlan] != 0 || !frame.pull(size)) {
                break;
            }
            type = behind;
        }
        return type;
    }

    // false: ignored.
    constexpr bool take_arp(packet_type& frame, instant now) noexcept {
        if (frame.addressing() == sluice::link_addressing::other_host ||
            !frame.may_pull(arp::layout::size)) {
            return false;
        }
        const auto parsed = parse_value<arp::packet>({frame.data(), arp::layout::size});
        if (!parsed) {
            return false;
        }
        const u16 interface = frame.interface();
        const arp::packet& received = *parsed;
        arp::circumstances known{
            .hardware = host_->hardware_address(interface),
            .to_us_alone = frame.addressing() == sluice::link_addressing::host,
            .sender_is_own = host_->is_own(interface, received.sender_protocol),
            .target_is_own = host_->is_own(interface, received.target_protocol)};
        if constexpr (requires { host_->is_martian(interface, received.sender_protocol); }) {
            known.sender_is_martian = host_->is_martian(interface, received.sender_protocol);
        }
        const arp::decision v = arp::judge(received, known, arp_);
        if (v.conflict) {
            ++counters_.conflicts;
            if constexpr (requires { host_->address_conflict(interface, {}, {}); }) {
                host_->address_conflict(interface, received.sender_protocol,
                                        received.sender_hardware);
            }
        }
        const bool learned = v.learn && learn(interface, received, v, now);
        return v.answer ? reply(interface, received, now) : learned;
    }

    constexpr bool learn(u16 interface, const arp::packet& received, const arp::decision& v,
                         instant now) noexcept {
        auto* neighbour =
            neighbours_.learn({interface, received.sender_protocol, received.sender_hardware,
                               v.solicited, v.forced, v.create},
                              now);
        if (neighbour == nullptr) {
            return false;
        }
        send_held(*neighbour, now);
        return true;
    }

    // The sink may call this link, so the loop ends when the entry has changed.
    template <class Neighbour>
    constexpr void send_held(Neighbour& neighbour, instant now) noexcept {
        const u16 interface = neighbour.interface;
        const ipv4::address address = neighbour.address;
        const ethernet::address hardware = neighbour.hardware;
        while (neighbour.interface == interface && neighbour.address == address &&
               neighbour.state != neighbour_state::incomplete) {
            packet_type packet = neighbours_.take_held(neighbour);
            if (!packet) {
                return;
            }
            if (!send(packet, interface, hardware, now)) {
                ++counters_.refused;
            }
        }
    }

    constexpr bool reply(u16 interface, const arp::packet& request, instant now) noexcept {
        counters_.replies_sent += 1;
        return send_arp(interface, request.sender_hardware,
                        arp::make_reply(host_->hardware_address(interface), request), now);
    }
    template <class Neighbour>
    constexpr void request(const Neighbour& neighbour, ethernet::address to, instant now) noexcept {
        // Linux arp_announce 0: the waiting packet's source if it is local, else the source that
        // fits the target.
        const bool from_packet = arp_.ask_from_packet && !neighbour.held.empty() &&
                                 !neighbour.source.is_unspecified() &&
                                 host_->is_own(neighbour.interface, neighbour.source);
        const ipv4::address from = from_packet
                                       ? neighbour.source
                                       : host_->source_for(neighbour.interface, neighbour.address);
        counters_.requests_sent += 1;
        static_cast<void>(send_arp(neighbour.interface, to,
                                   arp::make_request(host_->hardware_address(neighbour.interface),
                                                     from, neighbour.address),
                                   now));
    }
    constexpr bool send_arp(u16 interface, ethernet::address destination,
                            const arp::packet& contents, instant now) noexcept {
        packet_type frame = take_urgent(*source_, 0);
        std::byte* to = frame ? frame.put(arp::frame_size) : nullptr;
        if (to == nullptr) {
            ++counters_.no_buffer;
            return false;
        }
        arp::write_frame(to, destination, contents);
        frame.set_interface(interface);
        if (!sink_->send_frame(frame, interface, now)) {
            ++counters_.refused;
            return false;
        }
        return true;
    }

    // Adds the header and sends. false: the packet is unchanged.
    constexpr bool send(packet_type& packet, u16 interface, ethernet::address destination,
                        instant now) noexcept {
        constexpr u32 size = ethernet::layout::size;
        std::byte* const header = packet.push(size);
        if (header == nullptr) {
            return send_copy(packet, interface, destination, now);
        }
        write_header(header, interface, destination);
        if (!sink_->send_frame(packet, interface, now)) {
            static_cast<void>(packet.pull(size));
            return false;
        }
        ++counters_.sent;
        return true;
    }
    constexpr bool send_copy(const packet_type& packet, u16 interface,
                             ethernet::address destination, instant now) noexcept {
        packet_type frame = source_->take(0);
        std::byte* to = frame ? frame.put(ethernet::layout::size + packet.size()) : nullptr;
        if (to == nullptr) {
            ++counters_.no_buffer;
            return false;
        }
        write_header(to, interface, destination);
        packet.copy_to(to + ethernet::layout::size);
        frame.set_interface(interface);
        if (packet.has_metadata()) {  // the work left to the device
            frame.writable_metadata() = packet.metadata();
        }
        if (!sink_->send_frame(frame, interface, now)) {
            return false;
        }
        ++counters_.sent;
        return true;
    }
    constexpr void write_header(std::byte* to, u16 interface,
                                ethernet::address destination) const noexcept {
        const ethernet::header link{destination, host_->hardware_address(interface),
                                    ethernet::types::ipv4};
        static_cast<void>(emit_value(link, {to, ethernet::layout::size}));
    }

    Source* source_;
    Host* host_;
    Sink* sink_;
    table neighbours_;
    ethernet_counters counters_;
    arp::settings arp_;
};

}  // namespace sluice
