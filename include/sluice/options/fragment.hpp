// fragment: turns the options of a first fragment into those of the later fragments.
//
// It overwrites every option without the copied flag by no-operations of the same length, so that
// the header keeps its size, and clears the offsets of these options.
//
// Expects: options that compile has checked.
// Never:   changes the padding behind the end of the list, or the checksum.
// Cost:    one pass over at most 40 bytes.
// Source:  RFC 791 section 3.1; Linux ip_options_fragment.
#pragma once

#include <sluice/packet/metadata.hpp>
#include <sluice/wire/ipv4.hpp>
#include <sluice/wire/ipv4_options.hpp>

namespace sluice::ip_options {

// For the option bytes alone. A malformed list stays as it is from the bad option on.
constexpr void fragment(bytes area) noexcept {
    for (mutable_option_cursor at{area}; at.next();) {
        if (ipv4::is_copied(at.kind())) continue;
        const bytes option = at.option();
        fill_bytes(option.data(), option.size(), std::byte{ipv4::option_kinds::no_operation});
    }
}

// For a header and its offsets. Only for a fragment cut from offset 0: the options of later ones
// are already reduced.
constexpr void fragment(ipv4::view ip, option_offsets& options) noexcept {
    fragment(ipv4::options_of(ip));
    options.record_route = 0;
    options.timestamp = 0;
    options.record_address = false;
    options.stamp_address = false;
    options.stamp_time = false;
}

}  // namespace sluice::ip_options
