// zeros: memory of zeros from the system, as pages that nobody has touched, for tables that take
// memory.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <span>

namespace support {

struct zeros {
    explicit zeros(std::size_t n) : size{n}, octets{static_cast<std::byte*>(std::calloc(n, 1))} {}
    ~zeros() { std::free(octets); }
    zeros(const zeros&) = delete;
    zeros& operator=(const zeros&) = delete;
    [[nodiscard]] std::span<std::byte> all() const { return {octets, size}; }
    std::size_t size;
    std::byte* octets;
};

}  // namespace support
