// Writes a kernel's results in the form of a vector. Masks hide the fields that the kernel draws
// (the identifications of its own datagrams, and the checksums over them) and its timestamps. The
// same plan runs twice: any other difference makes the round unsteady.
#pragma once

#include "differential_kernel.hpp"

namespace replay {

struct clock_window {
    std::uint32_t first = 0;  // milliseconds since midnight
    std::uint32_t last = 0;
};

struct kernel_results {
    std::vector<std::vector<std::string>> lines;  // one list an event
    std::string unsteady;                         // the difference; empty: none
};

[[nodiscard]] kernel_results results_of(const scenario& about, const kernel_run& a,
                                        const kernel_run& b, const clock_window& clock);

}  // namespace replay
