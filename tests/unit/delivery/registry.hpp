// Shared by the tests of the delivery room: sinks that record what they receive, datagrams.
#pragma once

#include "support/datagrams.hpp"
#include "support/validated.hpp"

#include <sluice/delivery/registry.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/pipeline/validate.hpp>
#include <sluice/testing/fixed_seed.hpp>

#include <utility>

namespace delivery_test {

using namespace sluice;
using namespace sluice::literals;

using pool_type = fixed_pool<512, 16>;
using packet = pool_type::packet_type;
struct endpoints : registered_endpoints<4, 8>::model<packet> {
    endpoints() : model(testing::fixed_seed) {}
};

// Takes packets until it has `room` of them; keeps the last and counts.
struct sink final : packet_sink<packet> {
    explicit sink(int places = 1000) : room(places) {}

    bool take(packet& p, const delivery_info& info) noexcept override {
        if (taken == room) return false;
        ++taken;
        last = std::move(p);
        reported = info;
        return true;
    }
    void error(const icmp_error_notice& n) noexcept override {
        ++errors;
        notice = n;
    }

    int room;
    int taken = 0;
    int errors = 0;
    packet last;
    delivery_info reported{};
    icmp_error_notice notice{};
};

// UDP from 10.0.1.2 port 1234 to 10.0.1.1 port 7000, by interface 2.
inline constexpr delivery_info heard{.source = "10.0.1.2"_ip,
                                     .destination = "10.0.1.1"_ip,
                                     .local = "10.0.1.1"_ip,
                                     .interface = 2,
                                     .source_port = 1234,
                                     .destination_port = 7000,
                                     .protocol = ipv4::protocols::udp};

inline unsummed_datagram<packet> datagram_from(pool_type& pool) {
    auto checked = support::validated(support::packet_of(pool, support::datagram_of({})));
    return std::move(checked).value();
}

}  // namespace delivery_test
