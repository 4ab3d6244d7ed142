// Shared by the tests of acts: a small core with lo and two links (10.0.1.1/24 on interface 2,
// 10.0.2.1/24 on 3), received and sent packets as bytes, and a snapshot of everything that an act
// may leave unchanged.
#pragma once

#include <doctest/doctest.h>

#include <sluice/hooks/hook_chain.hpp>
#include <sluice/pipeline/validate.hpp>
#include <sluice/stack/administration.hpp>
#include <sluice/stack/core.hpp>
#include <sluice/stack/presets.hpp>
#include <sluice/testing/fixed_seed.hpp>

#include "support/packet_checks.hpp"
#include "support/sent.hpp"
#include "support/validated.hpp"

#include <vector>

namespace acts_test {

using namespace sluice;
using namespace sluice::literals;
using support::byte_vector;
using support::check;
using support::content_of;
using support::datagram_of;
using support::list;
using support::pattern;

struct small
    : policies<based_on<linux_router>, buffers<fixed_pool<2048, 32>>, output<queue_output<16>>,
               hooks<hook_chain<4>>, reassembly<bounded_cache<8, overlap::reject_datagram, 32>>> {};
struct small_host : policies<based_on<small>> {
    [[nodiscard]] static constexpr settings initial_settings() noexcept { return {}; }
};
using packet = core<small>::packet_type;

template <class Core>
void furnish(Core& c) {
    acts::add_loopback(c.tables);
    REQUIRE(acts::add_interface(c.tables, {.index = 2, .address = "10.0.1.1/24"_net}).has_value());
    REQUIRE(acts::add_interface(c.tables, {.index = 3, .address = "10.0.2.1/24"_net}).has_value());
    c.calls.now = {instant{} + 1000_s, 43'200'000};
}

template <class Core>
typename Core::packet_type packet_of(Core& c, const byte_vector& d, u16 interface = 2) {
    return support::packet_of(c.device.buffers, d, interface);
}

template <class Core>
unsummed_datagram<typename Core::packet_type> sound(Core& c, const byte_vector& d,
                                                    u16 interface = 2) {
    auto made = support::validated(packet_of(c, d, interface));
    REQUIRE(made.has_value());
    return std::move(*made);
}

// Everything that was given to the output since the last call.
template <class Core>
std::vector<support::sent_packet> sent(Core& c) {
    return support::take_sent(c.device.output);
}

// The one packet that was sent.
template <class Core>
byte_vector sent_one(Core& c) {
    const auto all = sent(c);
    REQUIRE(all.size() == 1);
    return all[0].datagram;
}

// A snapshot before and after an act: route generation, queued work, sent packets, buffers,
// counters.
struct standing {
    u32 generation = 0;
    std::size_t waits = 0;
    std::size_t left = 0;
    std::size_t free = 0;
    u64 received = 0;
    u64 originated = 0;
    u64 delivered = 0;
    u64 drops = 0;

    friend bool operator==(const standing&, const standing&) = default;
};

template <class Core>
standing standing_of(const Core& c) {
    const auto& n = c.books.counters;
    return {c.tables.route_generation(), c.later.size(),
            c.device.output.size(),      c.device.buffers.available(),
            n[balance::received],        n[balance::originated],
            n[balance::delivered],       n.drops()};
}

// How many counters of two cores differ: of the MIBs, of drop reasons, of ICMP types.
template <class One, class Other>
unsigned different_counters(const One& one, const Other& other) {
    const auto& a = one.books.counters;
    const auto& b = other.books.counters;
    unsigned different = 0;
    for (std::size_t i = 0; i < mib_count; ++i)
        different += a[static_cast<mib>(i)] != b[static_cast<mib>(i)];
    for (std::size_t i = 0; i < drop_reason_count; ++i)
        different += a[static_cast<drop_reason>(i)] != b[static_cast<drop_reason>(i)];
    for (std::size_t i = 0; i < 256; ++i) {
        const auto type = static_cast<u8>(i);
        different += a.icmp_in_type(type) != b.icmp_in_type(type);
        different += a.icmp_out_type(type) != b.icmp_out_type(type);
    }
    return different;
}

}  // namespace acts_test
