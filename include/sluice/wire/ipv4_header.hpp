// header, lax_parse: a whole IPv4 header as a value, and the header of a quoted datagram.
//
// parse_value and emit_value keep every bit, the checksum and the reserved flag included: emitting
// a parsed header reproduces it. lax_parse reads the datagrams that ICMP errors quote, which may be
// cut anywhere and altered in transit.
//
// Expects: any bytes.
// Never:   verifies the checksum, or compares the total length with the bytes present.
// Source:  RFC 791 section 3.1, RFC 792 (quotes), RFC 1812 section 4.3.2.3.
#pragma once

#include <cstddef>

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>
#include <sluice/base/result.hpp>
#include <sluice/wire/error.hpp>
#include <sluice/wire/ipv4.hpp>
#include <sluice/wire/option_list.hpp>

namespace sluice::ipv4 {

// A header of version 4. The IHL is not a member: it follows from the options.
struct header {
    using layout = ipv4::layout;

    u8 dscp = 0;
    u8 ecn = 0;
    u16 total_length = 0;  // header and data, in bytes
    u16 identification = 0;
    bool reserved_flag = false;
    bool dont_fragment = false;
    bool more_fragments = false;
    u16 fragment_offset = 0;  // in units of 8 bytes
    u8 ttl = 64;
    u8 protocol = 0;
    u16 header_checksum = 0;  // emitted unchanged; `set_checksum(view)` computes it
    address source{};
    address destination{};
    option_block options{};

    template <class Self, class Visit>
    static constexpr void each_field(Self& self, Visit visit) {
        visit(ipv4::dscp, self.dscp);
        visit(ipv4::ecn, self.ecn);
        visit(ipv4::total_length, self.total_length);
        visit(ipv4::identification, self.identification);
        visit(ipv4::reserved_flag, self.reserved_flag);
        visit(ipv4::dont_fragment, self.dont_fragment);
        visit(ipv4::more_fragments, self.more_fragments);
        visit(ipv4::fragment_offset, self.fragment_offset);
        visit(ipv4::ttl, self.ttl);
        visit(ipv4::protocol, self.protocol);
        visit(ipv4::header_checksum, self.header_checksum);
        visit(ipv4::source, self.source);
        visit(ipv4::destination, self.destination);
    }

    // `bad_version`, `bad_header_length` (IHL below 5).
    [[nodiscard]] static constexpr wire_error refusal(const_view ip) noexcept {
        if (ip[ipv4::version] != 4) return wire_error::bad_version;
        return header_length(ip) < min_header_length ? wire_error::bad_header_length
                                                     : wire_error::none;
    }
    constexpr void complete(view ip) const noexcept {
        ip.set(ipv4::version, 4).set(ipv4::ihl, static_cast<u8>(length_of(*this) / 4));
    }

    friend constexpr bool operator==(const header&, const header&) noexcept = default;
};

// The present parts of a quoted datagram.
struct quote {
    const_view ip;  // its fixed header, always whole
    std::size_t
        header_length;    // as its IHL states it, 20 to 60 bytes; may exceed the bytes present
    const_bytes options;  // the option bytes present
    const_bytes payload;  // the bytes present behind its header; not cut at its total length

    // Whether the whole header is present, options included.
    [[nodiscard]] constexpr bool header_complete() const noexcept {
        return options.size() + min_header_length == header_length;
    }
};

// Reads a quoted datagram by its own IHL. Does not check the version, as in Linux. Errors:
// `truncated` (fewer than 20 bytes), `bad_header_length` (IHL below 5).
[[nodiscard]] constexpr result<quote, wire_error> lax_parse(const_bytes from) noexcept {
    if (!const_view::fits(from)) return failure{wire_error::truncated};
    const const_view ip{from.data()};
    const std::size_t stated = header_length(ip);
    if (stated < min_header_length) return failure{wire_error::bad_header_length};
    const std::size_t present = stated < from.size() ? stated : from.size();
    return quote{ip, stated, from.subspan(min_header_length, present - min_header_length),
                 from.subspan(present)};
}

}  // namespace sluice::ipv4
