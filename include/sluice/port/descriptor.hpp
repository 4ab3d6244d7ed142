// descriptor: owns a file descriptor and closes it once; move-only. read_status: how a read ended.
//
// Expects: POSIX.
// Never:   reports an error of close(2), since there is no remedy.
#pragma once

#include <sluice/base/integer.hpp>

#include <utility>

#include <unistd.h>

namespace sluice::port {

class descriptor {
public:
    constexpr descriptor() noexcept = default;
    constexpr explicit descriptor(int fd) noexcept : fd_{fd} {}
    constexpr descriptor(descriptor&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
    descriptor& operator=(descriptor&& other) noexcept {
        if (this != &other) {
            reset();
            fd_ = std::exchange(other.fd_, -1);
        }
        return *this;
    }
    ~descriptor() { reset(); }

    [[nodiscard]] constexpr explicit operator bool() const noexcept { return fd_ >= 0; }
    [[nodiscard]] constexpr int get() const noexcept { return fd_; }
    void reset() noexcept {
        if (fd_ >= 0) {
            ::close(std::exchange(fd_, -1));
        }
    }

private:
    int fd_ = -1;
};

enum class read_status : u8 {
    none,         // a packet was read
    would_block,  // no packet waits: poll the descriptor
    interrupted,  // a signal came first: handle it, then read again
    closed,       // the device is gone
    no_buffer,    // the source had no buffer: the packet still waits
    thrown_away,  // one packet was read and discarded (see the counters): read again
    refused,      // by the kernel; one packet may be lost: read again, but not at once
    failed        // another reason, see errno: read again, but not at once
};

// A sentence to print.
[[nodiscard]] constexpr const char* message(read_status error) noexcept {
    using enum read_status;
    switch (error) {
    case none:
        return "no error";
    case would_block:
        return "no packet waits";
    case interrupted:
        return "a signal interrupted the call";
    case closed:
        return "the device is gone";
    case no_buffer:
        return "no buffer is free";
    case thrown_away:
        return "the packet read is not usable";
    case refused:
        return "the kernel refused to give a packet";
    case failed:
        return "reading failed";
    }
    return "unknown read status";
}

}  // namespace sluice::port
