// check_datagram: checks the bytes of a datagram and reports the differences: fields of the IPv4
// header, an ICMP message, a payload, checksums, or the whole datagram.
//
//     testing::check_datagram(bytes, has::ttl(63), has::destination("10.0.2.2"_ip),
//                             has::right_sums());
//     testing::check_datagram(bytes, report, has::all_of(expected));
//     // prints main.cpp:12: datagram: ttl (expected 63, got 64)
//
// A check is any function of a checker and the bytes: write your own beside those of `has`.
//
// Expects: whole datagrams, from their IPv4 header on.
// Never:   reads beyond the bytes. Bytes that are no IPv4 datagram are reported, and not checked
//          further.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/pipeline/validate_bytes.hpp>
#include <sluice/testing/checker.hpp>
#include <sluice/testing/datagrams.hpp>
#include <sluice/wire/icmp.hpp>
#include <sluice/wire/ipv4.hpp>
#include <sluice/wire/udp.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace sluice::testing {

template <class C>
concept datagram_check =
    requires(const C& c, checker& check, const_bytes datagram) { c(check, datagram); };

namespace has {

using place = checker::place;

// Checks a field of the IPv4 header: has::field(ipv4::identification, 7). An expected number that
// does not fit the field differs from it.
template <class Field, class Value>
[[nodiscard]] auto field(Field f, Value expected, place at = place::current()) {
    return [=](checker& check, const_bytes datagram) {
        const auto got = ipv4::const_view{datagram.data()}[f];
        using type = std::remove_const_t<decltype(got)>;
        if constexpr (std::is_integral_v<type> && std::is_integral_v<Value> &&
                      !std::is_same_v<type, Value>) {
            check.equal(static_cast<i64>(got), static_cast<i64>(expected), Field::name, at);
        } else {
            check.equal(got, static_cast<type>(expected), Field::name, at);
        }
    };
}
[[nodiscard]] inline auto ttl(u32 v, place at = place::current()) {
    return field(ipv4::ttl, v, at);
}
[[nodiscard]] inline auto tos(u32 v, place at = place::current()) {
    return field(ipv4::tos, v, at);
}
[[nodiscard]] inline auto protocol(u32 v, place at = place::current()) {
    return field(ipv4::protocol, v, at);
}
[[nodiscard]] inline auto flags_and_offset(u32 v, place at = place::current()) {
    return field(ipv4::flags_and_offset, v, at);
}
[[nodiscard]] inline auto source(ipv4::address a, place at = place::current()) {
    return field(ipv4::source, a, at);
}
[[nodiscard]] inline auto destination(ipv4::address a, place at = place::current()) {
    return field(ipv4::destination, a, at);
}
[[nodiscard]] inline auto size(std::size_t n, place at = place::current()) {
    return [=](checker& check, const_bytes datagram) {
        check.equal(datagram.size(), n, "number of bytes", at);
    };
}
[[nodiscard]] inline auto payload(byte_vector expected, place at = place::current()) {
    return [expected = std::move(expected), at](checker& check, const_bytes datagram) {
        const std::size_t header = ipv4::header_length(ipv4::const_view{datagram.data()});
        check.same_bytes(datagram.subspan(header), expected, "payload", at);
    };
}

// Checks the header checksum, the total length, and the checksum of an ICMP message that is no
// fragment.
[[nodiscard]] inline auto right_sums(place at = place::current()) {
    return [=](checker& check, const_bytes datagram) {
        const ipv4::const_view ip{datagram.data()};
        check.holds(ipv4::checksum_ok(ip), "header checksum", at);
        check.equal(std::size_t{ip[ipv4::total_length]}, datagram.size(), "total length", at);
        const const_bytes data = datagram.subspan(ipv4::header_length(ip));
        if (ip[ipv4::protocol] == ipv4::protocols::icmp && !ipv4::is_fragment(ip)) {
            check.holds(icmp::checksum_ok(data), "ICMP checksum", at);
        }
    };
}
// Checks the checksum of a UDP datagram that is no fragment. A datagram without a checksum passes.
[[nodiscard]] inline auto right_udp_sum(place at = place::current()) {
    return [=](checker& check, const_bytes datagram) {
        const ipv4::const_view ip{datagram.data()};
        const const_bytes data = datagram.subspan(ipv4::header_length(ip));
        check.holds(data.size() >= udp::layout::size &&
                        udp::checksum_ok(ip[ipv4::source], ip[ipv4::destination], data),
                    "UDP checksum", at);
    };
}

[[nodiscard]] inline auto icmp_message(u32 type, u32 code, u32 info = 0,
                                       place at = place::current()) {
    return [=](checker& check, const_bytes datagram) {
        const std::size_t header = ipv4::header_length(ipv4::const_view{datagram.data()});
        if (!check.holds(datagram.size() >= header + icmp::header_length, "ICMP header is there",
                         at)) {
            return;
        }
        const icmp::const_view m{datagram.data() + header};
        check.equal(m[icmp::type], type, "ICMP type", at);
        check.equal(m[icmp::code], code, "ICMP code", at);
        check.equal(m[icmp::rest_of_header], info, "ICMP rest of header", at);
    };
}

// Checks that an ICMP error quotes the first n bytes of this datagram.
[[nodiscard]] inline auto quote(byte_vector offender, std::size_t n, place at = place::current()) {
    return [offender = std::move(offender), n, at](checker& check, const_bytes datagram) {
        const std::size_t header = ipv4::header_length(ipv4::const_view{datagram.data()});
        const std::size_t before = header + icmp::header_length;
        if (check.holds(datagram.size() >= before && n <= offender.size(), "quote is there", at)) {
            check.same_bytes(datagram.subspan(before), const_bytes{offender}.first(n), "quote", at);
        }
    };
}

// Checks the whole datagram: each field by its name, options, payload.
[[nodiscard]] inline auto all_of(byte_vector expected, place at = place::current()) {
    return [expected = std::move(expected), at](checker& check, const_bytes datagram) {
        if (!check.holds(pipeline::validate(const_bytes{expected}).has_value(),
                         "what is expected is an IPv4 datagram", at)) {
            return;
        }
        const ipv4::const_view wanted{expected.data()};
        const std::size_t header = ipv4::header_length(wanted);
        const auto same = [&](auto... f) { (field(f, wanted[f], at)(check, datagram), ...); };
        same(ipv4::version, ipv4::ihl, ipv4::tos, ipv4::total_length, ipv4::identification,
             ipv4::flags_and_offset, ipv4::ttl, ipv4::protocol, ipv4::header_checksum, ipv4::source,
             ipv4::destination);
        if (ipv4::header_length(ipv4::const_view{datagram.data()}) == header) {
            constexpr std::size_t fixed = ipv4::min_header_length;
            check.same_bytes(datagram.subspan(fixed, header - fixed),
                             const_bytes{expected}.subspan(fixed, header - fixed), "options", at);
            check.same_bytes(datagram.subspan(header), const_bytes{expected}.subspan(header),
                             "payload", at);
        }
    };
}

}  // namespace has

namespace detail {

// Whether the bytes are an IPv4 datagram, possibly with more bytes behind it.
[[nodiscard]] inline bool is_datagram(checker& check, const_bytes datagram) {
    std::size_t header = 0;
    std::size_t total = 0;
    if (datagram.size() >= ipv4::min_header_length) {
        const ipv4::const_view ip{datagram.data()};
        header = ip[ipv4::version] == 4 ? ipv4::header_length(ip) : 0;
        total = ip[ipv4::total_length];
    }
    return check.holds(header >= ipv4::min_header_length && header <= datagram.size(),
                       "an IPv4 header is there") &&
           check.holds(total >= header && total <= datagram.size(),
                       "the total length covers the header and is not beyond the bytes");
}

}  // namespace detail

template <datagram_check... Checks>
suite_result check_datagram(const_bytes datagram, const reporter& report, const Checks&... checks) {
    checker check{"datagram", report};
    check.begin("");
    if (detail::is_datagram(check, datagram)) {
        (checks(check, datagram), ...);
    }
    return check.result();
}
template <datagram_check... Checks>
suite_result check_datagram(const_bytes datagram, const Checks&... checks) {
    return check_datagram(datagram, reporter{print_broken}, checks...);
}

}  // namespace sluice::testing
