// parse_frame: finds the IPv4 packet inside a captured frame, and the network to which the frame
// belongs, of those that share a link.
//
// It reads Ethernet (type, or LLC with or without SNAP), BSD loopback of either byte order, Linux
// cooked of both versions, PPP with and without HDLC framing, Cisco HDLC, PPPoE and raw IP; and
// behind each header with an EtherType: VLAN tags, PPPoE, LLC.
//
// Expects: a frame and its link type.
// Never:   looks into the IPv4 header, except for the version of raw IP; cuts padding (the stack
//          does, by the total length); passes more than sixteen headers.
// Cost:    a few loads a header.
#pragma once

#include <sluice/packet/metadata.hpp>
#include <sluice/port/link_type.hpp>
#include <sluice/wire/ethernet.hpp>

#include <array>
#include <compare>
#include <cstddef>

namespace sluice::port::pcap {

// The network of a frame, of those that share a link: VLANs from the outermost to the innermost (a
// tag with the VLAN id 0 names none), PPPoE sessions, and the interface and direction of a cooked
// header. Packets of two networks are unrelated.
struct link_path {
    static constexpr std::size_t most_steps = 12;
    std::array<u32, most_steps> steps{};
    u32 count = 0;

    // False: the path is full.
    [[nodiscard]] constexpr bool add(u32 step) noexcept {
        if (count == most_steps) {
            return false;
        }
        steps[count++] = step;
        return true;
    }
    friend constexpr auto operator<=>(const link_path&, const link_path&) noexcept = default;
};

struct parsed_frame {
    const_bytes ipv4;             // empty: the frame is not known to carry IPv4
    bool known_link = true;       // false: the link type is unknown
    link_addressing addressed{};  // by the link header
    link_path path;
    // Offsets of lengths in front of the packet; 0: absent.
    u32 length_field = 0;  // of an EtherType that is a length, with LLC behind it
    u32 pppoe_header = 0;
};

namespace detail {

// Goes from header to header. Each step checks that its header is complete.
class frame_walk {
public:
    constexpr frame_walk(const_bytes frame, parsed_frame& to) noexcept : frame_(frame), to_(to) {}

    constexpr void ethernet() noexcept {
        constexpr u32 addresses = 12;
        if (!has(addresses)) {
            return;
        }
        const auto to = sluice::ethernet::address::from_bits(u64{word(0)} << 16 | half(4));
        to_.addressed = to.is_broadcast()   ? link_addressing::broadcast
                        : to.is_multicast() ? link_addressing::multicast
                                            : link_addressing::host;
        at_ = addresses;
        type_field();
    }
    constexpr void linux_sll() noexcept {
        constexpr u32 size = 16;
        if (has(size)) {
            cooked(half(0), half(size - 2), size);
        }
    }
    constexpr void linux_sll2() noexcept {
        constexpr u32 size = 20;
        // An interface index may be any 32 bits: it takes two steps.
        if (has(size) && to_.path.add(step_of(interface_step, half(4))) &&
            to_.path.add(step_of(interface_step, half(6)))) {
            cooked(std::to_integer<u32>(frame_[10]), half(0), size);
        }
    }
    constexpr void loopback() noexcept {
        constexpr u32 family_ipv4 = 2;  // AF_INET is the same number on all systems
        const u32 family = has(4) ? word(0) : 0;
        if (family == family_ipv4 || family == __builtin_bswap32(family_ipv4)) {
            found(4);
        }
    }
    constexpr void raw() noexcept {
        if (has(1) && (frame_[0] >> 4) == std::byte{4}) {
            found(0);
        }
    }
    constexpr void hdlc() noexcept {
        const u32 address = has(2) ? std::to_integer<u32>(frame_[0]) : 0;
        const bool is_cisco = (address == 0x0f || address == 0x8f) && frame_[1] == std::byte{};
        if (is_cisco) {
            cisco();
        } else {
            ppp();
        }
    }
    constexpr void cisco() noexcept {
        if (has(2)) {
            at_ = 2;
            type_field();
        }
    }
    // PPP, with or without address and control bytes.
    constexpr void ppp() noexcept {
        constexpr u16 all_stations_unnumbered = 0xff03;
        if (has(2) && half(0) == all_stations_unnumbered) {
            at_ += 2;
        }
        ppp_protocol();
    }
    constexpr void pppoe() noexcept {
        constexpr u32 size = 6;
        constexpr u16 session_data = 0x1100;  // version, type, code
        if (has(size + 1) && half(0) == session_data &&
            to_.path.add(step_of(session_step, half(2)))) {
            to_.pppoe_header = at_;
            at_ += size;
            ppp_protocol();
        }
    }

private:
    static constexpr u32 vlan_step = 1, session_step = 2, interface_step = 3, direction_step = 4;
    static constexpr u16 pppoe_session = 0x8864;
    static constexpr u16 least_type = 1536;  // smaller values are lengths

    [[nodiscard]] static constexpr u32 step_of(u32 kind, u32 value) noexcept {
        return kind << 16 | value;
    }
    [[nodiscard]] static constexpr bool is_tag(u16 type) noexcept {
        constexpr u16 old_service_vlan = 0x9100;
        return type == sluice::ethernet::types::vlan ||
               type == sluice::ethernet::types::service_vlan || type == old_service_vlan;
    }

    // Counts a header. False: there are too many.
    [[nodiscard]] constexpr bool enter() noexcept {
        constexpr u32 most = 16;
        return ++headers_ <= most;
    }
    // Customers' and providers' VLANs have separate numbers. 0: the tag has only a priority.
    [[nodiscard]] constexpr bool add_vlan(u16 type, u16 id) noexcept {
        constexpr u32 provider = 0x1000;
        const u32 whose = type == sluice::ethernet::types::vlan ? 0 : provider;
        return id == 0 || to_.path.add(step_of(vlan_step, whose | id));
    }

    [[nodiscard]] constexpr bool has(u32 byte_count) const noexcept {
        return frame_.size() - at_ >= byte_count;
    }
    [[nodiscard]] constexpr u16 half(u32 from) const noexcept {
        return load_be<u16>(frame_.data() + at_ + from);
    }
    [[nodiscard]] constexpr u32 word(u32 from) const noexcept {
        return load_be<u32>(frame_.data() + at_ + from);
    }
    constexpr void found(u32 from) noexcept { to_.ipv4 = frame_.subspan(at_ + from); }

    constexpr void type_field() noexcept {
        if (has(2)) {
            const u16 type = half(0);
            at_ += 2;
            behind(type);
        }
    }
    // Handles the contents at at_, which an EtherType announced.
    constexpr void behind(u16 type) noexcept {
        while (is_tag(type)) {
            if (!has(4) || !enter() || !add_vlan(type, half(0) & 0xfff)) {
                return;
            }
            type = half(2);
            at_ += 4;
        }
        if (type == sluice::ethernet::types::ipv4) {
            found(0);
        } else if (type == pppoe_session) {
            pppoe();
        } else if (type < least_type && enter()) {
            // A length. Bytes beyond it are padding.
            frame_ = has(type) ? frame_.first(at_ + type) : frame_;
            to_.length_field = at_ - 2;
            llc();
        }
    }
    // `kind` is the packet type of sockaddr_ll. A protocol below the EtherTypes is a number of
    // Linux, never a length.
    constexpr void cooked(u32 kind, u16 protocol, u32 size) noexcept {
        constexpr u32 outgoing = 4;
        constexpr u16 protocol_llc = 4;
        constexpr link_addressing kinds[] = {link_addressing::host, link_addressing::broadcast,
                                             link_addressing::multicast,
                                             link_addressing::other_host};
        to_.addressed = kind < outgoing ? kinds[kind] : link_addressing::host;
        if (!to_.path.add(step_of(direction_step, kind == outgoing ? 1 : 0))) {
            return;
        }
        at_ = size;
        if (protocol == protocol_llc) {
            llc();
        } else if (protocol >= least_type) {
            behind(protocol);
        }
    }
    constexpr void llc() noexcept {
        constexpr u32 unnumbered_information = 0x03;
        constexpr u16 snap = 0xaaaa, ip = 0x0606;
        if (!has(3) || std::to_integer<u32>(frame_[at_ + 2]) != unnumbered_information) {
            return;
        }
        if (half(0) == ip) {
            found(3);
        } else if (half(0) == snap && has(8) && snap_organisation_has_types()) {
            const u16 type = half(6);
            at_ += 8;
            if (type >= least_type) {
                behind(type);
            }
        }
    }
    // RFC 1042, and 802.1H for bridges.
    [[nodiscard]] constexpr bool snap_organisation_has_types() const noexcept {
        const u32 organisation = word(2) & 0x00ff'ffff;
        return organisation == 0x000000 || organisation == 0x0000f8;
    }
    constexpr void ppp_protocol() noexcept {
        constexpr u32 ipv4 = 0x0021;
        if (!has(1)) {
            return;
        }
        // An odd first byte is a compressed protocol (RFC 1661 section 6.5).
        if ((frame_[at_] & std::byte{1}) != std::byte{}) {
            if (std::to_integer<u32>(frame_[at_]) == ipv4) {
                found(1);
            }
        } else if (has(2) && half(0) == ipv4) {
            found(2);
        }
    }

    const_bytes frame_;
    parsed_frame& to_;
    u32 at_ = 0;
    u32 headers_ = 0;
};

}  // namespace detail

[[nodiscard]] constexpr parsed_frame parse_frame(link_type link, const_bytes frame) noexcept {
    parsed_frame made;
    detail::frame_walk walk{frame, made};
    switch (link) {
    case link_type::ethernet:
        walk.ethernet();
        break;
    case link_type::ipv4:
        made.ipv4 = frame;
        break;
    case link_type::ipv6:
        break;
    case link_type::raw:
    case link_type::raw_bsd:
    case link_type::raw_openbsd:
        walk.raw();
        break;
    case link_type::linux_sll:
        walk.linux_sll();
        break;
    case link_type::linux_sll2:
        walk.linux_sll2();
        break;
    case link_type::null:
    case link_type::loop:
        walk.loopback();
        break;
    case link_type::ppp:
        walk.ppp();
        break;
    case link_type::ppp_hdlc:
        walk.hdlc();
        break;
    case link_type::cisco_hdlc:
        walk.cisco();
        break;
    case link_type::pppoe:
        walk.pppoe();
        break;
    default:
        made.known_link = false;
    }
    return made;
}

}  // namespace sluice::port::pcap
