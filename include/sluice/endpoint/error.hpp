// endpoint_error: why an endpoint's call failed, or what an ICMP error means for it, in errno's
// words.
//
// It also converts the stack's send errors and received ICMP errors.
//
// Source: RFC 1122 section 4.1.3.3; Linux icmp_err_convert, udp_err, raw_err, ping_err.
#pragma once

#include <sluice/delivery/concept.hpp>
#include <sluice/endpoint/options.hpp>
#include <sluice/routing/output_route.hpp>

#include <cstddef>

namespace sluice {

enum class endpoint_error : u8 {
    none,
    would_block,            // EAGAIN: the queue is empty
    invalid,                // EINVAL: an argument, or bound already
    fault,                  // EFAULT: too short for a message
    address_in_use,         // EADDRINUSE
    address_not_available,  // EADDRNOTAVAIL: not a local address
    destination_required,   // EDESTADDRREQ: not connected, and no destination given
    access_denied,          // EACCES: a broadcast without permission, a route that forbids
    too_big,                // EMSGSIZE
    no_buffer,              // ENOBUFS: no buffer, or the registry is full
    no_interface,           // ENODEV
    network_unreachable,    // ENETUNREACH
    host_unreachable,       // EHOSTUNREACH
    host_down,              // EHOSTDOWN
    host_isolated,          // ENONET
    protocol_unavailable,   // ENOPROTOOPT
    refused,                // ECONNREFUSED
    not_supported,          // ENOTSUP
    protocol_error,         // EPROTO
    remote,                 // EREMOTEIO: a source quench or redirect, reported to ping endpoints
    not_permitted,          // EPERM: a hook or a security policy refused the packet
    count
};

[[nodiscard]] constexpr const char* errno_name(endpoint_error e) noexcept {
    constexpr const char* names[] = {"",
                                     "EAGAIN",
                                     "EINVAL",
                                     "EFAULT",
                                     "EADDRINUSE",
                                     "EADDRNOTAVAIL",
                                     "EDESTADDRREQ",
                                     "EACCES",
                                     "EMSGSIZE",
                                     "ENOBUFS",
                                     "ENODEV",
                                     "ENETUNREACH",
                                     "EHOSTUNREACH",
                                     "EHOSTDOWN",
                                     "ENONET",
                                     "ENOPROTOOPT",
                                     "ECONNREFUSED",
                                     "ENOTSUP",
                                     "EPROTO",
                                     "EREMOTEIO",
                                     "EPERM"};
    static_assert(sizeof names / sizeof *names == static_cast<std::size_t>(endpoint_error::count));
    const auto i = static_cast<std::size_t>(e);
    return i < static_cast<std::size_t>(endpoint_error::count) ? names[i] : "";
}

// The error as a sentence.
[[nodiscard]] constexpr const char* message(endpoint_error error) noexcept {
    using enum endpoint_error;
    switch (error) {
    case none:
        return "no error";
    case would_block:
        return "no datagram and no error waits";
    case invalid:
        return "an argument is invalid, or the endpoint is bound already";
    case fault:
        return "the message is too short";
    case address_in_use:
        return "the address is in use";
    case address_not_available:
        return "the address is not local";
    case destination_required:
        return "the endpoint is not connected and no destination is given";
    case access_denied:
        return "the broadcast has no permission, or a route forbids the packet";
    case too_big:
        return "the datagram exceeds the path MTU or the largest size";
    case no_buffer:
        return "no buffer is free, or the registry of endpoints is full; name more in "
               "buffers<fixed_pool<Bytes, Count>> or "
               "delivery<registered_endpoints<Handlers, Endpoints>> (default 16 and 32)";
    case no_interface:
        return "there is no such interface";
    case network_unreachable:
        return "the network is unreachable";
    case host_unreachable:
        return "the host is unreachable";
    case host_down:
        return "the host is down";
    case host_isolated:
        return "the host is isolated";
    case protocol_unavailable:
        return "the host does not speak the protocol";
    case refused:
        return "the port is closed";
    case not_supported:
        return "the source route failed";
    case protocol_error:
        return "a header field was wrong";
    case remote:
        return "a router asked for another rate or route";
    case not_permitted:
        return "a hook or a security policy refused the packet";
    case count:
        return "unknown endpoint error";
    }
    return "unknown endpoint error";
}

[[nodiscard]] constexpr endpoint_error error_of(routing::send_error e) noexcept {
    using enum routing::send_error;
    switch (e) {
    case network_unreachable:
        return endpoint_error::network_unreachable;
    case host_unreachable:
        return endpoint_error::host_unreachable;
    case prohibited:
        return endpoint_error::access_denied;
    case too_big:
        return endpoint_error::too_big;
    case no_buffer:
        return endpoint_error::no_buffer;
    case no_interface:
        return endpoint_error::no_interface;
    case not_permitted:
        return endpoint_error::not_permitted;
    case none:
        return endpoint_error::none;
    default:
        return endpoint_error::invalid;
    }
}

struct icmp_meaning {
    endpoint_error error = endpoint_error::host_unreachable;
    bool fatal = false;  // reported to connected endpoints even without receive_errors
};

namespace detail {

[[nodiscard]] constexpr icmp_meaning meaning_of_unreachable(u8 code) noexcept {
    using enum endpoint_error;
    constexpr icmp_meaning of_code[] = {
        {network_unreachable, false},
        {host_unreachable, false},
        {protocol_unavailable, true},
        {refused, true},
        {too_big, false},
        {not_supported, false},
        {network_unreachable, true},
        {host_down, true},
        {host_isolated, true},
        {network_unreachable, true},
        {host_unreachable, true},
        {network_unreachable, false},
        {host_unreachable, false},
        {host_unreachable, true},
        {host_unreachable, true},
        {host_unreachable, true},
    };
    return code < 16 ? of_code[code] : icmp_meaning{};
}

}  // namespace detail

// What the error means for an endpoint of this kind. endpoint_error::none: it is not reported.
[[nodiscard]] constexpr icmp_meaning meaning_of(const icmp_error_notice& n, endpoint_kind kind,
                                                mtu_discovery discovery) noexcept {
    namespace types = icmp::types;
    constexpr u8 too_big_code = 4;
    switch (n.type) {
    case types::source_quench:
    case types::redirect:
        return {kind == endpoint_kind::ping ? endpoint_error::remote : endpoint_error::none, false};
    case types::parameter_problem:
        return {endpoint_error::protocol_error, true};
    case types::destination_unreachable:
        if (n.code == too_big_code) {
            const bool asked = discovery != mtu_discovery::dont;
            const bool reported = asked || kind == endpoint_kind::raw;
            return {reported ? endpoint_error::too_big : endpoint_error::none, asked};
        }
        return detail::meaning_of_unreachable(n.code);
    default:
        return {};
    }
}

}  // namespace sluice
