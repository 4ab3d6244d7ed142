// pcap::writer: writes packets of one link type to a file or pipe, as pcap.
//
// It cuts packets at libpcap's largest snap length. capture_sink.hpp describes a full disk and a
// pipe whose reader is slow or gone.
//
// Expects: POSIX; zero-terminated paths.
// Never:   throws for an error of the system, waits for a reader.
// Cost:    that of capture_sink.
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
    // Takes ownership of the descriptor, of a file or a pipe to a dissector, and writes the file's
    // header. The name is for messages.
    [[nodiscard]] static result<writer, port_error> open(descriptor fd, link_type link,
                                                         std::string_view name = "capture") {
        return begin(capture_sink::take(std::move(fd), name), link, name);
    }
    // Creates or empties the file; only its owner may read it.
    [[nodiscard]] static result<writer, port_error> create(const char* path, link_type link) {
        return begin(capture_sink::create(path), link, path);
    }

    // Writes a packet of contiguous bytes; `original_length` if it was cut before. False: it is
    // left out; errno has the reason, and news() a message.
    [[nodiscard]] bool write(duration since_epoch, const_bytes packet,
                             u32 original_length = 0) noexcept {
        if (sink_ == nullptr) {
            errno = EBADF;
            return false;
        }
        return count(detail::write_record(*sink_, since_epoch, packet, original_length));
    }
    // Writes a packet, contiguous or segmented.
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
    // Why packets are left out. Each reason is returned once.
    [[nodiscard]] std::optional<port_error> news() noexcept {
        return sink_ != nullptr ? sink_->news() : std::nullopt;
    }

    // The transmitting half of a device (port/concept.hpp). Times count from `epoch`, by default
    // that of steady_clock. written() does not count the packets of its senders.
    using sender_type = pcap::sender;
    [[nodiscard]] pcap::sender sender(duration epoch = steady_clock::epoch()) const noexcept {
        return {sink_.get(), epoch};
    }
    // Negative after the end of the capture.
    [[nodiscard]] int fd() const noexcept { return sink_ != nullptr ? sink_->fd() : -1; }
    [[nodiscard]] device_state state() const noexcept {
        return fd() >= 0 ? device_state::up : device_state::closed;
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
