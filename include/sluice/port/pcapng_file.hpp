// pcapng files, written: packets of several interfaces, each with its own link type, in one
// capture.
//
// Expects: POSIX; all interfaces added before the file is shared. Does: one system call a packet,
// at the end of the file, so that several threads may write into it, each by a writer of its own
// (share()), and what was written is there even if the program ends badly; time in nanoseconds,
// name and direction. Never: throws; cuts a packet. Cost: a system call a packet, a copy of
// segmented ones. Format: IETF opsawg draft "PCAP Now Generic (pcapng) Capture File Format".
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/port/descriptor.hpp>
#include <sluice/port/error.hpp>
#include <sluice/port/pcap.hpp>
#include <sluice/port/write.hpp>

#include <cerrno>
#include <cstddef>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

namespace sluice::port::pcapng {

enum class direction : u8 { unknown, in, out };

class writer {
public:
    // Makes the file, or empties it.
    [[nodiscard]] static result<writer, port_error> create(const char* path) noexcept {
        writer made{
            descriptor{::open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644)}};
        if (!made.fd_) {
            return failure{port_error::last("create", path)};
        }
        // Section header: byte order, version 1.0, of unknown length.
        std::byte block[28];
        put_words(block, {0x0a0d0d0a, sizeof block, 0x1a2b3c4d, 0x00010000, 0xffffffff, 0xffffffff,
                          sizeof block});
        if (!made.write_all({{block, sizeof block}})) {
            return failure{port_error::last("write", path)};
        }
        return made;
    }
    // Another writer of the same file, for another thread.
    [[nodiscard]] result<writer, port_error> share() const noexcept {
        writer made{descriptor{::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0)}};
        if (!made.fd_) {
            return failure{port_error::last("share", "capture")};
        }
        made.interfaces_ = interfaces_;
        return made;
    }

    // Describes an interface; they are numbered from 0 in this order. A name of up to 64 octets.
    [[nodiscard]] bool add_interface(pcap::link_type link, std::string_view name) noexcept {
        const std::size_t n = name.size() < 64 ? name.size() : 64;
        const std::size_t padded = (n + 3) / 4 * 4;
        std::byte block[16 + 4 + 64 + 8 + 4 + 4] = {};
        const u32 size = static_cast<u32>(16 + 4 + padded + 8 + 4 + 4);
        put_words(block,
                  {1, size, static_cast<u32>(link) << 16, 0, name_option | static_cast<u32>(n)});
        copy_bytes(block + 20, reinterpret_cast<const std::byte*>(name.data()), n);
        // Time in nanoseconds; the end of the options; the size again.
        put_words(block + 20 + padded, {resolution_option | 1, 0x09000000, 0, size});
        interfaces_ += 1;
        return write_all({{block, size}});
    }

    // One packet. False: the interface was not described, or errno says why.
    template <class Packet>
    [[nodiscard]] bool write(u32 interface, duration since_epoch, const Packet& packet,
                             direction way = direction::unknown) noexcept {
        if (!packet.is_segmented()) {
            return write_octets(interface, since_epoch, packet.head(), way);
        }
        std::byte flat[detail_largest];
        std::size_t used = 0;
        packet.for_each_piece([&](const_bytes piece) {
            const std::size_t room = sizeof flat - used;
            const std::size_t n = piece.size() < room ? piece.size() : room;
            copy_bytes(flat + used, piece.data(), n);
            used += n;
        });
        return write_octets(interface, since_epoch, {flat, used}, way, packet.size());
    }
    // The same of contiguous octets; `original_length` where it was cut before.
    [[nodiscard]] bool write_octets(u32 interface, duration since_epoch, const_bytes octets,
                                    direction way = direction::unknown,
                                    u32 original_length = 0) noexcept {
        const u32 n = static_cast<u32>(octets.size());
        if (interface >= interfaces_ || octets.size() > pcap::longest_record) {
            errno = EINVAL;
            return false;
        }
        const u32 padding = (4 - n % 4) % 4;
        const u32 size = 28 + n + padding + 16;
        const u64 time = static_cast<u64>(since_epoch.nanoseconds);
        std::byte head[28];
        put_words(head, {6, size, interface, static_cast<u32>(time >> 32), static_cast<u32>(time),
                         n, original_length > n ? original_length : n});
        std::byte tail[3 + 16] = {};
        put_words(tail + padding, {flags_option | 4, static_cast<u32>(way), 0, size});
        return write_all({{head, sizeof head},
                          {const_cast<std::byte*>(octets.data()), n},
                          {tail, padding + std::size_t{16}}});
    }

private:
    static constexpr std::size_t detail_largest = port::detail::largest_packet;
    // Option codes, where the length follows.
    static constexpr u32 name_option = 2u << 16;
    static constexpr u32 resolution_option = 9u << 16;
    static constexpr u32 flags_option = 2u << 16;

    explicit writer(descriptor fd) noexcept : fd_{std::move(fd)} {}

    template <std::size_t N>
    static void put_words(std::byte* to, const u32 (&words)[N]) noexcept {
        for (const u32 word : words) {
            store_be<u32>(to, word);
            to += 4;
        }
    }
    // A short write (a full disk) would leave half a block: it counts as failed.
    template <std::size_t N>
    [[nodiscard]] bool write_all(const iovec (&pieces)[N]) noexcept {
        std::size_t size = 0;
        for (const iovec& piece : pieces) {
            size += piece.iov_len;
        }
        ssize_t n = 0;
        do {
            n = ::writev(fd_.get(), pieces, N);
        } while (n < 0 && errno == EINTR);
        if (n >= 0 && static_cast<std::size_t>(n) != size) {
            errno = ENOSPC;
        }
        return n >= 0 && static_cast<std::size_t>(n) == size;
    }

    descriptor fd_;
    u32 interfaces_ = 0;
};

}  // namespace sluice::port::pcapng
