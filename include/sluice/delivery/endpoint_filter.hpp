// endpoint_filter: the addresses, ports and interface that select the datagrams of an endpoint.
//
// An unspecified address, port 0 and interface 0 match any value. The form of a filter is the set
// of the parts that do not. A datagram has a filter with all parts (endpoint_filter::of()). It
// matches an endpoint if its filter, reduced to the endpoint's form, equals the endpoint's filter.
//
// Source: Linux compute_score, raw_v4_match, inet_rcv_saddr_equal.
#pragma once

#include <sluice/delivery/concept.hpp>
#include <sluice/wire/ipv4.hpp>

namespace sluice {

// Addresses and ports are in host byte order. Raw endpoints leave the ports 0.
struct endpoint_filter {
    u8 protocol = 0;  // raw endpoints: the protocol number; UDP endpoints: 17, UDP-Lite: 136
    ipv4::address local{};
    ipv4::address peer{};
    u16 local_port = 0;
    u16 peer_port = 0;
    u16 interface = 0;
    bool reuse = false;  // shares its port with others that set this too. Linux SO_REUSEADDR

    // The filter of a datagram, all parts specified.
    [[nodiscard]] static constexpr endpoint_filter of(const delivery_info& info) noexcept {
        return {.protocol = info.protocol,
                .local = info.destination,
                .peer = info.source,
                .local_port = info.destination_port,
                .peer_port = info.source_port,
                .interface = info.interface};
    }
    // The filter with only those parts that an endpoint of the kind uses.
    [[nodiscard]] constexpr endpoint_filter of_raw() const noexcept {
        return {.protocol = protocol, .local = local, .peer = peer, .interface = interface};
    }
    [[nodiscard]] constexpr endpoint_filter of_alert() const noexcept {
        return {.protocol = protocol, .interface = interface};
    }
    // UDP unless the protocol is UDP-Lite: each has its own ports.
    [[nodiscard]] constexpr endpoint_filter of_udp() const noexcept {
        endpoint_filter f = *this;
        f.protocol = protocol == ipv4::protocols::udp_lite ? protocol : ipv4::protocols::udp;
        return f;
    }
    [[nodiscard]] constexpr endpoint_filter of_ping() const noexcept {
        return {.protocol = ipv4::protocols::icmp,
                .local = local,
                .local_port = local_port,
                .interface = interface,
                .reuse = reuse};
    }

    // Whether one datagram can match the local address and interface of both filters. Linux
    // inet_rcv_saddr_equal.
    [[nodiscard]] constexpr bool meets(const endpoint_filter& o) const noexcept {
        return (local.is_unspecified() || o.local.is_unspecified() || local == o.local) &&
               (interface == 0 || o.interface == 0 || interface == o.interface);
    }
    // Whether both have the same local port, and one does not permit to share it.
    [[nodiscard]] constexpr bool clashes_with(const endpoint_filter& o) const noexcept {
        return o.local_port == local_port && !(reuse && o.reuse);
    }
};

// The set of specified parts of a filter.
class filter_form {
public:
    static constexpr u32 count = 32;

    constexpr explicit filter_form(u32 bits) noexcept : bits_(bits) {}
    constexpr explicit filter_form(const endpoint_filter& f) noexcept
        : bits_((f.local_port != 0 ? port : 0) | (f.local.is_unspecified() ? 0 : address) |
                (f.peer.is_unspecified() ? 0 : peer) | (f.peer_port != 0 ? peer_port : 0) |
                (f.interface != 0 ? interface : 0)) {}

    // The forms with both addresses and both ports, with or without interface: one bit per form.
    [[nodiscard]] static constexpr u32 flows() noexcept {
        constexpr u32 flow = port | address | peer | peer_port;
        return 1u << flow | 1u << (flow | interface);
    }
    [[nodiscard]] constexpr u32 bits() const noexcept { return bits_; }
    [[nodiscard]] constexpr bool has(u32 part) const noexcept { return (bits_ & part) != 0; }
    // The local port and address of the form. Linux prefers an endpoint by these parts first.
    [[nodiscard]] constexpr u32 group() const noexcept { return bits_ & (port | address); }
    // The number of other specified parts, which decides within a group. Linux compute_score.
    [[nodiscard]] constexpr u32 score() const noexcept {
        return (bits_ >> 2 & 1u) + (bits_ >> 1 & 1u) + (bits_ & 1u);
    }

    static constexpr u32 port = 16;
    static constexpr u32 address = 8;
    static constexpr u32 peer = 4;
    static constexpr u32 peer_port = 2;
    static constexpr u32 interface = 1;

private:
    u32 bits_;
};

// A filter packed into two words, for hashing and comparison.
struct filter_key {
    u64 addresses = 0;
    u64 others = 0;

    constexpr filter_key() noexcept = default;
    // The key of a datagram, not yet reduced to a form.
    constexpr explicit filter_key(const endpoint_filter& f) noexcept
        : addresses(u64{f.local.value} << 32 | f.peer.value),
          others(u64{f.local_port} << 48 | u64{f.peer_port} << 32 | u64{f.interface} << 16 |
                 f.protocol) {}
    // The key of an endpoint.
    [[nodiscard]] static constexpr filter_key in_its_form(const endpoint_filter& f) noexcept {
        return filter_key{f}.reduced_to(filter_form{f});
    }
    // The key with only the parts of the form.
    [[nodiscard]] constexpr filter_key reduced_to(filter_form form) const noexcept;

    [[nodiscard]] constexpr filter_form form() const noexcept {
        return filter_form{static_cast<u32>(others >> 8 & 0xff)};
    }
    [[nodiscard]] constexpr u16 local_port() const noexcept {
        return static_cast<u16>(others >> 48);
    }
    [[nodiscard]] constexpr ipv4::address local() const noexcept {
        return {static_cast<u32>(addresses >> 32)};
    }
    [[nodiscard]] constexpr u16 interface() const noexcept {
        return static_cast<u16>(others >> 16);
    }
    [[nodiscard]] constexpr u8 protocol() const noexcept { return static_cast<u8>(others); }
    friend constexpr bool operator==(const filter_key&, const filter_key&) noexcept = default;
};

namespace detail {

// For each form, a mask of the key's bits that belong to its parts.
struct form_masks {
    filter_key of[filter_form::count]{};

    constexpr form_masks() noexcept {
        for (u32 bits = 0; bits < filter_form::count; ++bits) {
            const filter_form form{bits};
            const auto if_has = [form](u32 part, u64 size) { return form.has(part) ? size : 0; };
            of[bits].addresses = if_has(filter_form::address, u64{0xffff'ffff} << 32) |
                                 if_has(filter_form::peer, 0xffff'ffff);
            of[bits].others = if_has(filter_form::port, u64{0xffff} << 48) |
                              if_has(filter_form::peer_port, u64{0xffff} << 32) |
                              if_has(filter_form::interface, u64{0xffff} << 16) | 0xff;
        }
    }
};
inline constexpr form_masks masks_of_forms{};

}  // namespace detail

constexpr filter_key filter_key::reduced_to(filter_form form) const noexcept {
    const filter_key& mask = detail::masks_of_forms.of[form.bits()];
    filter_key k;
    k.addresses = addresses & mask.addresses;
    k.others = (others & mask.others) | u64{form.bits()} << 8;
    return k;
}

}  // namespace sluice
