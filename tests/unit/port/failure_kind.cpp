// What each errno means for whoever goes on, and how long is waited after it.
#include <sluice/port/back_off.hpp>
#include <sluice/port/failure_kind.hpp>

#include <doctest/doctest.h>

namespace port_failure_kind {
using namespace sluice;
using namespace sluice::port;

TEST_CASE("what each errno means") {
    struct row {
        int error_number;
        failure_kind kind;
        read_status status;
    };
    using enum failure_kind;
    const row rows[] = {
        {EAGAIN, again, read_status::would_block},
        {EINTR, interrupted, read_status::interrupted},
        {ENOBUFS, shortage, read_status::failed},
        {ENOMEM, shortage, read_status::failed},
        {EMFILE, shortage, read_status::failed},
        {ENFILE, shortage, read_status::failed},
        {ENOSPC, shortage, read_status::failed},
        {9999, shortage, read_status::failed},
        {EINVAL, packet, read_status::refused},
        {EMSGSIZE, packet, read_status::refused},
        {EFAULT, packet, read_status::refused},
        {EPERM, packet, read_status::refused},
        {EACCES, packet, read_status::refused},
        {EHOSTUNREACH, packet, read_status::refused},
        {ENETUNREACH, packet, read_status::refused},
        {ECONNREFUSED, packet, read_status::refused},
        {ENETDOWN, link, read_status::failed},
        {ENXIO, link, read_status::failed},
        {ENODEV, link, read_status::failed},
        {EIO, link, read_status::failed},
        {EBADF, failure_kind::descriptor, read_status::closed},
        {EBADFD, failure_kind::descriptor, read_status::closed},
        {ENOTSOCK, failure_kind::descriptor, read_status::closed},
    };
    for (const row& r : rows) {
        CAPTURE(r.error_number);
        CHECK(kind_of(r.error_number) == r.kind);
        CHECK(status_of(r.error_number) == r.status);
    }
}

TEST_CASE("what fails again and again is tried less often, up to 64 ms apart") {
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
