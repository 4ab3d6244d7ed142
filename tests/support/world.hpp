// world: the fixture for tests of whole stacks.
//
// It holds a stack with links, 10.0.1.1/24 on interface 2 and 10.0.2.1/24 on 3, at a time that
// stands still. Tests pass it received packets and read the sent ones as bytes. Its destructor
// checks the sums: one fate for each packet, each buffer back once. Other worlds use other
// policies, options or parts; those with members of their own derive from world or hold one.
#pragma once

#include <doctest/doctest.h>

#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

#include "support/packet_checks.hpp"
#include "support/sent.hpp"

#include <memory>
#include <utility>
#include <vector>

namespace stack_test {

using namespace sluice;
using namespace sluice::literals;
using support::byte_vector;
using support::check;
using support::datagram_of;
using support::list;
using support::pattern;
using support::sent_packet;

struct small_router
    : policies<based_on<linux_router>, buffers<fixed_pool<2048, 64>>, output<queue_output<64>>> {};

inline constexpr ipv4::address gateway = "10.0.2.254"_ip;

struct world_options {
    struct link {
        u16 index;
        ipv4::interface_address address = {};
    };
    std::vector<link> links = {{.index = 2, .address = "10.0.1.1/24"_net},
                               {.index = 3, .address = "10.0.2.1/24"_net}};
    bool has_gateway = false;  // a default route by `gateway`
};

template <class Policies = small_router>
class world {
public:
    using stack_type = stack<Policies>;
    using packet_type = typename stack_type::packet_type;
    using parts_type = typename stack_type::parts;

    explicit world(const world_options& options = {},
                   parts_type parts = {.seed = sluice::testing::fixed_seed});
    world(const world&) = delete;
    world& operator=(const world&) = delete;
    ~world();

    [[nodiscard]] stack_type& operator*();
    [[nodiscard]] stack_type* operator->();
    [[nodiscard]] const stack_type& operator*() const;
    [[nodiscard]] const stack_type* operator->() const;

    [[nodiscard]] packet_type
    packet(const byte_vector& d, u16 interface = 2,
           sluice::link_addressing seen_as = sluice::link_addressing::host);
    fate receive(const byte_vector& d, u16 interface = 2,
                 sluice::link_addressing seen_as = sluice::link_addressing::host);
    // Receives a UDP datagram with its checksum.
    fate hear(u16 from, u16 to, const byte_vector& data, ipv4::address at = "10.0.1.1"_ip,
              ipv4::address source = "10.0.1.2"_ip, u16 interface = 2);
    // Receives an ICMP error about a datagram, to 10.0.2.1 on interface 3.
    fate error(u8 type, u8 code, u32 info, const byte_vector& quoted,
               ipv4::address offender = "10.0.2.77"_ip);

    // All packets sent since the last call.
    [[nodiscard]] std::vector<sent_packet> sent();
    // Their datagrams; all must have left by this interface.
    [[nodiscard]] std::vector<byte_vector> sent_by(u16 interface);
    // The only datagram sent.
    [[nodiscard]] byte_vector sent_one();
    [[nodiscard]] bool is_quiet();

    moment now{instant{} + 1000_s, 43'200'000};

private:
    std::unique_ptr<stack_type> stack_;
    std::size_t total_;
};

template <class Policies>
world<Policies>::world(const world_options& options, parts_type parts)
    : stack_(std::make_unique<stack_type>(std::move(parts))),
      total_(stack_->buffers().available()) {
    for (const world_options::link& l : options.links) {
        REQUIRE(stack_->add_interface({.index = l.index, .address = l.address}).has_value());
    }
    if (options.has_gateway) {
        REQUIRE(stack_->add_route({.prefix = "0.0.0.0/0"_prefix, .gateway = gateway}).has_value());
    }
}
template <class Policies>
world<Policies>::~world() {
    CHECK(support::balanced(*stack_));
    if constexpr (requires { stack_->output().next(); }) static_cast<void>(sent());
    CHECK(stack_->buffers().available() + stack_->held() == total_);
}
template <class Policies>
typename world<Policies>::stack_type& world<Policies>::operator*() {
    return *stack_;
}
template <class Policies>
typename world<Policies>::stack_type* world<Policies>::operator->() {
    return stack_.get();
}
template <class Policies>
const typename world<Policies>::stack_type& world<Policies>::operator*() const {
    return *stack_;
}
template <class Policies>
const typename world<Policies>::stack_type* world<Policies>::operator->() const {
    return stack_.get();
}
template <class Policies>
typename world<Policies>::packet_type world<Policies>::packet(const byte_vector& d, u16 interface,
                                                              sluice::link_addressing seen_as) {
    return support::packet_of(stack_->buffers(), d, interface, seen_as);
}
template <class Policies>
fate world<Policies>::receive(const byte_vector& d, u16 interface,
                              sluice::link_addressing seen_as) {
    return stack_->receive(packet(d, interface, seen_as), now);
}
template <class Policies>
fate world<Policies>::hear(u16 from, u16 to, const byte_vector& data, ipv4::address at,
                           ipv4::address source, u16 interface) {
    byte_vector message = support::udp_message(from, to, data);
    udp::set_checksum(source, at, message);
    return receive(datagram_of({.source = source,
                                .destination = at,
                                .protocol = ipv4::protocols::udp,
                                .payload = message}),
                   interface);
}
template <class Policies>
fate world<Policies>::error(u8 type, u8 code, u32 info, const byte_vector& quoted,
                            ipv4::address offender) {
    return receive(datagram_of({.source = offender,
                                .destination = "10.0.2.1"_ip,
                                .protocol = ipv4::protocols::icmp,
                                .payload = support::icmp_message(type, code, info, quoted)}),
                   3);
}
template <class Policies>
std::vector<sent_packet> world<Policies>::sent() {
    return support::take_sent(stack_->output());
}
template <class Policies>
std::vector<byte_vector> world<Policies>::sent_by(u16 interface) {
    std::vector<byte_vector> all;
    for (const sent_packet& s : sent()) {
        CHECK(s.to.interface == interface);
        all.push_back(s.datagram);
    }
    return all;
}
template <class Policies>
byte_vector world<Policies>::sent_one() {
    const auto all = sent();
    CHECK(all.size() == 1);
    return all.size() == 1 ? all[0].datagram : byte_vector(20);
}
template <class Policies>
bool world<Policies>::is_quiet() {
    return sent().empty();
}

// world.cpp compiles these once for a test program.
extern template class world<small_router>;

}  // namespace stack_test

extern template class sluice::stack<stack_test::small_router>;
