// compile_request: checks, once, the options that a program requests for the packets it sends.
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

}  // namespace sluice::ip_options
