// The failure kind of each errno, and the pause after it.
#include <sluice/port/back_off.hpp>
#include <sluice/port/failure_kind.hpp>

#include <doctest/doctest.h>

namespace port_failure_kind {
using namespace sluice;
using namespace sluice::port;

TEST_CASE("the failure kind of each errno") {
    struct row {
        int error_number;
        failure_kind kind;
        read_status status;
    };
    using enum failure_kind;
    const row rows[] = {
        {.error_number = EAGAIN, .kind = again, .status = read_status::would_block},
        {.error_number = EINTR, .kind = interrupted, .status = read_status::interrupted},
        {.error_number = ENOBUFS, .kind = shortage, .status = read_status::failed},
        {.error_number = ENOMEM, .kind = shortage, .status = read_status::failed},
        {.error_number = EMFILE, .kind = shortage, .status = read_status::failed},
        {.error_number = ENFILE, .kind = shortage, .status = read_status::failed},
        {.error_number = ENOSPC, .kind = shortage, .status = read_status::failed},
        {.error_number = 9999, .kind = shortage, .status = read_status::failed},
        {.error_number = EINVAL, .kind = packet, .status = read_status::refused},
        {.error_number = EMSGSIZE, .kind = packet, .status = read_status::refused},
        {.error_number = EFAULT, .kind = packet, .status = read_status::refused},
        {.error_number = EPERM, .kind = packet, .status = read_status::refused},
        {.error_number = EACCES, .kind = packet, .status = read_status::refused},
        {.error_number = EHOSTUNREACH, .kind = packet, .status = read_status::refused},
        {.error_number = ENETUNREACH, .kind = packet, .status = read_status::refused},
        {.error_number = ECONNREFUSED, .kind = packet, .status = read_status::refused},
        {.error_number = ENETDOWN, .kind = link, .status = read_status::failed},
        {.error_number = ENXIO, .kind = link, .status = read_status::failed},
        {.error_number = ENODEV, .kind = link, .status = read_status::failed},
        {.error_number = EIO, .kind = link, .status = read_status::failed},
        {.error_number = EBADF, .kind = failure_kind::descriptor, .status = read_status::closed},
        {.error_number = EBADFD, .kind = failure_kind::descriptor, .status = read_status::closed},
        {.error_number = ENOTSOCK, .kind = failure_kind::descriptor, .status = read_status::closed},
    };
    for (const row& r : rows) {
        CAPTURE(r.error_number);
        CHECK(kind_of(r.error_number) == r.kind);
        CHECK(status_of(r.error_number) == r.status);
    }
}

TEST_CASE("repeated failures are retried less often, at most 64 ms apart") {
    back_off rest;
    instant now{1'000'000'000};
    for (u32 i = 0; i < back_off::free_failures; ++i) {
        rest.failed(now);
        CHECK_FALSE(rest.is_resting(now));
    }
    for (const i64 pause : {1, 2, 4, 8, 16, 32, 64, 64, 64}) {
        rest.failed(now);
        CHECK(rest.until() == now + duration::from_milliseconds(pause));
        CHECK(rest.is_resting(now));
        now = rest.until();
        CHECK_FALSE(rest.is_resting(now));
    }
    rest.failed(now);
    rest.succeeded();
    CHECK_FALSE(rest.is_resting(now));
    rest.failed(now);
    CHECK_FALSE(rest.is_resting(now));
}

}  // namespace port_failure_kind
