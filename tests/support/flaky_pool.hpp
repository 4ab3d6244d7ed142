// flaky_pool<Bytes, Count, Pool>: a pool whose takes fail on command, as the buffer source of a
// stack.
//
// After fail(), the n-th take fails, one or all. available() is the number of blocks in the pool,
// so that a test sees that each came back.
//
// Expects: a Pool with available().
// Never:   fails without a call of fail().
#pragma once

#include <sluice/packet/pool_storage.hpp>
#include <sluice/testing/fault.hpp>

#include <cstddef>

template <std::size_t Bytes, std::size_t Count, class Pool = sluice::fixed_pool<Bytes, Count>>
class flaky_pool {
public:
    using packet_type = typename Pool::packet_type;
    static constexpr std::size_t memory_limit = Pool::memory_limit;
    static constexpr sluice::u32 block_capacity = Pool::block_capacity;
    static constexpr std::size_t count = Count;

    [[nodiscard]] constexpr packet_type
    take(sluice::u16 headroom = sluice::default_headroom) noexcept {
        return plan_.next() ? packet_type{} : pool_.take(headroom);
    }
    // For an exact_source: a packet with these bytes and no room.
    [[nodiscard]] packet_type hold(sluice::const_bytes data) noexcept {
        return plan_.next() ? packet_type{} : pool_.hold(data);
    }
    constexpr void fail(sluice::testing::failure_plan plan) noexcept { plan_ = plan; }
    [[nodiscard]] constexpr std::size_t available() const noexcept { return pool_.available(); }

private:
    Pool pool_{};
    sluice::testing::failure_plan plan_{};
};
