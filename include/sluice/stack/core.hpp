// core<P>: the state of one stack, in parts. The acts, the functions of this folder, work on it.
//
// One core is one network namespace: nothing is global. Programs use stack (stack.hpp); only acts
// and their tests access a core.
//
// Expects: policies and a seed.
// Cost:    the sizes of the policies.
#pragma once

#include <sluice/base/random.hpp>
#include <sluice/stack/books.hpp>
#include <sluice/stack/gates.hpp>
#include <sluice/stack/policies.hpp>
#include <sluice/stack/tables.hpp>
#include <sluice/stack/work.hpp>

#include <utility>

namespace sluice {

namespace detail {

template <class Policies>
constexpr hash_key missing_seed() noexcept {
    static_assert(!std::is_same_v<Policies, Policies>,
                  "sluice: stack<P>: the parts name no .seed: take port::system_seed(), or "
                  "testing::fixed_seed in a test");
    return {0, 0};
}

}  // namespace detail

// The source of packets and the output.
template <class Chosen>
struct stack_device {
    using output_type = typename Chosen::output::template model<typename Chosen::packet>;

    typename Chosen::buffers buffers{};
    output_type output;
};

// The parts for datagrams of this host.
template <class Chosen>
struct stack_local {
    using delivery_type = typename Chosen::delivery::template model<typename Chosen::packet>;
    using reassembly_type = typename Chosen::reassembly::template model<typename Chosen::packet>;

    using reassembly_parts = typename detail::reassembly_parts<reassembly_type>::type;

    constexpr stack_local(hash_key seed, const detail::reassembly_has_no_parts&) noexcept
        : stack_local(seed) {}
    // `parts`: of the reassembly model, if it has some.
    template <class... Parts>
    constexpr explicit stack_local(hash_key seed, const Parts&... parts) noexcept
        : icmp_limits(derive(seed, 1)), identification(derive(seed, 2)),
          reassembly(derive(seed, 3), parts...) {}
    // For a delivery policy with a secret of its own.
    template <class... Parts>
        requires std::is_constructible_v<delivery_type, hash_key>
    constexpr explicit stack_local(hash_key seed, const Parts&... parts) noexcept
        : delivery(derive(seed, 6)), icmp_limits(derive(seed, 1)), identification(derive(seed, 2)),
          reassembly(derive(seed, 3), parts...) {}

    [[no_unique_address]] delivery_type delivery{};
    [[no_unique_address]] typename Chosen::icmp icmp_limits;
    [[no_unique_address]] typename Chosen::identification identification;
    [[no_unique_address]] reassembly_type reassembly;
};

// The packets of the current batch that reassembly may fetch for: behind those that it did fetch
// for, and behind the first.
template <class Packet>
struct batch_ahead {
    const Packet* next = nullptr;
    const Packet* end = nullptr;
};
struct no_batch {};

template <class P>
struct core {
    using chosen = detail::resolved<P>;
    using packet_type = typename chosen::packet;
    using tables_type = stack_tables<chosen>;
    using device_type = stack_device<chosen>;
    using local_type = stack_local<chosen>;
    using gates_type = stack_gates<typename chosen::hooks::template model<packet_type>,
                                   typename chosen::security::template model<packet_type>>;
    using multicast_type = typename chosen::multicast_routes::template model<packet_type>;
    using books_type = stack_books<typename chosen::stats, typename chosen::observer>;
    static constexpr bool fetches_ahead = fetches_fragments<typename local_type::reassembly_type>;

    // The constructor's arguments. The seed is a secret from the owner's random source, never a
    // constant.
    struct parts {
        typename device_type::output_type output{};
        hash_key seed = detail::missing_seed<P>();
        settings switches = P::initial_settings();
        // The `parts` of the route policy (route/concept.hpp); empty if it has none.
        [[no_unique_address]] typename tables_type::from_routes::type routes{};
        // The `parts` of the reassembly model (reassembly/concept.hpp); empty if it has none.
        [[no_unique_address]] typename local_type::reassembly_parts reassembly{};
    };

    constexpr explicit core(parts&& p) noexcept
        : device{{}, std::move(p.output)}, tables{p.switches, p.routes, derive(p.seed, 4)},
          local{p.seed, p.reassembly}, multicast{derive(p.seed, 7)}, random{derive(p.seed, 5)} {}

    // Packets held in the parts below return their buffers before the source is destroyed.
    device_type device;
    tables_type tables;
    local_type local;
    [[no_unique_address]] gates_type gates{};
    [[no_unique_address]] multicast_type multicast;
    books_type books{};
    bounded_packet_queue<work_item<packet_type>, work_queue_size> later{};
    call_state calls{};
    [[no_unique_address]] std::conditional_t<fetches_ahead, batch_ahead<packet_type>, no_batch>
        ahead{};
    keyed_random random;
};

}  // namespace sluice
