// close_memory and open_memory: tell the address sanitizer which bytes nobody may touch now.
// Expects: memory that stays where it is, opened again before it is used for anything else. Does:
// closed bytes that are read or written end the program with a report, where it is built with the
// sanitizer (poisons_memory). Never: anything in other builds and in constant evaluation. Cost:
// nothing there. The sanitizer sees the end of a closed range to the byte, and its begin where
// that is a multiple of 8.
#pragma once

#include <cstddef>
#include <type_traits>

#if defined(__SANITIZE_ADDRESS__)
#define SLUICE_POISONS_MEMORY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLUICE_POISONS_MEMORY 1
#endif
#endif

#ifdef SLUICE_POISONS_MEMORY
#include <sanitizer/asan_interface.h>
#endif

namespace sluice {

#ifdef SLUICE_POISONS_MEMORY
inline constexpr bool poisons_memory = true;

constexpr void close_memory(const std::byte* at, std::size_t count) noexcept {
    if (!std::is_constant_evaluated()) {
        __asan_poison_memory_region(at, count);
    }
}
constexpr void open_memory(const std::byte* at, std::size_t count) noexcept {
    if (!std::is_constant_evaluated()) {
        __asan_unpoison_memory_region(at, count);
    }
}
#else
inline constexpr bool poisons_memory = false;

constexpr void close_memory(const std::byte*, std::size_t) noexcept {}
constexpr void open_memory(const std::byte*, std::size_t) noexcept {}
#endif

}  // namespace sluice
