// varied_buffers: a source of packets whose buffers have the capacities that the caller asks for.
// It counts buffers and bytes that are out, so a test need not trust the holder of its packets.
//
// Expects: it outlives its packets.
// Cost:    an allocation for each packet.
#pragma once

#include <sluice/packet/external_storage.hpp>

#include <cstddef>
#include <new>

namespace fuzz {

template <std::size_t Count>
class varied_buffers final : sluice::external_storage::recycler {
    using block = sluice::external_storage::block;
    static_assert(alignof(block) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);

public:
    using packet_type = sluice::basic_packet<sluice::external_storage, sluice::unique>;

    varied_buffers() = default;
    varied_buffers(const varied_buffers&) = delete;
    varied_buffers& operator=(const varied_buffers&) = delete;

    // The capacity of the next packets.
    void set_capacity(sluice::u32 capacity) { capacity_ = capacity; }
    // Empty: all buffers are out.
    [[nodiscard]] packet_type take(sluice::u16 headroom) {
        if (out_ == Count) return {};
        auto* const room = new std::byte[sizeof(block) + capacity_];
        block* const made = new (room) block;
        made->bytes = room + sizeof(block);
        made->size = capacity_;
        made->owner = this;
        ++out_;
        bytes_out_ += capacity_;
        return packet_type::adopt(made, headroom, 0);
    }
    [[nodiscard]] std::size_t available() const { return Count - out_; }
    [[nodiscard]] sluice::u64 bytes_out() const { return bytes_out_; }

private:
    void recycle(block& b) noexcept override {
        --out_;
        bytes_out_ -= b.size;
        b.~block();
        delete[] reinterpret_cast<std::byte*>(&b);
    }
    [[nodiscard]] block* another() noexcept override { return nullptr; }
    [[nodiscard]] bool may_wait(sluice::u32 margins) const noexcept override {
        return available() >= margins * sluice::margin_of(Count);
    }

    std::size_t out_ = 0;
    sluice::u64 bytes_out_ = 0;
    sluice::u32 capacity_ = 512;
};

}  // namespace fuzz
