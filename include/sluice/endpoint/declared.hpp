// The endpoint classes, only declared. sluice.hpp includes this: a program that forgets an
// endpoint's header gets an error that shows which header to include.
#pragma once

#include <sluice/delivery/endpoint_filter.hpp>
#include <sluice/endpoint/options.hpp>

namespace sluice {

// A stack whose delivery policy registers endpoints: delivery<registered_endpoints<>> (the default)
// or a policy with the same functions. no_delivery registers none.
template <class Stack>
concept has_endpoint_registry =
    requires(typename Stack::delivery_type& registry, const endpoint_filter& filter,
             packet_sink<typename Stack::packet_type>& sink) {
        registry.add_udp(filter, sink);
        registry.remove(sink);
    };

template <has_endpoint_registry Stack, endpoint_sizes Sizes = endpoint_sizes{}>
class udp_endpoint;  // #include <sluice/endpoint/udp_endpoint.hpp>
template <has_endpoint_registry Stack, endpoint_sizes Sizes = endpoint_sizes{}>
class ping_endpoint;  // #include <sluice/endpoint/ping_endpoint.hpp>
template <has_endpoint_registry Stack, endpoint_sizes Sizes = endpoint_sizes{}>
class raw_endpoint;  // #include <sluice/endpoint/raw_endpoint.hpp>

}  // namespace sluice
