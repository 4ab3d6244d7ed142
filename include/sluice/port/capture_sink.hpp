// capture_sink: the file or pipe of a capture; it writes whole records only.
//
// The writers of both formats (pcap_file.hpp, pcapng_file.hpp) write through it, and those that
// share a capture share one. Each record is one system call, so that a capture is readable even if
// the program crashes. A file that it creates, or empties, is for its owner alone (mode 0600),
// whatever the umask. If the disk has no room for a record, the record is cut off again and the
// capture ends. A pipe or socket is written without waiting: whole records for which its reader has
// no room are left out, and a reader that is gone ends the capture. news() reports each of these
// once.
//
// Expects: POSIX.
// Never:   waits for a reader, except up to a tenth of a second at the end to finish a record; ends
//          the program by SIGPIPE or SIGXFSZ; throws for an error of the system.
// Cost:    three system calls a record and a lock; 256 KB for a pipe.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/base/result.hpp>
#include <sluice/port/descriptor.hpp>
#include <sluice/port/error.hpp>
#include <sluice/port/pcap.hpp>
#include <sluice/port/quiet_signals.hpp>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace sluice::port {

class capture_sink {
public:
    using pointer = std::shared_ptr<capture_sink>;

    // Creates or empties the file. A named pipe must have a reader already.
    [[nodiscard]] static result<pointer, port_error> create(const char* path) {
        descriptor fd{::open(
            path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, owner_alone)};
        if (!fd) {
            return failure{port_error::last(
                "create", path,
                errno == ENXIO ? "no program reads this pipe; start its reader first" : "")};
        }
        struct stat about{};
        if (::fstat(fd.get(), &about) < 0) {
            return failure{port_error::last("look at", path)};
        }
        if (S_ISREG(about.st_mode)) {
            if ((about.st_mode & 07777) != owner_alone && ::fchmod(fd.get(), owner_alone) < 0) {
                return failure{port_error::last(
                    "create", path,
                    "a capture is for its owner alone, and this file cannot be; choose another")};
            }
            if (::ftruncate(fd.get(), 0) < 0) {
                return failure{port_error::last("empty", path)};
            }
        }
        return take(std::move(fd), path);
    }
    // Takes ownership of the descriptor, and makes it non-blocking unless it is a file's. The name
    // is for messages.
    [[nodiscard]] static result<pointer, port_error> take(descriptor fd, std::string_view name) {
        struct stat about{};
        if (::fstat(fd.get(), &about) < 0) {
            return failure{port_error::last("look at", name)};
        }
        const bool is_file = S_ISREG(about.st_mode);
        const int flags = ::fcntl(fd.get(), F_GETFL);
        if (!is_file && ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) < 0) {
            return failure{port_error::last("set up", name)};
        }
        return pointer{new capture_sink{{std::move(fd), is_file}, name}};
    }

    capture_sink(const capture_sink&) = delete;
    capture_sink& operator=(const capture_sink&) = delete;
    ~capture_sink() { finish(); }

    enum class record_kind : u8 {
        packet,
        header  // other records need it: kept when a pipe has no room for it
    };

    // Writes all of the pieces or nothing. False: the record is left out, and errno has the reason:
    // EAGAIN if the next record may succeed.
    [[nodiscard]] bool write(std::span<iovec> pieces, record_kind kind) noexcept {
        const std::lock_guard lock{mutex_};
        if (!fd_) {
            errno = EBADF;
            return false;
        }
        detail::quiet_signals quiet;
        if (!rest_.empty() && !write_rest(quiet)) {
            if (!fd_ || kind == record_kind::packet || !keep(pieces)) {
                return left_out();
            }
            return true;
        }
        const progress done = put(pieces, quiet);
        if (done.error_number == 0) {
            return true;
        }
        if (is_file_ || done.error_number != EAGAIN) {
            stop({.error_number = done.error_number,
                  .is_damaged = is_file_ ? !cut_back(done.written) : done.written != 0});
            return left_out();
        }
        if (done.written == 0 && kind == record_kind::packet) {
            return left_out();
        }
        return keep(pieces) || left_out();
    }

    // The reason why records are left out; each is returned by one call only.
    [[nodiscard]] std::optional<port_error> news() noexcept {
        const std::lock_guard lock{mutex_};
        return std::exchange(news_, std::nullopt);
    }

    // Negative after the end of the capture.
    [[nodiscard]] int fd() noexcept {
        const std::lock_guard lock{mutex_};
        return fd_.get();
    }

private:
    struct progress {
        std::size_t written = 0;
        int error_number = 0;  // 0: everything is written
    };

    // How the capture ends.
    struct ending {
        int error_number = 0;
        bool is_damaged = true;  // it ends inside a record
    };
    struct target {
        descriptor fd;
        bool is_file = false;
    };

    capture_sink(target to, std::string_view name)
        : fd_{std::move(to.fd)}, name_{name}, is_file_{to.is_file} {
        if (!is_file_) {
            rest_.reserve(most_kept);
        }
    }

    // Writes until all is written or the system refuses. Removes the written bytes from the pieces.
    [[nodiscard]] progress put(std::span<iovec>& pieces, detail::quiet_signals& quiet) noexcept {
        progress done;
        int interruptions = 0;
        drop_front(pieces, 0);
        while (!pieces.empty()) {
            const ssize_t n = ::writev(fd_.get(), pieces.data(), static_cast<int>(pieces.size()));
            if (n > 0) {
                done.written += static_cast<std::size_t>(n);
                drop_front(pieces, static_cast<std::size_t>(n));
            } else if (n == 0) {
                done.error_number = ENOSPC;
                break;
            } else if (errno != EINTR || ++interruptions == most_interruptions) {
                done.error_number = errno == EINTR ? EAGAIN : errno;
                quiet.take_away(done.error_number);
                break;
            }
        }
        return done;
    }
    static void drop_front(std::span<iovec>& pieces, std::size_t n) noexcept {
        while (!pieces.empty() && n >= pieces.front().iov_len) {
            n -= pieces.front().iov_len;
            pieces = pieces.subspan(1);
        }
        if (n != 0) {
            iovec& first = pieces.front();
            first = {static_cast<std::byte*>(first.iov_base) + n, first.iov_len - n};
        }
    }

    // Cuts a partly written record off the file. False: a part of it stays.
    [[nodiscard]] bool cut_back(std::size_t written) noexcept {
        const off_t end = ::lseek(fd_.get(), 0, SEEK_CUR);
        const off_t whole = end - static_cast<off_t>(written);
        return written == 0 || (end >= 0 && ::ftruncate(fd_.get(), whole) == 0 &&
                                ::lseek(fd_.get(), whole, SEEK_SET) == whole);
    }
    void stop(const ending& why) noexcept {
        const char* const advice =
            why.error_number == EPIPE ? "its reader is gone; the capture ends here; start its "
                                        "reader and the capture again"
            : why.is_damaged          ? "the capture ends inside a packet; mend that and start it "
                                        "again"
                                      : "the capture ends with its last whole packet; mend that "
                                        "and start it again";
        news_ = port_error::make("write", name_, why.error_number, advice);
        fd_.reset();
        rest_.clear();
        errno = why.error_number;
    }
    // Makes the first omission news.
    [[nodiscard]] bool left_out() noexcept {
        if (fd_) {
            if (!std::exchange(slowness_reported_, true)) {
                news_ = port_error::make(
                    "write", name_, 0,
                    "its reader does not keep up, packets are missing from the capture; read it "
                    "faster, or capture into a file");
            }
            errno = EAGAIN;
        }
        return false;
    }

    // Keeps the rest of a record for the next write. False: there is no room.
    [[nodiscard]] bool keep(std::span<const iovec> pieces) noexcept {
        for (const iovec& piece : pieces) {
            if (piece.iov_len > rest_.capacity() - rest_.size()) {
                stop({.error_number = ENOBUFS});
                return false;
            }
            const auto* from = static_cast<const std::byte*>(piece.iov_base);
            rest_.insert(rest_.end(), from, from + piece.iov_len);
        }
        return true;
    }
    [[nodiscard]] bool write_rest(detail::quiet_signals& quiet) noexcept {
        iovec piece{rest_.data(), rest_.size()};
        std::span<iovec> pieces{&piece, 1};
        const progress done = put(pieces, quiet);
        rest_.erase(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(done.written));
        if (done.error_number != 0 && done.error_number != EAGAIN) {
            stop({.error_number = done.error_number});
        }
        return rest_.empty() && fd_;
    }
    // Completes the last record for a reader that is still there.
    void finish() noexcept {
        constexpr int waits = 10, milliseconds = 10;
        detail::quiet_signals quiet;
        for (int i = 0; fd_ && !rest_.empty() && !write_rest(quiet) && i < waits; ++i) {
            pollfd waiting{fd_.get(), POLLOUT, 0};
            static_cast<void>(::poll(&waiting, 1, milliseconds));
        }
    }

    static constexpr mode_t owner_alone = 0600;
    static constexpr int most_interruptions = 8;
    static constexpr std::size_t most_kept = pcap::longest_record + 4096;

    std::mutex mutex_;  // guards all members below
    descriptor fd_;     // closed: the capture has ended
    std::string name_;
    bool is_file_;
    bool slowness_reported_ = false;
    std::vector<std::byte> rest_;  // of a record that a pipe took in part
    std::optional<port_error> news_;
};

}  // namespace sluice::port
