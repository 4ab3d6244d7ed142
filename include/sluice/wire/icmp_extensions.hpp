// split_extended, extension_cursor: the extension structure of ICMP messages, its check, and its
// objects.
//
// wire/icmp_objects.hpp reads the objects of RFC 4950, RFC 5837 and RFC 8335.
//
// Expects: any bytes.
// Never:   reads beyond them; the walk takes at most one step for each four bytes. Never guesses an
//          extension in a message whose length field is 0. RFC 4884 section 5.5 allows that for old
//          senders: to do so, pass the bytes behind offset 136 to check_extension().
// Source:  RFC 4884 section 4, RFC 4884 section 5, RFC 4884 section 7.
#pragma once

#include <cstddef>

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>
#include <sluice/base/result.hpp>
#include <sluice/wire/checksum.hpp>
#include <sluice/wire/error.hpp>
#include <sluice/wire/icmp.hpp>
#include <sluice/wire/layout.hpp>

namespace sluice::icmp {

//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |Version|      (Reserved)       |           Checksum            |  extension header
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |             Length            |   Class-Num   |   C-Type      |  object header
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

// clang-format off
inline constexpr struct extension_version final
    : field<u8, 0, 4, "extension_version"> {} extension_version{};
inline constexpr struct extension_reserved final
    : field<u16, 4, 12, "extension_reserved"> {} extension_reserved{};
// 0: not computed.
inline constexpr struct extension_checksum final
    : field<u16, 16, 16, "extension_checksum"> {} extension_checksum{};

// Length of the object with its header, in bytes.
inline constexpr struct object_length final : field<u16, 0, 16, "object_length"> {} object_length{};
inline constexpr struct object_class final : field<u8, 16, 8, "object_class"> {} object_class{};
inline constexpr struct object_type final : field<u8, 24, 8, "object_type"> {} object_type{};
// clang-format on

struct extension_layout final : header_layout<struct extension_version, struct extension_reserved,
                                              struct extension_checksum> {};
struct object_layout final
    : header_layout<struct object_length, struct object_class, struct object_type> {};

using extension_view = header_view<extension_layout>;
using const_extension_view = header_view<extension_layout, const std::byte>;
using object_view = header_view<object_layout>;
using const_object_view = header_view<object_layout, const std::byte>;

inline constexpr u8 extension_version_number = 2;
// The least length of a datagram quoted before extensions, padded with zeros. RFC 4884 section 5.1.
inline constexpr std::size_t min_extended_quote = 128;

// Values of `object_class`.
namespace object_classes {
inline constexpr u8 mpls_label_stack = 1;          // RFC 4950
inline constexpr u8 interface_information = 2;     // RFC 5837
inline constexpr u8 interface_identification = 3;  // RFC 8335
}  // namespace object_classes

// Checks an extension structure: it has at least its header, version 2, and a right checksum or
// none. The walk checks the lengths of objects. Errors: `truncated`, `bad_version`, `bad_checksum`.
[[nodiscard]] constexpr result<void, wire_error> check_extension(const_bytes structure) noexcept {
    if (!const_extension_view::fits(structure)) return failure{wire_error::truncated};
    const const_extension_view header{structure.data()};
    if (header[extension_version] != extension_version_number)
        return failure{wire_error::bad_version};
    if (header[extension_checksum] != 0 && !sluice::checksum::verify(structure)) {
        return failure{wire_error::bad_checksum};
    }
    return {};
}

// The parts of a message with extensions.
struct extended_message {
    const_bytes quote;      // the quoted datagram, with its padding
    const_bytes extension;  // the extension structure; empty if there is none
};

// Finds quote and extension of a whole ICMP message (header and data). Errors: `truncated`;
// `bad_total_length` if the length field points beyond the message or leaves less than 128 bytes
// for the quote; and the errors of check_extension().
[[nodiscard]] constexpr result<extended_message, wire_error>
split_extended(const_bytes message) noexcept {
    if (!const_view::fits(message)) return failure{wire_error::truncated};
    const const_view header{message.data()};
    const const_bytes data = message.subspan(header_length);
    const std::size_t quoted =
        may_be_extended(header[type]) ? std::size_t{header[quote_words]} * 4 : 0;
    if (quoted == 0) return extended_message{data, const_bytes{}};
    if (quoted < min_extended_quote || quoted > data.size()) {
        return failure{wire_error::bad_total_length};
    }
    const const_bytes structure = data.subspan(quoted);
    if (structure.empty()) return extended_message{data, structure};
    const auto checked = check_extension(structure);
    if (!checked) return failure{checked.error()};
    return extended_message{data.first(quoted), structure};
}

// Stores version, reserved bits and checksum of a structure of at least 4 bytes, after its objects
// were written.
constexpr void finish_extension(bytes structure) noexcept {
    const extension_view header{structure.data()};
    header.set(extension_version, extension_version_number)
        .set(extension_reserved, 0)
        .set(extension_checksum, 0);
    header.set(extension_checksum, sluice::checksum::compute(structure));
}

// Steps through the objects of an extension structure.
class extension_cursor {
public:
    // `structure` begins with the extension header.
    constexpr explicit extension_cursor(const_bytes structure) noexcept : structure_{structure} {}

    // Moves to the next object; false at the end and at a malformed object.
    [[nodiscard]] constexpr bool next() noexcept {
        offset_ += length_;
        length_ = 0;
        if (offset_ >= structure_.size()) return false;
        const const_bytes rest = structure_.subspan(offset_);
        const std::size_t stated =
            const_object_view::fits(rest) ? const_object_view{rest.data()}[object_length] : 0u;
        if (stated < object_layout::size || stated > rest.size()) {
            malformed_ = true;
            offset_ = structure_.size();
            return false;
        }
        length_ = stated;
        return true;
    }

    // The current object, after next() returned true.
    [[nodiscard]] constexpr const_object_view header() const noexcept {
        return const_object_view{structure_.data() + offset_};
    }
    [[nodiscard]] constexpr const_bytes payload() const noexcept {
        return structure_.subspan(offset_ + object_layout::size, length_ - object_layout::size);
    }
    // Whether the walk ended at an object with a length below 4 or beyond the structure.
    [[nodiscard]] constexpr bool malformed() const noexcept { return malformed_; }

private:
    const_bytes structure_;
    std::size_t offset_ = 0;
    std::size_t length_ = extension_layout::size;
    bool malformed_ = false;
};

}  // namespace sluice::icmp
