// datagram<Packet>: a packet whose IPv4 header was verified, including its checksum.
// unsummed_datagram<Packet>: a datagram whose header checksum is unverified, because a hook, a
// handler or recorded options may have changed the bytes. A datagram converts to it, never the
// reverse.
//
// Only pipeline::validate, revalidate and the accept branch make datagrams (friends by name). The
// bytes are then those of one datagram: version 4, a contiguous header of 20 to 60 bytes, total
// length equal to size(), or 0 for a longer packet of TCP segments. Reading needs no further
// checks. Named edits change the bytes so that all of this stays true, in a copy if other handles
// hold them.
//
// Never: checks again, or exposes bytes for writing: to write, release the packet and validate it
//        again afterwards.
// Cost:  the size of the packet handle.
#pragma once

#include <sluice/base/assert.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/readdress.hpp>
#include <sluice/wire/ipv4.hpp>

#include <utility>

namespace sluice {

namespace pipeline {
struct validator;
struct acceptor;
}  // namespace pipeline

// Whether the header checksum was verified. Linux verifies it once; recorded options and hooks may
// leave any value in it.
enum class header_sum : u8 { verified, unknown };

template <packet_buffer Packet, header_sum Sum>
class basic_datagram {
public:
    using packet_type = Packet;

    constexpr basic_datagram(basic_datagram&&) noexcept = default;
    constexpr basic_datagram& operator=(basic_datagram&&) noexcept = default;
    constexpr basic_datagram(basic_datagram<Packet, header_sum::verified>&& d) noexcept
        requires(Sum == header_sum::unknown)
        : packet_(std::move(d).release()) {}

    [[nodiscard]] constexpr ipv4::const_view header() const noexcept {
        return ipv4::const_view{first()};
    }
    // The header's bytes, 20 to 60; payload_size(): the bytes behind it.
    [[nodiscard]] constexpr u32 header_size() const noexcept {
        return 4 * (static_cast<u32>(*first()) & 0x0f);
    }
    [[nodiscard]] constexpr u32 payload_size() const noexcept {
        return packet_.size() - header_size();
    }
    [[nodiscard]] constexpr bool has_options() const noexcept { return header_size() > 20; }

    [[nodiscard]] constexpr const Packet& packet() const noexcept { return packet_; }
    // Returns the packet; the datagram is empty afterwards.
    [[nodiscard]] constexpr Packet release() && noexcept { return std::move(packet_); }

    // Makes the first n bytes contiguous, for reading. False when there are fewer or there is no
    // room.
    [[nodiscard]] constexpr bool may_pull(u32 n) noexcept { return packet_.may_pull(n); }

    // -- edits of the bytes; false when there is no buffer for a copy, and nothing changed --

    // Expects a TTL that is not 0. RFC 1141, RFC 1812 section 5.3.1.
    [[nodiscard]] constexpr bool decrement_ttl() noexcept {
        SLUICE_ASSERT(header()[ipv4::ttl] != 0);
        if (!packet_.unshare()) {
            return false;
        }
        ipv4::decrement_ttl(ipv4::view{packet_.writable()});
        return true;
    }
    // Replaces the address, or address and port, and updates the checksums that cover them. In a
    // packet without ports (a later fragment, ICMP) only the address changes. False also for a
    // first fragment that ends before its transport checksum.
    [[nodiscard]] constexpr bool rewrite_source(ipv4::address to) noexcept {
        return detail::readdress(packet_, ipv4::source, {.address = to});
    }
    [[nodiscard]] constexpr bool rewrite_source(ipv4::address to, u16 port) noexcept {
        return detail::readdress(packet_, ipv4::source,
                                 {.address = to, .port = port, .has_port = true});
    }
    [[nodiscard]] constexpr bool rewrite_destination(ipv4::address to) noexcept {
        return detail::readdress(packet_, ipv4::destination, {.address = to});
    }
    [[nodiscard]] constexpr bool rewrite_destination(ipv4::address to, u16 port) noexcept {
        return detail::readdress(packet_, ipv4::destination,
                                 {.address = to, .port = port, .has_port = true});
    }
    // Changes options and the destination of a source route by edit(ipv4::view, option_offsets&),
    // which may leave the checksum to forwarding. Afterwards version and lengths are restored.
    template <class Edit>
        requires(Sum == header_sum::unknown)
    [[nodiscard]] constexpr bool edit_options(Edit&& edit) noexcept {
        if (!packet_.unshare()) {
            return false;
        }
        const ipv4::view ip{packet_.writable()};
        const u32 first = load_be<u32>(ip.data());
        edit(ip, packet_.writable_metadata().options);
        store_be<u32>(ip.data(), first);
        return true;
    }
    // Sets the mark, a number that hooks and programs define.
    [[nodiscard]] constexpr bool set_mark(u32 mark) noexcept {
        if (!packet_.unshare()) {
            return false;
        }
        packet_.writable_metadata().mark = mark;
        return true;
    }
    // Sets the priority for the queues of outputs.
    [[nodiscard]] constexpr bool set_priority(u32 priority) noexcept {
        if (std::as_const(packet_).metadata().priority == priority) {
            return true;
        }
        if (!packet_.unshare()) {
            return false;
        }
        packet_.writable_metadata().priority = priority;
        return true;
    }
    // Chooses the endpoint that gets the datagram if it is for this host.
    [[nodiscard]] constexpr bool choose(const chosen_endpoint& e) noexcept {
        if (!packet_.unshare()) {
            return false;
        }
        packet_.writable_metadata().endpoint = e;
        return true;
    }
    // Clears the time of reception. Linux skb_clear_tstamp.
    [[nodiscard]] constexpr bool forget_arrival() noexcept {
        if (std::as_const(packet_).metadata().received_at == duration{}) {
            return true;
        }
        if (!packet_.unshare()) {
            return false;
        }
        packet_.writable_metadata().received_at = {};
        return true;
    }

    // -- edits of the handle alone, which other handles do not see --

    constexpr void set_addressing(sluice::link_addressing t) noexcept { packet_.set_addressing(t); }
    constexpr void set_interface(u16 index) noexcept { packet_.set_interface(index); }
    constexpr void set_forwarded() noexcept { packet_.set_forwarded(); }

private:
    friend struct pipeline::validator;
    friend struct pipeline::acceptor;
    constexpr explicit basic_datagram(Packet&& p) noexcept : packet_(std::move(p)) {}

    // Expects a datagram that was not released: it has bytes.
    [[nodiscard]] constexpr const std::byte* first() const noexcept {
        SLUICE_ASSERT(static_cast<bool>(packet_));
        const std::byte* const h = packet().data();
        if (h == nullptr) {
            __builtin_unreachable();
        }
        return h;
    }

    Packet packet_;
};

template <packet_buffer Packet>
using datagram = basic_datagram<Packet, header_sum::verified>;
template <packet_buffer Packet>
using unsummed_datagram = basic_datagram<Packet, header_sum::unknown>;

}  // namespace sluice
