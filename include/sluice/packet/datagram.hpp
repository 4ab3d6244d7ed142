// datagram<Packet>: a packet whose IPv4 header was verified, its checksum too.
// unsummed_datagram<Packet>: the same, but nobody verified the header checksum: the bytes changed
// since, behind a hook, a handler or recorded options. A datagram may be taken for an unsummed one,
// never the other way round.
// Expects: to be made by pipeline::validate and revalidate, or of what the accept branch took,
// alone (friends by name); the bytes are then those of one datagram: version 4, header of 20 to 60
// bytes that are contiguous, total length equal to size(), or 0 for a packet of TCP segments that
// is longer. Does: gives its bytes for reading, unchecked because they were checked; changes by
// named edits that keep all of this true, in a copy where others hold the bytes. Never: re-checks;
// gives out bytes for writing: who needs those releases the packet, and validates what it made of
// it. Cost: the packet itself; no byte more.
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

// What is known of a datagram's header checksum. Linux looks once: options are recorded in a header
// without repairing it, and hooks may leave any.
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
    // In bytes: 20 .. 60, and of everything after the header.
    [[nodiscard]] constexpr u32 header_size() const noexcept {
        return 4 * (static_cast<u32>(*first()) & 0x0f);
    }
    [[nodiscard]] constexpr u32 payload_size() const noexcept {
        return packet_.size() - header_size();
    }
    [[nodiscard]] constexpr bool has_options() const noexcept { return header_size() > 20; }

    [[nodiscard]] constexpr const Packet& packet() const noexcept { return packet_; }
    // Gives the packet up; the datagram is empty afterwards.
    [[nodiscard]] constexpr Packet release() && noexcept { return std::move(packet_); }

    // Makes the first n bytes contiguous, for reading; false where there are fewer or no room.
    [[nodiscard]] constexpr bool may_pull(u32 n) noexcept { return packet_.may_pull(n); }

    // -- edits of the bytes; false, and nothing changed: there is no buffer for a copy --

    // A TTL that is not 0. RFC 1141, RFC 1812 section 5.3.1.
    [[nodiscard]] constexpr bool decrement_ttl() noexcept {
        SLUICE_ASSERT(header()[ipv4::ttl] != 0);
        if (!packet_.unshare()) {
            return false;
        }
        ipv4::decrement_ttl(ipv4::view{packet_.writable()});
        return true;
    }
    // Another address, or address and port; the checksums that cover them are mended. A packet
    // without ports (a later fragment, ICMP) gets the address alone. False too of a first fragment
    // that ends before the checksum of its transport.
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
    // Options and the destination of a source route, by edit(ipv4::view, option_offsets&), which
    // may leave the checksum to whoever forwards. The words that say what a datagram is (version,
    // lengths) are put back.
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
    // A hook's or a program's own word about it.
    [[nodiscard]] constexpr bool set_mark(u32 mark) noexcept {
        if (!packet_.unshare()) {
            return false;
        }
        packet_.writable_metadata().mark = mark;
        return true;
    }

    // -- edits of the handle, which others do not see --

    constexpr void set_addressing(sluice::link_addressing t) noexcept { packet_.set_addressing(t); }
    constexpr void set_interface(u16 index) noexcept { packet_.set_interface(index); }
    constexpr void set_forwarded() noexcept { packet_.set_forwarded(); }

private:
    friend struct pipeline::validator;
    friend struct pipeline::acceptor;
    constexpr explicit basic_datagram(Packet&& p) noexcept : packet_(std::move(p)) {}

    // Of one that was not released: there are bytes.
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
