// zero_pages: zeroed memory from the system, for tables that use memory of the caller.
//
//     port::zero_pages memory{lpm_table::memory_for(1'000'000)};
//     stack<router> s{{.seed = seed, .routes = memory.all()}};
//
// The system provides a page when it is first written: unused room costs nothing.
//
// Expects: it outlives the table.
// Errors:  all() is empty when the system has no memory.
// Cost:    one mmap(2); a page fault for each page that is written.
// Source:  mmap(2), MAP_NORESERVE.
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include <sys/mman.h>

namespace sluice::port {

class zero_pages {
public:
    zero_pages() noexcept = default;
    explicit zero_pages(std::size_t size) noexcept {
        void* const got = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (got != MAP_FAILED) {
            bytes_ = {static_cast<std::byte*>(got), size};
        }
    }
    zero_pages(zero_pages&& other) noexcept : bytes_{std::exchange(other.bytes_, {})} {}
    zero_pages& operator=(zero_pages&& other) noexcept {
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~zero_pages() {
        if (!bytes_.empty()) {
            ::munmap(bytes_.data(), bytes_.size());
        }
    }
    [[nodiscard]] std::span<std::byte> all() const noexcept { return bytes_; }

private:
    std::span<std::byte> bytes_;
};

}  // namespace sluice::port
