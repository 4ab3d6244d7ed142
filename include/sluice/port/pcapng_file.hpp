// pcapng::writer: writes packets of several interfaces, each with its own link type, to one pcapng
// file or pipe.
//
// It writes time in nanoseconds, name and direction. Several threads may write to one capture, each
// by a writer of its own (share()). capture_sink.hpp describes a full disk and a pipe whose reader
// is slow or gone.
//
// Expects: POSIX; all interfaces added before the capture is shared.
// Never:   throws for an error of the system; waits for a reader; cuts a packet of up to 65,599
//          bytes.
// Cost:    that of capture_sink; a copy of a segmented packet.
// Source:  IETF opsawg draft "PCAP Now Generic (pcapng) Capture File Format".
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/packet/reader.hpp>
#include <sluice/port/capture_sink.hpp>
#include <sluice/port/pcap.hpp>
#include <sluice/port/write.hpp>

#include <cerrno>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

#include <sys/uio.h>

namespace sluice::port::pcapng {

using capture::direction;

class writer {
public:
    // Creates or empties the file; only its owner may read it.
    [[nodiscard]] static result<writer, port_error> create(const char* path) {
        return begin(capture_sink::create(path), path);
    }
    // Takes ownership of the descriptor. The name is for messages.
    [[nodiscard]] static result<writer, port_error> open(descriptor fd,
                                                         std::string_view name = "capture") {
        return begin(capture_sink::take(std::move(fd), name), name);
    }
    // Returns another writer of the same capture, for another thread.
    [[nodiscard]] writer share() const noexcept {
        writer made;
        made.sink_ = sink_;
        made.interfaces_ = interfaces_;
        return made;
    }

    // Describes an interface, with a name of up to 64 bytes. Interfaces are numbered from 0 in the
    // order of the calls. False: errno has the reason.
    [[nodiscard]] bool add_interface(pcap::link_type link, std::string_view name) noexcept {
        if (sink_ == nullptr) {
            errno = EBADF;
            return false;
        }
        const std::size_t n = name.size() < 64 ? name.size() : 64;
        const std::size_t padded = (n + 3) / 4 * 4;
        std::byte block[16 + 4 + 64 + 8 + 4 + 4] = {};
        const u32 size = static_cast<u32>(16 + 4 + padded + 8 + 4 + 4);
        put_words(block,
                  {1, size, static_cast<u32>(link) << 16, 0, name_option | static_cast<u32>(n)});
        copy_bytes(block + 20, reinterpret_cast<const std::byte*>(name.data()), n);
        // Resolution: nanoseconds; the end of the options; the size again.
        put_words(block + 20 + padded, {resolution_option | 1, 0x09000000, 0, size});
        iovec piece{block, size};
        const bool written = sink_->write({&piece, 1}, capture_sink::record_kind::header);
        interfaces_ += written ? 1u : 0u;
        return written;
    }

    // Writes a packet. False: it is left out; errno has the reason (EINVAL: the interface was not
    // described), and news() a message.
    template <class Packet>
    [[nodiscard]] bool write(u32 interface, duration since_epoch, const Packet& packet,
                             direction toward = direction::unknown) noexcept {
        if (!packet.is_segmented()) {
            return write_bytes(interface, since_epoch, packet.head(), toward);
        }
        std::byte flat[port::detail::largest_packet];
        const std::size_t n = packet.size() < sizeof flat ? packet.size() : sizeof flat;
        packet_reader{packet}.copy(flat, static_cast<u32>(n));
        return write_bytes(interface, since_epoch, {flat, n}, toward, packet.size());
    }
    // Writes a packet of contiguous bytes; `original_length` if it was cut before.
    [[nodiscard]] bool write_bytes(u32 interface, duration since_epoch, const_bytes from,
                                   direction toward = direction::unknown,
                                   u32 original_length = 0) noexcept {
        const u32 n = static_cast<u32>(from.size());
        if (sink_ == nullptr || interface >= interfaces_ || from.size() > pcap::longest_record) {
            errno = EINVAL;
            return false;
        }
        const u32 padding = (4 - n % 4) % 4;
        const u32 size = 28 + n + padding + 16;
        // Without an offset the format has no time before 1970.
        const u64 time =
            since_epoch.nanoseconds < 0 ? 0 : static_cast<u64>(since_epoch.nanoseconds);
        std::byte head[28];
        put_words(head, {6, size, interface, static_cast<u32>(time >> 32), static_cast<u32>(time),
                         n, original_length > n ? original_length : n});
        std::byte tail[3 + 16] = {};
        put_words(tail + padding, {flags_option | 4, static_cast<u32>(toward), 0, size});
        iovec pieces[] = {{head, sizeof head},
                          {const_cast<std::byte*>(from.data()), n},
                          {tail, padding + std::size_t{16}}};
        return sink_->write(pieces, capture_sink::record_kind::packet);
    }
    // The reason why packets are left out; each is returned by one call only.
    [[nodiscard]] std::optional<port_error> news() noexcept {
        return sink_ != nullptr ? sink_->news() : std::nullopt;
    }

private:
    // Option codes, in front of the length.
    static constexpr u32 name_option = 2u << 16;
    static constexpr u32 resolution_option = 9u << 16;
    static constexpr u32 flags_option = 2u << 16;

    writer() noexcept = default;

    [[nodiscard]] static result<writer, port_error>
    begin(result<capture_sink::pointer, port_error> sink, std::string_view name) {
        if (!sink) {
            return failure{sink.error()};
        }
        // Section header: byte order, version 1.0, of unknown length.
        std::byte block[28];
        put_words(block, {0x0a0d0d0a, sizeof block, 0x1a2b3c4d, 0x00010000, 0xffffffff, 0xffffffff,
                          sizeof block});
        iovec piece{block, sizeof block};
        if (!(*sink)->write({&piece, 1}, capture_sink::record_kind::header)) {
            return failure{port_error::last("write", name)};
        }
        writer made;
        made.sink_ = std::move(*sink);
        return made;
    }
    template <std::size_t N>
    static void put_words(std::byte* to, const u32 (&words)[N]) noexcept {
        for (const u32 word : words) {
            store_be<u32>(to, word);
            to += 4;
        }
    }

    capture_sink::pointer sink_;
    u32 interfaces_ = 0;
};

}  // namespace sluice::port::pcapng
