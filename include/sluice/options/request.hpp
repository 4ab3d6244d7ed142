// compile_request: checks, once, the options that a program requests for the packets it sends;
// undo: the request that makes given options.
//
// It pads them to words with end-of-list, moves the first hop out of a source route and reserves
// the slots that build fills later.
//
// Expects: option bytes as they appear in the header; a source route lists the first hop first and
//          does not list the destination.
// Never:   records an address or a time.
// Cost:    one pass over at most 40 bytes.
// Source:  RFC 791 section 3.1, RFC 1122 section 4.1.3.2; Linux ip_options_get, setsockopt
//          IP_OPTIONS.
#pragma once

#include <sluice/base/result.hpp>
#include <sluice/options/compile.hpp>
#include <sluice/options/outgoing.hpp>

namespace sluice::ip_options {

// The error is the offset of the bad byte from the start of the header that would carry the options
// (the first byte of `wanted` is 20), or 0 when `wanted` exceeds 40 bytes.
template <answers_is_unicast Env>
[[nodiscard]] constexpr result<outgoing, u8>
compile_request(const_bytes wanted, sender_rights rights, Env& env) noexcept {
    if (wanted.size() > ipv4::max_options_length) return failure{u8{0}};
    outgoing made;
    copy_bytes(made.storage.data(), wanted.data(), wanted.size());
    const bytes area{made.storage.data(), (wanted.size() + 3) / 4 * 4};
    detail::compiler<false, Env> walk{area, made.offsets, env, rights};
    if (const auto checked = walk.run(); !checked) return failure{checked.error()};
    made.first_hop = walk.first_hop();
    return made;
}

// Turns options into the bytes of a request for them: the first hop stands in the source route
// again, and the slots that build would fill are empty. Linux ip_options_undo.
constexpr void undo(outgoing& made) noexcept {
    const option_offsets& at = made.offsets;
    const bytes all{made.storage};
    const auto option = [&](u8 where) {
        const std::size_t first = where - std::size_t{ipv4::min_header_length};
        return where >= ipv4::min_header_length && first < all.size() ? all.subspan(first)
                                                                      : bytes{};
    };
    // Empties the slot before the pointer.
    const auto take_back = [](bytes of) {
        const std::size_t pointer = detail::byte(of, 2) - std::size_t{4};
        detail::set_byte(of, 2, pointer);
        detail::set_word(of, pointer - 1, 0);
    };
    if (const bytes route = option(at.source_route); !route.empty()) {
        for (std::size_t end = detail::byte(route, 1); end >= 11; end -= 4) {
            detail::set_word(route, end - 4, detail::word(route, end - 8));
        }
        detail::set_word(route, 3, made.first_hop.value);
    }
    if (at.record_address) {
        take_back(option(at.record_route));
    }
    if (const bytes stamped = option(at.timestamp); !stamped.empty()) {
        if (at.stamp_time) {
            take_back(stamped);
            if ((detail::byte(stamped, 3) & 0x0f) == ipv4::timestamp_flags::prespecified) {
                detail::set_byte(stamped, 2, detail::byte(stamped, 2) - std::size_t{4});
            }
        }
        if (at.stamp_address) {
            take_back(stamped);
        }
    }
}

}  // namespace sluice::ip_options
