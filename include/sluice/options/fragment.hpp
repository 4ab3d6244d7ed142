// fragment: makes the options of a first fragment those of the pieces that follow it.
// Expects: options that were checked (compile). Does: overwrites every option without the copied
// flag by no-operations of the same length, so that the header keeps its size; forgets their
// offsets. Never: touches the padding behind the end of the list, or the checksum. Cost: one pass
// over at most 40 bytes. RFC 791 section 3.1. As Linux ip_options_fragment.
#pragma once

#include <sluice/packet/metadata.hpp>
#include <sluice/wire/ipv4.hpp>
#include <sluice/wire/ipv4_options.hpp>

namespace sluice::ip_options {

// The option bytes alone; a malformed list is left as it is from the bad option on.
constexpr void fragment(bytes area) noexcept {
    for (mutable_option_cursor at{area}; at.next();) {
        if (ipv4::is_copied(at.kind())) continue;
        const bytes option = at.option();
        fill_bytes(option.data(), option.size(), std::byte{ipv4::option_kinds::no_operation});
    }
}

// A header and its offsets. Only for a piece cut from offset 0: a later one carries what it is to
// carry already.
constexpr void fragment(ipv4::view ip, option_offsets& options) noexcept {
    fragment(ipv4::options_of(ip));
    options.record_route = 0;
    options.timestamp = 0;
    options.record_address = false;
    options.stamp_address = false;
    options.stamp_time = false;
}

}  // namespace sluice::ip_options
