// Endpoints of the stack behind the gateway that most tests share, and reading what an endpoint
// received.
#pragma once

#include "support/world.hpp"

#include <sluice/endpoint/ping_endpoint.hpp>
#include <sluice/endpoint/raw_endpoint.hpp>
#include <sluice/endpoint/udp_endpoint.hpp>

namespace endpoint_test {

using namespace stack_test;

using stack_type = world<>::stack_type;
inline constexpr endpoint_sizes few{.queue = 4, .errors = 2, .quote = 64};
using udp_socket = udp_endpoint<stack_type, few>;
using raw_socket = raw_endpoint<stack_type, few>;
using ping_socket = ping_endpoint<stack_type, few>;

struct endpoint_world : world<> {
    endpoint_world() : world({.has_gateway = true}) {}
};

// The result of receive(): the bytes, or the name of the error.
struct heard {
    received what;
    byte_vector bytes;
    endpoint_error error = endpoint_error::none;
};
template <class Endpoint>
heard hear_one(Endpoint& e, std::size_t room = 2000) {
    byte_vector to(room);
    const auto r = e.receive(to);
    if (!r.has_value()) return {{}, {}, r.error()};
    to.resize(r->copied);
    return {*r, to, endpoint_error::none};
}

}  // namespace endpoint_test

// support.cpp compiles these.
extern template class sluice::detail::endpoint_base<endpoint_test::stack_type, endpoint_test::few>;
extern template class sluice::udp_endpoint<endpoint_test::stack_type, endpoint_test::few>;
extern template class sluice::raw_endpoint<endpoint_test::stack_type, endpoint_test::few>;
extern template class sluice::ping_endpoint<endpoint_test::stack_type, endpoint_test::few>;
