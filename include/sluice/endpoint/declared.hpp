// The endpoint classes and those of a flow, only declared. sluice.hpp includes this: a program that
// forgets the header of one gets an error that names the header.
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

template <class Stack, endpoint_sizes Sizes = endpoint_sizes{}>
class udp_endpoint;
template <class Stack, endpoint_sizes Sizes = endpoint_sizes{}>
class ping_endpoint;
template <class Stack, endpoint_sizes Sizes = endpoint_sizes{}>
class raw_endpoint;
template <class Stack>
class sending_flow;
template <class Stack>
class corked_send;

namespace detail {

// Each endpoint's header sets its own to true.
template <template <class, endpoint_sizes> class Endpoint, class Stack>
inline constexpr bool is_included = false;
template <template <class> class Flow, class Stack>
inline constexpr bool is_flow_included = false;

// True is an error too: the class below stays incomplete.
template <class Stack>
consteval bool is_no_stack() {
    constexpr bool is_stack = requires { typename Stack::packet_type; };
    static_assert(is_stack, "sluice: an endpoint is of a stack, not of its policies: "
                            "udp_endpoint<stack<edge>>");
    return !is_stack;
}

// An error where a program needs a class whose header it does not include.
template <class Stack>
consteval bool is_udp_endpoint_missing() {
    static_assert(is_included<udp_endpoint, Stack>, "sluice: udp_endpoint is only declared: add "
                                                    "#include <sluice/endpoint/udp_endpoint.hpp>");
    return is_no_stack<Stack>();
}
template <class Stack>
consteval bool is_ping_endpoint_missing() {
    static_assert(is_included<ping_endpoint, Stack>,
                  "sluice: ping_endpoint is only declared: add "
                  "#include <sluice/endpoint/ping_endpoint.hpp>");
    return is_no_stack<Stack>();
}
template <class Stack>
consteval bool is_raw_endpoint_missing() {
    static_assert(is_included<raw_endpoint, Stack>, "sluice: raw_endpoint is only declared: add "
                                                    "#include <sluice/endpoint/raw_endpoint.hpp>");
    return is_no_stack<Stack>();
}
template <class Stack>
consteval bool is_sending_flow_missing() {
    static_assert(is_flow_included<sending_flow, Stack>,
                  "sluice: sending_flow is only declared: add "
                  "#include <sluice/endpoint/sending_flow.hpp>");
    return is_no_stack<Stack>();
}
template <class Stack>
consteval bool is_corked_send_missing() {
    static_assert(is_flow_included<corked_send, Stack>,
                  "sluice: corked_send is only declared: add "
                  "#include <sluice/endpoint/corked_send.hpp>");
    return is_no_stack<Stack>();
}

}  // namespace detail

// Chosen only after an error. The compiler reads the constraint where it needs the class.
template <class Stack, endpoint_sizes Sizes>
    requires(detail::is_udp_endpoint_missing<Stack>())
class udp_endpoint<Stack, Sizes>;
template <class Stack, endpoint_sizes Sizes>
    requires(detail::is_ping_endpoint_missing<Stack>())
class ping_endpoint<Stack, Sizes>;
template <class Stack, endpoint_sizes Sizes>
    requires(detail::is_raw_endpoint_missing<Stack>())
class raw_endpoint<Stack, Sizes>;
template <class Stack>
    requires(detail::is_sending_flow_missing<Stack>())
class sending_flow<Stack>;
template <class Stack>
    requires(detail::is_corked_send_missing<Stack>())
class corked_send<Stack>;

}  // namespace sluice
