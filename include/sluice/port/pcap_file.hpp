// pcap::writer: writes packets of one link type to a file or pipe, as pcap.
//
// Expects: POSIX; paths terminated by zero. Does: cuts packets at libpcap's largest snap length;
// what happens when the disk is full or a pipe's reader slow or gone stands in capture_sink.hpp.
// Never: throws for an error of the system, waits for a reader. Cost: that of capture_sink.
#pragma once

#include <sluice/port/capture_sink.hpp>
#include <sluice/port/pcap.hpp>

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
        const std::size_t n = packet.size() < longest_record ? packet.size() : longest_record;
        const u32 captured = static_cast<u32>(n);
        const u32 whole =
            original_length > captured ? original_length : static_cast<u32>(packet.size());
        std::byte header[record_header_size];
        write_record_header(header, since_epoch, captured, whole);
        iovec pieces[2] = {{header, sizeof header}, {const_cast<std::byte*>(packet.data()), n}};
        if (!sink_->write(pieces, capture_sink::record_kind::packet)) {
            return false;
        }
        ++written_;
        return true;
    }
    [[nodiscard]] u64 written() const noexcept { return written_; }
    // Why packets are left out: each reason once.
    [[nodiscard]] std::optional<port_error> news() noexcept {
        return sink_ != nullptr ? sink_->news() : std::nullopt;
    }

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
        return made;
    }

    writer() noexcept = default;

    capture_sink::pointer sink_;
    u64 written_ = 0;
};

}  // namespace sluice::port::pcap
