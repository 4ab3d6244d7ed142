// Counts each allocation of the program.
#include "allocations/counted.hpp"

#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

sluice::u64 count = 0;

[[gnu::noinline]] void* allocate(std::size_t size, std::align_val_t alignment = std::align_val_t{
                                                       alignof(std::max_align_t)}) noexcept {
    ++count;
    const auto unit = static_cast<std::size_t>(alignment);
    const std::size_t units = size / unit + 1;
    void* const p = std::aligned_alloc(unit, units * unit);
    if (p == nullptr) {
        std::abort();
    }
    return p;
}
[[gnu::noinline]] void release(void* p) noexcept {
    std::free(p);
}

}  // namespace

sluice::u64 allocation_test::allocations() noexcept {
    return count;
}

// All forms: the sanitizers have their own for those that a program does not replace.
void* operator new(std::size_t size) {
    return allocate(size);
}
void* operator new[](std::size_t size) {
    return allocate(size);
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return allocate(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
    return allocate(size);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return allocate(size, alignment);
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
    return allocate(size, alignment);
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    return allocate(size, alignment);
}
void* operator new[](std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    return allocate(size, alignment);
}
void operator delete(void* p) noexcept {
    release(p);
}
void operator delete[](void* p) noexcept {
    release(p);
}
void operator delete(void* p, std::size_t) noexcept {
    release(p);
}
void operator delete[](void* p, std::size_t) noexcept {
    release(p);
}
void operator delete(void* p, std::align_val_t) noexcept {
    release(p);
}
void operator delete[](void* p, std::align_val_t) noexcept {
    release(p);
}
void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
    release(p);
}
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept {
    release(p);
}
void operator delete(void* p, const std::nothrow_t&) noexcept {
    release(p);
}
void operator delete[](void* p, const std::nothrow_t&) noexcept {
    release(p);
}
void operator delete(void* p, std::align_val_t, const std::nothrow_t&) noexcept {
    release(p);
}
void operator delete[](void* p, std::align_val_t, const std::nothrow_t&) noexcept {
    release(p);
}
