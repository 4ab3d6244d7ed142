// advice: why a stack refuses a route, and what to do about it, in the words of programs.
#pragma once

#include <sluice/route/entry.hpp>

namespace examples {

inline const char* advice(sluice::route_error e) {
    using enum sluice::route_error;
    switch (e) {
    case full:
        return "the table is full; give fewer routes";
    case exists:
        return "a route with its prefix, tos and metric exists; give another metric";
    case no_interface:
        return "it names no interface; add dev NAME or via GATEWAY";
    case interface_down:
        return "its interface is down";
    case gateway_unreachable:
        return "no link leads to its gateway; name a gateway on a link, or add dev NAME onlink";
    case invalid_gateway:
        return "its gateway is not the address of another host";
    case invalid_source:
        return "its source is not an address of the router; give one that is";
    case invalid_mtu:
        return "its MTU is too small; give 68 octets or more";
    default:
        return "its words contradict each other: onlink needs via, a refusal takes neither via nor "
               "dev";
    }
}

}  // namespace examples
