// icmp_extension: adds to an ICMP error the interface by which the offending packet came in.
//
// It writes index, address, name and MTU in Linux's order and sizes. The quote in front of it has
// exactly 128 bytes, cut or padded, so that receivers older than RFC 4884 can read it.
//
// Never:   adds anything unless icmp_errors_extension_mask asks for it.
// Cost:    44 bytes in an error.
// Source:  RFC 4884 section 4.6, RFC 5837 section 4; Linux icmp_ext_append.
#pragma once

#include <sluice/interface/interface.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/settings.hpp>
#include <sluice/wire/icmp_objects.hpp>

namespace sluice::rewrite {

// Bits of icmp_errors_extension_mask.
namespace error_extensions {
inline constexpr u8 incoming_interface = 0x01;
}  // namespace error_extensions

inline constexpr u32 extended_quote = static_cast<u32>(icmp::min_extended_quote);
// The largest structure: headers, index, address, name, MTU.
inline constexpr u32 max_error_extension = 4 + 4 + 4 + 8 + 20 + 4;

// The extension structure as it stands in the message; size 0: none.
struct error_extension {
    std::byte data[max_error_extension]{};
    u32 size = 0;
};

// The first primary address of universe scope. Linux icmp_ext_iio_addr4_find.
[[nodiscard]] constexpr ipv4::address reported_address(const interface& i) noexcept {
    for (const assigned_address& a : i.addresses) {
        if (!a.secondary && a.scope == scopes::universe && !a.net.address.is_multicast()) {
            return a.net.address;
        }
    }
    return {};
}

// The extension of an error of this type about a packet of this ingress (0: sent by this host);
// `in` is nullptr if the interface was removed.
[[nodiscard]] constexpr error_extension extension_of_error(u8 type, u16 index, const interface* in,
                                                           const settings& s) noexcept {
    error_extension made;
    if ((s.icmp_errors_extension_mask & error_extensions::incoming_interface) == 0 || index == 0 ||
        !icmp::may_be_extended(type)) {
        return made;
    }
    std::byte address[4]{};
    std::byte name[sizeof(interface_name::characters) + 3]{};  // padded to words with its length
    icmp::interface_information info{.has_index = true, .index = index};
    if (in != nullptr) {
        const ipv4::address own = reported_address(*in);
        store_be<u32>(address, own.value);
        for (std::size_t i = 0; i < sizeof(interface_name::characters); ++i) {
            name[i] = static_cast<std::byte>(in->name.characters[i]);
        }
        info.has_address = !own.is_unspecified();
        info.has_name = !in->name.empty();
        info.has_mtu = true;
        info.address = info.has_address ? const_bytes{address} : const_bytes{};
        info.name = info.has_name ? const_bytes{name} : const_bytes{};
        info.mtu = in->mtu;
    }
    constexpr std::size_t header = icmp::extension_layout::size;
    const auto length = info.emit(bytes{made.data}.subspan(header));
    if (length.has_value()) {
        made.size = static_cast<u32>(header + *length);
        icmp::finish_extension(bytes{made.data}.first(made.size));
    }
    return made;
}

// Appends behind the quote of at most 128 bytes in `message`; false without tailroom.
template <packet_buffer Packet>
[[nodiscard]] constexpr bool append_extension(Packet& message, const error_extension& e) noexcept {
    constexpr u32 behind = static_cast<u32>(icmp::header_length) + extended_quote;
    const u32 padding = behind - message.size();
    std::byte* const more = message.put(padding + e.size);
    if (more == nullptr) {
        return false;
    }
    fill_bytes(more, padding, std::byte{0});
    copy_bytes(more + padding, e.data, e.size);
    std::byte* const first = message.writable();
    icmp::view{first}.set(icmp::quote_words, static_cast<u8>(extended_quote / 4));
    icmp::set_checksum({first, message.size()});
    return true;
}

}  // namespace sluice::rewrite
