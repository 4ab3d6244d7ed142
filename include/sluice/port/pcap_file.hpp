// pcap::writer: writes packets of one link type to a file or pipe, as pcap.
//
// Expects: POSIX; paths terminated by zero. Does: cuts packets at libpcap's largest snap length;
// what happens when the disk is full or a pipe's reader slow or gone stands in capture_sink.hpp.
// Never: throws for an error of the system, waits for a reader. Cost: that of capture_sink.
#pragma once

#include <sluice/port/capture_sink.hpp>
#include <sluice/port/concept.hpp>
#include <sluice/port/pcap.hpp>
#include <sluice/port/pcap_sender.hpp>
#include <sluice/port/steady_clock.hpp>

#include <cerrno>
#include <cstddef>
#include <optional>
#include <utility>

#include <sys/uio.h>

namespace sluice::port::pcap {

class writer {
public:
    // Takes the descriptor over and writes the file's header. Any descriptor will do: a file, a
    // pipe to a dissector. The name is for messages.
    [[nodiscard]] static result<writer, port_error> open(descriptor fd, link_type link,
                                                         std::string_view name = "capture") {
        return begin(capture_sink::take(std::move(fd), name), link, name);
    }
    // Makes the file, readable by its owner alone, or empties it.
    [[nodiscard]] static result<writer, port_error> create(const char* path, link_type link) {
        return begin(capture_sink::create(path), link, path);
    }

    // One packet of contiguous bytes; `original_length` where it was cut before. False: it is left
    // out, and errno says why; news() says it to people.
    [[nodiscard]] bool write(duration since_epoch, const_bytes packet,
                             u32 original_length = 0) noexcept {
        if (sink_ == nullptr) {
            errno = EBADF;
            return false;
        }
        return count(detail::write_record(*sink_, since_epoch, packet, original_length));
    }
    // One packet, in one piece or several.
    template <class Packet>
        requires requires(const Packet& p) { p.is_segmented(); }
    [[nodiscard]] bool write(duration since_epoch, const Packet& packet) noexcept {
        if (sink_ == nullptr) {
            errno = EBADF;
            return false;
        }
        return count(detail::write_packet(*sink_, since_epoch, packet));
    }
    [[nodiscard]] u64 written() const noexcept { return written_; }
    // Why packets are left out: each reason once.
    [[nodiscard]] std::optional<port_error> news() noexcept {
        return sink_ != nullptr ? sink_->news() : std::nullopt;
    }

    // The transmitting half of a device (port/concept.hpp). Times count from `epoch`, which is that
    // of steady_clock unless another is given; the packets of its senders are not among written().
    using sender_type = pcap::sender;
    [[nodiscard]] pcap::sender sender(duration epoch = steady_clock::epoch()) const noexcept {
        return {sink_.get(), epoch};
    }
    // Negative when the capture has ended.
    [[nodiscard]] int fd() const noexcept { return sink_ != nullptr ? sink_->fd() : -1; }
    [[nodiscard]] device_state state() const noexcept {
        return fd() >= 0 ? device_state::up : device_state::gone;
    }
    [[nodiscard]] link_header link() const noexcept { return link_; }

private:
    [[nodiscard]] static result<writer, port_error>
    begin(result<capture_sink::pointer, port_error> sink, link_type link, std::string_view name) {
        if (!sink) {
            return failure{sink.error()};
        }
        std::byte header[file_header_size];
        write_file_header(header, link);
        iovec piece{header, sizeof header};
        if (!(*sink)->write({&piece, 1}, capture_sink::record_kind::header)) {
            return failure{port_error::last("write", name)};
        }
        writer made;
        made.sink_ = std::move(*sink);
        made.link_ = header_of(link);
        return made;
    }
    [[nodiscard]] static link_header header_of(link_type link) noexcept {
        switch (link) {
        case link_type::ethernet:
            return link_header::ethernet;
        case link_type::raw:
        case link_type::ipv4:
            return link_header::none;
        default:
            return link_header::unknown;
        }
    }
    [[nodiscard]] bool count(bool is_written) noexcept {
        written_ += is_written ? 1u : 0u;
        return is_written;
    }

    writer() noexcept = default;

    capture_sink::pointer sink_;
    link_header link_ = link_header::unknown;
    u64 written_ = 0;
};

}  // namespace sluice::port::pcap
