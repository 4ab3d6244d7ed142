// close_memory, open_memory: mark bytes as forbidden to the address sanitizer, and allow them
// again.
//
// In a build with the sanitizer (poisons_memory), reading or writing a closed byte ends the program
// with a report. The sanitizer sees the end of a closed range exactly, and its begin only at a
// multiple of 8 bytes.
//
// Expects: memory that stays in place and is opened before it is used for anything else.
// Cost:    none in other builds and in constant evaluation, where both functions do nothing.
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
