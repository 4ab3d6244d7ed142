// complain: prints why the system refused something, and gives the exit code for it.
#pragma once

#include <sluice/port/error.hpp>

#include <cstdio>

namespace examples {

inline int complain(const char* program, const sluice::port::port_error& e) {
    std::fprintf(stderr, "%s: %s\n", program, message(e).c_str());
    return 1;
}

}  // namespace examples
