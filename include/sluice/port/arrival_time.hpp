// arrival_time: reads when the kernel received a packet, for devices with options().timestamps.
//
// Expects: a socket with ask(), and room for control_size bytes in each message.
// Never:   fails after ask(): a message without a time has none, duration{}.
// Cost:    a walk over the control messages; now() is one vDSO call.
// Source:  Linux SO_TIMESTAMPNS, __sock_recv_timestamp.
#pragma once

#include <sluice/base/time.hpp>

#include <cstddef>
#include <cstring>

#include <sys/socket.h>
#include <time.h>

namespace sluice::port::arrival_time {

inline constexpr std::size_t control_size = CMSG_SPACE(sizeof(timespec));

// Since 1970 UT, as metadata.received_at.
[[nodiscard]] constexpr duration since_epoch(i64 seconds, i64 nanoseconds) noexcept {
    return {seconds * 1'000'000'000 + nanoseconds};
}

// Asks the kernel to report the times of the socket's packets. false: errno says why.
[[nodiscard]] inline bool ask(int fd) noexcept {
    const int on = 1;
    return ::setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) == 0;
}
[[nodiscard]] inline bool is_time(const cmsghdr& c) noexcept {
    return c.cmsg_level == SOL_SOCKET && c.cmsg_type == SO_TIMESTAMPNS &&
           c.cmsg_len >= CMSG_LEN(sizeof(timespec));
}
[[nodiscard]] inline duration of(const cmsghdr& c) noexcept {
    timespec t{};
    std::memcpy(&t, CMSG_DATA(&c), sizeof t);
    return since_epoch(t.tv_sec, t.tv_nsec);
}
// The present time, for a device whose kernel reports none.
[[nodiscard]] inline duration now() noexcept {
    timespec t{};
    ::clock_gettime(CLOCK_REALTIME, &t);
    return since_epoch(t.tv_sec, t.tv_nsec);
}

}  // namespace sluice::port::arrival_time
