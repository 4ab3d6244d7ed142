// The stack that the example explain asks: it records its decisions and sends to nowhere.
//
// Expects: packets of its own source. Does: listens at every TCP and UDP port; has the addresses
// and routes of the command line. Never: sends anything.
#pragma once

#include "explain_arguments.hpp"
#include "route_advice.hpp"

#include <sluice/delivery/endpoints.hpp>
#include <sluice/packet/external_storage.hpp>
#include <sluice/port/pcap.hpp>
#include <sluice/sluice.hpp>
#include <sluice/wire/text.hpp>

#include <string>

namespace examples::explain {

using sluice::u16;

// The longest frame that a capture can hold, and room in front of it.
using source = sluice::heap_source<sluice::port::pcap::longest_record + 256, 4096>;
using packet = source::packet_type;

// What would leave goes nowhere.
struct nowhere {
    template <class Packet>
    struct model {
        static constexpr bool takes_segmented = true;
        static constexpr bool takes_gso = true;
        [[nodiscard]] bool transmit(Packet& leaving, const sluice::egress&) noexcept {
            leaving.reset();
            return true;
        }
        void flush() noexcept {}
    };
};

struct explained : sluice::policies<sluice::based_on<sluice::linux_router>, sluice::buffers<source>,
                                    sluice::observed_by<sluice::recording_observer<256>>,
                                    sluice::output<nowhere>> {};
using stack = sluice::stack<explained>;

// Somebody listens at every TCP and UDP port.
struct tcp_listener final : sluice::protocol_handler<packet> {
    sluice::handler_result receive(packet&, const sluice::delivery_info&,
                                   sluice::local_services<packet>&) noexcept override {
        return sluice::handler_result::taken();
    }
};
struct udp_listener final : sluice::packet_sink<packet> {
    bool take(packet& p, const sluice::delivery_info&) noexcept override {
        p.reset();
        return true;
    }
};

inline constexpr u16 first_interface = 2;  // 1 is lo

// What is wrong, and what to do about it; empty: nothing.
inline std::string configure(stack& s, const explain_arguments& given) {
    auto index = first_interface;
    for (const auto& address : given.addresses) {
        // Whatever Linux takes for an address is taken here.
        if (!s.add_interface({.index = index++, .address = address})) {
            return std::string{"--address "} + to_text(address).c_str() +
                   " refused: there are too many; give fewer";
        }
    }
    if (given.addresses.empty()) {
        constexpr u16 onwards = first_interface + 1;
        const bool both = s.add_interface({.index = first_interface}).has_value() &&
                          s.add_interface({.index = onwards}).has_value() &&
                          s.add_route({.prefix = {}, .interface = onwards}).has_value();
        return both ? "" : "a router without addresses cannot be made";
    }
    for (const auto& route : given.routes) {
        const auto added = s.add_route({.prefix = route.to, .gateway = route.gateway});
        if (!added) {
            return std::string{"--route "} + to_text(route.to).c_str() + " via " +
                   to_text(route.gateway).c_str() + " refused: " + advice(added.error());
        }
    }
    return {};
}

}  // namespace examples::explain
