// exact_source<Bytes, Count, Ownership>: packets whose heap memory ends with their last byte, for
// fuzzing and testing code that reads packets.
//
// The address sanitizer then ends the program at the first access behind a packet or in front of
// it. hold() makes such packets. take() makes empty ones with room for `Bytes`, as heap_source
// does, so that a whole stack can use it as its source.
//
// Expects: it outlives its packets.
// Never:   has more than Count packets out at a time; reuses memory.
// Cost:    two allocations per packet.
#pragma once

#include <sluice/base/poison.hpp>
#include <sluice/packet/external_storage.hpp>
#include <sluice/packet/packet_buffer.hpp>

#include <cstddef>
#include <memory>
#include <new>

namespace sluice::testing {

template <std::size_t Bytes, std::size_t Count, class Ownership = unique>
class exact_source final : external_storage::recycler {
public:
    using packet_type = basic_packet<external_storage, Ownership>;
    static constexpr std::size_t memory_limit = (Bytes + sizeof(external_storage::block)) * Count;
    static constexpr u32 block_capacity = Bytes;

    exact_source() noexcept = default;
    exact_source(const exact_source&) = delete;
    exact_source& operator=(const exact_source&) = delete;

    // A packet of these bytes with this headroom. Empty: Count packets are out, it would not fit
    // `Bytes`, or no memory is left.
    [[nodiscard]] packet_type hold(const_bytes from, u16 headroom = 0) noexcept {
        if (from.size() + headroom > Bytes) {
            return {};
        }
        packet_type p = packet_type::adopt(make(headroom + from.size()), headroom);
        if (p) {
            copy_bytes(p.put(static_cast<u32>(from.size())), from.data(), from.size());
        }
        return p;
    }
    [[nodiscard]] packet_type take(u16 headroom = default_headroom) noexcept {
        return headroom > Bytes ? packet_type{} : packet_type::adopt(another(), headroom);
    }
    [[nodiscard]] std::size_t available() const noexcept { return Count - taken_; }

private:
    struct cell : external_storage::block {
        std::unique_ptr<std::byte[]> room;
    };

    [[nodiscard]] external_storage::block* make(std::size_t capacity) noexcept {
        if (taken_ == Count) {
            return nullptr;
        }
        std::unique_ptr<cell> made{new (std::nothrow) cell};
        if (made == nullptr) {
            return nullptr;
        }
        made->room.reset(new (std::nothrow) std::byte[capacity]);
        if (made->room == nullptr) {
            return nullptr;
        }
        if (capacity == 0) {
            close_memory(made->room.get(), 1);  // the allocator gives at least one byte
        }
        made->bytes = made->room.get();
        made->size = static_cast<u32>(capacity);
        made->owner = this;
        ++taken_;
        return made.release();
    }
    [[nodiscard]] external_storage::block* another() noexcept override { return make(Bytes); }
    [[nodiscard]] bool may_wait(u32 margins) const noexcept override {
        return available() >= std::size_t{margins} * margin_of(Count);
    }
    void recycle(external_storage::block& b) noexcept override {
        --taken_;
        delete static_cast<cell*>(&b);
    }

    std::size_t taken_ = 0;
};

}  // namespace sluice::testing
