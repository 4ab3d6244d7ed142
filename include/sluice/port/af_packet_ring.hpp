// AF_PACKET's receive ring (TPACKET_V3): frames that lie in memory shared with the kernel.
//
// Expects: as af_packet.hpp; packets of external_storage, so that the stack's buffer source is one
// of those, too (heap_source). Does: lends each frame as a packet whose bytes are in the ring, with
// headroom in front; a block of the ring goes back to the kernel when the last of its packets has
// ended. receive(source, packets) copies instead. Never: a system call, unless to wait; blocks;
// allocates after open(). A packet that is kept (by reassembly, in a queue) keeps its block; the
// kernel takes blocks in turn, and drops everything when it comes round to that one; poll(2) may
// find the ring readable when there is nothing to read. So copy what stays. The ring outlives its
// packets. Cost: about 30 ns a frame. A frame is seen when its block is full, or after one to two
// times retire_after_ms: where that is too late, af_packet.hpp's device is told of each at once.
// Source: Linux Documentation/networking/packet_mmap.rst.
#pragma once

#include <sluice/packet/external_storage.hpp>
#include <sluice/port/af_packet.hpp>
#include <sluice/port/af_packet_map.hpp>

#include <bit>
#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <utility>

namespace sluice::port::af_packet {

struct ring_options {
    u32 block_octets = 1u << 18;  // a power of two of at least 128 K: the largest frame fits
    // Blocks are handed over half empty, so it is their number, not their size, that says for how
    // long the program may be away before frames are dropped: blocks times retire_after_ms.
    u32 blocks = 64;
    u32 retire_after_ms = 1;  // a block that is not full is handed over then
};

namespace detail {

// The kernel's side: blocks, and where the walk through them is.
class block_walk {
public:
    block_walk(bound_socket socket, ring_memory memory, std::unique_ptr<u32[]> out,
               const ring_options& how) noexcept
        : socket_{std::move(socket)}, memory_{std::move(memory)}, out_{std::move(out)}, how_{how} {}

    // The next frame; nullptr: none waits. Stays the same until step().
    [[nodiscard]] tpacket3_hdr* frame() noexcept {
        while (frame_ == nullptr) {
            tpacket_hdr_v1& block = header_of(block_);
            // A block that packets still lie in was walked before.
            if (out_[block_] != 0 || (load_owner(block.block_status) & TP_STATUS_USER) == 0) {
                return nullptr;
            }
            left_ = block.num_pkts;
            frame_ = reinterpret_cast<tpacket3_hdr*>(memory_.at(block_ * std::size_t{size()}) +
                                                     block.offset_to_first_pkt);
            out_[block_] = 1;  // the walk itself
            if (left_ == 0) {
                leave_block();
            }
        }
        return frame_;
    }
    void step() noexcept {
        auto* const next = reinterpret_cast<std::byte*>(frame_) + frame_->tp_next_offset;
        frame_ = reinterpret_cast<tpacket3_hdr*>(next);
        if (--left_ == 0) {
            leave_block();
        }
    }

    // A packet that lies in the block.
    [[nodiscard]] u32 block() const noexcept { return block_; }
    void hold(u32 block) noexcept { ++out_[block]; }
    void release(u32 block) noexcept {
        if (--out_[block] == 0) {
            store_owner(header_of(block).block_status, TP_STATUS_KERNEL);
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
    [[nodiscard]] u32 size() const noexcept { return how_.block_octets; }
    [[nodiscard]] tpacket_hdr_v1& header_of(u32 block) const noexcept {
        return reinterpret_cast<tpacket_block_desc*>(memory_.at(block * std::size_t{size()}))
            ->hdr.bh1;
    }
    void leave_block() noexcept {
        frame_ = nullptr;
        release(block_);
        block_ = block_ + 1 == how_.blocks ? 0 : block_ + 1;
    }

    bound_socket socket_;
    ring_memory memory_;
    std::unique_ptr<u32[]> out_;  // packets in each block, and the walk while it is there
    ring_options how_;
    u32 block_ = 0;
    u32 left_ = 0;
    tpacket3_hdr* frame_ = nullptr;
};

}  // namespace detail

// Frames: how many packets may be lent at a time.
template <std::size_t Frames = 4096>
class ring {
public:
    using frames = borrowed_frames<Frames>;
    using packet_type = typename frames::packet_type;
    using batch = device::batch;

    [[nodiscard]] static result<ring, port_error>
    open(std::string_view name, const options& how = {}, const ring_options& size = {}) noexcept;

    // Lends frames from the front of the span until it is full or nothing waits; no_buffer: Frames
    // packets are out.
    [[nodiscard]] batch receive(std::span<packet_type> packets) noexcept {
        return each(packets, [this](const tpacket3_hdr& frame, packet_type& to) {
            const std::size_t offset = frame.tp_mac - lowest;
            const bytes whole{const_cast<std::byte*>(start_of(frame)) + lowest,
                              offset + frame.tp_snaplen};
            to = state_->lent.lend(whole, static_cast<u16>(offset), frame.tp_snaplen,
                                   state_->walk.block());
            if (!to) {
                return false;
            }
            state_->walk.hold(state_->walk.block());
            return true;
        });
    }
    // Copies instead, into as many buffers a frame as it takes.
    template <buffer_source Source>
    [[nodiscard]] batch receive(Source& from,
                                std::span<typename Source::packet_type> packets) noexcept {
        return each(packets, [&](const tpacket3_hdr& frame, auto& to) {
            const_bytes rest{start_of(frame) + frame.tp_mac, frame.tp_snaplen};
            to = from.take(options_.headroom);
            if (!to) {
                return false;
            }
            const std::size_t room = to.tailroom();
            const std::size_t n = rest.size() < room ? rest.size() : room;
            copy_bytes(to.put(static_cast<u32>(n)), rest.data(), n);
            if (!detail::append_octets(to, from, rest.subspan(n))) {
                to.reset();
            }
            return static_cast<bool>(to);
        });
    }

    // For poll(2).
    [[nodiscard]] int fd() const noexcept { return socket().fd.get(); }
    [[nodiscard]] std::string_view name() const noexcept { return socket().name; }
    [[nodiscard]] bool is_ethernet() const noexcept { return socket().is_ethernet; }
    [[nodiscard]] ethernet::address hardware_address() const noexcept { return socket().hardware; }
    [[nodiscard]] u32 mtu() const noexcept { return socket().mtu; }
    // Blocks that packets keep from the kernel.
    [[nodiscard]] u32 blocks_held() const noexcept { return state_->walk.blocks_held(); }
    // The same socket sends plain frames.
    [[nodiscard]] af_packet::sender sender() const noexcept {
        return {{fd(), socket().index, socket().is_ethernet}};
    }
    // With what the kernel dropped until now: a system call.
    [[nodiscard]] const af_packet::counters& counters() noexcept {
        detail::add_kernel_counts(fd(), counters_);
        return counters_;
    }
    [[nodiscard]] static moment now() noexcept { return steady_clock::now(); }

private:
    // Where packets point to: it stays where it is when the ring moves.
    struct state {
        detail::block_walk walk;
        frames lent{[](void* driver, u64 tag) noexcept {
                        static_cast<state*>(driver)->walk.release(static_cast<u32>(tag));
                    },
                    this};

        explicit state(detail::block_walk&& w) noexcept : walk{std::move(w)} {}
    };

    ring(std::unique_ptr<state> s, const options& how) noexcept
        : state_{std::move(s)}, options_{how} {}

    [[nodiscard]] const bound_socket& socket() const noexcept { return state_->walk.socket(); }
    // What the kernel says of a frame ends here; behind it is headroom.
    static constexpr std::size_t lowest = aligned_size<tpacket3_hdr> + sizeof(sockaddr_ll);
    [[nodiscard]] static const std::byte* start_of(const tpacket3_hdr& frame) noexcept {
        return reinterpret_cast<const std::byte*>(&frame);
    }

    template <class Packet, class Fill>
    batch each(std::span<Packet> packets, Fill&& fill) noexcept {
        batch done;
        while (done.count < packets.size()) {
            const tpacket3_hdr* const frame = state_->walk.frame();
            if (frame == nullptr) {
                done.end = detail::status_of(fd(), pending_error(), counters_);
                break;
            }
            Packet& packet = packets[done.count];
            if (is_wanted(*frame)) {
                if (!fill(*frame, packet)) {
                    ++counters_.no_buffer;
                    done.end = read_status::no_buffer;
                    break;
                }
                done.count += finish(*frame, packet) ? 1u : 0u;
            }
            state_->walk.step();
        }
        return done;
    }

    // The ring does not tell of an interface that went down; the socket does.
    [[nodiscard]] int pending_error() const noexcept {
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(fd(), SOL_SOCKET, SO_ERROR, &error, &size);
        return error == 0 ? EAGAIN : error;
    }
    [[nodiscard]] static const sockaddr_ll& from_of(const tpacket3_hdr& frame) noexcept {
        return *reinterpret_cast<const sockaddr_ll*>(start_of(frame) + aligned_size<tpacket3_hdr>);
    }
    [[nodiscard]] bool is_wanted(const tpacket3_hdr& frame) noexcept {
        if (frame.tp_snaplen < frame.tp_len || frame.tp_mac < lowest + virtio_net::header_size) {
            ++counters_.too_long;
            return false;
        }
        return from_of(frame).sll_pkttype != PACKET_OUTGOING;
    }
    template <class Packet>
    bool finish(const tpacket3_hdr& frame, Packet& packet) noexcept {
        const detail::arrival how{from_of(frame).sll_pkttype, frame.tp_status,
                                  static_cast<u16>(frame.hv1.tp_vlan_tci), frame.hv1.tp_vlan_tpid};
        const std::byte* const offload = start_of(frame) + frame.tp_mac - virtio_net::header_size;
        if (!detail::tell(packet, virtio_net::load(offload), how, is_ethernet())) {
            ++counters_.refused;
            packet.reset();
            return false;
        }
        packet.set_interface(options_.interface);
        ++counters_.received;
        counters_.received_octets += frame.tp_len;
        return true;
    }

    std::unique_ptr<state> state_;
    options options_;
    af_packet::counters counters_;
};

template <std::size_t Frames>
result<ring<Frames>, port_error> ring<Frames>::open(std::string_view name, const options& how,
                                                    const ring_options& size) noexcept {
    if (!std::has_single_bit(size.block_octets) || size.block_octets < (1u << 17) ||
        size.blocks == 0 || size.blocks > (1u << 31) / size.block_octets) {
        return failure{port_error::make("open", name, EINVAL, "blocks: 128 K or more, of two")};
    }
    auto socket = detail::make_socket(name);
    if (!socket) {
        return failure{socket.error()};
    }
    const int fd = socket->fd.get();
    tpacket_req3 request{};
    request.tp_block_size = size.block_octets;
    request.tp_block_nr = size.blocks;
    request.tp_frame_size = 2048;  // says nothing in version 3, but must divide a block
    request.tp_frame_nr = size.block_octets / 2048 * size.blocks;
    request.tp_retire_blk_tov = size.retire_after_ms;
    if (!detail::prepare(*socket, how) ||
        !detail::set_option(fd, PACKET_VERSION, int{TPACKET_V3}) ||
        !detail::set_option(fd, PACKET_RESERVE, u32{how.headroom}) ||
        !detail::set_option(fd, PACKET_RX_RING, request)) {
        return failure{port_error::last("set up ring of", name)};
    }
    ring_memory memory{fd, std::size_t{size.block_octets} * size.blocks};
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
    std::unique_ptr<state> s{new (std::nothrow) state{
        detail::block_walk{std::move(*socket), std::move(memory), std::move(out), size}}};
    if (!s) {
        return failure{port_error::make("open", name, ENOMEM)};
    }
    return ring{std::move(s), how};
}

}  // namespace sluice::port::af_packet
