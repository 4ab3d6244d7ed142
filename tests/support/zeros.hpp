// zeros: zeroed memory from the system, in untouched pages, for tables that take memory.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <span>

namespace support {

struct zeros {
    explicit zeros(std::size_t n) : size{n}, start{static_cast<std::byte*>(std::calloc(n, 1))} {}
    ~zeros() { std::free(start); }
    zeros(const zeros&) = delete;
    zeros& operator=(const zeros&) = delete;
    [[nodiscard]] std::span<std::byte> all() const { return {start, size}; }
    std::size_t size;
    std::byte* start;
};

}  // namespace support
