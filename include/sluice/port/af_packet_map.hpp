// The memory that an AF_PACKET ring shares with the kernel, and the word that states the owner of
// each frame or block.
//
// It maps the memory once and unmaps it at its end. The owner's word is loaded before the memory
// that it covers, and stored after it.
//
// Expects: a packet socket whose ring is set up.
// Source:  Linux Documentation/networking/packet_mmap.rst.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/port/af_packet_abi.hpp>

#include <cstddef>
#include <utility>

#include <sys/mman.h>

namespace sluice::port::af_packet {

class ring_memory {
public:
    ring_memory() noexcept = default;
    ring_memory(int fd, std::size_t size) noexcept : size_{size} {
        void* const at =
            ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
        data_ = at == MAP_FAILED ? nullptr : static_cast<std::byte*>(at);
    }
    ring_memory(ring_memory&& other) noexcept
        : data_{std::exchange(other.data_, nullptr)}, size_{other.size_} {}
    ring_memory& operator=(ring_memory&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~ring_memory() {
        if (data_ != nullptr) {
            ::munmap(data_, size_);
        }
    }

    [[nodiscard]] explicit operator bool() const noexcept { return data_ != nullptr; }
    [[nodiscard]] std::byte* at(std::size_t offset) const noexcept { return data_ + offset; }

private:
    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

// Bytes of a frame's header in the ring; the sender's address follows.
template <class Header>
inline constexpr std::size_t aligned_size =
    (sizeof(Header) + abi::alignment - 1) / abi::alignment * abi::alignment;

[[nodiscard]] inline u32 load_owner(const u32& word) noexcept {
    return __atomic_load_n(&word, __ATOMIC_ACQUIRE);
}
inline void store_owner(u32& word, u32 value) noexcept {
    __atomic_store_n(&word, value, __ATOMIC_RELEASE);
}

}  // namespace sluice::port::af_packet
