// dpdk_module: makes the contenders of DPDK's side.
#pragma once

#include "contender.hpp"

namespace peers {

// Starts DPDK once; false, and a line on the standard error, if it does not start.
bool start_dpdk();

std::unique_ptr<cutter> make_dpdk_cutter();
std::unique_ptr<reassembler> make_dpdk_reassembler();

}  // namespace peers
