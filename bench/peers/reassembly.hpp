// reassembly: runs the cells of reassembly.
#pragma once

#include "contender.hpp"
#include "turns.hpp"

#include <functional>

namespace peers {

// Calls print for each cell whose name `wants` accepts. False: sides do not start, or disagree.
bool reassembly(
    const std::vector<module>& modules, const effort& work,
    const std::function<bool(const std::string& cell)>& wants,
    const std::function<void(const std::string& cell, const std::vector<contender>&)>& print);

}  // namespace peers
