// address, prefix, interface_address: IPv4 addresses as strong types.
//
// wire/text.hpp has their text forms, wire/literals.hpp their literals. The predicates look at the
// bits alone; interfaces and routes decide what else an address is.
//
// Expects: values in host order: `value` of 10.0.1.1 is 0x0a000101.
// Never:   infers a network from a class.
// Source:  RFC 791 section 3.2, RFC 1122 section 3.2.1.3, RFC 4632, RFC 3021, RFC 6890.
#pragma once

#include <compare>

#include <sluice/base/integer.hpp>

namespace sluice::ipv4 {

// An IPv4 address.
struct address {
    u32 value = 0;  // host order

    [[nodiscard]] static constexpr address from_bytes(u8 a, u8 b, u8 c, u8 d) noexcept {
        return address{(u32{a} << 24) | (u32{b} << 16) | (u32{c} << 8) | u32{d}};
    }
    [[nodiscard]] static constexpr address from_bits(u64 raw) noexcept {
        return address{static_cast<u32>(raw)};
    }
    [[nodiscard]] constexpr u64 bits() const noexcept { return value; }

    // Byte 0 to 3, in written and transmitted order.
    [[nodiscard]] constexpr u8 byte(unsigned index) const noexcept {
        return static_cast<u8>(value >> (24 - 8 * (index & 3)));
    }

    // 0.0.0.0, "this host" as a source. RFC 1122 section 3.2.1.3 (a).
    [[nodiscard]] constexpr bool is_unspecified() const noexcept { return value == 0; }
    // 0.0.0.0/8, "this network". RFC 1122 section 3.2.1.3 (b).
    [[nodiscard]] constexpr bool is_zero_network() const noexcept { return (value >> 24) == 0; }
    // 127.0.0.0/8. RFC 1122 section 3.2.1.3 (g).
    [[nodiscard]] constexpr bool is_loopback() const noexcept { return (value >> 24) == 127; }
    // 169.254.0.0/16. RFC 3927 section 2.1.
    [[nodiscard]] constexpr bool is_link_local() const noexcept { return (value >> 16) == 0xa9fe; }
    // 224.0.0.0/4. RFC 1112 section 4.
    [[nodiscard]] constexpr bool is_multicast() const noexcept { return (value >> 28) == 0xe; }
    // 224.0.0.0/24, which no router forwards. RFC 5771 section 4.
    [[nodiscard]] constexpr bool is_link_local_multicast() const noexcept {
        return (value >> 8) == 0xe00000;
    }
    // 240.0.0.0/4, including the limited broadcast address. RFC 1112 section 4.
    [[nodiscard]] constexpr bool is_class_e() const noexcept { return (value >> 28) == 0xf; }
    // 255.255.255.255. RFC 1122 section 3.2.1.3 (c).
    [[nodiscard]] constexpr bool is_limited_broadcast() const noexcept {
        return value == 0xffffffff;
    }

    friend constexpr auto operator<=>(const address&, const address&) noexcept = default;
};

inline constexpr address unspecified{};
inline constexpr address limited_broadcast{0xffffffff};
inline constexpr address loopback{0x7f000001};
inline constexpr address all_systems{0xe0000001};     // 224.0.0.1, RFC 1112 section 4
inline constexpr address all_routers{0xe0000002};     // 224.0.0.2, RFC 2236 section 9
inline constexpr address igmpv3_routers{0xe0000016};  // 224.0.0.22, RFC 3376 section 4.2.14

// The network mask of `length` leading ones, in host order; lengths above 32 count as 32.
[[nodiscard]] constexpr u32 mask_bits(unsigned length) noexcept {
    return length == 0 ? 0 : ~u32{0} << (length >= 32 ? 0 : 32 - length);
}

// The addresses that agree in their first `length` bits. Always canonical: bits behind the length
// are 0.
struct prefix {
    address base{};
    u8 length = 0;  // 0 to 32

    constexpr prefix() noexcept = default;
    // Clears the host bits of `any`; a length above 32 counts as 32.
    constexpr prefix(address any, unsigned bits) noexcept
        : base{any.value & mask_bits(bits)}, length{static_cast<u8>(bits > 32 ? 32 : bits)} {}

    [[nodiscard]] constexpr address mask() const noexcept { return address{mask_bits(length)}; }
    [[nodiscard]] constexpr bool contains(address candidate) const noexcept {
        return ((candidate.value ^ base.value) & mask_bits(length)) == 0;
    }
    [[nodiscard]] constexpr bool contains(const prefix& other) const noexcept {
        return other.length >= length && contains(other.base);
    }
    // The last address: all host bits one.
    [[nodiscard]] constexpr address broadcast() const noexcept {
        return address{base.value | ~mask_bits(length)};
    }

    friend constexpr auto operator<=>(const prefix&, const prefix&) noexcept = default;
};

// The address of an interface with the prefix length of its network: 10.0.1.1/24.
struct interface_address {
    ipv4::address address{};
    u8 length = 32;  // 0 to 32

    // The prefix of the addresses on the link.
    [[nodiscard]] constexpr prefix network() const noexcept { return prefix{address, length}; }
    [[nodiscard]] constexpr ipv4::address mask() const noexcept {
        return ipv4::address{mask_bits(length)};
    }
    // A network of one or two addresses has no directed broadcast. RFC 3021 section 2.2.
    [[nodiscard]] constexpr bool has_broadcast() const noexcept { return length < 31; }
    // All host bits one; a broadcast address only if has_broadcast().
    [[nodiscard]] constexpr ipv4::address broadcast() const noexcept {
        return network().broadcast();
    }
    [[nodiscard]] constexpr bool on_link(ipv4::address candidate) const noexcept {
        return network().contains(candidate);
    }

    friend constexpr auto operator<=>(const interface_address&,
                                      const interface_address&) noexcept = default;
};

}  // namespace sluice::ipv4
