// A stack under test with two links: 10.0.1.1/24 on interface 2, 10.0.2.1/24 on 3; what it sends is
// taken as octets, and at the end its sums are checked: one fate a packet, each buffer back once.
#pragma once

#include <doctest/doctest.h>

#include <sluice/sluice.hpp>

#include "support/fixed_stack.hpp"
#include "support/packet_checks.hpp"

#include <memory>
#include <vector>

namespace stack_test {

using namespace sluice;
using namespace sluice::literals;
using support::check;
using support::datagram_of;
using support::list;
using support::octets;
using support::pattern;

struct small_router
    : policies<based_on<linux_router>, buffers<fixed_pool<2048, 64>>, output<queue_output<64>>> {};

struct sent_packet {
    octets datagram;
    egress to;
};

template <class Policies = small_router>
class bench {
public:
    using stack_type = stack<Policies>;
    using packet_type = typename stack_type::packet_type;

    bench();
    bench(const bench&) = delete;
    bench& operator=(const bench&) = delete;
    ~bench();

    [[nodiscard]] stack_type& operator*();
    [[nodiscard]] stack_type* operator->();

    [[nodiscard]] packet_type packet(const octets& d, u16 interface = 2,
                                     sluice::packet_type seen_as = sluice::packet_type::host);
    fate receive(const octets& d, u16 interface = 2,
                 sluice::packet_type seen_as = sluice::packet_type::host);
    // Everything that was sent since the last call.
    [[nodiscard]] std::vector<sent_packet> sent();
    // The one datagram that was sent.
    [[nodiscard]] octets sent_one();
    [[nodiscard]] bool is_quiet();

    moment now{instant{} + 1000_s, 43'200'000};

private:
    std::unique_ptr<stack_type> stack_;
    std::size_t total_;
};

template <class Policies>
bench<Policies>::bench()
    : stack_(support::fixed_stack<stack_type>()), total_(stack_->buffers().available()) {
    REQUIRE(stack_->add_interface({.index = 2, .address = "10.0.1.1/24"_net}).has_value());
    REQUIRE(stack_->add_interface({.index = 3, .address = "10.0.2.1/24"_net}).has_value());
}
template <class Policies>
bench<Policies>::~bench() {
    const auto& c = stack_->counters();
    CHECK(c[balance::received] + c[balance::originated] + c[balance::copied] ==
          c[balance::delivered] + c[balance::transmitted] + c[balance::absorbed] + c.drops() +
              stack_->held());
    static_cast<void>(sent());
    CHECK(stack_->buffers().available() + stack_->held() == total_);
}
template <class Policies>
typename bench<Policies>::stack_type& bench<Policies>::operator*() {
    return *stack_;
}
template <class Policies>
typename bench<Policies>::stack_type* bench<Policies>::operator->() {
    return stack_.get();
}
template <class Policies>
typename bench<Policies>::packet_type bench<Policies>::packet(const octets& d, u16 interface,
                                                              sluice::packet_type seen_as) {
    return support::packet_of(stack_->buffers(), d, interface, seen_as);
}
template <class Policies>
fate bench<Policies>::receive(const octets& d, u16 interface, sluice::packet_type seen_as) {
    return stack_->receive(packet(d, interface, seen_as), now);
}
template <class Policies>
std::vector<sent_packet> bench<Policies>::sent() {
    std::vector<sent_packet> all;
    while (stack_->output().size() > 0) {
        auto item = stack_->output().next();
        all.push_back({support::content_of(item.packet), item.to});
    }
    return all;
}
template <class Policies>
octets bench<Policies>::sent_one() {
    const auto all = sent();
    CHECK(all.size() == 1);
    return all.size() == 1 ? all[0].datagram : octets(20);
}
template <class Policies>
bool bench<Policies>::is_quiet() {
    return sent().empty();
}

// bench.cpp compiles these, once for a program of tests.
extern template class bench<small_router>;

}  // namespace stack_test

extern template class sluice::stack<stack_test::small_router>;
