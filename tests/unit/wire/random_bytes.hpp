// Bytes from a seed, the same on every machine, for the random tests of this folder.
#pragma once

#include <sluice/base/integer.hpp>

#include <cstddef>
#include <vector>

namespace wire_test {

class random_bytes {
public:
    explicit random_bytes(sluice::u64 seed) : state_{seed * 2 + 1} {}

    sluice::u64 next() {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 7;
        state_ ^= state_ << 17;
        return state_ * 0x2545f4914f6cdd1d;
    }

    // From 0 to `limit - 1`.
    std::size_t below(std::size_t limit) { return static_cast<std::size_t>(next() >> 20) % limit; }

    std::vector<std::byte> make(std::size_t count) {
        std::vector<std::byte> made(count);
        for (auto& one : made)
            one = static_cast<std::byte>(next() >> 56);
        return made;
    }

private:
    sluice::u64 state_;
};

}  // namespace wire_test
