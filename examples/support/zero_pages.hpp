// zero_pages: memory of zeros from the system, which takes up none until it is written.
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include <sys/mman.h>

namespace router {

class zero_pages {
public:
    zero_pages() = default;
    // Empty if the system has none.
    explicit zero_pages(std::size_t size) noexcept {
        void* const got = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (got != MAP_FAILED) {
            octets_ = {static_cast<std::byte*>(got), size};
        }
    }
    zero_pages(zero_pages&& other) noexcept : octets_{std::exchange(other.octets_, {})} {}
    zero_pages& operator=(zero_pages&& other) noexcept {
        std::swap(octets_, other.octets_);
        return *this;
    }
    ~zero_pages() {
        if (!octets_.empty()) {
            ::munmap(octets_.data(), octets_.size());
        }
    }
    [[nodiscard]] std::span<std::byte> all() const noexcept { return octets_; }

private:
    std::span<std::byte> octets_;
};

}  // namespace router
