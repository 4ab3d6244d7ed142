// map_pool<Map>: memory for the maps of datagrams with many pieces.
//
// Expects: maps in an array that does not move, in their default state.
// Never:   allocates.
// Cost:    O(1), and clearing a map that was used before.
#pragma once

#include <sluice/base/integer.hpp>

#include <cstddef>
#include <utility>

namespace sluice::detail {

template <class Map>
class map_pool {
public:
    // Maps for a number of pieces: a datagram has one while it has more than the most without.
    [[nodiscard]] static constexpr std::size_t maps_for(std::size_t pieces) noexcept {
        return pieces / (Map::most_without + 1);
    }

    constexpr map_pool(Map* maps, u32 count) noexcept : fresh_(maps), fresh_count_(count) {}

    // Precondition: a datagram of more pieces than the most without, which has no map yet.
    [[nodiscard]] constexpr Map& take() noexcept {
        if (free_ == nullptr) {
            --fresh_count_;
            return *fresh_++;
        }
        Map& m = *std::exchange(free_, free_->next);
        m.clear();
        return m;
    }
    constexpr void give(Map& m) noexcept { m.next = std::exchange(free_, &m); }

private:
    Map* free_ = nullptr;
    Map* fresh_;
    u32 fresh_count_;
};

}  // namespace sluice::detail
