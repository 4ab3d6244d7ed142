// Endpoints on the stack under test: 10.0.1.1/24 on interface 2, 10.0.2.1/24 on 3, a gateway
// 10.0.2.254; what comes from others, and what an endpoint has received.
#pragma once

#include "support/bench.hpp"

#include <sluice/endpoint/ping_endpoint.hpp>
#include <sluice/endpoint/raw_endpoint.hpp>
#include <sluice/endpoint/udp_endpoint.hpp>

namespace endpoint_test {

using namespace stack_test;

using stack_type = bench<>::stack_type;
inline constexpr endpoint_sizes few{.queue = 4, .errors = 2, .quote = 64};
using udp_socket = udp_endpoint<stack_type, few>;
using raw_socket = raw_endpoint<stack_type, few>;
using ping_socket = ping_endpoint<stack_type, few>;

struct endpoint_bench : bench<> {
    endpoint_bench();
    // A UDP datagram from 10.0.1.2.
    fate hear(u16 from, u16 to, const octets& data, ipv4::address at = "10.0.1.1"_ip,
              ipv4::address source = "10.0.1.2"_ip, u16 interface = 2);
    // An ICMP error of 10.0.2.77 about a datagram.
    fate error(u8 type, u8 code, u32 info, const octets& quoted);
};

// What receive() gives: the octets, or the name of the error.
struct heard {
    received what;
    octets bytes;
    endpoint_error error = endpoint_error::none;
};
template <class Endpoint>
heard hear_one(Endpoint& e, std::size_t room = 2000) {
    octets to(room);
    const auto r = e.receive(to);
    if (!r.has_value()) return {{}, {}, r.error()};
    to.resize(r->octets);
    return {*r, to, endpoint_error::none};
}

}  // namespace endpoint_test

// endpoint_bench.cpp compiles these.
extern template class sluice::detail::endpoint_base<endpoint_test::stack_type, endpoint_test::few>;
extern template class sluice::udp_endpoint<endpoint_test::stack_type, endpoint_test::few>;
extern template class sluice::raw_endpoint<endpoint_test::stack_type, endpoint_test::few>;
extern template class sluice::ping_endpoint<endpoint_test::stack_type, endpoint_test::few>;
