// memory_network: two hosts and the router between them, on wires in memory, in virtual time.
//
//   left 192.0.2.2 --- 192.0.2.1 router 198.51.100.1 --- 198.51.100.2 right (MTU 1400)
//
// Each wire delays packets by a millisecond; they move in order of arrival. The seed is a constant
// of tests, so that each run repeats the one before. It needs no operating system.
//
// Cost: run(2_s) takes microseconds.
#pragma once

#include <sluice/output/by_interface.hpp>
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>
#include <sluice/testing/run.hpp>

namespace examples {

using namespace sluice::literals;

inline constexpr auto left_address = "192.0.2.2"_ip;
inline constexpr auto right_address = "198.51.100.2"_ip;
inline constexpr auto router_address = "192.0.2.1"_ip;
inline constexpr sluice::u16 first_interface = 2;  // of each stack; 1 is lo

// Shared packets, so that a raw endpoint holds a large datagram without a copy.
using pool = sluice::fixed_pool<2048, 2048, sluice::shared>;
using packet = pool::packet_type;
using wire = sluice::testing::wire<pool, 512>;
using wire_end = sluice::testing::wire_end;
using wire_output = sluice::testing::wire_output<wire>;

struct host : sluice::policies<sluice::buffers<pool>, sluice::output<wire_output>> {};

struct router : sluice::policies<sluice::based_on<sluice::linux_router>, sluice::buffers<pool>,
                                 sluice::output<sluice::by_interface<wire_output>>> {};

class memory_network {
    pool on_the_way_;

public:
    wire left_wire{on_the_way_, {.latency = 1_ms}};
    wire right_wire{on_the_way_, {.latency = 1_ms, .mtu = 1400}};
    sluice::stack<host> left{host_parts(left_wire, wire_end::left)};
    sluice::stack<router> middle{router_parts()};
    sluice::stack<host> right{host_parts(right_wire, wire_end::right)};
    bool router_runs = true;

    // False: an address or a route was refused.
    [[nodiscard]] bool configure() {
        return left.add_interface({.index = first_interface, .address = "192.0.2.2/24"_net}) &&
               left.add_route({.gateway = "192.0.2.1"_ip}) &&
               right.add_interface(
                   {.index = first_interface, .address = "198.51.100.2/24"_net, .mtu = 1400}) &&
               right.add_route({.gateway = "198.51.100.1"_ip}) &&
               middle.output().add(first_interface, {left_wire, wire_end::right}) &&
               middle.output().add(first_interface + 1, {right_wire, wire_end::left}) &&
               middle.add_interface({.index = first_interface, .address = "192.0.2.1/24"_net}) &&
               middle.add_interface(
                   {.index = first_interface + 1, .address = "198.51.100.1/24"_net, .mtu = 1400});
    }

    [[nodiscard]] sluice::moment now() const { return clock_.now(); }

    // Lets time pass and receives the packets that arrive meanwhile.
    void run(sluice::duration time) {
        using sluice::testing::plug;
        sluice::testing::run_until(
            clock_, now().now + time, plug{left_wire, wire_end::left, left, first_interface},
            plug{left_wire, wire_end::right, middle, first_interface, router_runs},
            plug{right_wire, wire_end::left, middle, first_interface + 1, router_runs},
            plug{right_wire, wire_end::right, right, first_interface});
    }

    // Whether every buffer is back in its pool.
    [[nodiscard]] bool all_buffers_back() {
        for (pool* p : {&on_the_way_, &left.buffers(), &middle.buffers(), &right.buffers()}) {
            if (p->available() != 2048) {
                return false;
            }
        }
        return true;
    }

private:
    static sluice::stack<host>::parts host_parts(wire& to, wire_end end) {
        return {.output = {to, end}, .seed = sluice::testing::fixed_seed};
    }
    static sluice::stack<router>::parts router_parts() {
        return {.seed = sluice::testing::fixed_seed};
    }

    sluice::testing::manual_clock clock_;
};

}  // namespace examples
