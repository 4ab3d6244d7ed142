// failure_kind: what an errno of reading, writing or asking means for whoever goes on, told in one
// place.
//
// Expects: errno of a call on a device, a socket or for opening one. Does: says whether the
// descriptor is to be waited for, whether the system is short of something for now, whether one
// packet alone is lost, whether the interface is down, or whether the descriptor is no good. What
// is not known is taken for a shortage: it is tried again, after a pause (back_off.hpp). Never:
// advises to try again at once. Source: packet(7), raw(7), tun of Linux 6.18.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/port/descriptor.hpp>

#include <cerrno>

namespace sluice::port {

enum class failure_kind : u8 {
    again,        // nothing waits, or there is no room: poll the descriptor
    interrupted,  // a signal came first
    shortage,     // of memory, buffers, descriptors: later
    packet,       // this packet alone: refused, or thrown away
    link,         // the interface is down or not there
    descriptor    // it is no device and no socket any more
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
    case EPERM:  // a filter of the kernel's refuses it
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
    default:  // ENOBUFS, ENOMEM, EMFILE, ENFILE and what nobody thought of
        return failure_kind::shortage;
    }
}

// How a read that failed ended.
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
