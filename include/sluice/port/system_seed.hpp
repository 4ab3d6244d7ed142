// system_seed: returns a stack's secret seed from the system's random source.
//
// Expects: Linux, or another system with getrandom.
// Errors:  the system's reason, if it has no random numbers; there is no constant to fall back on.
// Cost:    one system call; early at boot it waits until the system has gathered enough entropy.
#pragma once

#include <sluice/base/result.hpp>
#include <sluice/base/siphash.hpp>
#include <sluice/port/error.hpp>

#include <cerrno>

#include <sys/random.h>

namespace sluice::port {

[[nodiscard]] inline result<hash_key, port_error> system_seed() noexcept {
    constexpr int most_interruptions = 100;
    u64 halves[2];
    for (int i = 0; i < most_interruptions; ++i) {
        // Linux returns up to 256 bytes whole or not at all.
        if (::getrandom(halves, sizeof halves, 0) == sizeof halves) {
            return hash_key{halves[0], halves[1]};
        }
        if (errno != EINTR) {
            break;
        }
    }
    return failure{port_error::last("read", "the system's random source",
                                    "a stack needs a secret seed; give it one of your own")};
}

}  // namespace sluice::port
