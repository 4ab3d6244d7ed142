// probe_answer: a received datagram as an answer to a probe: an echo reply, a UDP datagram, or an
// ICMP error that quotes the probe.
//
//     if (const auto a = examples::parse_answer(datagram)) {
//         if (const auto number = number_of(*a, mine)) ... the probe of this number
//     }
//
// Expects: any bytes.
// Never:   reads beyond them; accepts a wrong ICMP checksum, or a quote that does not begin with a
//          probe.
// Source:  RFC 792.
#pragma once

#include <sluice/wire/icmp.hpp>
#include <sluice/wire/ipv4_header.hpp>
#include <sluice/wire/udp.hpp>

#include <optional>

namespace examples {

struct probe_answer {
    enum class kind { echo_reply, udp, icmp_error };
    kind what = kind::icmp_error;
    sluice::ipv4::address from{};
    sluice::u8 ttl = 0;   // as it arrived
    sluice::u8 type = 0;  // of an ICMP message
    sluice::u8 code = 0;
    sluice::u32 rest_of_header = 0;  // of an ICMP message
    sluice::const_bytes message{};   // from the ICMP or UDP header on
    sluice::const_bytes options{};   // of the datagram's header
    // Of the probe, as the answer states them.
    sluice::u8 protocol = 0;
    sluice::ipv4::address destination{};
    sluice::u16 identifier = 0;  // UDP: the source port
    sluice::u16 number = 0;      // the sequence number; UDP: the destination port

    // The MTU that "fragmentation needed" states. 0: another message, or an old router's.
    [[nodiscard]] sluice::u32 mtu() const noexcept {
        const bool is_stated = what == kind::icmp_error &&
                               type == sluice::icmp::types::destination_unreachable &&
                               code == sluice::icmp::unreachable::fragmentation_needed;
        return is_stated ? rest_of_header & 0xffff : 0;
    }
};

// The common part of all probes of a program.
struct probe_identity {
    sluice::u8 protocol = 0;
    sluice::ipv4::address destination{};
    sluice::u16 identifier = 0;  // UDP: the source port
};

namespace detail {

// Reads the quoted probe. False: it quotes something else.
[[nodiscard]] inline bool read_quote(probe_answer& a) {
    namespace icmp = sluice::icmp;
    const auto quote = sluice::ipv4::lax_parse(a.message.subspan(icmp::header_length));
    if (!quote || !quote->header_complete() || quote->payload.size() < icmp::header_length ||
        quote->ip[sluice::ipv4::fragment_offset] != 0) {
        return false;
    }
    a.protocol = quote->ip[sluice::ipv4::protocol];
    a.destination = quote->ip[sluice::ipv4::destination];
    if (a.protocol == sluice::ipv4::protocols::udp) {
        const sluice::udp::const_view probe{quote->payload.data()};
        a.identifier = probe[sluice::udp::source_port];
        a.number = probe[sluice::udp::destination_port];
        return true;
    }
    const icmp::const_view probe{quote->payload.data()};
    a.identifier = probe[icmp::identifier];
    a.number = probe[icmp::sequence];
    return a.protocol == sluice::ipv4::protocols::icmp &&
           probe[icmp::type] == icmp::types::echo_request;
}

[[nodiscard]] inline bool read_icmp(probe_answer& a) {
    namespace icmp = sluice::icmp;
    if (a.message.size() < icmp::header_length || !icmp::checksum_ok(a.message)) {
        return false;
    }
    const icmp::const_view header{a.message.data()};
    a.type = header[icmp::type];
    a.code = header[icmp::code];
    a.rest_of_header = header[icmp::rest_of_header];
    if (icmp::is_error(a.type)) {
        a.what = probe_answer::kind::icmp_error;
        return read_quote(a);
    }
    a.what = probe_answer::kind::echo_reply;
    a.protocol = sluice::ipv4::protocols::icmp;
    a.destination = a.from;
    a.identifier = header[icmp::identifier];
    a.number = header[icmp::sequence];
    return a.type == icmp::types::echo_reply && a.code == 0;
}

// Does not verify the checksum: between namespaces of one machine the kernel leaves it unfinished.
[[nodiscard]] inline bool read_udp(probe_answer& a) {
    namespace udp = sluice::udp;
    if (!udp::payload(a.message)) {
        return false;
    }
    const udp::const_view header{a.message.data()};
    a.what = probe_answer::kind::udp;
    a.protocol = sluice::ipv4::protocols::udp;
    a.destination = a.from;
    a.identifier = header[udp::destination_port];
    a.number = header[udp::source_port];
    return true;
}

}  // namespace detail

// Reads a whole datagram, from its IPv4 header on. None: it answers no probe. The receiver of the
// datagram has verified the header's checksum; Linux then records into options without mending it.
[[nodiscard]] inline std::optional<probe_answer> parse_answer(sluice::const_bytes received) {
    namespace ipv4 = sluice::ipv4;
    const auto ip = sluice::parse_value<ipv4::header>(received);
    if (!ip || ip->total_length > received.size() || ip->total_length < sluice::length_of(*ip) ||
        ip->more_fragments || ip->fragment_offset != 0) {
        return std::nullopt;
    }
    const sluice::const_bytes datagram = received.first(ip->total_length);
    const std::size_t header = sluice::length_of(*ip);
    probe_answer a{.from = ip->source,
                   .ttl = ip->ttl,
                   .message = datagram.subspan(header),
                   .options = datagram.first(header).subspan(ipv4::min_header_length)};
    const bool is_answer = ip->protocol == ipv4::protocols::icmp
                               ? detail::read_icmp(a)
                               : ip->protocol == ipv4::protocols::udp && detail::read_udp(a);
    return is_answer ? std::optional{a} : std::nullopt;
}

// The sequence number (UDP: the destination port) of the probe that `a` answers; none if it answers
// no probe with the identity `sent`. Other hosts answer an echo request to a group or broadcast.
[[nodiscard]] inline std::optional<sluice::u16> number_of(const probe_answer& a,
                                                          const probe_identity& sent) noexcept {
    const bool is_reply =
        a.protocol == sent.protocol && a.identifier == sent.identifier &&
        (a.destination == sent.destination || a.what == probe_answer::kind::echo_reply);
    return is_reply ? std::optional{a.number} : std::nullopt;
}

}  // namespace examples
