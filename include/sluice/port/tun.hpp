// TUN and TAP devices of Linux: packets (or Ethernet frames) that a network interface of the kernel
// hands to a program.
//
// Expects: /dev/net/tun and CAP_NET_ADMIN, or a persistent device that belongs to the caller; the
// interface brought up and addressed by the caller (ip link, ip address). Does: non-blocking reads
// into buffers of the caller's source; writes of plain and segmented packets without copying
// (writev). Never: blocks, allocates, throws, spins. The sender keeps the descriptor's number: the
// device must outlive it. Checksums are finished before (no offload here). Cost: a system call a
// packet. Source: Linux Documentation/networking/tuntap.rst.
#pragma once

#include <sluice/base/result.hpp>
#include <sluice/packet/next_hop.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/port/descriptor.hpp>
#include <sluice/port/error.hpp>
#include <sluice/port/namespace.hpp>
#include <sluice/port/steady_clock.hpp>
#include <sluice/port/write.hpp>

#include <cerrno>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

namespace sluice::port::tun {

enum class kind : u8 { tun, tap };

struct options {
    tun::kind kind = tun::kind::tun;
    u16 interface = 1;                // set in each received packet
    u16 headroom = default_headroom;  // octets left free in front of each
};

struct counters {
    u64 received = 0;
    u64 received_octets = 0;
    u64 too_long = 0;
    u64 no_buffer = 0;
};

// The output side. `sender` is the output_policy tag, and the value that device::sender() gives;
// the stack's model is made from it. Refuses when the device's queue is full or the interface is
// down; the stack then counts the packet.
struct sender {
    int fd = -1;

    template <class Packet>
    class model {
    public:
        static constexpr bool takes_segmented = true;
        static constexpr bool takes_gso = false;

        constexpr model() noexcept = default;
        constexpr model(tun::sender from) noexcept : fd_{from.fd} {}

        [[nodiscard]] bool transmit(Packet& packet, const egress&) noexcept { return send(packet); }
        // The same for whole frames of a TAP device: what link/ asks of the device below it.
        [[nodiscard]] bool send_frame(Packet& frame, u16) noexcept { return send(frame); }
        void flush() noexcept {}

        [[nodiscard]] u64 sent() const noexcept { return sent_; }
        [[nodiscard]] u64 refused() const noexcept { return refused_; }
        // errno of the last refusal.
        [[nodiscard]] int last_error() const noexcept { return last_error_; }

    private:
        bool send(Packet& packet) noexcept {
            last_error_ = write_packet(fd_, packet);
            if (last_error_ != 0) {
                ++refused_;
                return false;
            }
            ++sent_;
            packet.reset();
            return true;
        }

        int fd_ = -1;
        int last_error_ = 0;
        u64 sent_ = 0;
        u64 refused_ = 0;
    };
};

class device {
public:
    device(descriptor fd, const char (&name)[IFNAMSIZ], const options& how) noexcept
        : fd_{std::move(fd)}, options_{how} {
        std::memcpy(name_, name, sizeof name_);
    }

    // The next packet or frame, with the options' interface and headroom. Else error() says why
    // there is none.
    template <buffer_source Source>
    [[nodiscard]] result<typename Source::packet_type, read_status> receive(Source& from) noexcept {
        auto packet = from.take(options_.headroom);
        if (!packet) {
            ++counters_.no_buffer;
            return failure{read_status::no_buffer};
        }
        const u32 room = packet.tailroom();
        std::byte* to = packet.put(room);
        std::byte excess;
        // The kernel cuts silently; one octet more than fits tells.
        const iovec pieces[2] = {{to, room}, {&excess, 1}};
        const ssize_t n = ::readv(fd_.get(), pieces, 2);
        if (n <= 0) {
            return failure{n == 0 ? read_status::closed : status_of(errno)};
        }
        if (static_cast<std::size_t>(n) > room) {
            ++counters_.too_long;
            return failure{read_status::too_long};
        }
        packet.trim(static_cast<u32>(n));
        packet.set_interface(options_.interface);
        ++counters_.received;
        counters_.received_octets += static_cast<u64>(n);
        return packet;
    }

    struct batch {
        std::size_t count = 0;
        read_status end = read_status::none;  // none: the span is full, more may wait
    };
    // Fills packets from the front until the span is full or nothing waits.
    template <buffer_source Source>
    [[nodiscard]] batch receive(Source& from,
                                std::span<typename Source::packet_type> packets) noexcept {
        batch done;
        while (done.count < packets.size()) {
            auto packet = receive(from);
            if (!packet) {
                done.end = packet.error();
                break;
            }
            packets[done.count++] = std::move(*packet);
        }
        return done;
    }

    [[nodiscard]] tun::sender sender() const noexcept { return {fd_.get()}; }
    // For poll(2): readable when a packet waits.
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    // As the kernel chose it where a pattern ("tun%d") or nothing was asked for.
    [[nodiscard]] std::string_view name() const noexcept { return name_; }
    [[nodiscard]] const tun::counters& counters() const noexcept { return counters_; }
    [[nodiscard]] static moment now() noexcept { return steady_clock::now(); }

private:
    [[nodiscard]] static read_status status_of(int error_number) noexcept {
        switch (error_number) {
        case EAGAIN:
            return read_status::would_block;
        case EINTR:
            return read_status::interrupted;
        case EBADF:
        case EBADFD:  // the interface was deleted
            return read_status::closed;
        default:
            return read_status::failed;
        }
    }

    descriptor fd_;
    options options_;
    tun::counters counters_;
    char name_[IFNAMSIZ] = {};
};

// Opens the device of that name, and makes it when there is none; it goes with the last descriptor
// unless persistent.
[[nodiscard]] inline result<device, port_error> open(std::string_view name,
                                                     const options& how = {}) noexcept {
    ifreq request{};
    if (name.size() >= sizeof request.ifr_name) {
        return failure{port_error::make("open", name, ENAMETOOLONG, "at most 15 characters")};
    }
    descriptor fd{::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC)};
    if (!fd) {
        return failure{
            port_error::last("open", "/dev/net/tun", errno == ENOENT ? "load the module tun" : "")};
    }
    name.copy(request.ifr_name, name.size());
    request.ifr_flags = static_cast<short>((how.kind == kind::tap ? IFF_TAP : IFF_TUN) | IFF_NO_PI);
    if (::ioctl(fd.get(), TUNSETIFF, &request) < 0) {
        const char* advice = errno == EPERM    ? "needs CAP_NET_ADMIN"
                             : errno == EBUSY  ? "another program has it"
                             : errno == EINVAL ? "exists and is of another kind"
                                               : "";
        return failure{port_error::last("open", name, advice)};
    }
    return device{std::move(fd), request.ifr_name, how};
}

// The same inside another network namespace (namespace.hpp).
[[nodiscard]] inline result<device, port_error>
open_in_namespace(std::string_view path, std::string_view name, const options& how = {}) noexcept {
    return in_namespace(path, [&] { return open(name, how); });
}

}  // namespace sluice::port::tun
