// given_table<N>, given_direct<N>: an lpm_table and a direct_table with memory for N routes in the
// same object, for tests that default-construct a table of any kind.
#pragma once

#include <sluice/route/direct_table.hpp>
#include <sluice/route/lpm_table.hpp>

#include <cstddef>

#include "support/zeros.hpp"

namespace support {

template <std::size_t N>
struct route_memory {
    std::byte memory[sluice::lpm_table::memory_for(N)]{};
};

template <std::size_t N>
struct given_table : private route_memory<N>, sluice::lpm_table {
    static constexpr std::size_t memory_limit =
        sizeof(route_memory<N>) + sizeof(sluice::lpm_table) + alignof(sluice::lpm_table);
    given_table() noexcept : lpm_table{route_memory<N>::memory} {}
};

// With room for a hop and a group for each route.
template <std::size_t N>
struct given_direct : private zeros, sluice::direct_table {
    static constexpr sluice::direct_limits limits{.routes = N, .hops = N, .groups = N};
    static constexpr std::size_t memory_limit =
        memory_for(limits) + sizeof(zeros) + sluice::direct_table::memory_limit;
    given_direct() : zeros{memory_for(limits)}, direct_table{{all(), limits}} {}
};

}  // namespace support
