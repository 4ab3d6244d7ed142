// check(datagram, ttl(63), source(a), right_sums()): checks a datagram by the packet checks of
// testing/ and reports to doctest.
#pragma once

#include "support/conformance.hpp"
#include "support/datagrams.hpp"

#include <doctest/doctest.h>

#include <sluice/testing/packet_check.hpp>

#include <utility>

namespace support {

using testing::has::destination;
using testing::has::field;
using testing::has::flags_and_offset;
using testing::has::payload;
using testing::has::protocol;
using testing::has::right_sums;
using testing::has::size;
using testing::has::source;
using testing::has::tos;
using testing::has::ttl;

inline auto icmp_is(u8 type, u8 code, u32 info = 0,
                    testing::checker::place at = testing::checker::place::current()) {
    return testing::has::icmp_message(type, code, info, at);
}
inline auto quotes(byte_vector offender, std::size_t n,
                   testing::checker::place at = testing::checker::place::current()) {
    return testing::has::quote(std::move(offender), n, at);
}

template <class... Checks>
void check(const byte_vector& datagram, const Checks&... checks) {
    const auto found = testing::check_datagram(datagram, to_doctest, checks...);
    CHECK_MESSAGE(found.broken == 0, found.checks << " checks");
}

}  // namespace support
