// flaky_pool<Bytes, Count>: a fixed pool whose takes fail when told, as the source of a stack.
// Expects: nothing. Does: fails the n-th take from a call of fail() on, one or all; says how many
// blocks are in the pool, so that a test can see that each came back. Never: fails by itself.
#pragma once

#include <sluice/packet/pool_storage.hpp>
#include <sluice/testing/fault.hpp>

#include <cstddef>

template <std::size_t Bytes, std::size_t Count>
class flaky_pool {
    using pool = sluice::fixed_pool<Bytes, Count>;

public:
    using packet_type = typename pool::packet_type;
    static constexpr std::size_t memory_limit = pool::memory_limit;
    static constexpr sluice::u32 block_capacity = pool::block_capacity;
    static constexpr std::size_t count = Count;

    [[nodiscard]] constexpr packet_type
    take(sluice::u16 headroom = sluice::default_headroom) noexcept {
        return plan_.next() ? packet_type{} : pool_.take(headroom);
    }
    constexpr void fail(sluice::testing::failure_plan plan) noexcept { plan_ = plan; }
    [[nodiscard]] constexpr std::size_t available() const noexcept { return pool_.available(); }

private:
    pool pool_{};
    sluice::testing::failure_plan plan_{};
};
