// in_namespace: opens an object inside another network namespace of Linux.
//
// It moves the calling thread there, calls, and moves it back; other threads are not affected.
//
// Expects: a path to the namespace ("/run/netns/left", "/proc/42/ns/net") and CAP_SYS_ADMIN.
// Errors:  if moving back fails, the error's verb is "restore": the thread is still in the other
//          namespace and must end.
// Cost:    two descriptors and two system calls.
#pragma once

#include <sluice/base/result.hpp>
#include <sluice/port/descriptor.hpp>
#include <sluice/port/error.hpp>

#include <cerrno>
#include <string_view>
#include <type_traits>

#include <fcntl.h>
#include <sched.h>
#include <time.h>

namespace sluice::port {

// Returns the result<T, port_error> of open().
template <class Open>
[[nodiscard]] std::invoke_result_t<Open&> in_namespace(std::string_view path,
                                                       Open&& open) noexcept {
    char terminated[256] = {};
    if (path.size() >= sizeof terminated) {
        return failure{port_error::make("open", path, ENAMETOOLONG)};
    }
    path.copy(terminated, path.size());
    const descriptor own{::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)};
    if (!own) {
        return failure{port_error::last("open", "/proc/thread-self/ns/net")};
    }
    const descriptor other{::open(terminated, O_RDONLY | O_CLOEXEC)};
    if (!other) {
        return failure{port_error::last("open", path)};
    }
    if (::setns(other.get(), CLONE_NEWNET) < 0) {
        return failure{
            port_error::last("enter", path, errno == EPERM ? "needs CAP_SYS_ADMIN" : "")};
    }
    auto opened = open();
    // The system may be short of memory for a moment: try again.
    for (int tries = 0; tries < 100; ++tries) {
        if (::setns(own.get(), CLONE_NEWNET) == 0) {
            return opened;
        }
        const timespec pause{.tv_sec = 0, .tv_nsec = 1'000'000};
        ::nanosleep(&pause, nullptr);
    }
    return failure{port_error::last("restore", "network namespace")};
}

}  // namespace sluice::port
