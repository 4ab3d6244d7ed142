// pcap files: load_file() brings one into memory for pcap::reader; pcap::writer writes one to a
// descriptor.
//
// Expects: POSIX; paths terminated by zero. Does: one system call a record, so that what was
// written is in the file even if the program ends badly; cuts packets at the snap length. Never:
// throws for an error of the system: it is the result. Cost: load_file: the file's size from the
// heap; write: a writev.
#pragma once

#include <sluice/port/descriptor.hpp>
#include <sluice/port/error.hpp>
#include <sluice/port/pcap.hpp>

#include <cerrno>
#include <cstddef>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace sluice::port::pcap {

// A whole file of at most `limit` octets.
[[nodiscard]] inline result<std::vector<std::byte>, port_error>
load_file(const char* path, std::size_t limit = std::size_t{1} << 30) {
    const descriptor fd{::open(path, O_RDONLY | O_CLOEXEC)};
    if (!fd) {
        return failure{port_error::last("open", path)};
    }
    struct stat about{};
    if (::fstat(fd.get(), &about) < 0) {
        return failure{port_error::last("look at", path)};
    }
    if (!S_ISREG(about.st_mode) || static_cast<u64>(about.st_size) > limit) {
        return failure{port_error::make("load", path, EFBIG, "not a plain file within the limit")};
    }
    std::vector<std::byte> content(static_cast<std::size_t>(about.st_size));
    std::size_t used = 0;
    while (used < content.size()) {
        const ssize_t n = ::read(fd.get(), content.data() + used, content.size() - used);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return failure{port_error::last("read", path)};
        }
        if (n == 0) {
            content.resize(used);  // it became shorter meanwhile
        }
        used += static_cast<std::size_t>(n);
    }
    return content;
}

class writer {
public:
    // Takes the descriptor over and writes the file's header. Any descriptor will do: a file, a
    // pipe to a dissector.
    [[nodiscard]] static result<writer, port_error> open(descriptor fd, link_type link) noexcept {
        std::byte header[file_header_size];
        write_file_header(header, link);
        writer made{std::move(fd)};
        const iovec piece{header, sizeof header};
        if (!made.write_all(&piece, 1, sizeof header)) {
            return failure{port_error::last("write", "pcap header")};
        }
        return made;
    }
    // Makes the file, or empties it.
    [[nodiscard]] static result<writer, port_error> create(const char* path,
                                                           link_type link) noexcept {
        descriptor fd{::open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)};
        if (!fd) {
            return failure{port_error::last("create", path)};
        }
        return open(std::move(fd), link);
    }

    // One packet of contiguous bytes; `original_length` where it was cut before. False: errno says
    // why.
    [[nodiscard]] bool write(duration since_epoch, const_bytes packet,
                             u32 original_length = 0) noexcept {
        const std::size_t n = packet.size() < longest_record ? packet.size() : longest_record;
        const u32 captured = static_cast<u32>(n);
        const u32 whole =
            original_length > captured ? original_length : static_cast<u32>(packet.size());
        std::byte header[record_header_size];
        write_record_header(header, since_epoch, captured, whole);
        const iovec pieces[2] = {{header, sizeof header},
                                 {const_cast<std::byte*>(packet.data()), n}};
        if (!write_all(pieces, 2, sizeof header + n)) {
            return false;
        }
        ++written_;
        return true;
    }
    [[nodiscard]] u64 written() const noexcept { return written_; }

private:
    explicit writer(descriptor fd) noexcept : fd_{std::move(fd)} {}

    // A short write (a full disk, a pipe) would leave half a record: it counts as failed.
    bool write_all(const iovec* pieces, int count, std::size_t size) noexcept {
        ssize_t n;
        do {
            n = ::writev(fd_.get(), pieces, count);
        } while (n < 0 && errno == EINTR);
        if (n >= 0 && static_cast<std::size_t>(n) != size) {
            errno = ENOSPC;
        }
        return n >= 0 && static_cast<std::size_t>(n) == size;
    }

    descriptor fd_;
    u64 written_ = 0;
};

}  // namespace sluice::port::pcap
