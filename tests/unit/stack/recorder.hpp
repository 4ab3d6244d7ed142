// A protocol handler that returns a set answer and records its packets.
#pragma once

#include "support/world.hpp"

namespace stack_test {

using packet = world<>::packet_type;
using services = local_services<packet>;

struct recorder final : protocol_handler<packet> {
    handler_result answer = handler_result::taken();
    u32 calls = 0;
    byte_vector last;
    delivery_info info;
    u32 errors = 0;
    bool known = true;
    icmp_error_notice notice;
    byte_vector quoted;

    handler_result receive(packet& p, const delivery_info& i, services&) noexcept override {
        ++calls;
        last = support::content_of(p);
        info = i;
        return answer;
    }
    bool error(const icmp_error_notice& n) noexcept override {
        ++errors;
        notice = n;
        quoted.assign(n.quoted.begin(), n.quoted.end());
        return known;
    }
};

inline const byte_vector to_us = datagram_of({.destination = "10.0.1.1"_ip});

}  // namespace stack_test
