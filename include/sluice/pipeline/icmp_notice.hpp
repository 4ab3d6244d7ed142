// icmp_notice: parses a received ICMP error and decides whether to report it to the sender of the
// quoted packet.
//
// It reads the quoted header leniently, without its checksum, version and offset, sets `info` by
// type, and finds the extension behind the quote.
//
// Expects: an ICMP message of an error type, its header verified by icmp_input.
// Never:   reports: the stack does.
// Cost:    a few loads; the sum over an extension.
// Source:  RFC 1122 section 3.2.2, RFC 1812 section 4.3.2.3, RFC 4884 section 4; Linux
//          icmp_unreach, icmp_redirect, icmp_socket_deliver.
#pragma once

#include <sluice/delivery/concept.hpp>
#include <sluice/packet/settings.hpp>
#include <sluice/routing/address_kind.hpp>
#include <sluice/wire/icmp_extensions.hpp>
#include <sluice/wire/udp.hpp>

#include <utility>

namespace sluice::pipeline {

enum class notice_kind : u8 {
    report,
    ignore,   // nothing to do
    invalid,  // quotes too little, or nonsense: counted as an error
};

struct notice_decision {
    notice_kind kind = notice_kind::invalid;
    drop_reason reason = drop_reason::icmp_truncated;  // of invalid
    icmp_error_notice notice{};
};

namespace detail {

inline constexpr u8 highest_unreachable_code = 15;
inline constexpr u8 fragmentation_needed_code = 4;
inline constexpr u8 reassembly_exceeded_code = 1;
inline constexpr u32 least_quoted_payload = 8;

// Decides by type and code; sets `info` from the second word of the message.
[[nodiscard]] constexpr notice_kind notice_by_type(icmp_error_notice& n, u32 word,
                                                   const settings& s) noexcept {
    namespace t = icmp::types;
    switch (n.type) {
    case t::destination_unreachable:
        if (n.code > highest_unreachable_code) {
            return notice_kind::ignore;
        }
        if (n.code == fragmentation_needed_code) {
            // ip_no_pmtu_disc: 1 ignores the size, 2 the whole message, 3 all but protocols that
            // check the quote themselves. Linux icmp_strict_tag_validation.
            const bool checked =
                n.protocol == ipv4::protocols::tcp || n.protocol == ipv4::protocols::sctp;
            if (s.ip_no_pmtu_disc == 2 || (s.ip_no_pmtu_disc == 3 && !checked)) {
                return notice_kind::ignore;
            }
            n.info = s.ip_no_pmtu_disc == 1 ? 0 : word & 0xffff;
        }
        return notice_kind::report;
    case t::parameter_problem:
        n.info = word >> 24;
        return notice_kind::report;
    case t::time_exceeded:
        return n.code == reassembly_exceeded_code ? notice_kind::ignore : notice_kind::report;
    case t::redirect:
        n.info = word;
        return notice_kind::report;
    default:
        return notice_kind::report;
    }
}

// The bytes to read of a message that no single buffer holds: RFC 1812 section 4.3.2.3 allows no
// longer error.
inline constexpr u32 longest_error = 576;

// Returns the quote, and sets extension if the message's length field leads to a valid structure.
// Makes the message contiguous, as far as one buffer holds it.
template <packet_buffer Packet, header_sum Sum>
[[nodiscard]] constexpr const_bytes split_extension(basic_datagram<Packet, Sum>& d,
                                                    const_bytes& extension) noexcept {
    const Packet& p = d.packet();
    const u32 start = d.header_size();
    const u32 end = start + d.payload_size();
    const bool whole = d.may_pull(end);
    if (!whole && end > longest_error) {
        static_cast<void>(d.may_pull(longest_error));
    }
    const const_bytes message = p.head().subspan(start);
    const icmp::const_view header{message.data()};
    if (whole && icmp::may_be_extended(header[icmp::type]) && header[icmp::quote_words] != 0) {
        const auto split = icmp::split_extended(message.first(d.payload_size()));
        if (split.has_value()) {
            extension = split->extension;
            return split->quote;
        }
    }
    return message.subspan(icmp::header_length);
}

// The decision about a redirect that quotes a header shorter than 20 bytes. Linux does not check
// this length: it reads the ports of a transport from inside the header, and finds no socket.
[[nodiscard]] constexpr notice_kind redirect_about_nonsense(u8 protocol, u32 header,
                                                            u32 quoted) noexcept {
    const bool looked_up = is_udp(protocol) || protocol == ipv4::protocols::tcp;
    return looked_up || quoted < header + least_quoted_payload ? notice_kind::invalid
                                                               : notice_kind::ignore;
}

}  // namespace detail

[[nodiscard]] constexpr bool is_fragmentation_needed(const icmp_error_notice& n) noexcept {
    return n.type == icmp::types::destination_unreachable &&
           n.code == detail::fragmentation_needed_code;
}
// Whether the error quotes an echo reply: the stack sends these itself, so it accepts errors about
// them. Linux icmp_err.
[[nodiscard]] constexpr bool quotes_echo_reply(const icmp_error_notice& n) noexcept {
    const u32 header = 4u * ipv4::const_view{n.quoted.data()}[ipv4::ihl];
    return n.protocol == ipv4::protocols::icmp &&
           static_cast<u8>(n.quoted[header]) == icmp::types::echo_reply;
}

// Makes the message contiguous, as far as one buffer holds it.
template <class Tables, packet_buffer Packet, header_sum Sum>
[[nodiscard]] constexpr notice_decision icmp_notice(const Tables& t,
                                                    basic_datagram<Packet, Sum>& d) noexcept {
    const Packet& p = d.packet();
    const u32 start = d.header_size() + static_cast<u32>(icmp::header_length);
    if (!d.may_pull(start + static_cast<u32>(ipv4::min_header_length))) {
        return {};
    }
    const auto read = [&] {
        const icmp::const_view message{p.data() + start - icmp::header_length};
        const ipv4::const_view inner{p.data() + start};
        return icmp_error_notice{.type = message[icmp::type],
                                 .code = message[icmp::code],
                                 .offender = d.header()[ipv4::source],
                                 .source = inner[ipv4::source],
                                 .destination = inner[ipv4::destination],
                                 .interface = p.interface(),
                                 .protocol = inner[ipv4::protocol],
                                 .received_at = p.metadata().received_at};
    };
    notice_decision v{notice_kind::invalid, drop_reason::icmp_quote_invalid, read()};
    const u32 inner_size = 4u * ipv4::const_view{p.data() + start}[ipv4::ihl];
    if (inner_size < ipv4::min_header_length) {
        if (v.notice.type == icmp::types::redirect) {
            v.kind =
                detail::redirect_about_nonsense(v.notice.protocol, inner_size, p.size() - start);
        }
        return v;
    }
    const u32 word = icmp::const_view{p.data() + start - icmp::header_length}[icmp::rest_of_header];
    v.kind = detail::notice_by_type(v.notice, word, t.switches);
    if (v.kind != notice_kind::report) {
        return v;
    }
    if (!t.switches.icmp_ignore_bogus_error_responses &&
        routing::address_kind(t, v.notice.destination) == route_type::broadcast) {
        // RFC 1122 section 3.2.2: no error may answer a broadcast.
        v.kind = notice_kind::ignore;
        return v;
    }
    if (!d.may_pull(start + inner_size + detail::least_quoted_payload)) {
        v.kind = notice_kind::invalid;
        v.reason = drop_reason::icmp_invalid;
        return v;
    }
    v.notice.quoted = detail::split_extension(d, v.notice.extension);
    if (is_udp(v.notice.protocol)) {
        const udp::const_view ports{v.notice.quoted.data() + inner_size};
        v.notice.source_port = ports[udp::source_port];
        v.notice.destination_port = ports[udp::destination_port];
    } else if (quotes_echo_request(v.notice)) {
        v.notice.source_port =
            icmp::const_view{v.notice.quoted.data() + inner_size}[icmp::identifier];
    }
    return v;
}

}  // namespace sluice::pipeline
