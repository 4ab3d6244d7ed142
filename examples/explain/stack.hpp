// The stack of the example explain: it records its decisions and transmits no packet.
//
// It listens at every TCP and UDP port. It has the addresses and all routes of the command line.
//
// Expects: packets of its own source, memory for its routes.
#pragma once

#include "arguments.hpp"

#include <sluice/delivery/registry.hpp>
#include <sluice/packet/external_storage.hpp>
#include <sluice/port/pcap.hpp>
#include <sluice/port/zero_pages.hpp>
#include <sluice/route/lpm_table.hpp>
#include <sluice/sluice.hpp>
#include <sluice/wire/text.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace examples::explain {

using sluice::u16;

// Buffers for the longest frame of a capture, with headroom.
using source = sluice::heap_source<sluice::port::pcap::longest_record + 256, 4096>;
using packet = source::packet_type;

// An output that discards packets.
struct nowhere {
    template <class Packet>
    struct model {
        static constexpr bool takes_segmented = true;
        static constexpr bool takes_gso = true;
        [[nodiscard]] bool transmit(Packet& leaving, const sluice::egress&,
                                    sluice::instant) noexcept {
            leaving.reset();
            return true;
        }
        void flush() noexcept {}
    };
};

struct explained : sluice::policies<sluice::based_on<sluice::linux_router>, sluice::buffers<source>,
                                    sluice::observers<sluice::recording_observer<256>>,
                                    sluice::routes<sluice::lpm_table>, sluice::output<nowhere>> {};
using stack = sluice::stack<explained>;

// Listeners at every TCP and UDP port.
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

// Room for the given routes and the default route; each address adds up to four, also lo's.
inline std::size_t memory_for(const explain_arguments& given) {
    const std::size_t of_addresses = 4 * (given.addresses.size() + 1);
    return sluice::lpm_table::memory_for(given.routes.size() + 1 + of_addresses);
}

// Finds an interface by its number, or lo. 0: there is none.
inline u16 find_interface(std::string_view name, const explain_arguments& given) {
    for (std::size_t n = 1; n < first_interface + given.addresses.size(); ++n) {
        if (name == std::to_string(n)) {
            return static_cast<u16>(n);
        }
    }
    return name == "lo" ? u16{1} : u16{0};
}

// Returns an error with its remedy; empty: none.
inline std::string add_routes(stack& s, const explain_arguments& given) {
    for (auto [route, device] : given.routes) {
        const std::string text =
            std::string{"--route "} + to_text(route, device).c_str() + " refused: ";
        if (!device.empty()) {
            route.interface = find_interface({device.data(), device.size()}, given);
            if (route.interface == 0) {
                return text +
                       "dev takes lo or a number, 2 for the interface of the first --address";
            }
        }
        if (const auto added = s.add_route(route); !added) {
            return text + message(added.error());
        }
    }
    return {};
}

// Returns an error with its remedy; empty: none.
inline std::string configure(stack& s, const explain_arguments& given) {
    auto index = first_interface;
    for (const auto& address : given.addresses) {
        // Any address that Linux accepts is accepted.
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
    return add_routes(s, given);
}

}  // namespace examples::explain
