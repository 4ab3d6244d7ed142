// The packets that a stack sent, and whether each packet had one fate.
// Without doctest, so that fuzz targets can use it.
#pragma once

#include "datagrams.hpp"

#include <sluice/packet/next_hop.hpp>
#include <sluice/stats/balance.hpp>

#include <utility>

namespace support {

struct sent_packet {
    byte_vector datagram;
    egress to;
    u32 mark = 0;

    friend bool operator==(const sent_packet&, const sent_packet&) = default;
};

// All packets that the output got since the last call.
template <class Output>
std::vector<sent_packet> take_sent(Output& from) {
    std::vector<sent_packet> all;
    while (from.size() > 0) {
        const auto item = from.next();
        all.push_back({.datagram = content_of(item.packet),
                       .to = item.to,
                       .mark = std::as_const(item.packet).metadata().mark});
    }
    return all;
}

template <class Stack>
constexpr bool balanced(const Stack& s) {
    return balance_of(s).is_even();
}

}  // namespace support
