// capture::load_file: reads a whole file into memory, for the readers of captures.
//
// Expects: POSIX; a zero-terminated path; a file, or a pipe that ends.
// Errors:  the system's, as the result; only the heap throws.
// Cost:    the file's size from the heap.
#pragma once

#include <sluice/base/result.hpp>
#include <sluice/port/descriptor.hpp>
#include <sluice/port/error.hpp>

#include <cerrno>
#include <cstddef>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluice::port::capture {

// A file of more than `limit` bytes is an error.
[[nodiscard]] inline result<std::vector<std::byte>, port_error>
load_file(const char* path, std::size_t limit = std::size_t{1} << 30) {
    constexpr std::size_t first_step = 65'536;
    constexpr int most_interruptions = 8;
    const descriptor fd{::open(path, O_RDONLY | O_CLOEXEC)};
    if (!fd) {
        return failure{port_error::last("open", path)};
    }
    struct stat about{};
    if (::fstat(fd.get(), &about) < 0) {
        return failure{port_error::last("look at", path)};
    }
    std::vector<std::byte> content;
    std::size_t used = 0;
    int interruptions = 0;
    // One byte more than a plain file has, so that a read reaches its end.
    const std::size_t said = S_ISREG(about.st_mode) ? static_cast<std::size_t>(about.st_size) : 0;
    std::size_t room = said < first_step ? first_step : said + 1;
    while (said <= limit) {
        room = room > limit ? limit + 1 : room;
        content.resize(room);
        const ssize_t n = ::read(fd.get(), content.data() + used, room - used);
        if (n < 0 && errno == EINTR && ++interruptions < most_interruptions) {
            continue;
        }
        if (n < 0) {
            return failure{port_error::last("read", path)};
        }
        used += static_cast<std::size_t>(n);
        if (used > limit) {
            break;
        }
        if (n == 0) {
            content.resize(used);
            return content;
        }
        room = used == room ? 2 * room : room;
    }
    return failure{port_error::make("read", path, EFBIG, "cut it into several with `editcap -c`")};
}

}  // namespace sluice::port::capture
