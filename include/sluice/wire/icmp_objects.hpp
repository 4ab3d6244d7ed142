// Objects of ICMP extensions as values: MPLS label stack entries, interface information, interface
// identification.
//
// Names are at most 63 bytes, without a terminating zero except for padding. Parsed names are views
// of the packet, emitted ones of the caller's memory.
//
// Expects: the payload of one object (extension_cursor::payload()), any bytes.
// Never:   allocates.
// Source:  RFC 4950 section 3, RFC 5837 section 4, RFC 8335 section 2.1.
#pragma once

#include <cstddef>

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>
#include <sluice/base/result.hpp>
#include <sluice/wire/address.hpp>
#include <sluice/wire/error.hpp>
#include <sluice/wire/icmp_extensions.hpp>
#include <sluice/wire/layout.hpp>

namespace sluice::icmp {

// Address family numbers.
namespace families {
inline constexpr u16 ipv4 = 1;
inline constexpr u16 ipv6 = 2;
}  // namespace families

//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |               Label                   | TC  |S|      TTL      |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

// clang-format off
inline constexpr struct mpls_label final : field<u32, 0, 20, "mpls_label"> {} mpls_label{};
inline constexpr struct mpls_class final : field<u8, 20, 3, "mpls_class"> {} mpls_class{};
inline constexpr struct mpls_bottom final : field<bool, 23, 1, "mpls_bottom"> {} mpls_bottom{};
inline constexpr struct mpls_ttl final : field<u8, 24, 8, "mpls_ttl"> {} mpls_ttl{};
// clang-format on

// An entry of an MPLS label stack object, four bytes.
struct mpls_layout final
    : header_layout<struct mpls_label, struct mpls_class, struct mpls_bottom, struct mpls_ttl> {};
using mpls_view = header_view<mpls_layout>;
using const_mpls_view = header_view<mpls_layout, const std::byte>;

// Roles of an interface: the two high bits of the C-Type of interface information.
// RFC 5837 section 4.1.
namespace interface_roles {
inline constexpr u8 incoming = 0;
inline constexpr u8 sub_ip = 1;
inline constexpr u8 outgoing = 2;
inline constexpr u8 next_hop = 3;
}  // namespace interface_roles

namespace detail {

inline constexpr u8 interface_has_index = 0x08;
inline constexpr u8 interface_has_address = 0x04;
inline constexpr u8 interface_has_name = 0x02;
inline constexpr u8 interface_has_mtu = 0x01;
inline constexpr std::size_t max_interface_name = 63;

// Takes bytes from the front. Once too few are left, every later read fails.
struct object_reader {
    const_bytes rest;
    bool failed = false;

    constexpr const_bytes take(std::size_t count) noexcept {
        if (failed || rest.size() < count) {
            failed = true;
            return {};
        }
        const const_bytes taken = rest.first(count);
        rest = rest.subspan(count);
        return taken;
    }
    constexpr u32 word() noexcept {
        const const_bytes taken = take(4);
        return taken.empty() ? 0 : load_be<u32>(taken.data());
    }
};

// Appends to a buffer that is large enough.
struct object_writer {
    std::byte* next;

    constexpr void word(u32 value) noexcept {
        store_be<u32>(next, value);
        next += 4;
    }
    // Writes the bytes, and zeros up to `padded` bytes.
    constexpr void put(const_bytes data, std::size_t padded) noexcept {
        copy_bytes(next, data.data(), data.size());
        fill_bytes(next + data.size(), padded - data.size(), std::byte{0});
        next += padded;
    }
    constexpr void object_header(std::size_t length, u8 number, u8 subtype) noexcept {
        object_view{next}
            .set(object_length, static_cast<u16>(length))
            .set(object_class, number)
            .set(object_type, subtype);
        next += object_layout::size;
    }
};

[[nodiscard]] constexpr std::size_t address_size(u16 family) noexcept {
    if (family == families::ipv4) return 4;
    return family == families::ipv6 ? 16 : 0;
}

[[nodiscard]] constexpr std::size_t padded_to_words(std::size_t count) noexcept {
    return (count + 3) / 4 * 4;
}

[[nodiscard]] constexpr const_bytes without_padding(const_bytes name) noexcept {
    std::size_t length = name.size();
    while (length > 0 && name[length - 1] == std::byte{0})
        --length;
    return name.first(length);
}

}  // namespace detail

// An interface information object. RFC 5837 section 4.
struct interface_information {
    u8 role = interface_roles::incoming;
    bool has_index = false;
    bool has_address = false;
    bool has_name = false;
    bool has_mtu = false;
    u32 index = 0;
    u16 family = families::ipv4;
    const_bytes address{};  // 4 or 16 bytes, depending on `family`
    const_bytes name{};     // 0 to 63 bytes, padding removed
    u32 mtu = 0;

    // The C-Type: the role, and which parts are present.
    [[nodiscard]] constexpr u8 type_bits() const noexcept {
        return static_cast<u8>((role & 3) << 6 | (has_index ? detail::interface_has_index : 0) |
                               (has_address ? detail::interface_has_address : 0) |
                               (has_name ? detail::interface_has_name : 0) |
                               (has_mtu ? detail::interface_has_mtu : 0));
    }

    // Length of the whole object with its header, in bytes.
    [[nodiscard]] constexpr std::size_t length() const noexcept {
        return object_layout::size + (has_index ? 4u : 0u) +
               (has_address ? 4 + address.size() : 0) +
               (has_name ? detail::padded_to_words(1 + name.size()) : 0) + (has_mtu ? 4u : 0u);
    }

    // Reads the payload of an object with the C-Type `bits`. Errors: `truncated`; `bad_value` for
    // an unknown family, or a name whose length byte is 0, above 64 or no multiple of 4.
    [[nodiscard]] static constexpr result<interface_information, wire_error>
    parse(u8 bits, const_bytes payload) noexcept {
        interface_information info{};
        detail::object_reader from{payload};
        info.role = bits >> 6;
        info.has_index = (bits & detail::interface_has_index) != 0;
        info.has_address = (bits & detail::interface_has_address) != 0;
        info.has_name = (bits & detail::interface_has_name) != 0;
        info.has_mtu = (bits & detail::interface_has_mtu) != 0;
        if (info.has_index) info.index = from.word();
        if (info.has_address) {
            info.family = static_cast<u16>(from.word() >> 16);
            const std::size_t size = detail::address_size(info.family);
            if (!from.failed && size == 0) return failure{wire_error::bad_value};
            info.address = from.take(size);
        }
        if (info.has_name) {
            const const_bytes byte = from.take(1);
            const std::size_t stated = byte.empty() ? 4 : std::to_integer<std::size_t>(byte[0]);
            if (stated == 0 || stated > detail::max_interface_name + 1 || stated % 4 != 0) {
                return failure{wire_error::bad_value};
            }
            info.name = detail::without_padding(from.take(stated - 1));
        }
        if (info.has_mtu) info.mtu = from.word();
        if (from.failed) return failure{wire_error::truncated};
        return info;
    }

    // Writes the whole object, length() bytes. Errors: `no_room`; `bad_value` for an address whose
    // size is not that of its family, or a name above 63 bytes.
    [[nodiscard]] constexpr result<std::size_t, wire_error> emit(bytes to) const noexcept {
        if ((has_address && address.size() != detail::address_size(family)) ||
            (has_name && name.size() > detail::max_interface_name)) {
            return failure{wire_error::bad_value};
        }
        if (to.size() < length()) return failure{wire_error::no_room};
        detail::object_writer into{to.data()};
        into.object_header(length(), object_classes::interface_information, type_bits());
        if (has_index) into.word(index);
        if (has_address) {
            into.word(u32{family} << 16);
            into.put(address, address.size());
        }
        if (has_name) {
            const std::size_t stated = detail::padded_to_words(1 + name.size());
            *into.next++ = static_cast<std::byte>(stated);
            into.put(name, stated - 1);
        }
        if (has_mtu) into.word(mtu);
        return length();
    }
};

// How an extended echo request names the interface. RFC 8335 section 2.1.
enum class interface_identification_type : u8 { name = 1, index = 2, address = 3 };

// An interface identification object; only the member that `kind` selects is valid.
struct interface_identification {
    interface_identification_type kind = interface_identification_type::index;
    u32 index = 0;
    u16 family = families::ipv4;
    const_bytes address{};  // of the length that the object states, which `family` may contradict
    const_bytes name{};     // padding removed

    // Length of the whole object with its header, in bytes.
    [[nodiscard]] constexpr std::size_t length() const noexcept {
        switch (kind) {
        case interface_identification_type::name:
            return object_layout::size + detail::padded_to_words(name.size());
        case interface_identification_type::index:
            return object_layout::size + 4;
        case interface_identification_type::address:
            return object_layout::size + 4 + detail::padded_to_words(address.size());
        }
        return object_layout::size;
    }

    // Reads the payload of an object with the C-Type `bits`. Errors: `truncated`; `bad_value` for
    // an unknown C-Type, an index object whose size is not 4, or a name above 63 bytes.
    [[nodiscard]] static constexpr result<interface_identification, wire_error>
    parse(u8 bits, const_bytes payload) noexcept {
        interface_identification id{};
        id.kind = static_cast<interface_identification_type>(bits);
        detail::object_reader from{payload};
        switch (id.kind) {
        case interface_identification_type::name:
            id.name = detail::without_padding(payload);
            if (id.name.size() > detail::max_interface_name) break;
            return id;
        case interface_identification_type::index:
            if (payload.size() != 4) break;
            id.index = from.word();
            return id;
        case interface_identification_type::address: {
            const u32 head = from.word();
            id.family = static_cast<u16>(head >> 16);
            id.address = from.take((head >> 8) & 0xff);
            if (from.failed) return failure{wire_error::truncated};
            return id;
        }
        }
        return failure{wire_error::bad_value};
    }

    // Writes the whole object, length() bytes. Errors: `no_room`; `bad_value` for a name above 63
    // bytes or an address above 255 bytes.
    [[nodiscard]] constexpr result<std::size_t, wire_error> emit(bytes to) const noexcept {
        if (name.size() > detail::max_interface_name || address.size() > 255) {
            return failure{wire_error::bad_value};
        }
        if (to.size() < length()) return failure{wire_error::no_room};
        detail::object_writer into{to.data()};
        into.object_header(length(), object_classes::interface_identification,
                           static_cast<u8>(kind));
        switch (kind) {
        case interface_identification_type::name:
            into.put(name, detail::padded_to_words(name.size()));
            break;
        case interface_identification_type::index:
            into.word(index);
            break;
        case interface_identification_type::address:
            into.word((u32{family} << 16) | (static_cast<u32>(address.size()) << 8));
            into.put(address, detail::padded_to_words(address.size()));
            break;
        }
        return length();
    }
};

}  // namespace sluice::icmp
