// frame_source: a source of packets that hold one captured frame each, and that know their frames.
//
// A packet takes exactly the memory that its frame needs. frames_of() ends a packet, also a list of
// several, and returns the tags of all frames in it.
//
// Expects: it outlives its packets.
// Never:   provides a second buffer for a copy.
#pragma once

#include <sluice/packet/external_storage.hpp>

#include <new>
#include <utility>
#include <vector>

namespace examples {

class frame_source final : sluice::external_storage::recycler {
    using block = sluice::external_storage::block;
    static_assert(alignof(block) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);

public:
    using packet_type = sluice::basic_packet<sluice::external_storage, sluice::unique>;

    frame_source() = default;
    frame_source(const frame_source&) = delete;
    frame_source& operator=(const frame_source&) = delete;

    // Empty: no memory is left.
    [[nodiscard]] packet_type take(sluice::const_bytes frame, sluice::u64 tag) {
        auto* const room = new (std::nothrow) std::byte[sizeof(block) + frame.size()];
        if (room == nullptr) {
            return {};
        }
        block* const made = new (room) block;
        made->bytes = room + sizeof(block);
        made->size = static_cast<sluice::u32>(frame.size());
        made->owner = this;
        made->tag = tag;
        sluice::copy_bytes(made->bytes, frame.data(), frame.size());
        return packet_type::adopt(made, 0, made->size);
    }
    [[nodiscard]] const std::vector<sluice::u64>& frames_of(packet_type&& ended) {
        tags_.clear();
        listens_ = true;
        ended.reset();
        listens_ = false;
        return tags_;
    }

private:
    void recycle(block& b) noexcept override {
        if (listens_) {
            tags_.push_back(b.tag);
        }
        b.~block();
        delete[] reinterpret_cast<std::byte*>(&b);
    }
    [[nodiscard]] block* another() noexcept override { return nullptr; }

    bool listens_ = false;
    std::vector<sluice::u64> tags_;
};

}  // namespace examples
