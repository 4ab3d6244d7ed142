// given_table<N>: an lpm_table with the memory for N routes beside it, for tests that make a table
// of any kind by its default constructor.
#pragma once

#include <sluice/route/lpm_table.hpp>

#include <cstddef>

namespace support {

template <std::size_t N>
struct route_memory {
    std::byte octets[sluice::lpm_table::memory_for(N)]{};
};

template <std::size_t N>
struct given_table : private route_memory<N>, sluice::lpm_table {
    static constexpr std::size_t memory_limit =
        sizeof(route_memory<N>) + sizeof(sluice::lpm_table) + alignof(sluice::lpm_table);
    given_table() noexcept : lpm_table{route_memory<N>::octets} {}
};

}  // namespace support
