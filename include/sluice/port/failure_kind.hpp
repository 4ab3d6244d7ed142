// failure_kind: what an errno of a device or socket means for the caller.
//
// The kinds differ in what the caller does: wait for the descriptor, try again after a pause
// (back_off.hpp), give up one packet, wait for the interface, or open the device again. An unknown
// errno counts as a shortage: the caller tries again after a pause.
//
// Expects: errno of a read, write or other call on a device or socket, or of opening one.
// Source:  packet(7), raw(7), tun of Linux 6.18.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/port/descriptor.hpp>

#include <cerrno>

namespace sluice::port {

enum class failure_kind : u8 {
    again,        // no packet waits, or the queue is full: poll the descriptor
    interrupted,  // a signal interrupted the call: repeat it
    shortage,     // the system lacks memory, buffers or descriptors: try later
    packet,       // the kernel refused or dropped only this packet
    link,         // the interface is down or absent
    descriptor    // the descriptor is no device or socket any more: open it again
};

[[nodiscard]] constexpr failure_kind kind_of(int error_number) noexcept {
    switch (error_number) {
    case EAGAIN:
        return failure_kind::again;
    case EINTR:
        return failure_kind::interrupted;
    case EINVAL:
    case EMSGSIZE:
    case EFAULT:
    case EPERM:  // refused by a filter of the kernel
    case EACCES:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ECONNREFUSED:
    case E2BIG:
    case EOPNOTSUPP:
    case EPROTO:
        return failure_kind::packet;
    case ENETDOWN:
    case ENXIO:
    case ENODEV:
    case EIO:  // of a TUN device
        return failure_kind::link;
    case EBADF:
    case EBADFD:  // of a TUN device whose interface was deleted
    case ENOTSOCK:
        return failure_kind::descriptor;
    default:  // ENOBUFS, ENOMEM, EMFILE, ENFILE and unknown ones
        return failure_kind::shortage;
    }
}

// The status of a failed read.
[[nodiscard]] constexpr read_status status_of(int error_number) noexcept {
    switch (kind_of(error_number)) {
    case failure_kind::again:
        return read_status::would_block;
    case failure_kind::interrupted:
        return read_status::interrupted;
    case failure_kind::packet:
        return read_status::refused;
    case failure_kind::descriptor:
        return read_status::closed;
    default:
        return read_status::failed;
    }
}

}  // namespace sluice::port
