// af_packet::ring: AF_PACKET's receive ring (TPACKET_V3): frames in memory shared with the kernel.
//
// receive(packets) lends each frame as a packet whose bytes are in the ring, with headroom in
// front. A block of the ring returns to the kernel with the last of its packets.
// receive(source, packets) copies the frames instead. Copy packets that are kept (by reassembly, in
// a queue): a kept packet keeps its block. The kernel takes blocks in turn, and drops all frames
// when it reaches a kept one; poll(2) may then report the ring readable with nothing to read.
//
// Expects: as af_packet.hpp; packets of external_storage, and so a stack whose buffer source has
//          such packets (heap_source). The ring outlives its packets.
// Never:   makes a system call except to wait; blocks; allocates after open().
// Cost:    about 30 ns a frame. A frame is seen when its block is full, or after one to two times
//          retire_after_ms. Where that is too late, use af_packet.hpp's device, which receives each
//          frame at once.
// Source:  Linux Documentation/networking/packet_mmap.rst.
#pragma once

#include <sluice/packet/external_storage.hpp>
#include <sluice/port/af_packet.hpp>
#include <sluice/port/af_packet_map.hpp>
#include <sluice/port/arrival_time.hpp>

#include <bit>
#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <utility>

namespace sluice::port::af_packet {

struct ring_options {
    u32 block_bytes = 1u << 18;  // a power of two, at least 128 K, so that the largest frame fits
    // The program may be away for blocks times retire_after_ms before frames are dropped. The size
    // of blocks does not count, because they are handed over half empty.
    u32 blocks = 64;
    u32 retire_after_ms = 1;  // age at which a block is handed over though not full
};

namespace detail {

// The blocks of the ring, and the place of the walk through them.
class block_walk {
public:
    block_walk(bound_socket socket, ring_memory memory, std::unique_ptr<u32[]> out,
               const ring_options& how) noexcept
        : socket_{std::move(socket)}, memory_{std::move(memory)}, out_{std::move(out)}, how_{how} {}

    // The next frame, the same until step(). nullptr: no frame waits.
    [[nodiscard]] abi::frame_header_3* frame() noexcept {
        while (frame_ == nullptr) {
            abi::block_header& block = header_of(block_);
            // A block that still holds packets was walked before.
            if (out_[block_] != 0 || (load_owner(block.status) & abi::status::user) == 0) {
                return nullptr;
            }
            left_ = block.packets;
            frame_ = reinterpret_cast<abi::frame_header_3*>(
                memory_.at(block_ * std::size_t{size()}) + block.first_packet_offset);
            out_[block_] = 1;  // the walk itself
            if (left_ == 0) {
                leave_block();
            }
        }
        return frame_;
    }
    void step() noexcept {
        auto* const next = reinterpret_cast<std::byte*>(frame_) + frame_->next_offset;
        frame_ = reinterpret_cast<abi::frame_header_3*>(next);
        if (--left_ == 0) {
            leave_block();
        }
    }

    // A packet that lies in the block.
    [[nodiscard]] u32 block() const noexcept { return block_; }
    void hold(u32 block) noexcept { ++out_[block]; }
    void release(u32 block) noexcept {
        if (--out_[block] == 0) {
            store_owner(header_of(block).status, abi::status::kernel);
        }
    }

    [[nodiscard]] u32 blocks_held() const noexcept {
        u32 n = 0;
        for (u32 i = 0; i < how_.blocks; ++i) {
            n += out_[i] != 0 ? 1u : 0u;
        }
        return n;
    }
    [[nodiscard]] const bound_socket& socket() const noexcept { return socket_; }

private:
    [[nodiscard]] u32 size() const noexcept { return how_.block_bytes; }
    [[nodiscard]] abi::block_header& header_of(u32 block) const noexcept {
        return *reinterpret_cast<abi::block_header*>(memory_.at(block * std::size_t{size()}));
    }
    void leave_block() noexcept {
        frame_ = nullptr;
        release(block_);
        block_ = block_ + 1 == how_.blocks ? 0 : block_ + 1;
    }

    bound_socket socket_;
    ring_memory memory_;
    std::unique_ptr<u32[]> out_;  // packets in each block, plus one while the walk is there
    ring_options how_;
    u32 block_ = 0;
    u32 left_ = 0;
    abi::frame_header_3* frame_ = nullptr;
};

}  // namespace detail

// Frames: the most packets that may be lent at a time.
template <std::size_t Frames = 4096>
class ring {
public:
    using frames = borrowed_frames<Frames>;
    using packet_type = typename frames::packet_type;
    using sender_type = af_packet::sender;
    using batch = device::batch;

    [[nodiscard]] static result<ring, port_error>
    open(std::string_view name, const options& how = {}, const ring_options& size = {}) noexcept;

    // Lends frames from the front of the span until no frame waits or as many were read as it
    // holds. no_buffer: Frames packets are lent.
    [[nodiscard]] batch receive(std::span<packet_type> packets) noexcept {
        return each(packets, [this](const abi::frame_header_3& frame, packet_type& to) {
            const std::size_t offset = frame.link_offset - lowest;
            const bytes whole{const_cast<std::byte*>(start_of(frame)) + lowest,
                              offset + frame.captured};
            to = part_->lent.lend(whole, static_cast<u16>(offset), frame.captured,
                                  part_->walk.block());
            if (!to) {
                return false;
            }
            part_->walk.hold(part_->walk.block());
            return true;
        });
    }
    // Copies each frame, into as many buffers as it needs.
    template <buffer_source Source>
    [[nodiscard]] batch receive(Source& from,
                                std::span<typename Source::packet_type> packets) noexcept {
        return each(packets, [&](const abi::frame_header_3& frame, auto& to) {
            const_bytes rest{start_of(frame) + frame.link_offset, frame.captured};
            to = from.take(options_.headroom);
            if (!to) {
                return false;
            }
            const std::size_t room = to.tailroom();
            const std::size_t n = rest.size() < room ? rest.size() : room;
            copy_bytes(to.put(static_cast<u32>(n)), rest.data(), n);
            if (!detail::append_bytes(to, from, rest.subspan(n))) {
                to.reset();
            }
            return static_cast<bool>(to);
        });
    }

    // For poll(2).
    [[nodiscard]] int fd() const noexcept { return socket().fd.get(); }
    [[nodiscard]] std::string_view name() const noexcept { return socket().name; }
    [[nodiscard]] link_header link() const noexcept { return socket().link; }
    [[nodiscard]] device_state state() const noexcept {
        return port::detail::state_of_interface(fd(), name());
    }
    [[nodiscard]] bool is_ethernet() const noexcept { return socket().is_ethernet(); }
    [[nodiscard]] ethernet::address hardware_address() const noexcept { return socket().hardware; }
    [[nodiscard]] u32 mtu() const noexcept { return socket().mtu; }
    // The number of blocks that packets keep from the kernel.
    [[nodiscard]] u32 blocks_held() const noexcept { return part_->walk.blocks_held(); }
    // Sends frames by the same socket.
    [[nodiscard]] af_packet::sender sender() const noexcept {
        return {{fd(), socket().index, socket().link}};
    }
    // Includes the kernel's drops until now. Costs a system call.
    [[nodiscard]] const af_packet::counters& counters() noexcept {
        detail::add_kernel_counts(fd(), counters_);
        return counters_;
    }
    [[nodiscard]] static moment now() noexcept { return steady_clock::now(); }

private:
    // Packets point to it, so it stays in place when the ring is moved.
    struct shared_part {
        detail::block_walk walk;
        frames lent{[](void* driver, u64 tag) noexcept {
                        static_cast<shared_part*>(driver)->walk.release(static_cast<u32>(tag));
                    },
                    this};

        explicit shared_part(detail::block_walk&& w) noexcept : walk{std::move(w)} {}
    };

    ring(std::unique_ptr<shared_part> s, const options& how) noexcept
        : part_{std::move(s)}, options_{how} {}

    [[nodiscard]] const bound_socket& socket() const noexcept { return part_->walk.socket(); }
    // The frame's header and address end here; headroom follows.
    static constexpr std::size_t lowest =
        aligned_size<abi::frame_header_3> + sizeof(abi::link_address);
    [[nodiscard]] static const std::byte* start_of(const abi::frame_header_3& frame) noexcept {
        return reinterpret_cast<const std::byte*>(&frame);
    }

    template <class Packet, class Fill>
    batch each(std::span<Packet> packets, Fill&& fill) noexcept {
        batch done;
        while (done.count + done.thrown_away < packets.size()) {
            const abi::frame_header_3* const frame = part_->walk.frame();
            if (frame == nullptr) {
                done.end = detail::status_of(fd(), pending_error(), counters_);
                break;
            }
            Packet& packet = packets[done.count];
            bool given = false;
            if (is_wanted(*frame)) {
                if (!fill(*frame, packet)) {
                    ++counters_.no_buffer;
                    done.end = read_status::no_buffer;
                    break;
                }
                given = finish(*frame, packet);
            }
            ++(given ? done.count : done.thrown_away);
            part_->walk.step();
        }
        return done;
    }

    // An interface that goes down is reported by the socket, not by the ring.
    [[nodiscard]] int pending_error() const noexcept {
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(fd(), SOL_SOCKET, SO_ERROR, &error, &size);
        return error == 0 ? EAGAIN : error;
    }
    [[nodiscard]] static const abi::link_address&
    from_of(const abi::frame_header_3& frame) noexcept {
        return *reinterpret_cast<const abi::link_address*>(start_of(frame) +
                                                           aligned_size<abi::frame_header_3>);
    }
    [[nodiscard]] bool is_wanted(const abi::frame_header_3& frame) noexcept {
        if (detail::is_of_another_protocol(from_of(frame), socket().link)) {
            ++counters_.not_ipv4;
            return false;
        }
        if (frame.captured < frame.length || frame.link_offset < lowest + virtio_net::header_size) {
            ++counters_.too_long;
            return false;
        }
        return from_of(frame).packet_type != abi::packet_types::outgoing;
    }
    template <class Packet>
    bool finish(const abi::frame_header_3& frame, Packet& packet) noexcept {
        const detail::arrival how{
            .type = from_of(frame).packet_type,
            .link_bytes = static_cast<u16>(frame.network_offset - frame.link_offset),
            .status = frame.status,
            .tag = static_cast<u16>(frame.tag),
            .tag_type = frame.tag_type,
            .time = options_.timestamps
                        ? arrival_time::since_epoch(frame.seconds, frame.nanoseconds)
                        : duration{}};
        const std::byte* const offload =
            start_of(frame) + frame.link_offset - virtio_net::header_size;
        if (!detail::set_arrival(packet, virtio_net::load(offload), how, socket().link)) {
            ++counters_.refused;
            packet.reset();
            return false;
        }
        packet.set_interface(options_.interface);
        ++counters_.received;
        counters_.received_bytes += frame.length;
        return true;
    }

    std::unique_ptr<shared_part> part_;
    options options_;
    af_packet::counters counters_;
};

template <std::size_t Frames>
result<ring<Frames>, port_error> ring<Frames>::open(std::string_view name, const options& how,
                                                    const ring_options& size) noexcept {
    if (!std::has_single_bit(size.block_bytes) || size.block_bytes < (1u << 17) ||
        size.blocks == 0 || size.blocks > (1u << 31) / size.block_bytes) {
        return failure{port_error::make("open", name, EINVAL, "blocks: 128 K or more, of two")};
    }
    auto socket = detail::make_socket(name);
    if (!socket) {
        return failure{socket.error()};
    }
    const int fd = socket->fd.get();
    constexpr u32 unit = 2048;  // unused in version 3, but must divide a block
    const abi::receive_ring_request request{
        .size = {size.block_bytes, size.blocks, unit, size.block_bytes / unit * size.blocks},
        .retire_after_ms = size.retire_after_ms};
    namespace names = abi::socket_options;
    if (!detail::prepare(*socket, how) || !detail::set_option(fd, names::version, abi::version_3) ||
        !detail::set_option(fd, names::reserve, u32{how.headroom}) ||
        !detail::set_option(fd, names::receive_ring, request)) {
        return failure{port_error::last("set up ring of", name)};
    }
    ring_memory memory{fd, std::size_t{size.block_bytes} * size.blocks};
    if (!memory) {
        return failure{port_error::last("map ring of", name)};
    }
    std::unique_ptr<u32[]> out{new (std::nothrow) u32[size.blocks]()};
    if (!out) {
        return failure{port_error::make("open", name, ENOMEM)};
    }
    if (!detail::bind_to_interface(*socket, how)) {
        return failure{port_error::last("bind to", name,
                                        how.fanout ? "is it up, is the group of one mode?" : "")};
    }
    std::unique_ptr<shared_part> s{new (std::nothrow) shared_part{
        detail::block_walk{std::move(*socket), std::move(memory), std::move(out), size}}};
    if (!s) {
        return failure{port_error::make("open", name, ENOMEM)};
    }
    return ring{std::move(s), how};
}

}  // namespace sluice::port::af_packet
